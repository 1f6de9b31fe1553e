//! Backups while everything goes on: each is the whole of one moment, and a service goes on from it to the same bits.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::Value as Json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    checker::{self, History, Invariant, Records},
    support::{Client, Database, PROMPT, Service, digits_job, succeed, times, undisturbed, until},
};

/// Runs that go on all the while, and a worker more than that for what is sent beside.
const RUNS: u32 = 2;
const JOB: Duration = Duration::from_secs(300);

/// What a backup must hold: everything that was answered before it began.
struct Backup {
    file: std::path::PathBuf,
    history: History,
    /// Values that were stored while it was made.
    meanwhile: f64,
}

async fn stored(client: &Client) -> f64 {
    client.telemetry("vesicle_metric_points_ingested_total").await
}

/// Step of the newest checkpoint of each run.
async fn checkpoints(client: &Client, job: &str) -> Vec<u64> {
    let runs = client.runs(job).await;
    runs.iter().map(|run| run["checkpoint_step"].as_u64().unwrap_or(0)).collect()
}

/// Makes backups, a job sent before each, while all runs of `job` go on from checkpoint to checkpoint.
async fn make(service: &Service, job: &str, history: &mut History, count: usize) -> Vec<Backup> {
    let client = &service.client;
    let mut backups = Vec::new();
    for n in 0..count {
        let before = checkpoints(client, job).await;
        until("every run has left another checkpoint", PROMPT, async || {
            let now = checkpoints(client, job).await;
            now.iter().zip(&before).all(|(now, before)| now > before).then_some(())
        })
        .await;
        let key = format!("beside-{n}");
        history.answered.push((key.clone(), client.submit(&digits_job(1, 1, 50), &key).await));
        let (file, history) = (service.folder().join(format!("{n}.db")), history.clone());
        let meanwhile = until("values are stored while a backup is made", PROMPT, async || {
            // One that nobody wrote beside shows nothing.
            let _ = std::fs::remove_file(&file);
            let before = stored(client).await;
            service.backup(&file).await;
            Some(stored(client).await - before).filter(|meanwhile| *meanwhile > 0.0)
        })
        .await;
        backups.push(Backup { file, history, meanwhile });
    }
    backups
}

impl Backup {
    /// It was made in the middle of everything, and is whole.
    async fn check(&self, job: &str) {
        checker::assert_none(&checker::check_under_way(&self.file, &self.history).await);
        let records = Records::read(&self.file).await;
        let long = || records.runs.values().filter(|run| run.job == job);
        assert!(long().all(|run| run.state == "running" && !run.checkpoints.is_empty()), "{:?}", self.file);
    }

    /// A service that begins from it brings everything in it to its end.
    async fn goes_on(&self) {
        let home = TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files");
        let mut place = Database::asked_for().settings().await;
        place.push(("VESICLE_HOME", home.path().display().to_string()));
        let env: Vec<_> = place.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        succeed(&["restore", &self.file.display().to_string()], &env).await;
        let settings: Vec<_> = place.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut service = Service::start_with(&settings).await;
        let worker = service.worker_of(RUNS);
        for (_, job) in &self.history.answered {
            service.client.until_job_is(job, "succeeded", JOB).await;
        }
        assert!(worker.terminate(PROMPT).await.success());
        service.stop_server().await;
        let database = service.database().await;
        checker::assert_sound(&database, &self.history).await;
        let records = Records::read(&database).await;
        let went_on = |run: &str| {
            let starts = records.events_of(run).filter(|event| event.is("run_started"));
            starts.last().is_some_and(|event| event.number("from_step") > Some(0))
        };
        assert!(self.history.undisturbed.keys().all(|run| went_on(run)), "they went on from a checkpoint");
    }
}

/// What the checker finds when something is taken out of a backup.
async fn found_without(backup: &Backup, damaged: &Path, sql: &'static str) -> Vec<checker::Violation> {
    std::fs::copy(&backup.file, damaged).expect("a backup is one file");
    let options = SqliteConnectOptions::new().filename(damaged).foreign_keys(false);
    let mut db = SqliteConnection::connect_with(&options).await.expect("a copy can be opened");
    let done = sqlx::raw_sql(sql).execute(&mut db).await.expect("the damage can be done");
    assert!(done.rows_affected() > 0, "nothing was damaged");
    db.close().await.expect("a copy can be closed");
    checker::check_under_way(damaged, &backup.history).await
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_of_a_busy_service_are_whole_and_a_service_goes_on_from_them() {
    let (count, tried) = times((4, 1), (20, 3));
    let service = Service::start().await;
    let spec = digits_job(RUNS, times(40, 240), 300);
    let job = service.client.submit(&spec, "long").await;
    let runs: Vec<Json> = service.client.runs(&job).await;
    let undisturbed: BTreeMap<_, _> = undisturbed(&spec, &runs, service.folder()).await;
    let mut history = History { answered: vec![("long".to_owned(), job.clone())], undisturbed };
    let workers: Vec<_> = (0..=RUNS).map(|_| service.worker()).collect();
    let backups = make(&service, &job, &mut history, count).await;
    for worker in workers {
        worker.kill().await;
    }
    for backup in &backups {
        backup.check(&job).await;
    }
    let meanwhile: f64 = backups.iter().map(|backup| backup.meanwhile).sum();
    eprintln!("{count} backups, all whole; {meanwhile} values were stored while they were made");
    for n in 1..=tried {
        backups[n * count / (tried + 1)].goes_on().await;
    }

    // Negative controls: it was not at rest, and what is missing is missed.
    let last = &backups[count - 1];
    let found = checker::check(&last.file, &last.history).await;
    assert!(found.iter().any(|violation| violation.invariant == Invariant::I2), "{found:?}");
    let damaged = service.folder().join("damaged.db");
    for (sql, invariant) in [
        ("DELETE FROM checkpoint_chunk WHERE digest IN (SELECT digest FROM checkpoint)", Invariant::I8),
        ("DELETE FROM idempotency WHERE key = 'long'", Invariant::I1),
    ] {
        let found = found_without(last, &damaged, sql).await;
        assert!(
            !found.is_empty() && found.iter().all(|violation| violation.invariant == invariant),
            "{found:?}"
        );
    }
}
