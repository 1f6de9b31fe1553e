//! A backup holds everything, of either database and into either.

use std::path::Path;
use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};

use super::{Place, backup, restore};
use crate::conformance::Cluster;
use crate::conformance::fixture::{Bench, START, job, job_id, says, scalar, succeeded};
use crate::sqlite::SqliteOptions;
use crate::{NewDataset, Page, Postgres, PostgresOptions, Sqlite, Store, StoreError};

async fn open(place: &Place) -> Arc<dyn Store> {
    match place {
        Place::Sqlite(path) => Arc::new(Sqlite::open(SqliteOptions::new(path)).await.expect("opens")),
        Place::Postgres(options) => Arc::new(Postgres::open(options.clone()).await.expect("opens")),
    }
}

async fn places(folder: &Path) -> Vec<Place> {
    let mut places = vec![Place::Sqlite(folder.join("server.db"))];
    if let Some(cluster) = Cluster::shared() {
        places.push(Place::Postgres(PostgresOptions::new(cluster.database().await)));
    }
    places
}

/// Something in every table.
async fn fill(store: Arc<dyn Store>) {
    store.register(crate::conformance::fixture::worker(1)).await.expect("registered");
    let content = vec![7; 3_000_000];
    let dataset = NewDataset {
        name: "a \"name\", or two".into(),
        hash: jobs::DatasetHash(*blake3::hash(&content).as_bytes()),
        kind: "images".into(),
        shape: "{}".into(),
        attribution: None,
        content,
    };
    store.put_dataset(dataset, START).await.expect("stored");
    let bench = Bench::with_job(store, 2).await;
    let run = bench.granted(1, START).await;
    let checkpoint = bench.checkpoint(10, START).await;
    let image = jobs::Array {
        kind: jobs::MetricKind::Tiles,
        dtype: jobs::Dtype::U8,
        shape: vec![1, 2, 2],
        data: vec![0, 255, b'"', b'\n'],
    };
    let image = jobs::MetricPoint { name: "image".into(), step: 3, value: jobs::Value::Array(image) };
    let nan = scalar("loss", 1, f64::from_bits(0xfff8_dead_beef_0001));
    let report = jobs::Report {
        metrics: vec![nan, image],
        checkpoint: Some(checkpoint.clone()),
        outcome: succeeded(),
        ..says(&run, 0, 1_000)
    };
    bench.report(report, START).await;
    let source = jobs::JobSource { name: "network".into(), run: run.id, checkpoint };
    let mut second =
        crate::NewJob { from: vec![source], idempotency: Some(("key".into(), [7; 32])), ..job(2, 1) };
    second.spec.name = Some("two lines\nand a \"quote\", Ω".into());
    bench.submit(second).await;
    bench.granted(1, START + 9).await; // a run under way
}

/// Everything that a store tells, as text; the bits of metrics and blobs too.
async fn told(store: &dyn Store) -> String {
    let jobs = store.jobs(Page { after: None, limit: 10 }).await.expect("readable").jobs;
    let mut told = format!("{jobs:#?}\n{:#?}\n", store.datasets().await.expect("readable"));
    told += &format!("{:#?}\n", store.workers(0).await.expect("readable"));
    for job in jobs {
        told += &format!("{:#?}\n", store.events(job.id, 0, 1_000).await.expect("readable"));
        for run in store.runs(job.id, Page { after: None, limit: 10 }).await.expect("readable").runs {
            told += &format!("{run:#?}\n{:#?}\n", store.series(run.id).await.expect("readable"));
            for checkpoint in store.checkpoints(run.id).await.expect("readable") {
                let chunk = store.checkpoint_chunk(checkpoint.digest, 0).await.expect("readable");
                told += &format!("{checkpoint:?} {chunk:?}\n");
            }
            for name in ["loss", "image"] {
                let query = crate::MetricQuery { run: run.id, name: name.into(), from: 0, to: 9, points: 9 };
                for (step, attempt, value) in store.metrics(query).await.expect("readable").rows {
                    let bits = match value {
                        jobs::Value::Scalar(value) => format!("{:x}", value.to_bits()),
                        jobs::Value::Array(array) => format!("{array:?}"),
                    };
                    told += &format!("{name} {step} {attempt} {bits}\n");
                }
            }
        }
    }
    let hash = store.datasets().await.expect("readable")[0].hash;
    told + &format!(
        "{:?}",
        store.dataset_chunk(hash, 2).await.expect("readable").map(|chunk| blake3::hash(&chunk))
    )
}

