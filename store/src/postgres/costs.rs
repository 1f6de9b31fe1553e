//! What is asked of one job or run reads as much of the database when there are many others: whatever a plan was made from.

use std::sync::Arc;

use jobs::{Outcome, Report};
use sqlx::Connection as _;

use super::{Db, Postgres, PostgresOptions};
use crate::conformance::Cluster;
use crate::conformance::fixture::{Bench, START, asks, job, job_id, run_id, says, scalar, succeeded, worker};
use crate::{MetricQuery, Page, RankQuery, Store as _, Verb};

/// Copies of the job `$1` and of its runs 0, which goes on, and 1, which has succeeded, with the series of these: 20,000 jobs, of
/// which 200 go on.
const MANY_JOBS: &str = "
    WITH new AS (
      SELECT n, gen_random_uuid() AS job_id, gen_random_uuid() AS run_id, CASE WHEN n % 100 = 0 THEN 0 ELSE 1 END AS idx
      FROM generate_series(1, 20000) AS n
    ), jobs AS (
      INSERT INTO job SELECT copy.*
      FROM new JOIN job ON job.id = $1,
        LATERAL jsonb_populate_record(job, jsonb_build_object('id', job_id, 'queued', 0)) AS copy
    ), runs AS (
      INSERT INTO run SELECT copy.*
      FROM new JOIN run ON run.job_id = $1 AND run.idx = new.idx,
        LATERAL jsonb_populate_record(run, jsonb_build_object('id', new.run_id, 'job_id', new.job_id)) AS copy
    ), series AS (
      INSERT INTO series (run_id, name, kind, points, last_step, last_value, final_value)
      SELECT new.run_id, name, kind, points, last_step, last_value + n, final_value + n
      FROM new JOIN run ON run.job_id = $1 AND run.idx = new.idx JOIN series ON series.run_id = run.id
      RETURNING id
    )
    INSERT INTO metric (series_id, step, attempt, value) SELECT id, step, 1, step FROM series, generate_series(1, 3) AS step";

/// More than anything that is about a job of nine runs fetches, and far less than there are jobs.
const ROWS: i64 = 60;

/// A store with one connection, so that the plans of all that is asked are in one place, with a job whose runs 0 and 3 go on, 1
/// and 2 have ended and the others wait.
struct Small {
    address: String,
    store: Arc<Postgres>,
}

impl Small {
    async fn new() -> Option<Self> {
        let address = Cluster::shared()?.database().await;
        let options = PostgresOptions { connections: 1, ..PostgresOptions::new(&address) };
        let store = Arc::new(Postgres::open(options).await.expect("opens"));
        let bench = Bench::with_job(store.clone(), 9).await;
        for n in 0..4 {
            let run = bench.granted(n, START).await;
            let outcome = if n % 3 == 0 { None } else { succeeded() };
            let metrics = vec![scalar("loss", 1, 1.0)];
            let checkpoint = Some(bench.checkpoint(1_000, START).await);
            bench.report(Report { metrics, checkpoint, outcome, ..says(&run, 0, 1_000) }, START).await;
        }
        Some(Self { address, store })
    }

    /// Rows that all connections have fetched from tables so far; what the store's has is counted at once.
    async fn fetched(&self) -> i64 {
        count_now(&mut self.store.reader().await.expect("the connection")).await;
        let mut db = Db::connect(&self.address).await.expect("it is there");
        let fetched =
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_user_tables";
        sqlx::query_scalar(fetched).fetch_one(&mut db).await.expect("counted")
    }

    /// Everything that is about one job or run; answers what fetched the most rows. `turn` counts from 0.
    async fn ask_everything(&self, turn: u64) -> (i64, &'static str) {
        let store = &self.store;
        let mut most = (0, "nothing");
        let now = START + 10 * (turn + 1);
        macro_rules! ask {
            ($what:ident ( $($given:expr),* )) => {{
                let before = self.fetched().await;
                let answer = store.$what($($given),*).await.expect(stringify!($what));
                most = most.max((self.fetched().await - before, stringify!($what)));
                answer
            }};
        }
        let (one, run) = (job_id(1), run_id(1, 0));
        ask!(submit(job(u128::from(turn) + 2, 3)));
        ask!(jobs(Page { after: None, limit: 3 }));
        ask!(job(one));
        ask!(runs(one, Page { after: None, limit: 3 }));
        let going_on = ask!(run(run)).expect("it is there");
        ask!(events(one, 0, 10));
        ask!(series(run));
        ask!(metrics(MetricQuery { run, name: "loss".into(), from: 0, to: 9, points: 5 }));
        ask!(checkpoints(run));
        let query = RankQuery {
            metric: "loss".into(),
            experiment: None,
            job: Some(one),
            descending: false,
            limit: 9,
        };
        let ranked = ask!(ranked(query.clone()));
        assert_eq!(ranked.len(), 4);
        ask!(ranked(RankQuery { experiment: Some("rbse".into()), ..query }));
        let granted = ask!(acquire(asks(worker(50 + u128::from(turn)), now))).expect("some wait").run;
        let metrics = vec![scalar("loss", 2 + turn, 1.0)];
        let report = Report { metrics, ..says(&going_on, going_on.next_seq, 1_000) };
        ask!(report(report.clone(), now));
        let known = vec![scalar("loss", 1, 1.0), scalar("loss", 2 + turn, 1.0)];
        ask!(report(Report { metrics: known, seq: report.seq + 1, ..report }, now));
        let failed = Outcome::Failed { class: jobs::Class::UserError, message: "no".into() };
        ask!(report(Report { outcome: Some(failed), ..says(&granted, 0, 1) }, now));
        ask!(wish(job_id(u128::from(turn) + 2), Verb::Pause, now));
        most
    }
}

async fn count_now(db: &mut Db) {
    sqlx::query("SELECT pg_stat_force_next_flush()").execute(db).await.expect("told");
}

#[tokio::test]
async fn what_is_about_one_job_reads_none_of_others() {
    let Some(small) = Small::new().await else { return };
    let mut other = Db::connect(&small.address).await.expect("it is there");
    let (rows, what) = small.ask_everything(0).await;
    assert!((1..ROWS).contains(&rows), "the job alone: {what} fetched {rows} rows");
    sqlx::query(MANY_JOBS).bind(job_id(1).0).execute(&mut other).await.expect("filled");
    count_now(&mut other).await;
    let (rows, what) = small.ask_everything(1).await;
    assert!(rows < ROWS, "plans of a small database: {what} fetched {rows} rows");
    sqlx::query("ANALYZE").execute(&mut other).await.expect("done");
    count_now(&mut other).await;
    let (rows, what) = small.ask_everything(2).await;
    assert!(rows < ROWS, "plans of a large one: {what} fetched {rows} rows");

    let before = small.fetched().await;
    let of_all =
        RankQuery { metric: "loss".into(), experiment: None, job: None, descending: false, limit: 9 };
    assert_eq!(small.store.ranked(of_all).await.expect("readable").len(), 9);
    let ranked = small.fetched().await - before;
    assert!((200..2_000).contains(&ranked), "the best of all, of which 200 go on: {ranked} rows fetched");
    let before = small.fetched().await;
    assert!(small.store.expire_leases(START).await.expect("looked").is_empty());
    let looked = small.fetched().await - before;
    assert!((200..1_000).contains(&looked), "who looks after 200 leases: {looked} rows fetched");
    sqlx::query("SELECT sum(points) FROM series").execute(&mut other).await.expect("read");
    count_now(&mut other).await;
    assert!(small.fetched().await - before > 20_000, "who reads them all is seen to");
}
