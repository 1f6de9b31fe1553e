//! The cache: verified on the way in and out, shared by slots and processes.

use std::{fs, path::PathBuf, sync::Arc};

use experiments::{Data, digits8x8};
use jobs::DatasetHash;
use tempfile::TempDir;

use super::puppet::Puppet;
use crate::{
    coordinator::Refusal,
    datasets::{DatasetError, Datasets},
};

fn setup() -> (TempDir, Puppet, DatasetHash, Vec<u8>) {
    let content = digits8x8().encode();
    let hash = DatasetHash(*blake3::hash(&content).as_bytes());
    let puppet = Puppet::default();
    puppet.set(|state| {
        state.datasets.insert(hash, content.clone());
    });
    (TempDir::new().expect("a folder"), puppet, hash, content)
}

fn files(dir: &TempDir) -> Vec<PathBuf> {
    fs::read_dir(dir.path()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

#[tokio::test]
async fn a_data_set_is_downloaded_once_and_found_by_the_next_process() {
    let (dir, puppet, hash, content) = setup();
    let cache = Datasets::open(dir.path().into()).expect("a cache");
    let first = cache.load(hash, &puppet).await.expect("the data set");
    let second = cache.load(hash, &puppet).await.expect("the data set");
    assert_eq!(first, digits8x8());
    let (Data::Images(first), Data::Images(second)) = (first, second) else { panic!("digits are images") };
    assert!(Arc::ptr_eq(&first, &second), "all slots share one copy");

    let next = Datasets::open(dir.path().into()).expect("a cache");
    assert_eq!(next.load(hash, &puppet).await, Ok(digits8x8()));
    assert_eq!(puppet.state().downloads, 1);
    let files = files(&dir);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(fs::read(&files[0]).expect("the file"), content);
}

#[tokio::test]
async fn a_damaged_file_is_downloaded_again_and_mended() {
    let (dir, puppet, hash, content) = setup();
    let load = async || Datasets::open(dir.path().into()).expect("a cache").load(hash, &puppet).await;
    load().await.expect("the data set");
    let path = files(&dir).pop().expect("the file");
    let mut flipped = content.clone();
    flipped[content.len() / 2] ^= 1;
    for (n, damaged) in [flipped, content[..1000].to_vec(), Vec::new()].into_iter().enumerate() {
        fs::write(&path, damaged).expect("damage");
        assert_eq!(load().await, Ok(digits8x8()));
        assert_eq!(puppet.state().downloads, 2 + n as u32);
        assert_eq!(fs::read(&path).expect("the file"), content);
    }
}

#[tokio::test]
async fn what_does_not_match_its_hash_is_neither_used_nor_kept() {
    let (dir, puppet, _, content) = setup();
    let cache = Datasets::open(dir.path().into()).expect("a cache");
    let hash = DatasetHash([3; 32]);
    assert!(matches!(
        cache.load(hash, &puppet).await,
        Err(DatasetError::Refused { refusal: Refusal::Missing(_), .. })
    ));
    puppet.set(|state| {
        state.datasets.insert(hash, content);
    });
    assert_eq!(cache.load(hash, &puppet).await, Err(DatasetError::Damaged(hash)));
    let nonsense = b"no data set".to_vec();
    let hash = DatasetHash(*blake3::hash(&nonsense).as_bytes());
    puppet.set(|state| {
        state.datasets.insert(hash, nonsense);
    });
    assert!(matches!(cache.load(hash, &puppet).await, Err(DatasetError::Unreadable(_))));
    assert!(files(&dir).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_may_fill_one_cache_at_the_same_time() {
    let (dir, puppet, hash, content) = setup();
    let puppet = Arc::new(puppet);
    let workers = (0..8).map(|_| {
        let (cache, puppet) = (Datasets::open(dir.path().into()).expect("a cache"), puppet.clone());
        tokio::spawn(async move { cache.load(hash, &*puppet).await })
    });
    for worker in workers.collect::<Vec<_>>() {
        assert_eq!(worker.await.expect("no panic"), Ok(digits8x8()));
    }
    let files = files(&dir);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(fs::read(&files[0]).expect("the file"), content);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_does_not_stop_a_run() {
    let (dir, puppet, hash, _) = setup();
    let cache = Datasets::open(dir.path().join("gone")).expect("a cache");
    fs::remove_dir(dir.path().join("gone")).expect("an empty folder");
    assert_eq!(cache.load(hash, &puppet).await, Ok(digits8x8()));
}
