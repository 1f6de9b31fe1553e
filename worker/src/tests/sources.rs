//! Runs that build on finished runs.

use std::{fs, sync::Arc, time::Duration};

use experiments::{Advance, Source};
use jobs::{CheckpointRef, Class, Outcome};
use serde_json::json;

use super::{
    puppet::Puppet,
    stage::{MEMORY, Stage, digits, start, start_from, toy},
    toy::undisturbed,
};
use crate::{cache::Cache, sources::Sources};

/// The final checkpoint of a small run, which the puppet has.
fn finished(puppet: &Puppet) -> (CheckpointRef, Vec<u8>) {
    let mut run = start(&digits("rbm", puppet));
    while !matches!(run.advance(), Advance::Done(_)) {}
    let bytes = run.checkpoint();
    (put(puppet, run.step(), &bytes), bytes)
}

fn put(puppet: &Puppet, step: u64, bytes: &[u8]) -> CheckpointRef {
    let digest = *blake3::hash(bytes).as_bytes();
    puppet.set(|state| {
        state.chunks.insert(digest, [(0, bytes.to_vec())].into());
    });
    CheckpointRef { step, digest, bytes: bytes.len() as u64 }
}

fn failure(puppet: &Puppet) -> (Class, String) {
    match puppet.outcome() {
        Some(Outcome::Failed { class, message }) => (class, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_gets_what_it_builds_on_and_a_sweep_fetches_it_once() {
    let stage = Stage::new();
    let (checkpoint, bytes) = finished(&stage.puppet);
    let source = Source::read("network", &bytes).expect("a good checkpoint");
    for seed in [7, 8] {
        let (mut lease, _) = toy("from", json!({"steps": 5}));
        lease.seed = seed;
        lease.sources = vec![("network".into(), checkpoint.clone())];
        let (_, digest) = undisturbed(start_from(&lease, vec![source.clone()]));
        stage.play(lease.clone()).await;
        let outcome = stage.puppet.state().reports.last().and_then(|(_, report)| report.outcome.clone());
        assert_eq!(outcome, Some(Outcome::Succeeded { digest: digest.to_string() }));
        assert_ne!(digest, undisturbed(start(&lease)).1, "without its source it is another run");
    }
    assert_eq!(stage.puppet.state().fetched, 1);
    assert_eq!(stage.shared.memory.free(), MEMORY, "what the sources took is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_gone_damaged_or_unreadable_fails_the_run_with_the_reason() {
    let cases = [
        (None, Class::Crash, "there is no such checkpoint"),
        (Some(b"flipped".to_vec()), Class::Crash, "it does not match its hash"),
        (Some(b"no checkpoint".to_vec()), Class::UserError, "source `network` cannot be used"),
    ];
    for (bytes, class, reason) in cases {
        let stage = Stage::new();
        let mut checkpoint = put(&stage.puppet, 3, b"no checkpoint");
        match bytes {
            Some(bytes) => stage.puppet.set(|state| {
                state.chunks.insert(checkpoint.digest, [(0, bytes)].into());
            }),
            None => checkpoint.digest = [9; 32],
        }
        let (mut lease, _) = toy("without", json!({"steps": 5}));
        lease.sources = vec![("network".into(), checkpoint)];
        stage.play(lease).await;
        let (found, message) = failure(&stage.puppet);
        assert!(found == class && message.contains(reason), "{found:?}: {message}");
        assert!(message.contains("network"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_waited_for_while_the_server_is_away() {
    let stage = Stage::new();
    let (checkpoint, bytes) = finished(&stage.puppet);
    let cache = Arc::new(Sources::open(stage.dir().join("other")).expect("a folder"));
    stage.puppet.set(|state| state.is_away = true);
    let (puppet, named) = (stage.puppet.clone(), vec![("network".to_owned(), checkpoint)]);
    let loading = tokio::spawn(async move { cache.load(&named, &*puppet).await });
    stage.puppet.until("it is asked for", |state| (state.missed > 0).then_some(())).await;
    stage.puppet.set(|state| state.is_away = false);
    let loaded = tokio::time::timeout(Duration::from_secs(60), loading).await.expect("it comes");
    let source = Source::read("network", &bytes).expect("a good checkpoint");
    assert_eq!(loaded.expect("no panic"), Ok(vec![source]));
}

#[test]
fn the_cache_keeps_what_was_used_last_and_never_more_than_it_may() {
    let dir = tempfile::TempDir::new().expect("a folder");
    let cache = Cache::open(dir.path().into(), Some(25)).expect("a cache");
    let contents: Vec<Vec<u8>> = (0..4).map(|n| vec![n; 10]).collect();
    let hash = |n: usize| *blake3::hash(&contents[n]).as_bytes();
    let name = |n: usize| blake3::hash(&contents[n]).to_hex().to_string();
    for n in [0, 1] {
        cache.put(hash(n), &contents[n]);
        // As if it had been used an hour or more ago.
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(7_200 - n as u64 * 3_600);
        let file = fs::File::options().write(true).open(dir.path().join(name(n))).expect("it is kept");
        file.set_modified(long_ago).expect("times can be set");
    }
    assert!(cache.get(hash(0)).is_some(), "now it was used after the other");
    cache.put(hash(2), &contents[2]);
    assert_eq!((0..3).map(|n| cache.get(hash(n)).is_some()).collect::<Vec<_>>(), [true, false, true]);
    let large = vec![9; 100];
    cache.put(*blake3::hash(&large).as_bytes(), &large);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "what was just written stays");
}
