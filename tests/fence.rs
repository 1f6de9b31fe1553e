//! Workers that were away for longer than their lease: what they say then does not count.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value as Json;

use crate::{
    checker::{self, History, Records},
    support::{LEASE, PROMPT, Service, digits_job, undisturbed, until},
};

/// A run long enough that its second attempt is on its way when the first worker wakes up.
fn long_job() -> Json {
    digits_job(1, 8, 400)
}

/// A job whose first worker was stopped beyond its lease and woke up while another had its run.
struct Stopped {
    service: Service,
    history: History,
}

impl Stopped {
    async fn play(settings: &[(&str, &str)]) -> Self {
        let mut service = Service::start_with(settings).await;
        let job = service.client.submit(&long_job(), "stopped").await;
        let runs = service.client.runs(&job).await;
        let undisturbed = undisturbed(&long_job(), &runs, service.folder()).await;
        let history = History { answered: vec![("stopped".to_owned(), job.clone())], undisturbed };

        let first = service.worker();
        until_attempt_stores(&service, &job, 1).await;
        first.signal(Signal::SIGSTOP);
        let second = service.worker();
        until_attempt_stores(&service, &job, 2).await;
        first.signal(Signal::SIGCONT);
        service.client.until_job_is(&job, "succeeded", Duration::from_secs(60)).await;
        if settings.is_empty() {
            until("a stale report is refused", PROMPT, async || {
                (service.client.telemetry(r#"vesicle_reports_refused_total{reason="STALE_ATTEMPT"}"#).await
                    >= 1.0)
                    .then_some(())
            })
            .await;
            let log = service.server_log();
            assert!(log.contains("STALE_ATTEMPT"), "the log says what was refused:\n{log}");
        }
        for worker in [first, second] {
            assert!(worker.terminate(PROMPT).await.success());
        }
        service.stop_server().await;
        Self { service, history }
    }
}

/// Waits until the only run of a job has a checkpoint of attempt `attempt`.
async fn until_attempt_stores(service: &Service, job: &str, attempt: u64) {
    until(&format!("attempt {attempt} stores a checkpoint"), LEASE + PROMPT, async || {
        let page = service.client.get(&format!("/jobs/{job}/events")).await;
        let mut events = page["events"].as_array().into_iter().flatten();
        let stored = |event: &Json| event["event"] == "checkpoint_stored" && event["attempt"] == attempt;
        events.any(stored).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_stopped_beyond_its_lease_changes_nothing() {
    let stopped = Stopped::play(&[]).await;
    checker::assert_sound(&stopped.service.database().await, &stopped.history).await;
    let records = Records::read(&stopped.service.database().await).await;
    let attempts: Vec<_> = records.runs.values().map(|run| run.attempt).collect();
    assert_eq!(attempts, [2], "one attempt was lost, and one was enough");
}

/// Negative control of the test above, and of the kill test: the checker would see it.
#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread")]
async fn with_the_fence_off_the_checker_reports_a_stale_write() {
    let stopped = Stopped::play(&[("VESICLE_TEST_FENCE_OFF", "1")]).await;
    let found = checker::check(&stopped.service.database().await, &stopped.history).await;
    assert!(found.iter().any(|violation| violation.invariant == checker::Invariant::I6), "{found:?}");
}
