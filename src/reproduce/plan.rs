//! Which jobs test which findings: findings with the same settings share one job.

use experiments::{Finding, Kind, findings};
use serde_json::{Map, Value as Json, json};

/// A finding, of which experiment, and the task that tests it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub(super) experiment: &'static str,
    pub(super) finding: Finding,
    /// Its place in [`tasks`].
    pub(super) task: usize,
}

/// A job that tests some findings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Task {
    experiment: String,
    preset: Option<String>,
    params: Map<String, Json>,
    pub(super) dataset: Option<String>,
}

/// The findings of these experiments; `built_in` leaves those out that need other data.
pub(super) fn claims(kinds: &[&'static dyn Kind], built_in: bool) -> Vec<Claim> {
    let mut known: Vec<Task> = Vec::new();
    let mut claims = Vec::new();
    for kind in kinds {
        for finding in findings(*kind).into_iter().filter(|finding| !built_in || finding.dataset.is_none()) {
            let task = Task::of(kind.name(), &finding);
            let place = known.iter().position(|other| *other == task).unwrap_or_else(|| {
                known.push(task);
                known.len() - 1
            });
            claims.push(Claim { experiment: kind.name(), finding, task: place });
        }
    }
    claims
}

/// The tasks of the claims, each once.
pub(super) fn tasks(claims: &[Claim]) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    for claim in claims {
        if claim.task == tasks.len() {
            tasks.push(Task::of(claim.experiment, &claim.finding));
        }
    }
    tasks
}

impl Task {
    fn of(experiment: &'static str, finding: &Finding) -> Self {
        let Finding { control, preset, params, dataset, .. } = finding.clone();
        Self { experiment: control.unwrap_or_else(|| experiment.to_owned()), preset, params, dataset }
    }

    /// The job to submit.
    pub(super) fn spec(&self, seeds: &[u64]) -> Json {
        let params = self
            .params
            .iter()
            .map(|(name, value)| format!(" {name} {}", value.to_string().trim_matches('"')));
        let preset = self.preset.iter().map(|preset| format!(" {preset}"));
        let name: String = [self.experiment.clone()].into_iter().chain(preset).chain(params).collect();
        json!({
            "name": name, "experiment": self.experiment, "preset": self.preset, "params": self.params,
            "dataset": self.dataset, "seeds": seeds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_with_the_same_settings_share_a_job() {
        let claims = claims(experiments::CATALOGUE, false);
        let tasks = tasks(&claims);
        assert!(tasks.len() < claims.len(), "{} jobs for {} findings", tasks.len(), claims.len());
        for claim in &claims {
            assert_eq!(tasks[claim.task], Task::of(claim.experiment, &claim.finding), "{}", claim.finding.id);
        }
    }

    #[test]
    fn a_quick_look_needs_no_data_from_elsewhere() {
        assert!(claims(experiments::CATALOGUE, true).iter().all(|claim| claim.finding.dataset.is_none()));
    }
}
