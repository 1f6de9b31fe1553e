//! Checkpoints and data sets.

use std::sync::Arc;

use jobs::{CheckpointRef, DatasetHash};

use super::fixture::{Bench, START, TTL, says};
use crate::{Chunk, NewDataset, Store, StoreError, Unfit};

/// Chunks first, then the report that names them.
pub async fn a_checkpoint_needs_all_its_chunks(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let bytes = b"0123456789";
    let digest = *blake3::hash(bytes).as_bytes();
    let chunk = |n: u32, range: std::ops::Range<usize>| vec![Chunk { n, bytes: bytes[range].to_vec() }];
    let report = || {
        let checkpoint = Some(CheckpointRef { step: 5, digest, bytes: 10 });
        bench.store.report(jobs::Report { checkpoint, ..says(&run, 0, 5) }, START)
    };
    let incomplete = |answer| matches!(answer, Err(StoreError::IncompleteCheckpoint { step: 5, .. }));
    assert!(incomplete(report().await), "none");
    bench.store.put_chunks(digest, chunk(0, 0..4), START).await.expect("stored");
    assert!(incomplete(report().await), "the second is missing");
    bench.store.put_chunks(digest, chunk(2, 4..10), START).await.expect("stored");
    assert!(incomplete(report().await), "as long as it should be, with a hole");
    bench.collect(START + 1).await;
    bench.store.put_chunks(digest, chunk(0, 0..4), START).await.expect("stored");
    bench.store.put_chunks(digest, chunk(1, 4..10), START).await.expect("stored");
    bench.store.put_chunks(digest, chunk(1, 4..10), START).await.expect("storing one again is harmless");
    report().await.expect("complete");
    assert_eq!(bench.run(run.id).await.checkpoint_step, Some(5));
    assert_eq!(bench.store.checkpoint_chunk(digest, 1).await.expect("readable").expect("there"), b"456789");
    bench.store.put_chunks(digest, chunk(2, 0..4), START).await.expect("it is whole: one more is not stored");
    assert!(bench.store.checkpoint_chunk(digest, 2).await.expect("readable").is_none());
}

/// What arrived damaged is not taken, and can be put again.
pub async fn a_checkpoint_needs_the_bytes_it_names(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let digest = *blake3::hash(b"good").as_bytes();
    let report = || {
        let checkpoint = Some(CheckpointRef { step: 5, digest, bytes: 4 });
        bench.store.report(jobs::Report { checkpoint, ..says(&run, 0, 5) }, START)
    };
    bench
        .store
        .put_chunks(digest, vec![Chunk { n: 0, bytes: b"goad".to_vec() }], START)
        .await
        .expect("stored");
    assert!(matches!(report().await, Err(StoreError::IncompleteCheckpoint { .. })));
    bench
        .store
        .put_chunks(digest, vec![Chunk { n: 0, bytes: b"good".to_vec() }], START)
        .await
        .expect("stored");
    report().await.expect("right this time");
    for bytes in [Vec::new(), vec![0; (1 << 20) + 1]] {
        let odd = bench.store.put_chunks(digest, vec![Chunk { n: 9, bytes }], START).await;
        assert!(matches!(odd, Err(StoreError::Limit(_))));
    }
}

/// The largest that a server takes unless it is told otherwise.
pub async fn a_checkpoint_of_half_a_gibibyte_comes_back_whole(store: Arc<dyn Store>) {
    const CHUNKS: u32 = 512;
    let chunk = |n: u32| [n.to_le_bytes(), (!n).to_le_bytes()].concat().repeat(1 << 17);
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let mut hash = blake3::Hasher::new();
    (0..CHUNKS).for_each(|n| {
        hash.update(&chunk(n));
    });
    let digest = *hash.finalize().as_bytes();
    for n in (0..CHUNKS).step_by(4) {
        let some = (n..n + 4).map(|n| Chunk { n, bytes: chunk(n) }).collect();
        bench.store.put_chunks(digest, some, START).await.expect("stored");
    }
    let checkpoint = Some(CheckpointRef { step: 5, digest, bytes: 512 << 20 });
    bench.report(jobs::Report { checkpoint, ..says(&run, 0, 5) }, START).await;
    assert_eq!(bench.kept(run.id).await, [5]);
    for n in 0..CHUNKS {
        let read = bench.store.checkpoint_chunk(digest, n).await.expect("readable").expect("there");
        assert!(read == chunk(n), "chunk {n}");
    }
    assert!(bench.store.checkpoint_chunk(digest, CHUNKS).await.expect("readable").is_none());
}

/// The run goes back, the same state can be stored again.
pub async fn a_corrupt_checkpoint_gives_way_to_the_one_before(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    for (seq, step) in [(0, 10), (1, 20)] {
        let checkpoint = Some(bench.checkpoint(step, START).await);
        bench.report(jobs::Report { checkpoint, ..says(&run, seq, step) }, START).await;
    }
    bench.store.expire_leases(START + TTL).await.expect("expired");
    let second = bench.granted(2, START + TTL).await;
    assert_eq!(second.step, 20);
    for _ in 0..2 {
        bench
            .store
            .mark_corrupt(run.id, 20, Unfit::Damaged, START + TTL)
            .await
            .expect("marked; again is harmless");
    }
    let kept = bench.store.checkpoints(run.id).await.expect("readable");
    assert_eq!(kept.iter().map(|one| one.step).collect::<Vec<_>>(), [10]);
    let run = bench.run(run.id).await;
    assert_eq!((run.checkpoint_step, run.step), (Some(10), 10));
    assert_eq!(bench.events().await.iter().filter(|name| **name == "checkpoint_corrupt").count(), 1);
    let checkpoint = Some(bench.checkpoint(20, START + TTL).await);
    bench.report(jobs::Report { checkpoint, ..says(&second, 0, 20) }, START + TTL).await;
    assert_eq!(bench.store.checkpoints(run.id).await.expect("readable").len(), 2);
    assert_eq!(bench.run(run.id).await.checkpoint_step, Some(20));
}

