//! Which jobs the findings and figures take: those with the same settings share one.

use std::collections::{BTreeMap, BTreeSet};

use experiments::{
    Figure, FigureKind, Finding, FindingJob, Kind, SEEDS, Statistic, ValueKind, figures, findings,
};
use serde_json::{Value as Json, json};

/// A job name that every server takes.
const NAME_CHARS: usize = 64;
/// So many steps between observations that only the first and the last step are observed.
const ENDS_ONLY: u64 = 1 << 40;

/// What is tested, drawn and run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) claims: Vec<Claim>,
    pub(super) pictures: Vec<Picture>,
    pub(super) tasks: Vec<Task>,
    /// Findings that were left out because their data is not at hand.
    pub(super) skipped: Vec<Skipped>,
}

/// A finding that cannot be tested here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Skipped {
    /// `experiment/finding`.
    pub(super) name: String,
    /// What is missing.
    pub(super) reason: String,
}

/// A finding, of which experiment, and the seeds it is tested on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub(super) experiment: &'static str,
    pub(super) finding: Finding,
    pub(super) seeds: Vec<u64>,
}

/// A figure, of which experiment, and the seeds it shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) experiment: &'static str,
    pub(super) figure: Figure,
    pub(super) seeds: Vec<u64>,
}

/// A job that some findings and figures read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Task {
    pub(super) identity: String,
    pub(super) job: FindingJob,
    pub(super) seeds: BTreeSet<u64>,
    /// Metrics that are not numbers and are read at the last step.
    pub(super) lists: BTreeSet<String>,
    /// Metrics that are read at every step.
    pub(super) courses: BTreeSet<String>,
}

/// What to test.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Experiments and `experiment/finding`s; all when empty.
    pub(super) only: Vec<String>,
    /// Seeds instead of those that findings name.
    pub(super) seeds: Option<Vec<u64>>,
    /// Only built-in data.
    pub(super) quick: bool,
    /// Slow ones too.
    pub(super) slow: bool,
    /// Figures too.
    pub(super) figures: bool,
    /// Data sets that are not at hand, and why: findings that need them are skipped unless they are named, figures are
    /// left out.
    pub(super) lacking: BTreeMap<String, String>,
}

impl Claim {
    /// `experiment/finding`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.experiment, self.finding.id)
    }
}

impl Picture {
    /// `experiment-figure`, the name of its file.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.experiment, self.figure.id)
    }
}

impl Choice {
    fn takes(&self, kind: &str, finding: &Finding) -> bool {
        let in_scope = self.only.is_empty() || self.only.iter().any(|name| name == kind);
        let is_built_in = datasets(kind, finding).next().is_none();
        // An interval takes two seeds at least.
        let is_quick = is_built_in && finding.over_seeds != Statistic::Interval;
        self.names(kind, finding) || (in_scope && (self.slow || !finding.slow) && (!self.quick || is_quick))
    }

    fn names(&self, kind: &str, finding: &Finding) -> bool {
        self.only.iter().any(|name| *name == format!("{kind}/{}", finding.id))
    }

    /// What a finding lacks, unless it is named.
    fn lack(&self, kind: &str, finding: &Finding) -> Option<&String> {
        let lack = datasets(kind, finding).find_map(|dataset| self.lacking.get(&dataset));
        lack.filter(|_| !self.names(kind, finding))
    }

    fn draws(&self, kind: &str, figure: &Figure) -> bool {
        let in_scope = self.only.is_empty() || self.only.iter().any(|name| name == kind);
        let datasets = || figure.series.iter().filter_map(|series| series.dataset.as_ref());
        let is_possible = match self.quick {
            true => datasets().next().is_none(),
            false => datasets().all(|dataset| !self.lacking.contains_key(dataset)),
        };
        self.figures && in_scope && (self.slow || !figure.slow) && is_possible
    }

    fn seeds(&self, own: Option<&Vec<u64>>) -> Vec<u64> {
        self.seeds.as_ref().or(own).cloned().unwrap_or_else(|| SEEDS.to_vec())
    }
}

