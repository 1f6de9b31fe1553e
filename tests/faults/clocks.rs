//! Clocks that are set or run away: a lease is as long as it is, whatever the date.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{
    checker::{self, History, Records},
    support::{
        Child, Client, Database, FakeClock, LEASE, PROMPT, Service, digits_job, text, times, undisturbed,
        until,
    },
};

const DAYS: i64 = 3;

/// The server dies with its clock so many days off and wakes up with another one, and the worker that had the run is gone.
async fn is_taken_over(before: i64, after: i64) {
    let folder = scratch();
    let Some(clock) = FakeClock::new(folder.path(), "server") else { return };
    clock.set(before);
    let env = clock.env();
    let settings: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut service = Service::start_with(&settings).await;
    let spec = digits_job(1, 4, 300);
    let job = service.client.submit(&spec, "clock").await;
    let undisturbed = undisturbed(&spec, &service.client.runs(&job).await, service.folder()).await;
    let history = History { answered: vec![("clock".to_owned(), job.clone())], undisturbed };
    let worker = service.worker();
    until("a checkpoint is stored", PROMPT, async || {
        let run = service.client.runs(&job).await.swap_remove(0);
        (run["checkpoint_step"].as_u64() > Some(0)).then_some(())
    })
    .await;
    service.kill_server().await;
    worker.kill().await;
    clock.set(after);
    service.start_server().await;
    let worker = service.worker();
    service.client.until_job_is(&job, "succeeded", 2 * LEASE + 2 * PROMPT).await;
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    let requeued = records.jobs[&job].events.iter().find(|event| event.is("run_requeued"));
    let class = text(&requeued.expect("its lease ran out").body, "class");
    // Postgres keeps the time of leases by itself: there a server was away for no longer than it really was.
    let by_its_clock = Database::asked_for() == Database::Postgres && class == "lost";
    assert!(class == "server_restart" || by_its_clock, "{class}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_was_set_back_for_days_lets_leases_run_out_as_ever() {
    is_taken_over(DAYS, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_was_set_ahead_for_days_lets_leases_run_out_as_ever() {
    is_taken_over(0, DAYS).await;
}

/// What goes ten times as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fast {
    /// The wall clock of the server.
    DateOfServer,
    /// All clocks of workers: what they wait for they wait a tenth of.
    Workers,
    /// All clocks of the server: its second is a tenth of ours.
    Server,
}

const SPEED: u32 = 10;
/// Workers report every third of it and no sooner, so a tenth of it would be too short.
const SHORT_LEASE: Duration = Duration::from_secs(1);
const QUIET: [(&str, &str); 2] = [("VESICLE_LEASE_MS", "1000"), ("VESICLE_REPORT_MIN_MS", "10000")];
/// Beyond its lease, until the run of a dead worker waits for another one.
const GRACE: Duration = Duration::from_secs(5);

/// A service where something goes too fast, with a run that takes several leases.
struct Hurried {
    service: Service,
    of_workers: Vec<(String, String)>,
    job: String,
    history: History,
    /// What its server said the time was, and when.
    date: (Timestamp, Instant),
    _folder: TempDir,
}

impl Hurried {
    async fn start(fast: Fast, epochs: usize) -> Option<Self> {
        let _folder = scratch();
        let clock = FakeClock::new(_folder.path(), "fast")?;
        clock.speed_up(SPEED);
        // Workers have the environment of their server.
        let right = vec![("LD_PRELOAD".to_owned(), String::new())];
        let (of_server, of_workers) = match fast {
            Fast::DateOfServer => (clock.env(), right),
            Fast::Workers => (Vec::new(), clock.env_of_all_clocks()),
            Fast::Server => (clock.env_of_all_clocks(), right),
        };
        let settings = of_server.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let service = Service::start_with(&settings.chain(QUIET).collect::<Vec<_>>()).await;
        let date = (date(&service.client).await, Instant::now());
        let spec = digits_job(1, epochs as u32, 300);
        let job = service.client.submit(&spec, "fast").await;
        let undisturbed = undisturbed(&spec, &service.client.runs(&job).await, service.folder()).await;
        let history = History { answered: vec![("fast".to_owned(), job.clone())], undisturbed };
        Some(Self { service, of_workers, job, history, date, _folder })
    }

    fn worker(&self) -> (Child, Instant) {
        let worker = self.service.worker_with(&self.service.client.server, &self.of_workers);
        (worker, Instant::now())
    }

    async fn run(&self) -> Json {
        self.service.client.runs(&self.job).await.swap_remove(0)
    }

    /// Waits until some attempt has brought the run further; answers which.
    async fn until_further(&self) -> u64 {
        let before = self.run().await["step"].as_u64();
        until("the run goes on", PROMPT, async || {
            let run = self.run().await;
            let goes_on = run["state"] == "running" && run["step"].as_u64() > before;
            run["attempt"].as_u64().filter(|_| goes_on)
        })
        .await
    }

    async fn expired(&self) -> f64 {
        self.service.client.telemetry("vesicle_lease_expired_total").await
    }

    /// Lets everything end; answers how many times as fast as ours the clock went that was to be fast.
    async fn end(mut self, (worker, began): (Child, Instant)) -> (f64, Records) {
        self.service.client.until_job_is(&self.job, "succeeded", 6 * PROMPT).await;
        let (earlier, at) = self.date;
        let of_server = speed(earlier, date(&self.service.client).await, at.elapsed());
        worker.signal(Signal::SIGTERM);
        let log = until("the worker drains", PROMPT, async || {
            Some(worker.log()).filter(|log| log.contains("worker drains"))
        })
        .await;
        let mut said = log.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
        let (first, last) = (said.next(), said.next_back());
        let of_worker = speed(first.expect("a time"), last.expect("another"), began.elapsed());
        assert!(worker.ended_within(PROMPT).await.success());
        self.service.stop_server().await;
        let database = self.service.database().await;
        checker::assert_sound(&database, &self.history).await;
        (of_server.max(of_worker), Records::read(&database).await)
    }
}

fn scratch() -> TempDir {
    TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files")
}

/// What a server says what time it is.
async fn date(client: &Client) -> Timestamp {
    let answer = client.request(Method::GET, "/healthz").send().await.expect("it has started");
    let date = answer.headers()["date"].to_str().expect("a date is ASCII");
    jiff::fmt::rfc2822::parse(date).expect("a date of HTTP").timestamp()
}

fn speed(earlier: Timestamp, later: Timestamp, took: Duration) -> f64 {
    later.duration_since(earlier).as_secs_f64() / took.as_secs_f64()
}

/// No lease ends while its worker lives, and each soon after its worker has died.
async fn leases_are_as_long_as_ever(fast: Fast) {
    let deaths = times(2, 15);
    let Some(hurried) = Hurried::start(fast, times(48, 160)).await else { return };
    let mut worker = hurried.worker();
    assert_eq!(hurried.until_further().await, 1);
    let began = Instant::now();
    until("several leases have passed", PROMPT, async || {
        assert_eq!(hurried.run().await["attempt"], 1, "its worker lives and reports");
        (began.elapsed() > 3 * SHORT_LEASE).then_some(())
    })
    .await;
    assert_eq!(hurried.expired().await, 0.0);
    let mut waits = Vec::new();
    for death in 1..=deaths as u64 {
        assert_eq!(hurried.until_further().await, death, "nobody lost a lease who lived");
        worker.0.kill().await;
        let killed = Instant::now();
        until("its lease has run out", SHORT_LEASE + GRACE, async || {
            (hurried.run().await["state"] == "queued").then_some(())
        })
        .await;
        waits.push(killed.elapsed());
        worker = hurried.worker();
    }
    waits.sort();
    let (least, most) = (waits[0], waits[deaths - 1]);
    // The last report came at most a third of a lease before.
    assert!(least >= SHORT_LEASE / 2, "{waits:?}");
    let (speed, records) = hurried.end(worker).await;
    eprintln!(
        "{fast:?} {speed:.1} times as fast: {deaths} leases ran out {least:?} to {most:?} after a death"
    );
    assert!(speed > f64::from(SPEED) / 2.0, "the clock was not fast");
    let attempts: Vec<_> = records.runs.values().map(|run| run.attempt).collect();
    assert_eq!(attempts, [deaths as u64 + 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_date_runs_ten_times_as_fast_takes_no_lease_too_soon_or_too_late() {
    leases_are_as_long_as_ever(Fast::DateOfServer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_whose_clocks_run_ten_times_as_fast_lose_no_lease_and_keep_none() {
    leases_are_as_long_as_ever(Fast::Workers).await;
}

/// Negative control, and where the promise ends: with no clock that is right a server cannot know how long a lease is.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lives_ten_times_as_fast_takes_leases_from_workers_that_live() {
    if Database::asked_for() == Database::Postgres {
        return; // it keeps the time of leases by itself
    }
    let Some(hurried) = Hurried::start(Fast::Server, 8).await else { return };
    let mut worker = hurried.worker();
    until("a lease is lost", PROMPT, async || (hurried.expired().await > 0.0).then_some(())).await;
    assert!(worker.0.lives());
}
