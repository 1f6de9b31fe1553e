//! Negative controls of the checker: each kind of damage to a good database is named, and nothing else is.

use std::{collections::BTreeSet, path::Path, time::Duration};

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    checker::{self, History, Invariant},
    support::{PROMPT, Service, digits_job, undisturbed, until},
};

/// What is done to a copy, and the promise that is broken by it. `R` is a run that was resumed, `J` its job.
const DAMAGES: [(&str, Invariant, &str); 16] = [
    ("a key is forgotten", Invariant::I1, "DELETE FROM idempotency"),
    (
        "a job ends twice",
        Invariant::I2,
        "INSERT INTO event SELECT job_id, seq + 1, at, kind, payload FROM event WHERE kind = 'job_ended';
         UPDATE job SET last_seq = last_seq + 1",
    ),
    (
        "the end of a job is lost",
        Invariant::I2,
        "DELETE FROM event WHERE kind = 'job_ended'; UPDATE job SET last_seq = last_seq - 1",
    ),
    (
        "a run says that it ended as it did not",
        Invariant::I2,
        "UPDATE event SET payload = json_set(payload, '$.outcome', 'cancelled') WHERE kind = 'run_ended'
           AND payload ->> 'run' = R",
    ),
    (
        "something follows the end of a job",
        Invariant::I3,
        "INSERT INTO event SELECT J, (SELECT last_seq + 1 FROM job), at, kind, payload FROM event
           WHERE kind = 'run_progressed' LIMIT 1;
         UPDATE job SET last_seq = last_seq + 1",
    ),
    (
        "an event is lost",
        Invariant::I4,
        "DELETE FROM event WHERE seq = (SELECT min(seq) FROM event WHERE kind = 'run_progressed')",
    ),
    (
        "an attempt begins in another",
        Invariant::I5,
        "UPDATE event SET kind = 'run_progressed' WHERE kind = 'run_requeued'",
    ),
    (
        "a superseded attempt stores a checkpoint",
        Invariant::I6,
        "UPDATE event SET payload = json_set(payload, '$.attempt', 1) WHERE kind = 'checkpoint_stored'
           AND payload ->> 'run' = R AND payload ->> 'attempt' = 2",
    ),
    (
        "a superseded attempt writes a metric",
        Invariant::I6,
        "UPDATE metric SET attempt = 1 WHERE series_id IN (SELECT id FROM series WHERE run_id = BR)
           AND step = (SELECT steps FROM run WHERE id = BR)",
    ),
    (
        "a metric is lost",
        Invariant::I7,
        "DELETE FROM metric WHERE step = 26 AND series_id = (SELECT min(series_id) FROM metric)",
    ),
    (
        "a metric is there twice",
        Invariant::I7,
        "ALTER TABLE metric RENAME TO good; CREATE TABLE metric AS SELECT * FROM good;
         INSERT INTO metric SELECT * FROM good WHERE step = 26 LIMIT 1",
    ),
    (
        "a checkpoint rots",
        Invariant::I8,
        "UPDATE checkpoint_chunk SET bytes = zeroblob(length) WHERE digest = (SELECT digest FROM checkpoint LIMIT 1)",
    ),
    (
        "an attempt begins at the start though there is a checkpoint",
        Invariant::I9,
        "UPDATE event SET payload = json_set(payload, '$.from_step', 0) WHERE kind = 'run_started'
           AND payload ->> 'attempt' = 2",
    ),
    (
        "a metric has another last bit",
        Invariant::I11,
        "UPDATE metric SET value = value + 1 WHERE step = 26 AND series_id = (SELECT min(series_id) FROM metric)",
    ),
    (
        "a run has another digest",
        Invariant::I11,
        "UPDATE run SET digest = replace(digest, substr(digest, 1, 8), '00000000') WHERE id = BR;
         UPDATE event SET payload = json_set(payload, '$.digest', (SELECT digest FROM run WHERE id = BR))
           WHERE kind = 'run_ended' AND payload ->> 'run' = R",
    ),
    (
        "a series belongs to no run",
        Invariant::I12,
        "INSERT INTO series (run_id, name, kind, points, last_step) VALUES (zeroblob(16), 'x', 'scalar', 0, 0)",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_names_what_was_damaged_and_nothing_else() {
    let (service, history) = resumed().await;
    let good = service.database().await;
    checker::assert_sound(&good, &history).await;
    for (what, invariant, sql) in DAMAGES {
        let copy = service.folder().join("damaged.db");
        std::fs::copy(&good, &copy).expect("the database is one file at rest");
        damage(&copy, sql).await;
        let found = checker::check(&copy, &history).await;
        let named: BTreeSet<_> = found.iter().map(|violation| violation.invariant).collect();
        assert_eq!(named, BTreeSet::from([invariant]), "{what}: {found:?}");
    }
}

/// A good database in which a run was resumed after its worker was killed.
async fn resumed() -> (Service, History) {
    let mut service = Service::start().await;
    let spec = digits_job(2, 4, 400);
    let job = service.client.submit(&spec, "damage").await;
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec, &runs, service.folder()).await;
    let history = History { answered: vec![("damage".to_owned(), job.clone())], undisturbed };
    let worker = service.worker();
    until("a run has a checkpoint on its way", PROMPT, async || {
        let runs = service.client.runs(&job).await;
        let on_its_way = |run: &serde_json::Value| {
            run["state"] == "running"
                && run["checkpoint_step"].as_u64().is_some_and(|step| step > 0 && step < 200)
        };
        runs.iter().any(on_its_way).then_some(())
    })
    .await;
    worker.kill().await;
    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", Duration::from_secs(60)).await;
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    (service, history)
}

/// Does what the database's own trip wires would not let through.
async fn damage(database: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(false);
    let mut db = SqliteConnection::connect_with(&options).await.expect("a copy can be opened");
    let triggers =
        sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetch_all(&mut db).await;
    for trigger in triggers.expect("the schema can be read") {
        let drop = format!("DROP TRIGGER {}", trigger.get::<String, _>(0));
        sqlx::query(AssertSqlSafe(drop)).execute(&mut db).await.expect("a trigger can be dropped");
    }
    let resumed = "SELECT id, job_id FROM run WHERE attempt = 2";
    let row = sqlx::query(resumed).fetch_one(&mut db).await.expect("one run was resumed");
    let (run, job): (Vec<u8>, Vec<u8>) = (row.get("id"), row.get("job_id"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = uuid::Uuid::from_slice(&run).expect("an id has 16 bytes").to_string();
    let sql = replace_words(
        sql,
        &[
            ("R", format!("'{text}'")),
            ("BR", format!("x'{}'", hex(&run))),
            ("J", format!("x'{}'", hex(&job))),
        ],
    );
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.expect("the damage can be done");
    assert!(done.rows_affected() > 0, "nothing was damaged");
    db.close().await.expect("a copy can be closed");
}

/// Replaces whole words.
fn replace_words(sql: &str, words: &[(&str, String)]) -> String {
    let pieces = sql.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_');
    let replace = |piece: &str| {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let known = words.iter().find(|(known, _)| *known == word);
        known.map_or_else(|| piece.to_owned(), |(_, with)| piece.replacen(word, with, 1))
    };
    pieces.map(replace).collect()
}
