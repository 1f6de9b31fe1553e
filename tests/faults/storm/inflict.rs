//! How each fault is inflicted, and how it shows: a fault that nobody notices tests nothing.

use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};

use super::{
    clients::small_job,
    fault::Fault,
    logs::Held,
    stage::{PATIENCE, Stage},
};
use crate::support::{LEASE, until};

/// 256 kbit/s.
const SLOW_BYTES_PER_S: u64 = 32_000;
const DAYS: i64 = 3;

/// What a fault did, as far as that is known at once.
#[derive(Debug)]
pub(super) enum Effect {
    /// It showed.
    Seen,
    /// It must have ended this attempt, for one of these reasons; the log of the job says whether it did.
    Ends(Held, &'static [&'static str]),
    /// It came too late to do anything: the run had just ended.
    None,
}

/// Reasons that the log of a job gives when a worker is not heard of any more.
const LOST: &[&str] = &["lost", "server_restart"];

impl Stage {
    /// Inflicts a fault as soon as there is something worth it.
    ///
    /// # Panics
    /// If it does not show.
    pub(super) async fn inflict(&mut self, fault: Fault) -> Effect {
        match fault {
            Fault::KillWorker => self.kill_worker().await,
            Fault::KillServer => self.kill_server().await,
            Fault::StopWorker => self.stop_worker().await,
            Fault::CutLink => self.cut_link().await,
            Fault::SlowLink => self.slow_link().await,
            Fault::FullDisk => self.fill_disk().await,
            Fault::CrashDatabase => self.crash_database().await,
            Fault::ClockOfServer => self.set_clock_of_server().await,
            Fault::ClockOfWorker => self.set_clock_of_worker().await,
            Fault::DrainWorker => self.drain_worker().await,
            Fault::DrainServer => self.drain_server().await,
        }
    }

    async fn kill_worker(&mut self) -> Effect {
        let (n, held) = self.victim().await;
        self.posts[n].worker.signal(Signal::SIGKILL);
        self.replace_worker(n).kill().await;
        Effect::Ends(held, LOST)
    }

    /// Between a report and its answer.
    async fn kill_server(&mut self) -> Effect {
        let (n, held) = self.victim().await;
        let server = self.server_of(n);
        // Either at once, when the server may not have stored it, or after it has answered and nobody heard.
        let answered = self.random.coin();
        self.posts[n].link.withhold_answers();
        let link = &self.posts[n].link;
        let logs = &self.clients.logs;
        until(&format!("a report of {held:?} is in flight"), PATIENCE, async || {
            let call = link.unanswered(&held.run).filter(|call| call.answered || !answered);
            (call.is_some() || !logs.goes_on(&held)).then_some(())
        })
        .await;
        self.servers[server].kill_server().await;
        // Only now it is certain that the answer never came.
        let in_flight = self.posts[n].link.unanswered(&held.run).is_some();
        self.come_back(server).await;
        if in_flight { Effect::Seen } else { Effect::None }
    }

    /// Everybody leaves a server that is gone; it starts again, and streams begin anew.
    async fn come_back(&mut self, server: usize) {
        let streams = self.clients.logs.connections();
        self.turn_away_from(server);
        self.servers[server].start_server().await;
        self.spread();
        self.until_streams_began_anew(streams).await;
    }

    async fn until_streams_began_anew(&self, before: usize) {
        until("a stream was broken off and began anew", PATIENCE, async || {
            (self.clients.logs.connections() > before).then_some(())
        })
        .await;
    }

    /// Until another worker has its run; what it says then is refused.
    async fn stop_worker(&mut self) -> Effect {
        let (n, held) = self.victim().await;
        self.posts[n].worker.signal(Signal::SIGSTOP);
        let lost = self.until_lost(&held).await;
        self.posts[n].worker.signal(Signal::SIGCONT);
        self.until_dropped(n, &held, lost).await
    }

    /// Waits until the next attempt has begun; `false` when the last report of this one had ended the run.
    async fn until_lost(&self, held: &Held) -> bool {
        let logs = &self.clients.logs;
        until(&format!("{held:?} is lost"), PATIENCE, async || match logs.attempt(&held.run) {
            next if next > held.attempt => Some(true),
            _ => (!logs.goes_on(held) && logs.is_over(&held.run)).then_some(false),
        })
        .await
    }

    async fn until_dropped(&self, n: usize, held: &Held, lost: bool) -> Effect {
        if !lost {
            return Effect::None;
        }
        let worker = &self.posts[n].worker;
        let dropped = format!("run {} is dropped", held.run);
        until(&format!("a report of {held:?} is refused"), PATIENCE, async || {
            worker.log().contains(&dropped).then_some(())
        })
        .await;
        Effect::Ends(held.clone(), LOST)
    }

