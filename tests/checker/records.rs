//! Everything that the checker looks at, read from the database file with SQL of its own.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value as Json;
use sqlx::{
    Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::support::Bits;

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) last_seq: u64,
    pub(crate) ended: bool,
    /// In the order of their numbers.
    pub(crate) events: Vec<Event>,
}

/// An entry of a job's log.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) body: Json,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) job: String,
    pub(crate) state: String,
    pub(crate) attempt: u64,
    pub(crate) steps: u64,
    pub(crate) digest: Option<String>,
    pub(crate) metrics: Vec<Metric>,
    /// (name, points as counted by the service).
    pub(crate) series: Vec<(String, u64)>,
    pub(crate) checkpoints: Vec<Checkpoint>,
}

/// A value of a metric.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) step: u64,
    pub(crate) attempt: u64,
    pub(crate) bits: Bits,
}

/// A checkpoint, and whether its bytes are there as its row says.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) step: u64,
    pub(crate) whole: bool,
}

/// The whole database.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) runs: BTreeMap<String, Run>,
    /// Idempotency key → job.
    pub(crate) keys: Vec<(String, String)>,
    /// Worker → name.
    pub(crate) workers: BTreeMap<String, String>,
    /// What SQLite itself finds wrong.
    pub(crate) damage: Vec<String>,
}

impl Run {
    pub(crate) fn has_ended(&self) -> bool {
        ["succeeded", "failed", "cancelled"].contains(&self.state.as_str())
    }
}

impl Event {
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// The run it is about.
    pub(crate) fn run(&self) -> &str {
        self.body["run"].as_str().unwrap_or_default()
    }

    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        self.body[field].as_u64()
    }

    pub(crate) fn attempt(&self) -> u64 {
        self.number("attempt").unwrap_or_default()
    }
}

/// How often each kind of event is there.
pub(crate) fn kinds<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeMap<&'a str, usize> {
    events.into_iter().fold(BTreeMap::new(), |mut kinds, event| {
        *kinds.entry(event.kind.as_str()).or_default() += 1;
        kinds
    })
}

impl Records {
    /// Reads it; a server may have it open.
    pub(crate) async fn read(database: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        let mut db = SqliteConnection::connect_with(&options).await.expect("the database can be opened");
        let mut tx = db.begin().await.expect("a database can be read");
        let records = Self::collect(&mut tx).await;
        drop(tx);
        records.expect("the tables are as the checker knows them")
    }

    /// The events about a run, in order.
    pub(crate) fn events_of<'a>(&'a self, run: &'a str) -> impl Iterator<Item = &'a Event> {
        self.jobs[&self.runs[run].job].events.iter().filter(move |event| event.run() == run)
    }

    async fn collect(db: &mut SqliteConnection) -> sqlx::Result<Self> {
        let mut records = Self {
            jobs: jobs(db).await?,
            runs: runs(db).await?,
            keys: Vec::new(),
            workers: BTreeMap::new(),
            damage: damage(db).await?,
        };
        for row in sqlx::query("SELECT key, job_id FROM idempotency").fetch_all(&mut *db).await? {
            records.keys.push((row.get("key"), id(&row, "job_id")));
        }
        for row in sqlx::query("SELECT id, name FROM worker").fetch_all(&mut *db).await? {
            records.workers.insert(id(&row, "id"), row.get("name"));
        }
        records.add_metrics(db).await?;
        records.add_checkpoints(db).await?;
        Ok(records)
    }

    async fn add_metrics(&mut self, db: &mut SqliteConnection) -> sqlx::Result<()> {
        for row in
            sqlx::query("SELECT run_id, name, points FROM series ORDER BY id").fetch_all(&mut *db).await?
        {
            if let Some(run) = self.runs.get_mut(&id(&row, "run_id")) {
                run.series.push((row.get("name"), number(&row, "points")));
            }
        }
        let scalars =
            "SELECT run_id, name, step, attempt, value FROM metric JOIN series ON series.id = series_id";
        for row in sqlx::query(scalars).fetch_all(&mut *db).await? {
            let bits = scalar(row.get("value"));
            self.add_metric(&row, bits);
        }
        let arrays = "SELECT run_id, name, step, attempt, dtype, shape, data FROM metric_blob JOIN series ON series.id = series_id";
        for row in sqlx::query(arrays).fetch_all(&mut *db).await? {
            let shape: String = row.get("shape");
            let shape = serde_json::from_str(&shape).expect("the shape of an array is a list of numbers");
            let bits = Bits::Array { dtype: row.get("dtype"), shape, data: row.get("data") };
            self.add_metric(&row, bits);
        }
        for run in self.runs.values_mut() {
            run.metrics.sort_by(|a, b| (a.step, &a.name).cmp(&(b.step, &b.name)));
        }
        Ok(())
    }

