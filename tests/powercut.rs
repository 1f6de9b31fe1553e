//! Power cuts: no job that was answered is lost, whatever was still on its way to the disk.
//!
//! SIGKILL leaves what the kernel holds, so it cannot tell a commit that was synced from one that was not. Here the system
//! calls of a server are traced, and disks are made as a power cut at any of them would leave them.

mod disk;
mod trace;

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use futures::{StreamExt, stream};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::StatusCode;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::support::{Client, OnSqlite, PROMPT, Random, Service, command, digits_job, text, times, until};
use disk::Disk;
use trace::Deed;

const SEED: u64 = 30;
const JOBS: usize = 120;
const CALLS: &str =
    "trace=lseek,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,writev,sendto,sendmsg";

/// What a cut leaves behind.
struct Left {
    /// Jobs that had been answered.
    answered: usize,
    /// Those of them that are gone.
    lost: usize,
    /// What the database says of itself.
    integrity: String,
}

/// Runs a server on a database that is there, under a tracer, until it has answered many submissions; what it did.
async fn traced(service: &Service) -> Vec<Deed> {
    let file = service.folder().join("trace").display().to_string();
    let server = command(&["serve", "--listen", "127.0.0.1:0"], &service.env());
    let server = server.as_std();
    let mut tracer = tokio::process::Command::new("strace");
    tracer.args(["-f", "-y", "-xx", "-s", "16777216", "-e", CALLS, "-o", &file]);
    tracer.arg(server.get_program()).args(server.get_args());
    for (name, value) in server.get_envs() {
        match value {
            Some(value) => tracer.env(name, value),
            None => tracer.env_remove(name),
        };
    }
    let log = service.folder().join("traced.log");
    let out = std::fs::File::create(&log).expect("the folder can be written");
    let errors = out.try_clone().expect("a file handle can be cloned");
    tracer.stdin(Stdio::null()).stdout(out).stderr(errors).kill_on_drop(true);
    let mut process = tracer.spawn().expect("strace is installed; .ci/run installs it");
    let url = until("the traced server listens", PROMPT, async || {
        let said = std::fs::read_to_string(&log).expect("it was made");
        said.lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
    })
    .await;
    let client = Client::new(&url);
    let send = |n: usize| {
        let client = client.clone();
        async move {
            let sent = client.try_submit(&digits_job(1 + n as u32 % 3, 1, 1), &format!("cut-{n}")).await;
            let (status, job) = sent.expect("the server answers");
            assert_eq!(status, StatusCode::CREATED, "{job}");
            text(&job, "id")
        }
    };
    let answered: BTreeSet<String> = stream::iter(0..JOBS).map(send).buffer_unordered(8).collect().await;
    // Without its tracer the server would live on; without the server the tracer ends by itself. Calls begin with the id
    // of their process, the first of which is the server.
    let begun = std::fs::read_to_string(&file).expect("the tracer writes text");
    let server = begun.split(' ').next().and_then(|id| id.parse().ok()).expect("it begins with a process id");
    kill(Pid::from_raw(server), Signal::SIGKILL).expect("the server runs");
    process.wait().await.expect("it can be waited for");
    let trace = std::fs::read(&file).expect("the tracer has written it");
    let deeds = trace::read(&String::from_utf8_lossy(&trace));
    let traced: BTreeSet<String> = deeds.iter().filter_map(job).map(str::to_owned).collect();
    assert!(answered.is_subset(&traced), "the trace has every answer: {} of {JOBS}", traced.len());
    deeds
}

fn job(deed: &Deed) -> Option<&str> {
    match deed {
        Deed::Answered { job } => Some(job),
        _ => None,
    }
}

/// Opens what a cut left, and looks for every job that had been answered.
async fn inspect(files: &std::collections::BTreeMap<String, Vec<u8>>, answered: &[&str]) -> Left {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    for (name, content) in files {
        let name = Path::new(name).file_name().expect("a file has a name");
        // The index of the log lives in memory that processes share; it is made anew.
        if ["vesicle.db", "vesicle.db-wal", "vesicle.db-journal"].iter().any(|kept| name == *kept) {
            std::fs::write(folder.path().join(name), content).expect("the folder can be written");
        }
    }
    let options = SqliteConnectOptions::new().filename(folder.path().join("vesicle.db"));
    let mut database = SqliteConnection::connect_with(&options).await.expect("the database opens");
    let integrity: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut database).await.expect("it answers");
    let found = "SELECT lower(hex(id)) FROM job";
    let found: BTreeSet<String> =
        sqlx::query_scalar(found).fetch_all(&mut database).await.expect("it answers").into_iter().collect();
    let lost = answered.iter().filter(|job| !found.contains(&job.replace('-', ""))).count();
    database.close().await.expect("it closes");
    Left { answered: answered.len(), lost, integrity }
}

/// Cuts at seeded places; what each left.
async fn cuts(start: &Disk, deeds: &[Deed], count: usize) -> Vec<Left> {
    let mut random = Random::seeded(SEED);
    let mut left = Vec::new();
    for _ in 0..count {
        let at = random.below(deeds.len() as u64) as usize;
        let mut disk = start.clone();
        deeds[..at].iter().for_each(|deed| disk.note(deed));
        let answered: Vec<&str> = deeds[..at].iter().filter_map(job).collect();
        left.push(inspect(&disk.cut(&mut random), &answered).await);
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_no_job_that_was_answered() {
    let mut service = Service::start_on_sqlite(OnSqlite::WritesItself, &[]).await;
    service.stop_server().await;
    let (honest, lying) = (Disk::of(service.folder(), false), Disk::of(service.folder(), true));
    let deeds = tokio::time::timeout(Duration::from_secs(120), traced(&service)).await.expect("it ends");
    let syncs = deeds.iter().filter(|deed| matches!(deed, Deed::Sync { .. })).count();
    assert!(syncs >= 5, "{syncs} syncs for {JOBS} jobs");

    let count = times(30, 200);
    let left = cuts(&honest, &deeds, count).await;
    for (n, Left { answered, lost, integrity }) in left.iter().enumerate() {
        assert_eq!(integrity, "ok", "seed {SEED}, cut {n}");
        assert_eq!(*lost, 0, "seed {SEED}, cut {n}: of {answered} answered jobs");
    }
    let met = left.iter().filter(|left| left.answered > 0).count();
    assert!(met >= count / 2, "most cuts come after an answer: {met}");

    // The same cuts on a disk that does not sync: what is promised is then broken, and seen to be.
    let lost = cuts(&lying, &deeds, count).await.iter().filter(|left| left.lost > 0).count();
    eprintln!(
        "{count} power cuts, {met} of them after an answer: none lost a job; {lost} of as many on a disk that does not sync did"
    );
    assert!(lost >= count / 2, "without syncs {lost} of {count} cuts lose jobs");
}
