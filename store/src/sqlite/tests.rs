//! The conformance suite over SQLite, and what only a file can do.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jobs::Policy;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{Db, Sqlite, SqliteOptions, open};
use crate::conformance::fixture::{Bench, START, job, job_id, run_id, says, scalar, succeeded, worker};
use crate::weight::Weight;
use crate::{Store, StoreError};

async fn empty() -> Option<(Arc<dyn Store>, TempDir)> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Sqlite::open(SqliteOptions::new(folder.path().join("vesicle.db"))).await.expect("opens");
    Some((Arc::new(store), folder))
}

crate::conformance!(empty);

/// A store with room for 8 waiting requests.
async fn fresh() -> (Arc<Sqlite>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = at(folder.path()).await.expect("opens");
    (Arc::new(store), folder)
}

async fn at(folder: &Path) -> crate::Result<Sqlite> {
    Sqlite::open(SqliteOptions { queue: 8, ..SqliteOptions::new(folder.join("vesicle.db")) }).await
}

/// A connection around the store: what the rules and the store would never do.
async fn raw(folder: &Path) -> Db {
    let path = folder.join("vesicle.db").display().to_string();
    Db::connect(&path).await.expect("the file is there")
}

async fn execute(db: &mut Db, sql: &'static str) -> Result<u64, String> {
    sqlx::query(sql).execute(db).await.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

fn unusable<T>(answer: crate::Result<T>) -> String {
    match answer {
        Err(StoreError::Unusable(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_reopen() {
    let (store, folder) = fresh().await;
    let bench = Bench::with_job(store.clone(), 1).await;
    let run = bench.granted(1, START).await;
    let metrics = vec![scalar("loss", 1, f64::NAN)];
    bench.report(jobs::Report { metrics, ..says(&run, 0, 1) }, START).await;
    let before = (bench.run(run.id).await, bench.events().await);
    store.close().await.expect("closed");
    let store = Arc::new(at(folder.path()).await.expect("opens again"));
    let bench = Bench { store: store.clone() };
    assert_eq!((bench.run(run.id).await, bench.events().await), before);
    assert_eq!(bench.values(run.id, "loss").await.total, 1);
    bench.report(says(&run, 1, 2), START).await;
}

#[tokio::test]
async fn a_store_that_was_not_closed_opens_again() {
    let (store, folder) = fresh().await;
    Bench::with_job(store.clone(), 1).await;
    drop(store);
    // The writer lets go of the file when it notices; a test does not wait for a time.
    let store = loop {
        match at(folder.path()).await {
            Ok(store) => break store,
            Err(StoreError::Unusable(why)) if why.contains("another server") => {
                tokio::task::yield_now().await
            }
            Err(other) => panic!("{other}"),
        }
    };
    assert!(store.job(job_id(1)).await.expect("readable").is_some());
}

#[tokio::test]
async fn a_second_server_is_refused() {
    let (_store, folder) = fresh().await;
    assert!(unusable(at(folder.path()).await).contains("another server has it open"));
}

#[tokio::test]
async fn triggers_raise_when_something_goes_around_the_rules() {
    let (store, folder) = fresh().await;
    let bench = Bench::with_job(store.clone(), 1).await;
    let run = bench.granted(1, START).await;
    let metrics = vec![scalar("loss", 1, 1.0)];
    bench.report(jobs::Report { metrics, outcome: succeeded(), ..says(&run, 0, 1_000) }, START).await;
    let mut db = raw(folder.path()).await;
    for (sql, trigger) in [
        ("UPDATE run SET step = 5", "a run that has ended never changes"),
        ("UPDATE run SET state = 'queued', digest = NULL", "a run that has ended never changes"),
        ("INSERT INTO event SELECT job_id, 9, at, kind, payload FROM event LIMIT 1", "without gaps"),
        ("INSERT INTO event SELECT job_id, 2, at, kind, payload FROM event LIMIT 1", "without gaps"),
        ("UPDATE event SET at = 0", "an event never changes"),
        ("UPDATE metric SET value = 0", "a metric never changes"),
    ] {
        let raised = execute(&mut db, sql).await;
        assert!(raised.as_ref().is_err_and(|why| why.contains(trigger)), "{sql}: {raised:?}");
    }
}

#[tokio::test]
async fn an_attempt_number_never_falls() {
    let (store, folder) = fresh().await;
    let bench = Bench::with_job(store, 1).await;
    bench.granted(1, START).await;
    let raised = execute(&mut raw(folder.path()).await, "UPDATE run SET attempt = 0").await;
    assert!(raised.is_err_and(|why| why.contains("only rises")));
}

/// Waits for a condition, not for a time.
async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for 20 s");
        tokio::task::yield_now().await;
    }
}

/// Holds the writer until the answer is used.
fn hold(store: &Arc<Sqlite>) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
    let (began, begins) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let store = Arc::clone(store);
    tokio::spawn(async move {
        let wait = async move {
            began.send(()).expect("the test waits");
            released.await.map_err(|_| StoreError::Internal("the test has gone".into()))
        };
        store.writer.write(Weight::of(1, 0), move |_| Box::pin(wait)).await
    });
    (begins, release)
}

#[tokio::test]
async fn a_full_queue_is_busy_and_recovers() {
    let (store, _folder) = fresh().await;
    let (begins, release) = hold(&store);
    begins.await.expect("the writer is held");
    let register = |n| {
        let store = Arc::clone(&store);
        async move { store.register(worker(n)).await }
    };
    let waiting: Vec<_> = (1..=8).map(|n| tokio::spawn(register(n))).collect();
    until(|| store.writer.free() == 0).await;
    assert!(matches!(register(9).await, Err(StoreError::Busy)));
    assert!(matches!(store.submit(job(1, 1)).await, Err(StoreError::Busy)), "those who go in groups as well");
    release.send(()).expect("the writer waits");
    for task in waiting {
        assert!(task.await.expect("no panic").is_ok());
    }
    assert!(register(9).await.is_ok() && store.submit(job(1, 1)).await.is_ok());
    assert_eq!(store.workers(0).await.expect("readable").len(), 9);
}

/// Writes a row and then fails.
async fn write_and_fail(db: &mut Db) -> crate::Result<()> {
    sqlx::query("INSERT INTO meta (key, value) VALUES ('half', 'done')").execute(db).await?;
    Err(StoreError::Limit("it thought better of it".into()))
}

#[tokio::test]
async fn requests_of_a_group_do_not_disturb_each_other() {
    let (store, folder) = fresh().await;
    let bench = Bench::with_job(store.clone(), 2).await;
    let run = bench.granted(1, START).await;
    let (begins, release) = hold(&store);
    begins.await.expect("the writer is held");
    let take = |report: jobs::Report| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.report(report, START).await })
    };
    let good = take(jobs::Report { metrics: vec![scalar("loss", 1, 1.0)], ..says(&run, 0, 1) });
    let limit = take(jobs::Report {
        metrics: vec![scalar("new", 2, 1.0), scalar("Bad", 2, 1.0)],
        ..says(&run, 1, 2)
    });
    let again = Arc::clone(&store);
    let twice = tokio::spawn(async move { again.submit(job(1, 1)).await });
    let half = Arc::clone(&store);
    let half =
        tokio::spawn(
            async move { half.writer.write(Weight::of(1, 0), |db| Box::pin(write_and_fail(db))).await },
        );
    let second = take(jobs::Report { metrics: vec![scalar("gain", 2, 1.0)], ..says(&run, 1, 2) });
    // One group of reports with one of them, for a run has one in a group; the others come after it.
    until(|| store.writer.free() == 5).await;
    release.send(()).expect("the writer waits");
    assert!(good.await.expect("no panic").is_ok());
    assert!(matches!(limit.await.expect("no panic"), Err(StoreError::Limit(_))));
    assert!(
        matches!(twice.await.expect("no panic"), Err(StoreError::Internal(_))),
        "an id cannot come twice"
    );
    assert!(second.await.expect("no panic").is_ok());
    let series = store.series(run.id).await.expect("readable");
    assert_eq!(series.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["gain", "loss"]);
    assert_eq!(bench.run(run_id(1, 0)).await.next_seq, 2);
    assert!(half.await.expect("no panic").is_err());
    let left = execute(&mut raw(folder.path()).await, "DELETE FROM meta WHERE key = 'half'").await;
    assert_eq!(left, Ok(0), "a failed request leaves nothing");
}