    fn add_metric(&mut self, row: &SqliteRow, bits: Bits) {
        let metric = Metric {
            name: row.get("name"),
            step: number(row, "step"),
            attempt: number(row, "attempt"),
            bits,
        };
        if let Some(run) = self.runs.get_mut(&id(row, "run_id")) {
            run.metrics.push(metric);
        }
    }

    async fn add_checkpoints(&mut self, db: &mut SqliteConnection) -> sqlx::Result<()> {
        let rows =
            sqlx::query("SELECT run_id, step, digest, bytes FROM checkpoint WHERE NOT corrupt ORDER BY step");
        for row in rows.fetch_all(&mut *db).await? {
            let digest: Vec<u8> = row.get("digest");
            let chunks = sqlx::query("SELECT n, bytes FROM checkpoint_chunk WHERE digest = ? ORDER BY n");
            let chunks = chunks.bind(&digest).fetch_all(&mut *db).await?;
            let in_order = chunks.iter().enumerate().all(|(n, chunk)| number(chunk, "n") == n as u64);
            let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.get::<Vec<u8>, _>("bytes")).collect();
            let whole = in_order
                && bytes.len() as u64 == number(&row, "bytes")
                && blake3::hash(&bytes).as_bytes().as_slice() == digest;
            if let Some(run) = self.runs.get_mut(&id(&row, "run_id")) {
                run.checkpoints.push(Checkpoint { step: number(&row, "step"), whole });
            }
        }
        Ok(())
    }
}

async fn jobs(db: &mut SqliteConnection) -> sqlx::Result<BTreeMap<String, Job>> {
    let mut jobs = BTreeMap::new();
    for row in sqlx::query("SELECT id, last_seq, ended_at FROM job").fetch_all(&mut *db).await? {
        let ended = row.get::<Option<i64>, _>("ended_at").is_some();
        jobs.insert(id(&row, "id"), Job { last_seq: number(&row, "last_seq"), ended, events: Vec::new() });
    }
    let events = "SELECT job_id, seq, kind, payload FROM event ORDER BY job_id, seq";
    for row in sqlx::query(events).fetch_all(&mut *db).await? {
        let payload: String = row.get("payload");
        let body = serde_json::from_str(&payload).expect("the payload of an event is JSON");
        if let Some(job) = jobs.get_mut(&id(&row, "job_id")) {
            job.events.push(Event { seq: number(&row, "seq"), kind: row.get("kind"), body });
        }
    }
    Ok(jobs)
}

async fn runs(db: &mut SqliteConnection) -> sqlx::Result<BTreeMap<String, Run>> {
    let rows = sqlx::query("SELECT id, job_id, state, attempt, steps, digest FROM run").fetch_all(db).await?;
    let run = |row: &SqliteRow| Run {
        job: id(row, "job_id"),
        state: row.get("state"),
        attempt: number(row, "attempt"),
        steps: number(row, "steps"),
        digest: row.get("digest"),
        metrics: Vec::new(),
        series: Vec::new(),
        checkpoints: Vec::new(),
    };
    Ok(rows.iter().map(|row| (id(row, "id"), run(row))).collect())
}

async fn damage(db: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut damage = Vec::new();
    for row in sqlx::query("PRAGMA integrity_check").fetch_all(&mut *db).await? {
        let found: String = row.get(0);
        damage.extend((found != "ok").then_some(found));
    }
    for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *db).await? {
        let table: String = row.get(0);
        damage.push(format!("a row of `{table}` names what is not there"));
    }
    Ok(damage)
}

fn id(row: &SqliteRow, column: &str) -> String {
    let bytes: Vec<u8> = row.get(column);
    uuid::Uuid::from_slice(&bytes).expect("an id has 16 bytes").to_string()
}

fn number(row: &SqliteRow, column: &str) -> u64 {
    u64::try_from(row.get::<i64, _>(column)).expect("no number in the tables is negative")
}

/// The database keeps a double's place in IEEE total order: the magnitude bits of negative ones are flipped.
fn scalar(place: i64) -> Bits {
    let bits = if place < 0 { (place as u64) ^ (u64::MAX >> 1) } else { place as u64 };
    match f64::from_bits(bits) {
        x if x.is_finite() => Bits::Scalar(bits),
        x if x.is_nan() => Bits::NonFinite("nan".into()),
        x => Bits::NonFinite(if x > 0.0 { "inf" } else { "-inf" }.into()),
    }
}
