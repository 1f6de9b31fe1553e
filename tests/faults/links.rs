//! Links that are cut, lose packets or are slow: what a worker says arrives late or under the next attempt, and a
//! checkpoint goes on where it was.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;

use super::logs::{Held, Logs};
use crate::{
    checker::{self, History, Records},
    support::{Child, LEASE, Loss, PROMPT, Proxy, Random, Service, digits_job, times, undisturbed, until},
};

const SEED: u64 = 23;
/// Workers, each with a link of its own.
const WORKERS: usize = 3;
/// Fewer than workers: somebody is there to take over.
const RUNS: u32 = 2;
/// How long links are cut, in quarters of a lease.
const CUTS: [u32; 3] = [2, 4, 12];
/// Of a hundred packets.
const LOST: u32 = 20;
const JOB: Duration = Duration::from_secs(300);

/// A job, workers that reach the server over links of their own, and somebody who watches.
struct Linked {
    service: Service,
    job: String,
    history: History,
    logs: Arc<Logs>,
    watching: JoinHandle<()>,
    posts: Vec<(Proxy, Child)>,
}

impl Linked {
    async fn start(spec: &Json, workers: usize, settings: &[(&str, &str)]) -> Self {
        let service = Service::start_with(settings).await;
        let job = service.client.submit(spec, "links").await;
        let undisturbed = undisturbed(spec, &service.client.runs(&job).await, service.folder()).await;
        let history = History { answered: vec![("links".to_owned(), job.clone())], undisturbed };
        let logs = Arc::new(Logs::default());
        let (follower, client, followed) = (Arc::clone(&logs), service.client.clone(), job.clone());
        let watching = tokio::spawn(async move { follower.follow(client, followed).await });
        let mut posts = Vec::new();
        for _ in 0..workers {
            let link = service.proxy().await;
            let worker = service.worker_at(&link.url);
            posts.push((link, worker));
        }
        Self { service, job, history, logs, watching, posts }
    }

    /// A worker that has just brought its run further, and what it holds.
    async fn victim(&self) -> (usize, Held) {
        let held_by = |n: usize| self.logs.held_by(&self.posts[n].1.worker_id()?, u64::MAX);
        loop {
            let (n, held) = until("a run is on its way", LEASE + PROMPT, async || {
                (0..self.posts.len()).find_map(|n| Some((n, held_by(n)?)))
            })
            .await;
            // An attempt whose lease a cut before this one took is not known to be over yet.
            let goes_on = until("it is further, or over", LEASE + PROMPT, async || match held_by(n) {
                Some(now) if now.attempt == held.attempt => {
                    (now.checkpoint > held.checkpoint).then_some(true)
                }
                _ => Some(false),
            })
            .await;
            if goes_on {
                return (n, held);
            }
        }
    }