#[tokio::test]
async fn a_backup_of_either_database_restores_into_either() {
    let folder = tempfile::tempdir().expect("a folder");
    for (n, from) in places(folder.path()).await.into_iter().enumerate() {
        let store = open(&from).await;
        fill(store.clone()).await;
        let file = folder.path().join(format!("backup-{n}.db"));
        // The server goes on meanwhile.
        let contents = backup(&from, &file).await.expect("written");
        assert_eq!((contents.jobs, contents.runs, contents.checkpoints, contents.datasets), (2, 3, 1, 1));
        let before = told(store.as_ref()).await;
        let inner = folder.path().join(format!("restored-{n}"));
        for to in places(&inner).await {
            assert_eq!(restore(&file, &to).await.expect("restored"), contents, "{from:?} to {to:?}");
            let restored = open(&to).await;
            assert!(told(restored.as_ref()).await == before, "{from:?} to {to:?}");
            // It goes on: the same key is known, new metrics get ids of their own.
            let again = crate::NewJob { idempotency: Some(("key".into(), [7; 32])), ..job(3, 1) };
            assert_eq!(restored.submit(again).await.expect("answered").job.id, job_id(2));
            let bench = Bench { store: restored };
            let run = bench.granted(1, START + 9).await;
            bench
                .report(jobs::Report { metrics: vec![scalar("new", 1, 1.0)], ..says(&run, 0, 1) }, START)
                .await;
            let twice = restore(&file, &to).await;
            assert!(matches!(twice, Err(StoreError::Unusable(_))), "nothing is written over: {twice:?}");
        }
        assert!(matches!(backup(&from, &file).await, Err(StoreError::Unusable(_))), "nor is a backup");
    }
}

#[tokio::test]
async fn what_is_no_backup_is_not_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = Place::Sqlite(folder.path().join("new.db"));
    let odd = folder.path().join("odd.db");
    std::fs::write(&odd, "x".repeat(10_000)).expect("written");
    for file in [&odd, &folder.path().join("missing.db")] {
        assert!(matches!(restore(file, &to).await, Err(StoreError::Unusable(_))));
    }
    let from = Place::Sqlite(folder.path().join("server.db"));
    fill(open(&from).await).await;
    let good = folder.path().join("good.db");
    backup(&from, &good).await.expect("written");
    let mut bytes = std::fs::read(&good).expect("readable");
    let at = bytes.len() / 2;
    bytes[at..at + 5_000].fill(0xff);
    std::fs::write(&odd, &bytes).expect("written");
    let damaged = restore(&odd, &to).await;
    assert!(damaged.is_err(), "{damaged:?}");
    let mut db = SqliteConnection::connect(&format!("sqlite:{}", good.display())).await.expect("opens");
    let lose = sqlx::query("DELETE FROM checkpoint_chunk WHERE n = 1");
    lose.execute(&mut db).await.expect("deleted");
    let incomplete = restore(&good, &to).await;
    assert!(matches!(incomplete, Err(StoreError::Unusable(why)) if why.contains("incomplete")));
    let nowhere = backup(&Place::Sqlite(folder.path().join("none.db")), &folder.path().join("b.db")).await;
    assert!(nowhere.is_err() && !folder.path().join("b.db").exists());
}