/// Looks good until the commit, which checks the deferred foreign key.
async fn orphan_name(db: &mut Db) -> crate::Result<()> {
    sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *db).await?;
    sqlx::query("INSERT INTO dataset_name (name, hash) VALUES ('x', zeroblob(32))").execute(db).await?;
    Ok(())
}

#[tokio::test]
async fn a_group_that_cannot_commit_fails_as_a_whole() {
    let (store, _folder) = fresh().await;
    let (begins, release) = hold(&store);
    begins.await.expect("the writer is held");
    let other = Arc::clone(&store);
    let innocent = tokio::spawn(async move { other.submit(job(1, 1)).await });
    let culprit = Arc::clone(&store);
    let culprit =
        tokio::spawn(
            async move { culprit.writer.write(Weight::of(1, 0), |db| Box::pin(orphan_name(db))).await },
        );
    until(|| store.writer.free() == 6).await;
    release.send(()).expect("the writer waits");
    assert!(culprit.await.expect("no panic").is_err());
    assert!(innocent.await.expect("no panic").is_err(), "an answer leaves only after the commit");
    assert!(store.job(job_id(1)).await.expect("readable").is_none());
    assert!(store.submit(job(1, 1)).await.is_ok(), "the writer goes on");
}

#[tokio::test]
async fn a_caller_who_went_away_leaves_all_or_nothing() {
    let (store, _folder) = fresh().await;
    let (begins, release) = hold(&store);
    begins.await.expect("the writer is held");
    let other = Arc::clone(&store);
    let caller = tokio::spawn(async move { other.submit(job(1, 5)).await });
    until(|| store.writer.free() == 7).await;
    caller.abort();
    assert!(caller.await.expect_err("aborted").is_cancelled());
    release.send(()).expect("the writer waits");
    store.submit(job(2, 1)).await.expect("stored after it");
    let job = store.job(job_id(1)).await.expect("readable").expect("the write was already on its way");
    assert_eq!((job.counts.queued, job.last_seq), (5, 1));
}