    async fn cut_link(&mut self) -> Effect {
        let (n, held) = self.victim().await;
        if self.random.coin() {
            // One way only: reports arrive, and nobody learns that they did.
            self.posts[n].link.withhold_answers();
            let lost = self.until_lost(&held).await;
            self.posts[n].link.sever();
            return self.until_dropped(n, &held, lost).await;
        }
        // Both ways, and shorter than a lease: nothing is lost.
        let post = &self.posts[n];
        let complaints = |log: &str| log.matches("trying again").count();
        let before = complaints(&post.worker.log());
        post.link.take_down();
        until("the worker notices", PATIENCE, async || {
            (complaints(&post.worker.log()) > before).then_some(())
        })
        .await;
        post.link.bring_up();
        Effect::Seen
    }

    async fn slow_link(&mut self) -> Effect {
        let (n, _) = self.victim().await;
        let link = &self.posts[n].link;
        let before = link.held_back();
        link.pass_at(SLOW_BYTES_PER_S);
        until("a link is felt to be slow", PATIENCE, async || {
            (link.held_back() > before + LEASE / 2).then_some(())
        })
        .await;
        link.pass_at(0);
        Effect::Seen
    }

    /// Writes are refused for want of space, reads are answered, and all is well when there is room again.
    async fn fill_disk(&mut self) -> Effect {
        let disk = self.disk.as_ref().expect("the fault was possible");
        disk.fill();
        let mut sent = 0;
        until("a job is refused for want of space", PATIENCE, async || {
            sent += 1;
            let status = self.clients.send(&small_job(), &format!("full-{sent}")).await;
            (status == Some(StatusCode::INSUFFICIENT_STORAGE)).then_some(())
        })
        .await;
        self.servers[0].client.get("/jobs?limit=1").await;
        disk.free();
        self.until_taken("room-again").await;
        Effect::Seen
    }

    /// Waits until a job is taken.
    async fn until_taken(&self, key: &str) {
        until("a job is taken again", PATIENCE, async || {
            self.clients.send(&small_job(), key).await.filter(StatusCode::is_success)
        })
        .await;
    }

    async fn crash_database(&mut self) -> Effect {
        let cluster = self.cluster.as_ref().expect("the fault was possible");
        cluster.crash();
        until("a job is refused for want of a database", PATIENCE, async || {
            let status = self.clients.send(&small_job(), "no-database").await;
            (status == Some(StatusCode::SERVICE_UNAVAILABLE)).then_some(())
        })
        .await;
        cluster.recover();
        self.until_taken("database-again").await;
        Effect::Seen
    }

    /// SIGKILL, and the machine wakes up with another date.
    async fn set_clock_of_server(&mut self) -> Effect {
        let days = if self.random.coin() { DAYS } else { -DAYS };
        self.victim().await;
        self.clock.as_ref().expect("the fault was possible").set(days);
        self.servers[0].kill_server().await;
        self.come_back(0).await;
        let answer = self.servers[0].client.request(Method::GET, "/healthz").send().await;
        let answer = answer.expect("it has started");
        let date = answer.headers()["date"].to_str().expect("a date is ASCII");
        let date = jiff::fmt::rfc2822::parse(date).expect("a date of HTTP").timestamp();
        assert!(is_off(date), "the clock of the server is right: {date}");
        Effect::Seen
    }

    async fn set_clock_of_worker(&mut self) -> Effect {
        let days = if self.random.coin() { DAYS } else { -DAYS };
        let (n, _) = self.victim().await;
        let post = &self.posts[n];
        post.clock.as_ref().expect("the fault was possible").set(days);
        until("the log of the worker has another date", PATIENCE, async || {
            let log = post.worker.log();
            let mut times = log.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
            times.any(is_off).then_some(())
        })
        .await;
        Effect::Seen
    }

    async fn drain_worker(&mut self) -> Effect {
        let (n, held) = self.victim().await;
        let status = self.replace_worker_after_drain(n).await;
        assert!(status.success(), "a worker that drained ended with {status}");
        let logs = &self.clients.logs;
        until("the run was handed on", PATIENCE, async || (!logs.goes_on(&held)).then_some(())).await;
        if logs.is_over(&held.run) { Effect::None } else { Effect::Ends(held, &["drained"]) }
    }

    async fn replace_worker_after_drain(&mut self, n: usize) -> std::process::ExitStatus {
        self.posts[n].worker.signal(Signal::SIGTERM);
        let worker = &mut self.posts[n].worker;
        until(&format!("{} has drained", worker.name.clone()), PATIENCE, async || {
            (!worker.lives()).then_some(())
        })
        .await;
        self.replace_worker(n).ended().await
    }

    async fn drain_server(&mut self) -> Effect {
        let (n, _) = self.victim().await;
        let server = self.server_of(n);
        self.servers[server].stop_server().await; // which asserts that it ends well
        self.come_back(server).await;
        Effect::Seen
    }
}

/// Whether a time is days away.
fn is_off(time: jiff::Timestamp) -> bool {
    let hours = (DAYS - 1) * 24;
    time.duration_since(jiff::Timestamp::now()).as_hours().abs() >= hours
}
