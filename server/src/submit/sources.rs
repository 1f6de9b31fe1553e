//! What a job builds on: from the runs that a user names to checkpoints that are there.

use experiments::{CanonicalParams, FORK, Header, Offer, Source, SourceNeed, check_sources};
use jobs::{JobSource, Run, RunState, SourceSpec, SourceStep};
use store::StoredCheckpoint;

use super::{
    breaches::Breaches,
    draft::{Draft, Forked},
};
use crate::{
    app::{App, cut},
    checkpoints,
    fault::{Fault, Kind},
};

/// Sources of a job; one with more is refused.
const MOST: usize = 8;

/// A source whose run is there, at its place in the spec.
struct Named {
    at: usize,
    name: String,
    experiment: String,
    version: u32,
}

impl Named {
    fn offer(&self) -> Offer<'_> {
        Offer { name: &self.name, experiment: &self.experiment, version: self.version }
    }
}

/// What was found; what is wrong with the job is noted in its draft.
pub(super) struct Found {
    /// The checkpoints, or that a run has not succeeded.
    pub(super) checkpoints: Result<Vec<JobSource>, Fault>,
    /// Memory that they take in each run.
    pub(super) memory_bytes: u64,
}

/// Resolves the sources of a job.
pub(super) async fn find(app: &App, draft: &mut Draft) -> Result<Found, Fault> {
    let mut found = Found { checkpoints: Ok(Vec::new()), memory_bytes: 0 };
    let mut offers = Vec::new();
    for (at, spec) in draft.spec().from.clone().into_iter().enumerate().take(MOST) {
        let Some(run) = named(app, at, &spec, &mut draft.breaches).await? else { continue };
        draft.set_source(at, run.id);
        let job = app.job_of(&run).await?;
        let (name, version) = (spec.name.clone(), job.spec.version.unwrap_or(1));
        offers.push(Named { at, name, experiment: job.spec.experiment, version });
        let is_fork = spec.name == FORK;
        if !is_fork && !matches!(run.state, RunState::Succeeded { .. }) {
            let (id, state) = (run.id, run.state.name());
            let detail = format!("run {id} is {state}; a job can build on it once it has succeeded");
            found.checkpoints = found.checkpoints.and(Err(Fault::new(Kind::Conflict, detail)));
            continue;
        }
        let Some(checkpoint) = kept(app, at, &spec, &run, &mut draft.breaches).await? else { continue };
        if is_fork {
            let params = CanonicalParams::from_stored(run.spec.params.clone());
            draft.set_fork(Forked { at, params, dataset: job.dataset, step: checkpoint.step });
        }
        let state = state_bytes(app, at, &checkpoint, &mut draft.breaches).await?;
        found.memory_bytes = found.memory_bytes.saturating_add(Source::memory_bytes(state));
        if let Ok(all) = &mut found.checkpoints {
            let checkpoint = checkpoints::reference(&checkpoint);
            all.push(JobSource { name: spec.name, run: run.id, checkpoint });
        }
    }
    let named = draft.spec().from.len();
    let (forks, offers): (Vec<Named>, Vec<Named>) = offers.into_iter().partition(|named| named.name == FORK);
    forks.iter().for_each(|fork| draft.check_forked(fork.at, &fork.offer()));
    for needs in draft.source_needs() {
        check(needs, &offers, named - forks.len(), &mut draft.breaches);
    }
    Ok(found)
}

/// The run that a source names.
async fn named(
    app: &App,
    at: usize,
    spec: &SourceSpec,
    breaches: &mut Breaches,
) -> Result<Option<Run>, Fault> {
    match app.run(&spec.run).await {
        Ok(run) => Ok(Some(run)),
        Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::Conflict) => {
            let rule = "it must be the id of a run, or its first 6 or more digits where that is unique";
            let detail = format!("`from.{at}.run` is `{}`; {rule}", cut(&spec.run));
            breaches.add_if_new(&format!("/from/{at}/run"), detail);
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// The checkpoint that a source means.
async fn kept(
    app: &App,
    at: usize,
    spec: &SourceSpec,
    run: &Run,
    breaches: &mut Breaches,
) -> Result<Option<StoredCheckpoint>, Fault> {
    let step = match spec.step {
        SourceStep::At(step) => Some(step),
        SourceStep::Newest(_) => None,
    };
    let found = checkpoints::whole(app, run.id, step).await?;
    if found.is_none() {
        let shown = step.map_or("last".to_owned(), |step| step.to_string());
        let has = checkpoints::kept(app, run.id).await?;
        let rule = format!("it must be a step whose checkpoint is kept; the run has {has}");
        breaches.add_if_new(&format!("/from/{at}/step"), format!("`from.{at}.step` is {shown}; {rule}"));
    }
    Ok(found)
}

/// Length of the state inside a checkpoint; its header says so.
async fn state_bytes(
    app: &App,
    at: usize,
    checkpoint: &StoredCheckpoint,
    breaches: &mut Breaches,
) -> Result<u64, Fault> {
    let first = app.store.checkpoint_chunk(checkpoint.digest, 0).await?.unwrap_or_default();
    let (field, most) = (format!("/from/{at}/run"), Source::LIMIT_BYTES);
    match Header::peek(&first) {
        Ok(header) if header.body_bytes <= most => return Ok(header.body_bytes),
        Ok(header) => {
            let rule = format!("has a state of {} bytes; it must be at most {most}", header.body_bytes);
            breaches.add_if_new(&field, format!("`from.{at}.run` {rule}"));
        }
        Err(error) => breaches.add_if_new(&field, format!("`from.{at}.run` cannot be built on: {error}")),
    }
    Ok(0)
}

/// Holds the runs that were found against what the experiment can build on. `named` counts those that were not found
/// as well: a source that is there under a wrong id is not missing.
fn check(needs: &[SourceNeed], found: &[Named], named: usize, breaches: &mut Breaches) {
    let offers: Vec<Offer<'_>> = found.iter().map(Named::offer).collect();
    for error in check_sources(needs, &offers).err().into_iter().flatten() {
        match error.at {
            Some(at) => {
                let at = found[at].at;
                breaches.add_if_new(&format!("/from/{at}/{}", error.field), error.detail);
            }
            None if found.len() == named => breaches.add("/from", error.detail),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &[SourceNeed] =
        &[SourceNeed { name: "network", experiments: &["rbm", "rbse"], required: true }];

    fn breaches(found: &[Named], named: usize) -> Vec<(String, String)> {
        let mut breaches = Breaches::default();
        check(NETWORK, found, named, &mut breaches);
        breaches.into_fault().fields.into_iter().map(|breach| (breach.pointer, breach.detail)).collect()
    }

    fn named(at: usize, name: &str, experiment: &str) -> Named {
        let version = experiments::find(experiment).map_or(1, |kind| kind.version());
        Named { at, name: name.into(), experiment: experiment.into(), version }
    }

    #[test]
    fn a_source_is_named_by_its_place_among_all_that_were_written() {
        let wrong = breaches(&[named(1, "net", "rbm"), named(3, "network", "one-shot")], 4);
        let pointers: Vec<&str> = wrong.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/from/1/as", "/from/3/run"]);
    }

    #[test]
    fn a_source_that_is_missing_is_named_unless_one_was_not_found() {
        assert_eq!(breaches(&[], 0)[0].0, "/from");
        assert!(breaches(&[], 1).is_empty(), "the one that was not found may be the one");
        assert!(breaches(&[named(0, "network", "rbse")], 1).is_empty());
    }
}