/// Runs with the same state at a step share its chunks: what was damaged for one is replaced for both.
pub async fn damaged_chunks_that_two_runs_share_are_put_again(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 2).await;
    let (one, other) = (bench.granted(1, START).await, bench.granted(1, START).await);
    let shared = bench.checkpoint(20, START).await;
    for run in [&one, &other] {
        let checkpoint = Some(shared.clone());
        bench.report(jobs::Report { checkpoint, ..says(run, 0, 20) }, START).await;
    }
    let chunk = async || bench.store.checkpoint_chunk(shared.digest, 0).await.expect("readable");
    bench.store.mark_corrupt(other.id, 20, Unfit::Refused, START).await.expect("marked");
    assert_eq!((bench.run(other.id).await.checkpoint_step, bench.kept(one.id).await), (None, vec![20]));
    assert!(chunk().await.is_some(), "what one run cannot use stays for the other");
    bench.store.mark_corrupt(one.id, 20, Unfit::Damaged, START).await.expect("marked");
    assert!(chunk().await.is_none(), "what is damaged is in nobody's way");
    let again = bench.checkpoint(20, START).await;
    assert!(chunk().await.is_some());
    bench.report(jobs::Report { checkpoint: Some(again), ..says(&one, 1, 21) }, START).await;
    assert_eq!(bench.run(one.id).await.checkpoint_step, Some(20));
}

/// Old and unnamed, both.
pub async fn collecting_never_takes_what_a_checkpoint_names(store: Arc<dyn Store>) {
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let named = bench.checkpoint(10, START).await;
    let orphan = bench.checkpoint(20, START).await;
    let young = bench.checkpoint(30, START + 50).await;
    bench.checkpoint(40, START).await;
    let again = bench.checkpoint(40, START + 50).await; // sent again: as young as its last arrival
    bench.report(jobs::Report { checkpoint: Some(named.clone()), ..says(&run, 0, 10) }, START).await;
    assert_eq!(bench.collect(START + 50).await, 2);
    for (checkpoint, there) in [(named, true), (orphan, false), (young, true), (again, true)] {
        let chunk = bench.store.checkpoint_chunk(checkpoint.digest, 0).await.expect("readable");
        assert_eq!(chunk.is_some(), there, "step {}", checkpoint.step);
    }
}

fn dataset(name: &str, content: &[u8]) -> NewDataset {
    NewDataset {
        name: name.into(),
        hash: DatasetHash(*blake3::hash(content).as_bytes()),
        kind: "images".into(),
        shape: r#"{"n":1}"#.into(),
        attribution: Some("somebody".into()),
        content: content.to_vec(),
    }
}

/// The same content under two names is one data set; a name means one content.
pub async fn data_sets_have_names_and_one_content(store: Arc<dyn Store>) {
    let content: Vec<u8> = (0..2_500_000_u32).map(|at| (at / 1_000) as u8).collect();
    let first = store.put_dataset(dataset("b", &content), START).await.expect("stored");
    assert!(first.created && first.bytes == 2_500_000 && first.created_at == START);
    let again = store.put_dataset(dataset("b", &content), START + 1).await.expect("known");
    assert_eq!((again.created, again.created_at), (false, START));
    let second = store.put_dataset(dataset("a", &content), START + 1).await.expect("one more name");
    assert_eq!((second.created, second.names), (false, vec!["a".to_owned(), "b".to_owned()]));
    let taken = store.put_dataset(dataset("a", b"other"), START).await;
    assert!(matches!(taken, Err(StoreError::NameTaken { name, hash }) if name == "a" && hash == first.hash));
    for text in ["a", "b", &first.hash.to_string()] {
        let found = store.dataset(text).await.expect("readable").expect("there");
        assert_eq!(
            (found.hash, found.created, found.attribution.as_deref()),
            (first.hash, false, Some("somebody"))
        );
    }
    assert!(store.dataset("c").await.expect("readable").is_none());
    store.put_dataset(dataset("c", b""), START).await.expect("an empty one is one as well");
    let all = store.datasets().await.expect("readable");
    assert_eq!(all.iter().map(|one| one.names[0].as_str()).collect::<Vec<_>>(), ["a", "c"]);
    let mut read = Vec::new();
    for n in 0.. {
        let Some(chunk) = store.dataset_chunk(first.hash, n).await.expect("readable") else { break };
        assert!(!chunk.is_empty() && chunk.len() <= 1 << 20);
        read.extend(chunk);
    }
    assert!(read == content, "the content comes back");
    Bench { store: Arc::clone(&store) }.collect(START * 9).await;
    assert!(store.dataset_chunk(first.hash, 2).await.expect("readable").is_some());
}

/// Content addresses are worth what is checked.
pub async fn data_sets_are_checked_against_their_hash(store: Arc<dyn Store>) {
    let wrong = NewDataset { content: b"other".to_vec(), ..dataset("a", b"this") };
    assert!(matches!(store.put_dataset(wrong, START).await, Err(StoreError::WrongHash { .. })));
    assert!(store.datasets().await.expect("readable").is_empty());
}
