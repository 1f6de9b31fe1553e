//! Where the storm takes place: servers, four workers with a link of their own each, users, disks and clocks.

use std::{sync::Arc, time::Duration};

use store::conformance::Cluster;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{
    clients::{Clients, STEPS},
    fault::Fault,
    logs::Held,
};
use crate::support::{Child, Database, FakeClock, Proxy, Random, Service, SmallDisk, until};

const WORKERS: usize = 4;
/// Room for the database of a round several times over.
const DISK_MIB: u32 = 192;

/// For what takes a moment when nothing else runs: long storms go on beside other work.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// A worker and its way to a server.
pub(super) struct Post {
    pub(super) link: Proxy,
    /// Which server the link leads to.
    at: usize,
    pub(super) worker: Child,
    pub(super) clock: Option<FakeClock>,
}

impl Post {
    fn env(&self) -> Vec<(String, String)> {
        self.clock.as_ref().map(FakeClock::env).unwrap_or_default()
    }
}

/// Everything that a round takes place on.
pub(super) struct Stage {
    pub(super) servers: Vec<Service>,
    pub(super) posts: Vec<Post>,
    pub(super) clients: Arc<Clients>,
    pub(super) busy: JoinHandle<()>,
    /// The way of users to a server, and which one.
    way: Proxy,
    way_to: usize,
    /// Of the first server.
    pub(super) clock: Option<FakeClock>,
    pub(super) disk: Option<SmallDisk>,
    /// Postgres, to crash it.
    pub(super) cluster: Option<Cluster>,
    pub(super) random: Random,
    /// Files of clocks.
    _scratch: TempDir,
}

impl Stage {
    /// Starts everything; users send jobs until the faults are over and there were `least` runs.
    /// `None` where the database is not installed.
    pub(super) async fn set(database: Database, least: usize, seed: u64) -> Option<Self> {
        let scratch = TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files");
        let clock = FakeClock::new(scratch.path(), "server");
        let (mut cluster, mut disk) = (None, None);
        let mut settings = clock.as_ref().map(FakeClock::env).unwrap_or_default();
        let mut servers = Vec::new();
        match database {
            // One server, on a disk that can be filled.
            Database::Sqlite => {
                disk = SmallDisk::mount(DISK_MIB);
                settings.extend(disk.iter().flat_map(SmallDisk::env));
                servers.push(server(&settings).await);
            }
            // Two servers.
            Database::Postgres => {
                let own = Cluster::own()?;
                let address = own.database().await;
                settings.push(("VESICLE_DATABASE".into(), address));
                servers.push(server(&settings).await);
                servers.push(server(&settings[settings.len() - 1..]).await);
                cluster = Some(own);
            }
        }
        let way = servers[0].proxy().await;
        let clients = Clients::new(&way.url);
        let busy = tokio::spawn(Arc::clone(&clients).keep_busy(least));
        let mut posts = Vec::new();
        for n in 0..WORKERS {
            let (at, clock) = (n % servers.len(), FakeClock::new(scratch.path(), &format!("worker-{n}")));
            let link = servers[at].proxy().await;
            let env = clock.as_ref().map(FakeClock::env).unwrap_or_default();
            let worker = servers[at].worker_with(&link.url, &env);
            posts.push(Post { link, at, worker, clock });
        }
        let random = Random::seeded(seed);
        let _scratch = scratch;
        Some(Self { servers, posts, clients, busy, way, way_to: 0, clock, disk, cluster, random, _scratch })
    }

    /// Whether a fault can be inflicted here.
    pub(super) fn can(&self, fault: Fault) -> bool {
        match fault {
            Fault::FullDisk => self.disk.is_some(),
            Fault::CrashDatabase => self.cluster.is_some(),
            Fault::ClockOfServer | Fault::ClockOfWorker => self.clock.is_some(),
            _ => true,
        }
    }

    /// Some worker with a run on its way: the number of its post, and what it holds.
    pub(super) async fn victim(&mut self) -> (usize, Held) {
        // So that runs are met at all ages; in their first three quarters, or they would end by themselves.
        let below = STEPS / 4 + self.random.below(STEPS / 2);
        let first = self.random.below(WORKERS as u64) as usize;
        until("a worker has a run on its way", PATIENCE, async || {
            let order = (0..WORKERS).map(|n| (first + n) % WORKERS);
            order.into_iter().find_map(|n| {
                let held = self.clients.logs.held_by(&self.posts[n].worker.worker_id()?, below)?;
                Some((n, held))
            })
        })
        .await
    }

    /// The server that a post leads to.
    pub(super) fn server_of(&self, post: usize) -> usize {
        self.posts[post].at
    }

    /// Starts a worker where one was, over the same link.
    pub(super) fn replace_worker(&mut self, post: usize) -> Child {
        let home = &self.servers[0];
        let post = &mut self.posts[post];
        post.link.sever();
        let worker = home.worker_with(&post.link.url, &post.env());
        std::mem::replace(&mut post.worker, worker)
    }

    /// Does what a load balancer does when a server is gone: everybody who was there goes to another one, if there is
    /// one, and comes again in any case.
    pub(super) fn turn_away_from(&mut self, server: usize) {
        let other = (server + 1) % self.servers.len();
        let port = self.servers[other].port();
        for post in self.posts.iter_mut().filter(|post| post.at == server) {
            post.at = other;
            post.link.redirect(port);
            post.link.sever();
        }
        if self.way_to == server {
            self.way_to = other;
            self.way.redirect(port);
            self.way.sever();
        }
    }

    /// Spreads the workers over the servers again, and turns the users to another one: nobody must notice.
    pub(super) fn spread(&mut self) {
        for (n, post) in self.posts.iter_mut().enumerate() {
            let at = n % self.servers.len();
            if post.at != at {
                post.at = at;
                post.link.redirect(self.servers[at].port());
                post.link.sever();
            }
        }
        if self.servers.len() > 1 {
            self.way_to = (self.way_to + 1) % self.servers.len();
            self.way.redirect(self.servers[self.way_to].port());
            self.way.sever();
        }
    }
}

async fn server(settings: &[(String, String)]) -> Service {
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Service::start_with(&settings).await
}
