//! The conformance suite over Postgres, and what only servers that share a database can do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use tokio::time::timeout;

use super::{Db, Postgres, PostgresOptions};
use crate::conformance::Cluster;
use crate::conformance::fixture::{
    Bench, START, TTL, asks, expires_at, job, job_id, run_id, says, scalar, succeeded, worker,
};
use crate::{Hint, Store, StoreError};

async fn empty() -> Option<(Arc<dyn Store>, ())> {
    let address = Cluster::shared()?.database().await;
    Some((Arc::new(at(&address).await.expect("opens")), ()))
}

crate::conformance!(empty);

async fn at(address: &str) -> crate::Result<Postgres> {
    Postgres::open(PostgresOptions::new(address)).await
}

/// Two servers' stores on one database.
async fn two() -> Option<(Arc<Postgres>, Arc<Postgres>, String)> {
    let address = Cluster::shared()?.database().await;
    let (first, second) = tokio::join!(at(&address), at(&address));
    Some((Arc::new(first.expect("opens")), Arc::new(second.expect("opens as well")), address))
}

async fn execute(address: &str, sql: &'static str) -> Result<u64, String> {
    let mut db = Db::connect(address).await.expect("it is there");
    let done = sqlx::query(sql).execute(&mut db).await;
    done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

fn unusable<T>(answer: crate::Result<T>) -> String {
    match answer {
        Err(StoreError::Unusable(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[tokio::test]
async fn two_servers_never_grant_a_run_twice_and_pass_each_other() {
    let Some((first, second, _)) = two().await else { return };
    let bench = Bench::with_job(first.clone(), 40).await;
    let ask = |n: u128| {
        let store: Arc<dyn Store> = if n.is_multiple_of(2) { first.clone() } else { second.clone() };
        tokio::spawn(async move { store.acquire(asks(worker(n), START + 1)).await.expect("answered") })
    };
    let mut granted = Vec::new();
    for task in (0..40).map(ask).collect::<Vec<_>>() {
        granted.extend(task.await.expect("no panic").map(|granted| granted.run));
    }
    // As many askers as runs: whoever met another one got the next run, not nothing.
    assert_eq!(granted.iter().map(|run| run.id).collect::<BTreeSet<_>>().len(), 40);
    assert!(granted.len() == 40 && granted.iter().all(|run| run.attempt == 1));
    assert_eq!(bench.events().await.len(), 41, "numbered without gaps");
}

#[tokio::test]
async fn a_worker_may_report_to_another_server() {
    let Some((first, second, _)) = two().await else { return };
    let (here, there) = (Bench::with_job(first, 1).await, Bench { store: second });
    let run = here.granted(1, START).await;
    let checkpoint = there.checkpoint(10, START).await;
    let metrics = vec![scalar("loss", 1, f64::NAN)];
    let report = jobs::Report { metrics, checkpoint: Some(checkpoint), ..says(&run, 0, 10) };
    there.report(report.clone(), START).await;
    here.report(report, START).await; // the answer got lost; the next server knows it
    here.report(jobs::Report { outcome: succeeded(), ..says(&run, 1, 1_000) }, START).await;
    assert_eq!(there.run(run.id).await.state.name(), "succeeded");
    assert_eq!(there.events().await.last(), Some(&"job_ended"));
}

#[tokio::test]
async fn one_key_makes_one_job_whichever_server_is_asked() {
    let Some((first, second, _)) = two().await else { return };
    let submit = |n: u128| {
        let store = if n.is_multiple_of(2) { first.clone() } else { second.clone() };
        let job = crate::NewJob { idempotency: Some(("key".into(), [7; 32])), ..job(n, 1) };
        tokio::spawn(async move { store.submit(job).await.expect("answered") })
    };
    let mut created = 0;
    let mut ids = BTreeSet::new();
    for task in (1..=20).map(submit).collect::<Vec<_>>() {
        let submitted = task.await.expect("no panic");
        created += u32::from(submitted.created);
        ids.insert(submitted.job.id);
    }
    assert_eq!((created, ids.len()), (1, 1));
}

#[tokio::test]
async fn a_lost_lease_is_ended_once_however_many_look() {
    let Some((first, second, _)) = two().await else { return };
    let bench = Bench::with_job(first.clone(), 5).await;
    for n in 0..5 {
        bench.granted(n, START).await;
    }
    let (here, there) = tokio::join!(first.expire_leases(START + TTL), second.expire_leases(START + TTL));
    let ended = [here.expect("looked"), there.expect("looked")].concat();
    assert!(ended.contains(&job_id(1)), "{ended:?}");
    second.expire_leases(START + TTL).await.expect("looked"); // what the others were at was passed over
    let requeued = bench.events().await.iter().filter(|kind| **kind == "run_requeued").count();
    assert_eq!(requeued, 5);
    assert_eq!(bench.run(run_id(1, 4)).await.uncounted_failures, 1);
}

#[tokio::test]
async fn a_server_that_starts_beside_another_gives_no_lease_time() {
    let Some((first, second, address)) = two().await else { return };
    let bench = Bench::with_job(first.clone(), 1).await;
    let run = bench.granted(1, START).await;
    first.expire_leases(START).await.expect("looked");
    second.extend_leases(START + 9 * TTL).await.expect("asked");
    assert_eq!(expires_at(&bench.run(run.id).await), START + TTL);
    execute(&address, "UPDATE meta SET value = '0' WHERE key = 'looked_at'").await.expect("long ago");
    second.extend_leases(START + 9 * TTL).await.expect("asked");
    assert_eq!(expires_at(&bench.run(run.id).await), START + 9 * TTL, "now nobody had looked");
}

#[tokio::test]
async fn all_servers_have_one_clock() {
    let Some((first, second, _)) = two().await else { return };
    let now = first.now(0).await.expect("there is a clock");
    let later = second.now(u64::MAX).await.expect("there is a clock");
    assert!(now > 1_700_000_000_000 && (now..now + 60_000).contains(&later), "{now}, {later}");
}

#[tokio::test]
async fn servers_hear_of_each_other_and_not_of_themselves() {
    let Some((first, second, _)) = two().await else { return };
    let mut here = first.hints().expect("there may be others");
    let mut there = second.hints().expect("there may be others");
    // Who begins to listen may have missed something, and is told so; from then on nothing is missed.
    let begun = async |hints: &mut tokio::sync::broadcast::Receiver<Hint>, other: &Postgres| loop {
        other.tell(&[Hint::Work]).await.expect("told");
        if let Ok(Ok(Hint::Work)) = timeout(Duration::from_millis(50), hints.recv()).await {
            break;
        }
    };
    timeout(Duration::from_secs(20), async {
        tokio::join!(begun(&mut here, &second), begun(&mut there, &first))
    })
    .await
    .expect("both listen");
    first.tell(&[Hint::Job(job_id(1)), Hint::Job(job_id(2))]).await.expect("told");
    second.tell(&[Hint::Job(job_id(3))]).await.expect("told");
    let jobs = async |hints: &mut tokio::sync::broadcast::Receiver<Hint>, count: usize| {
        let mut jobs = Vec::new();
        while jobs.len() < count {
            if let Hint::Job(job) = hints.recv().await.expect("it listens") {
                jobs.push(job);
            }
        }
        jobs
    };
    let heard = async { tokio::join!(jobs(&mut here, 1), jobs(&mut there, 2)) };
    let heard = timeout(Duration::from_secs(20), heard).await.expect("both hear");
    assert_eq!(heard, (vec![job_id(3)], vec![job_id(1), job_id(2)]));
}

#[tokio::test]
async fn texts_may_hold_any_character() {
    let Some((store, _, _)) = two().await else { return };
    let mut odd = job(1, 1);
    odd.spec.name = Some("a\0b".into());
    odd.spec.requires = [("a\0".to_owned(), "\0".to_owned())].into();
    store.submit(odd).await.expect("stored");
    let stored = store.job(job_id(1)).await.expect("readable").expect("there");
    assert_eq!(stored.spec.name.as_deref(), Some("a\0b"), "in JSON it is escaped");
    let bench = Bench { store: store.clone() };
    bench.submit(job(2, 1)).await;
    let mut strange = worker(1);
    strange.name = "x\0".into();
    strange.labels.insert("\0".into(), "\0".into());
    store.register(strange.clone()).await.expect("registered");
    let granted = store.acquire(asks(strange, START + 9)).await.expect("answered").expect("a run fits");
    assert_eq!(granted.job.id, job_id(2));
    let outcome = Some(jobs::Outcome::Failed { class: jobs::Class::UserError, message: "a\0b".into() });
    bench.report(jobs::Report { outcome, ..says(&granted.run, 0, 1) }, START).await;
    assert!(store.dataset("\0").await.expect("looked").is_none());
    assert!(bench.values(granted.run.id, "\0").await.rows.is_empty());
}

#[tokio::test]
async fn triggers_raise_when_something_goes_around_the_rules() {
    let Some((store, _, address)) = two().await else { return };
    let bench = Bench::with_job(store, 1).await;
    let run = bench.granted(1, START).await;
    let falls = execute(&address, "UPDATE run SET attempt = 0").await;
    assert!(falls.is_err_and(|why| why.contains("only rises")));
    let checkpoint = bench.checkpoint(10, START).await;
    let metrics = vec![scalar("loss", 1, 1.0)];
    let report = jobs::Report {
        metrics,
        checkpoint: Some(checkpoint.clone()),
        outcome: succeeded(),
        ..says(&run, 0, 1_000)
    };
    bench.report(report, START).await;
    let source = jobs::JobSource { name: "network".into(), run: run.id, checkpoint };
    bench.submit(crate::NewJob { from: vec![source], ..job(2, 1) }).await;
    for (sql, why) in [
        ("UPDATE run SET step = 5 WHERE state = 'succeeded'", "a run that has ended never changes"),
        ("INSERT INTO event SELECT job_id, 9, at, kind, payload FROM event LIMIT 1", "without gaps"),
        ("INSERT INTO event SELECT job_id, 2, at, kind, payload FROM event LIMIT 1", "without gaps"),
        ("UPDATE event SET at = 0", "an event never changes"),
        ("UPDATE metric SET value = 0", "a metric never changes"),
        ("DELETE FROM checkpoint", "foreign key"),
    ] {
        let raised = execute(&address, sql).await;
        assert!(raised.as_ref().is_err_and(|said| said.contains(why)), "{sql}: {raised:?}");
    }
}

#[tokio::test]
async fn a_database_that_will_not_do_is_refused_with_advice() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database().await;
    let told = Postgres::describe(&PostgresOptions::new(&address)).await.expect("it is there");
    assert!(told.starts_with("Postgres 1") && told.ends_with("no tables yet"), "{told}");
    execute(&address, "CREATE TABLE theirs (x INT)").await.expect("made");
    assert!(unusable(at(&address).await).contains("tables of another program"));

    let address = cluster.database().await;
    at(&address).await.expect("opens").close().await.expect("closed");
    let newer = "INSERT INTO _sqlx_migrations SELECT 9999, 'later', installed_on, true, checksum, 0
                 FROM _sqlx_migrations LIMIT 1";
    execute(&address, newer).await.expect("written");
    let why = unusable(at(&address).await);
    assert!(why.contains("schema 9999") && why.contains("use the version of vesicle that wrote it"), "{why}");

    let address = cluster.database().await;
    let careless = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
    execute(&address, careless).await.expect("set");
    assert!(unusable(at(&address).await).contains("synchronous_commit"));

    let nowhere = unusable(at("postgres://ann:secret@127.0.0.1:1/vesicle").await);
    assert!(nowhere.contains("127.0.0.1:1, database vesicle: cannot connect"), "{nowhere}");
    assert!(!nowhere.contains("secret"));
    assert!(unusable(at("postgres://ann:secret@db:port").await).contains("address of the database is wrong"));
}

#[tokio::test]
async fn sessions_have_time_outs() {
    let Some((store, _, _)) = two().await else { return };
    let mut db = store.reader().await.expect("a connection");
    for (setting, value) in super::open::SETTINGS {
        let found: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *db)
            .await
            .expect("known");
        assert_eq!(found, value, "{setting}");
    }
}
