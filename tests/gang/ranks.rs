//! Processes of an MPI world, started by `mpirun` as users start them.

use std::{collections::BTreeSet, fs};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value as Json;

use super::{JOB, assert_undisturbed, job, lines, root_may};
use crate::{
    checker::Records,
    support::{Child, PROMPT, Service, command_by, undisturbed, until},
};

/// More processes than cores are no reason to refuse, here.
const LAUNCHER: [&str; 3] = ["mpirun", "--oversubscribe", "-n"];

fn launcher(ranks: &str) -> Vec<&str> {
    [&LAUNCHER[..], &[ranks]].concat()
}

/// Processes that a launcher has started, by rank.
fn ranks(launcher: &Child) -> Vec<Pid> {
    let pid = launcher.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut ranks: Vec<(u32, i32)> = Vec::new();
    for child in children.split_whitespace() {
        let environment = fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
        let variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let rank = variables.filter_map(|v| v.strip_prefix("OMPI_COMM_WORLD_RANK=")?.parse().ok()).next();
        ranks.extend(rank.zip(child.parse().ok()));
    }
    ranks.sort_unstable();
    ranks.into_iter().map(|(_, pid)| Pid::from_raw(pid)).collect()
}

fn lives(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

async fn until_gone(pids: &[Pid]) {
    until("all processes are gone", PROMPT, async || (!pids.iter().any(|&pid| lives(pid))).then_some(()))
        .await;
}

/// A gang at work for a service.
fn gang(service: &Service, ranks: &str) -> Child {
    let args = ["work", "--gang", "--server", &service.client.server];
    service.process_by(&launcher(ranks), "gang", &args, &root_may())
}

async fn first_run(service: &Service, job: &str) -> Json {
    service.client.runs(job).await.swap_remove(0)
}

/// Waits until the run of a job has a checkpoint after `after` and has gone on from there.
async fn until_checkpoint(service: &Service, job: &str, after: u64) -> u64 {
    until("there is another checkpoint", JOB, async || {
        let run = first_run(service, job).await;
        let kept = run["checkpoint_step"].as_u64().filter(|&step| step > after)?;
        (run["state"] == "running" && run["step"].as_u64() > Some(kept)).then_some(kept)
    })
    .await
}

/// Waits until the run of a job is handed on; answers the checkpoint it goes on from.
async fn until_queued(service: &Service, job: &str) -> u64 {
    until("the run is queued again", JOB, async || {
        let run = first_run(service, job).await;
        (run["state"] == "queued").then(|| run["checkpoint_step"].as_u64())?
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_give_a_run_with_shards_the_lines_and_the_digest_of_one() {
    for more in [&["--set", "shards=4"][..], &["--set", "shards=4", "--set", "sync_every=3"], &[]] {
        let alone = lines(&[], more).await;
        for ranks in ["1", "2", "4"] {
            assert_eq!(lines(&launcher(ranks), more).await, alone, "{ranks} ranks, {more:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_leader_ends_all_processes() {
    let args = ["run", "rbm", "--set", "shards=65"];
    let output =
        command_by(&launcher("2"), &args, &root_may()).output().await.expect("mpirun can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("`shards` is 65"), "{}: {said}", output.status);
}

/// Six kills of another rank each time, and every attempt has another number of members; the run is as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn a_rank_that_is_killed_ends_the_attempt_and_leaves_no_trace_in_the_results() {
    let service = Service::start().await;
    let spec = job(1_000);
    let id = service.client.submit(&spec, "ranks").await;
    let expected = undisturbed(&spec, &service.client.runs(&id).await, service.folder()).await;
    let mut kept = 0;
    for (size, victim) in [("2", 1), ("4", 3), ("2", 0), ("3", 1), ("4", 0), ("2", 1)] {
        let launcher = gang(&service, size);
        until_checkpoint(&service, &id, kept).await;
        let ranks = ranks(&launcher);
        assert_eq!(ranks.len().to_string(), size, "all ranks are at work");
        kill(ranks[victim], Signal::SIGKILL).expect("it lives");
        // Nobody computes on: the launcher ends the others.
        until_gone(&ranks).await;
        let status = launcher.ended_within(PROMPT).await;
        assert!(!status.success(), "the launcher says that a rank was lost");
        // Until its lease has run out the run still counts as running; what the next gang does begins after that.
        kept = until_queued(&service, &id).await;
    }
    let last =
        service.process("worker", &["work", "--server", &service.client.server, "--threads", "2"], &[]);
    service.client.until_job_is(&id, "succeeded", JOB).await;
    let run = first_run(&service, &id).await;
    assert_undisturbed(&run, &expected);
    assert!(last.terminate(PROMPT).await.success());

    let records = Records::read(&service.database().await).await;
    let events = &records.jobs[&id].events;
    let lost =
        events.iter().filter(|event| event.is("run_requeued") && event.body["class"] == "lost").count();
    assert_eq!(lost, 6, "each kill ended an attempt, as lost");
    let started = events.iter().filter(|event| event.is("run_started"));
    let from: Vec<u64> = started.map(|event| event.number("from_step").unwrap_or(0)).collect();
    assert!(
        from.windows(2).all(|two| two[0] < two[1]),
        "each attempt went on from a newer checkpoint: {from:?}"
    );
}

/// Whatever a user or the operator asks of a run reaches all ranks between two steps, and they go on to the next run.
#[tokio::test(flavor = "multi_thread")]
async fn pausing_cancelling_and_draining_reach_all_ranks() {
    let service = Service::start().await;
    let launcher = gang(&service, "2");
    let (paused, cancelled) = (job(1_000), job(999));
    let first = service.client.submit(&paused, "paused").await;
    until_checkpoint(&service, &first, 0).await;
    let all: Vec<Pid> = ranks(&launcher);
    service.client.post(&format!("/jobs/{first}/pause"), reqwest::StatusCode::ACCEPTED).await;
    service.client.until_job_is(&first, "paused", PROMPT).await;

    let second = service.client.submit(&cancelled, "cancelled").await;
    until_checkpoint(&service, &second, 0).await;
    service.client.post(&format!("/jobs/{second}/cancel"), reqwest::StatusCode::ACCEPTED).await;
    service.client.until_job_is(&second, "cancelled", PROMPT).await;

    service.client.post(&format!("/jobs/{first}/resume"), reqwest::StatusCode::ACCEPTED).await;
    let before = first_run(&service, &first).await["checkpoint_step"].as_u64().expect("it left one");
    until_checkpoint(&service, &first, before).await;
    assert!(ranks(&launcher) == all, "the same processes did all that");
    launcher.signal(Signal::SIGUSR1);
    let status = launcher.ended_within(PROMPT).await;
    assert!(status.success(), "a gang that drains ends with {status}");
    until_gone(&all).await;
    let handed_on = first_run(&service, &first).await;
    assert_eq!(handed_on["state"], "queued", "{handed_on}");

    let expected = undisturbed(&paused, std::slice::from_ref(&handed_on), service.folder()).await;
    let _next = gang(&service, "3");
    service.client.until_job_is(&first, "succeeded", JOB).await;
    let run = first_run(&service, &first).await;
    assert_undisturbed(&run, &expected);
    let records = Records::read(&service.database().await).await;
    let classes: BTreeSet<&str> = records.jobs[&first]
        .events
        .iter()
        .filter_map(|event| event.is("run_requeued").then(|| event.body["class"].as_str())?)
        .collect();
    assert_eq!(classes, BTreeSet::from(["drained"]), "no attempt was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn up_starts_a_gang_and_takes_it_along() {
    let [first, second] = [("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")];
    let mut service = Service::up_with(&["up", "--gang", "2"], &[first, second]).await;
    let spec = job(40);
    let id = service.client.submit(&spec, "up").await;
    service.client.until_job_is(&id, "succeeded", JOB).await;
    let expected = undisturbed(&spec, &service.client.runs(&id).await, service.folder()).await;
    let run = first_run(&service, &id).await;
    assert_undisturbed(&run, &expected);
    service.stop_server().await;
}