#[tokio::test]
async fn the_next_run_is_found_without_reading_all_jobs_that_wait() {
    let (store, folder) = fresh().await;
    store.submit(job(1, 1)).await.expect("stored");
    let plan = format!("EXPLAIN QUERY PLAN {}", super::dialect::CANDIDATES);
    let rows = sqlx::query(AssertSqlSafe(plan))
        .fetch_all(&mut raw(folder.path()).await)
        .await
        .expect("it has a plan");
    let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(steps.iter().any(|step| step.contains("USING INDEX job_to_do")), "{steps:?}");
    assert!(
        !steps.iter().any(|step| step.contains("TEMP B-TREE")),
        "jobs are sorted for each lease: {steps:?}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_advice() {
    let (store, folder) = fresh().await;
    store.close().await.expect("closed");
    let newer = "INSERT INTO _sqlx_migrations SELECT 9999, 'later', installed_on, true, checksum, 0
                 FROM _sqlx_migrations LIMIT 1";
    execute(&mut raw(folder.path()).await, newer).await.expect("written");
    let why = unusable(at(folder.path()).await);
    assert!(why.contains("schema 9999") && why.contains("use the version of vesicle that wrote it"), "{why}");
}

#[tokio::test]
async fn a_database_of_an_older_schema_is_brought_up_to_date() {
    let (store, folder) = fresh().await;
    store.submit(job(1, 1)).await.expect("stored");
    store.close().await.expect("closed");
    let first = "DROP TABLE job_source; ALTER TABLE run DROP COLUMN server_was_away;
                 DROP INDEX job_to_do; CREATE INDEX job_with_queued ON job (id) WHERE queued > 0;
                 DROP INDEX series_by_final_value; DROP INDEX series_that_go_on;
                 ALTER TABLE series DROP COLUMN last_value; ALTER TABLE series DROP COLUMN final_value;
                 DROP TABLE forgotten; ALTER TABLE checkpoint DROP COLUMN score; ALTER TABLE checkpoint DROP COLUMN pinned;
                 DELETE FROM _sqlx_migrations WHERE version > 1";
    execute(&mut raw(folder.path()).await, first).await.expect("it is as the first version wrote it");
    let store = at(folder.path()).await.expect("opens");
    let job = store.job(job_id(1)).await.expect("readable").expect("still there");
    assert!(job.from.is_empty());
}

#[tokio::test]
async fn the_database_itself_refuses_to_lose_a_checkpoint_that_a_job_builds_on() {
    let (store, folder) = fresh().await;
    let bench = Bench::with_job(store.clone(), 1).await;
    let run = bench.granted(1, START).await;
    let checkpoint = bench.checkpoint(10, START).await;
    bench.report(jobs::Report { checkpoint: Some(checkpoint.clone()), ..says(&run, 0, 10) }, START).await;
    let source = jobs::JobSource { name: "network".into(), run: run.id, checkpoint };
    bench.submit(crate::NewJob { from: vec![source], ..job(2, 1) }).await;
    let mut db = raw(folder.path()).await;
    let refused = execute(&mut db, "DELETE FROM checkpoint").await;
    assert!(refused.is_err_and(|why| why.contains("FOREIGN KEY")));
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("sqlite:{}?mode=rwc", folder.path().join("vesicle.db").display());
    let mut db = Db::connect(&path).await.expect("made");
    execute(&mut db, "CREATE TABLE theirs (x)").await.expect("made");
    assert!(unusable(at(folder.path()).await).contains("another program"));
    std::fs::write(folder.path().join("vesicle.db"), "not a database at all".repeat(1_000)).expect("written");
    drop(db);
    assert!(at(folder.path()).await.is_err());
}

#[tokio::test]
async fn damage_is_found_after_an_unclean_stop() {
    let (store, folder) = fresh().await;
    store.close().await.expect("closed");
    let mut db = raw(folder.path()).await;
    execute(&mut db, "DELETE FROM meta").await.expect("now it looks unclean");
    execute(&mut db, "PRAGMA writable_schema = ON").await.expect("set");
    let wreck = "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'run')
                 WHERE name = 'event'";
    execute(&mut db, wreck).await.expect("wrecked");
    db.close().await.expect("closed");
    let why = at(folder.path()).await.expect_err("it is damaged");
    assert!(why.to_string().contains("damaged") || why.to_string().contains("malformed"), "{why}");
}

async fn settings(db: &mut Db) -> crate::Result<(Vec<i64>, String)> {
    let mut found = Vec::new();
    for pragma in ["PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA trusted_schema", "PRAGMA query_only"]
    {
        found.push(sqlx::query_scalar(pragma).fetch_one(&mut *db).await?);
    }
    Ok((found, sqlx::query_scalar("PRAGMA journal_mode").fetch_one(db).await?))
}

#[tokio::test]
async fn settings_are_what_safety_needs() {
    let (store, _folder) = fresh().await;
    let writer = store.writer.write(Weight::of(0, 0), |db| Box::pin(settings(db))).await.expect("readable");
    assert_eq!(writer, (vec![2_i64, 1, 0, 0], "wal".to_owned()), "FULL, on, off, off");
    let mut reader = store.reader().await.expect("a reader");
    let refused = execute(&mut reader, "DELETE FROM meta").await;
    assert!(refused.is_err_and(|why| why.contains("readonly")));
}

#[test]
fn an_sqlite_that_can_lose_data_is_refused() {
    for version in ["3.40.1", "3.51.2", "2.99.99", ""] {
        assert!(open::check_version(version).is_err_and(|why| why.contains("3.51.3")), "{version}");
    }
    for version in ["3.51.3", "3.52.0", "4.0.0"] {
        assert_eq!(open::check_version(version), Ok(()));
    }
}

#[tokio::test]
async fn with_the_fence_off_a_stale_write_gets_through() {
    // The negative control of tests that look for stale writes: they must be able to find one.
    let folder = tempfile::tempdir().expect("a folder");
    let policy = Policy { fence: jobs::Fence::OffForTests, ..Policy::default() };
    let options = SqliteOptions { policy, ..SqliteOptions::new(folder.path().join("vesicle.db")) };
    let store = Arc::new(Sqlite::open(options).await.expect("opens"));
    let bench = Bench::with_job(store, 1).await;
    let first = bench.granted(1, START).await;
    bench.store.expire_leases(START + 30_000).await.expect("expired");
    assert_eq!(bench.granted(2, START + 30_000).await.attempt, 2);
    let stale = jobs::Report { metrics: vec![scalar("loss", 1, 1.0)], ..says(&first, 0, 1) };
    bench.report(stale, START + 30_001).await;
    let rows = bench.values(first.id, "loss").await.rows;
    assert_eq!((rows.len(), rows[0].1), (1, 1), "attempt 1 wrote after attempt 2 began");
}
