//! Jobs that build on finished runs.

use std::sync::Arc;

use jobs::{CheckpointRef, JobSource, Last, Run, SourceSpec, SourceStep};

use super::fixture::{Bench, START, job, job_id, run_id, says, succeeded};
use crate::{NewJob, Page, Store, StoreError, Unfit};

/// Job `n` with one run, which builds on a checkpoint of `run`.
fn follower(n: u128, run: &Run, checkpoint: &CheckpointRef) -> NewJob {
    let mut new = job(n, 1);
    let step =
        if n.is_multiple_of(2) { SourceStep::At(checkpoint.step) } else { SourceStep::Newest(Last::Last) };
    new.spec.from = vec![SourceSpec { name: "network".into(), run: run.id.to_string(), step }];
    new.from = vec![JobSource { name: "network".into(), run: run.id, checkpoint: checkpoint.clone() }];
    new
}

/// A run under way, with a checkpoint at step 10.
async fn at_ten(bench: &Bench) -> (Run, CheckpointRef) {
    let run = bench.granted(1, START).await;
    let checkpoint = bench.checkpoint(10, START).await;
    bench.report(jobs::Report { checkpoint: Some(checkpoint.clone()), ..says(&run, 0, 10) }, START).await;
    (run, checkpoint)
}

/// What a job builds on comes back with it, alone and in a list, and with the lease.
pub async fn a_job_remembers_what_it_builds_on(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let (run, checkpoint) = at_ten(&bench).await;
    for n in [2, 3] {
        bench.submit(follower(n, &run, &checkpoint)).await;
    }
    bench.submit(job(4, 1)).await;
    let stored = bench.store.job(job_id(3)).await.expect("readable").expect("there");
    let expected = follower(3, &run, &checkpoint);
    assert_eq!((&stored.from, &stored.spec), (&expected.from, &expected.spec));
    let page = bench.store.jobs(Page { after: None, limit: 3 }).await.expect("readable");
    let sources: Vec<_> = page.jobs.iter().map(|job| (job.id, job.from.len())).collect();
    assert_eq!(sources, [(job_id(4), 0), (job_id(3), 1), (job_id(2), 1)]);
    assert_eq!(page.jobs[2].from[0].checkpoint, checkpoint);
    let granted = bench.acquire(2, START + 9).await.expect("a run waits");
    assert_eq!((granted.job.id, granted.job.from), (job_id(2), expected.from));
}

/// Retention and the collector leave it alone; the others go.
pub async fn a_checkpoint_that_a_job_builds_on_is_kept(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let (run, pinned) = at_ten(&bench).await;
    bench.submit(follower(2, &run, &pinned)).await;
    let mut loose = None;
    for (seq, step) in [(1, 20), (2, 30), (3, 1_000)] {
        let checkpoint = bench.checkpoint(step, START).await;
        let outcome = if step == 1_000 { succeeded() } else { None };
        loose = loose.or(Some(checkpoint.digest));
        let report = jobs::Report { checkpoint: Some(checkpoint), outcome, ..says(&run, seq, step) };
        bench.report(report, START + seq).await;
    }
    let kept = bench.store.checkpoints(run.id).await.expect("readable");
    assert_eq!(kept.iter().map(|one| one.step).collect::<Vec<_>>(), [1_000, 30, 10]);
    assert_eq!(bench.collect(START * 9).await, 2, "the chunks of step 20");
    let chunk = async |digest| bench.store.checkpoint_chunk(digest, 0).await.expect("readable");
    assert!(chunk(pinned.digest).await.is_some());
    assert!(chunk(loose.expect("it was reported")).await.is_none());
}

/// A job that could never begin is not stored, and nothing of it.
pub async fn a_job_builds_only_on_checkpoints_that_are_there(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let (run, good) = at_ten(&bench).await;
    let other = Run { id: run_id(1, 1), ..run.clone() };
    let none = [
        follower(2, &run, &CheckpointRef { step: 20, ..good.clone() }),
        follower(2, &run, &CheckpointRef { digest: [7; 32], ..good.clone() }),
        follower(2, &other, &good),
    ];
    for job in none {
        let keyed = NewJob { idempotency: Some(("key".into(), [7; 32])), ..job };
        let refused = bench.store.submit(keyed).await;
        assert!(matches!(refused, Err(StoreError::NoCheckpoint { .. })), "{refused:?}");
    }
    assert!(bench.store.job(job_id(2)).await.expect("readable").is_none());
    bench.store.mark_corrupt(run.id, 10, Unfit::Damaged, START).await.expect("marked");
    let refused = bench.store.submit(follower(2, &run, &good)).await;
    assert!(matches!(refused, Err(StoreError::NoCheckpoint { step: 10, .. })), "{refused:?}");
    let keyed = NewJob { idempotency: Some(("key".into(), [8; 32])), ..job(2, 1) };
    assert!(bench.store.submit(keyed).await.expect("the key was not used up").created);
}