impl Plan {
    /// Of these experiments.
    ///
    /// # Errors
    /// If a job is refused; a test holds that none of the catalogue's is.
    pub(super) fn new(kinds: &[&'static dyn Kind], choice: &Choice) -> Result<Self, String> {
        let mut plan = Self::default();
        for kind in kinds {
            let experiment = kind.name();
            for finding in findings(*kind).into_iter().filter(|finding| choice.takes(experiment, finding)) {
                if let Some(reason) = choice.lack(experiment, &finding) {
                    let name = format!("{experiment}/{}", finding.id);
                    plan.skipped.push(Skipped { name, reason: reason.clone() });
                    continue;
                }
                let seeds = choice.seeds(finding.seeds.as_ref());
                for (job, metric) in finding.reads(experiment) {
                    plan.need(job, &seeds, &[metric], false)?;
                }
                plan.claims.push(Claim { experiment, finding, seeds });
            }
            let drawn = figures(*kind).into_iter().filter(|figure| choice.draws(experiment, figure));
            for figure in drawn {
                let seeds = choice.seeds(figure.seeds.as_ref());
                for series in &figure.series {
                    for job in figure.jobs(experiment, series) {
                        plan.need(job, &seeds, &figure.metrics(series), figure.kind == FigureKind::Line)?;
                    }
                }
                plan.pictures.push(Picture { experiment, figure, seeds });
            }
        }
        Ok(plan)
    }

    fn need(
        &mut self,
        job: FindingJob,
        seeds: &[u64],
        metrics: &[String],
        course: bool,
    ) -> Result<(), String> {
        let identity = job.identity()?;
        let place = self.tasks.iter().position(|task| task.identity == identity);
        let place = place.unwrap_or_else(|| {
            let (lists, courses) = (BTreeSet::new(), BTreeSet::new());
            self.tasks.push(Task { identity, job, seeds: BTreeSet::new(), lists, courses });
            self.tasks.len() - 1
        });
        let task = &mut self.tasks[place];
        task.seeds.extend(seeds);
        for metric in metrics {
            match course {
                true => task.courses.insert(metric.clone()),
                false if is_list(&task.job.experiment, metric) => task.lists.insert(metric.clone()),
                false => false,
            };
        }
        Ok(())
    }

    /// The data sets that are not built in.
    pub(super) fn datasets(&self) -> BTreeSet<&str> {
        self.tasks.iter().filter_map(|task| task.job.dataset.as_deref()).collect()
    }
}

/// Data sets that are not built in, of all jobs of a finding.
fn datasets(kind: &str, finding: &Finding) -> impl Iterator<Item = String> {
    let points = finding.points(kind).into_iter().chain(finding.control_points(kind));
    let jobs = points.flat_map(|point| [Some(point.job), point.against].into_iter().flatten());
    jobs.filter_map(|job| job.dataset)
}

fn is_list(experiment: &str, metric: &str) -> bool {
    let kind = experiments::find(experiment);
    let spec = kind.and_then(|kind| kind.metrics().iter().find(|spec| spec.name == metric));
    spec.is_some_and(|spec| spec.kind != ValueKind::Scalar)
}

impl Task {
    /// The job to submit.
    pub(super) fn spec(&self) -> Json {
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ' ' | '-');
        let name: String = self.job.label().chars().filter(allowed).take(NAME_CHARS).collect();
        let every = if self.courses.is_empty() { Some(ENDS_ONLY) } else { None };
        json!({
            "name": name, "experiment": self.job.experiment, "preset": self.job.preset, "params": self.job.params,
            "dataset": self.job.dataset, "seeds": self.seeds, "every": every,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(choice: &Choice) -> Plan {
        Plan::new(experiments::CATALOGUE, choice).expect("the catalogue's jobs are accepted")
    }

    #[test]
    fn findings_with_the_same_settings_share_a_job() {
        let plan = plan(&Choice { figures: true, ..Choice::default() });
        let mut identities: Vec<&str> = plan.tasks.iter().map(|task| task.identity.as_str()).collect();
        let jobs = identities.len();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), jobs, "no job twice");
        let findings = Plan::new(experiments::CATALOGUE, &Choice::default()).expect("as above");
        let asked =
            findings.claims.iter().map(|claim| claim.finding.reads(claim.experiment).len()).sum::<usize>();
        assert!(findings.tasks.len() < asked, "{} jobs for {asked} readings", findings.tasks.len());
        for claim in &plan.claims {
            for (job, _) in claim.finding.reads(claim.experiment) {
                let identity = job.identity().expect("it was accepted");
                let task = plan.tasks.iter().find(|task| task.identity == identity).expect("it is planned");
                assert!(claim.seeds.iter().all(|seed| task.seeds.contains(seed)), "{}", claim.name());
            }
        }
    }

    #[test]
    fn a_quick_look_needs_no_data_from_elsewhere() {
        let quick = plan(&Choice { quick: true, figures: true, seeds: Some(vec![1]), ..Choice::default() });
        assert!(!quick.claims.is_empty() && quick.datasets().is_empty());
        assert!(quick.tasks.iter().all(|task| task.seeds == BTreeSet::from([1])));
    }

    #[test]
    fn findings_whose_data_is_not_at_hand_are_skipped_unless_they_are_named() {
        let lacking = BTreeMap::from([("mnist-t8k".to_owned(), "it is not there".to_owned())]);
        let whole = plan(&Choice { figures: true, ..Choice::default() });
        let without = plan(&Choice { figures: true, lacking: lacking.clone(), ..Choice::default() });
        assert!(!without.datasets().contains("mnist-t8k"));
        assert_eq!(without.claims.len() + without.skipped.len(), whole.claims.len());
        let skipped = without.skipped.iter().find(|skipped| skipped.name == "rbse/mnist-a-top1");
        assert_eq!(skipped.map(|skipped| skipped.reason.as_str()), Some("it is not there"));
        let only = vec!["rbse/mnist-a-top1".to_owned()];
        let named = plan(&Choice { only, lacking, ..Choice::default() });
        assert_eq!((named.claims.len(), named.skipped.len()), (1, 0));
    }

    #[test]
    fn one_finding_can_be_named_and_is_then_taken_however_slow() {
        let name = "rbse/digits-gap".to_owned();
        let one = plan(&Choice { only: vec![name.clone()], figures: true, ..Choice::default() });
        assert_eq!(one.claims.iter().map(Claim::name).collect::<Vec<_>>(), [name]);
        assert!(one.pictures.is_empty());
        let claim = &one.claims[0];
        let mut slow = claim.finding.clone();
        slow.slow = true;
        assert!(!Choice::default().takes("rbse", &slow));
        assert!(Choice { slow: true, ..Choice::default() }.takes("rbse", &slow));
        assert!(Choice { only: vec!["rbse/digits-gap".into()], ..Choice::default() }.takes("rbse", &slow));
    }

    #[test]
    fn only_jobs_whose_course_is_drawn_are_observed_on_the_way() {
        for task in plan(&Choice { figures: true, ..Choice::default() }).tasks {
            let spec = task.spec();
            assert_eq!(spec["every"].is_null(), !task.courses.is_empty(), "{spec}");
            assert!(spec["name"].as_str().is_some_and(|name| !name.is_empty() && name.len() <= NAME_CHARS));
        }
    }
}