    async fn end(mut self) -> Records {
        self.service.client.until_job_is(&self.job, "succeeded", JOB).await;
        self.watching.await.expect("a watcher does not panic");
        for (_, worker) in self.posts {
            assert!(worker.terminate(PROMPT).await.success());
        }
        self.service.stop_server().await;
        let database = self.service.database().await;
        checker::assert_sound(&database, &self.history).await;
        Records::read(&database).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_cut_for_half_a_lease_or_three_do_no_damage() {
    let rounds = times(1, 7);
    let spec = digits_job(RUNS, times(64, 480) as u32, 300);
    let linked = Linked::start(&spec, WORKERS, &[]).await;
    let mut random = Random::seeded(SEED);
    let mut lost = [0; CUTS.len()];
    for _ in 0..rounds {
        let mut order: Vec<_> = (0..CUTS.len()).collect();
        random.shuffle(&mut order);
        for cut in order {
            let (n, held) = linked.victim().await;
            let (link, worker) = &linked.posts[n];
            let (dropped, began) = (format!("run {} is dropped", held.run), Instant::now());
            let drops = worker.log().matches(&dropped).count();
            link.stall(true);
            until("the link was cut for that long", JOB, async || {
                (began.elapsed() >= LEASE * CUTS[cut] / 4).then_some(())
            })
            .await;
            let is_lost = linked.logs.attempt(&held.run) > held.attempt;
            link.stall(false);
            lost[cut] += usize::from(is_lost);
            if is_lost {
                until("the worker learns that its attempt is over", LEASE + PROMPT, async || {
                    (worker.log().matches(&dropped).count() > drops).then_some(())
                })
                .await;
            }
        }
    }
    eprintln!("seed {SEED}: {rounds} cuts each of half a lease, one and three; lost by them: {lost:?}");
    assert_eq!((lost[0], lost[2]), (0, rounds), "only a cut beyond the lease ends an attempt, and each does");
    linked.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_loses_a_fifth_of_its_packets_carries_everything() {
    let spec = digits_job(RUNS, times(4, 40) as u32, 300);
    let linked = Linked::start(&spec, WORKERS, &[]).await;
    let lossy: Option<Vec<_>> = linked.posts.iter().map(|(link, _)| Loss::of(LOST, link.port())).collect();
    let Some(lossy) = lossy else { return };
    linked.service.client.until_job_is(&linked.job, "succeeded", JOB).await;
    let lost: u64 = lossy.iter().map(Loss::lost).sum();
    drop(lossy);
    let records = linked.end().await;
    let attempts: u64 = records.runs.values().map(|run| run.attempt).sum();
    eprintln!("{lost} packets lost, {attempts} attempts of {RUNS} runs");
    assert!(lost >= 20, "{lost} packets lost");
}

/// A run of a few steps with a state of `units` · 480 bytes, which it leaves at its end.
fn heavy_job(units: u32) -> Json {
    json!({
        "experiment": "rbm",
        "params": {"hidden_units": units, "epochs": 1, "train_images": 200, "batch": 20, "test_images": 10},
        "seeds": [1],
        "every": 10,
        "checkpoint_every_steps": 1_000_000,
    })
}

/// 256 kbit/s, for longer than any other call may take, in the long form.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_goes_up_a_slow_link_while_its_lease_is_renewed() {
    let (units, rate, lease) =
        if times(0, 1) == 0 { (2_048, 256_000, "3000") } else { (4_096, 32_000, "30000") };
    let linked = Linked::start(&heavy_job(units), 1, &[("VESICLE_LEASE_MS", lease)]).await;
    let link = &linked.posts[0].0;
    link.pass_at(rate);
    linked.service.client.until_job_is(&linked.job, "succeeded", JOB).await;
    let (sent, slow) = (link.sent(), link.held_back());
    eprintln!("{sent} bytes at {rate} a second, for {slow:?}");
    assert!(slow > Duration::from_millis(lease.parse().expect("a number")), "it was not slow");
    let records = linked.end().await;
    let attempts: Vec<_> = records.runs.values().map(|run| run.attempt).collect();
    assert_eq!(attempts, [1], "a slow link costs no lease");
}

/// Of a checkpoint on its way up, when its link is cut: the second time much of it is there.
const CUT_AFTER: [u64; 2] = [1 << 20, 5 << 19];

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_whose_link_is_cut_goes_on_where_it_was() {
    let linked = Linked::start(&heavy_job(4_096), 1, &[("VESICLE_LEASE_MS", "10000")]).await;
    let link = &linked.posts[0].0;
    link.pass_at(4 << 20);
    for bytes in CUT_AFTER {
        until("so much is under way", PROMPT, async || (link.sent() > bytes).then_some(())).await;
        link.sever();
    }
    linked.service.client.until_job_is(&linked.job, "succeeded", JOB).await;
    let sent = link.sent();
    let records = linked.end().await;
    let stored =
        records.jobs.values().flat_map(|job| &job.events).find(|event| event.is("checkpoint_stored"));
    let bytes = stored.and_then(|event| event.number("bytes")).expect("it has an end");
    let anew = CUT_AFTER[1] + bytes;
    eprintln!(
        "a checkpoint of {bytes} bytes, cut after {CUT_AFTER:?}: {sent} sent, {anew} if it had begun anew each time"
    );
    let attempts: Vec<_> = records.runs.values().map(|run| run.attempt).collect();
    assert_eq!(attempts, [1]);
    assert!(sent >= CUT_AFTER[0] + bytes && sent < anew - (1 << 19), "{sent} of {bytes}");
}
