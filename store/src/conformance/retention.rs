//! Which checkpoints stay, and what becomes of the others.

use std::sync::Arc;

use jobs::{Best, Goal, Keep, MetricPoint, Run, Value};

use super::fixture::{Bench, START, job, says, succeeded};
use crate::{Collect, Collected, NewJob, Store, StoreError};

/// Reports checkpoints at these steps, each with a value of `score`; the last one ends the run.
async fn course(bench: &Bench, run: &Run, scores: &[(u64, f64)]) {
    for (seq, &(step, score)) in (0..).zip(scores) {
        let checkpoint = Some(bench.checkpoint(step, START).await);
        let outcome = if seq + 1 == scores.len() as u64 { succeeded() } else { None };
        let metrics = vec![MetricPoint { name: "score".into(), step, value: Value::Scalar(score) }];
        bench
            .report(jobs::Report { checkpoint, outcome, metrics, ..says(run, seq, step) }, START + seq)
            .await;
    }
}

async fn keeping(store: Arc<dyn Store>, keep: Keep) -> (Bench, Run) {
    let bench = Bench { store };
    let plain = job(1, 1);
    bench.submit(NewJob { spec: jobs::JobSpec { keep, ..plain.spec.clone() }, ..plain }).await;
    let run = bench.granted(1, START).await;
    (bench, run)
}

const COURSE: [(u64, f64); 6] =
    [(100, 0.5), (250, 0.9), (310, 0.2), (380, f64::NAN), (410, 0.7), (1_000, 0.6)];

/// Older ones are forgotten, the final one stays; their chunks go a while after they were forgotten.
pub async fn the_two_newest_checkpoints_are_kept(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    course(&bench, &run, &[(10, 0.0), (20, 0.0), (30, 0.0), (1_000, 0.0)]).await;
    let kept = bench.store.checkpoints(run.id).await.expect("readable");
    assert_eq!(
        kept.iter().map(|one| (one.step, one.attempt, one.at, one.pinned)).collect::<Vec<_>>(),
        [(1_000, 1, START + 3, false), (30, 1, START + 2, false)]
    );
    let old = *blake3::hash(b"state at step 10").as_bytes();
    let is_there = async || bench.store.checkpoint_chunk(old, 0).await.expect("readable").is_some();
    assert_eq!(
        bench.collect(START + 2).await,
        0,
        "step 10 was forgotten at that moment: it may just be read"
    );
    assert!(is_there().await);
    assert_eq!(bench.collect(START + 3).await, 2, "its two chunks; step 20 was forgotten later");
    assert!(!is_there().await);
    assert_eq!(bench.collect(START + 4).await, 2);
}

/// The newest, the first of every so many steps, and the best: each rule adds.
pub async fn a_job_says_which_checkpoints_are_kept(store: Arc<dyn Store>) {
    let best = Best { metric: "score".into(), goal: Goal::Max, count: 1 };
    let keep = Keep { last: 1, every_steps: Some(300), best: Some(best) };
    let (bench, run) = keeping(store, keep).await;
    course(&bench, &run, &COURSE).await;
    assert_eq!(bench.kept(run.id).await, [1_000, 310, 250]);
    let scores = bench.store.checkpoints(run.id).await.expect("readable");
    assert_eq!(scores.iter().map(|one| one.score).collect::<Vec<_>>(), [Some(0.6), Some(0.2), Some(0.9)]);
}

/// As long as it is pinned; then the rule of the job decides again.
pub async fn a_pinned_checkpoint_stays(store: Arc<dyn Store>) {
    let (bench, run) = keeping(store, Keep::default()).await;
    course(&bench, &run, &[(100, 0.5), (1_000, 0.6)]).await;
    let pin = async |step, pinned| bench.store.pin_checkpoint(run.id, step, pinned, START + 9).await;
    let pinned = pin(100, true).await.expect("it is there");
    assert!(pinned.step == 100 && pinned.pinned);
    assert!(matches!(pin(7, true).await, Err(StoreError::NoCheckpoint { step: 7, .. })));
    let thin = |dry_run| Collect { before: START, final_only: true, dry_run, now: START + 9 };
    assert_eq!(bench.store.collect(thin(false)).await.expect("nothing to do"), Collected::default());
    assert_eq!(bench.kept(run.id).await, [1_000, 100]);
    assert!(!pin(100, false).await.expect("it is there").pinned);
    assert_eq!(bench.kept(run.id).await, [1_000, 100], "the two newest");
    let wanted = bench.store.collect(thin(true)).await.expect("counted");
    assert_eq!(bench.kept(run.id).await, [1_000, 100], "counting takes nothing");
    assert_eq!(wanted, Collected { checkpoints: 1, checkpoint_bytes: 17, ..Collected::default() });
    assert_eq!(bench.store.collect(thin(false)).await.expect("thinned"), wanted);
    assert_eq!(bench.kept(run.id).await, [1_000]);
    let chunks = |dry_run| Collect { before: START + 10, final_only: false, dry_run, now: START + 10 };
    let wanted = bench.store.collect(chunks(true)).await.expect("counted");
    assert_eq!(wanted, Collected { chunks: 2, chunk_bytes: 17, ..Collected::default() });
    assert_eq!(bench.store.collect(chunks(false)).await.expect("collected"), wanted);
    assert_eq!(bench.store.collect(chunks(true)).await.expect("counted"), Collected::default());
}

/// What a run that goes on would need is not thinned.
pub async fn a_run_that_goes_on_is_not_thinned(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    for (seq, step) in [(0, 10), (1, 20)] {
        let checkpoint = Some(bench.checkpoint(step, START).await);
        bench.report(jobs::Report { checkpoint, ..says(&run, seq, step) }, START).await;
    }
    let thin = Collect { before: START, final_only: true, dry_run: false, now: START };
    assert_eq!(bench.store.collect(thin).await.expect("collected"), Collected::default());
    assert_eq!(bench.kept(run.id).await, [20, 10]);
}
