//! Clocks that are set: a lease is as long as it is, whatever the date.

use crate::{
    checker::{self, History, Records},
    support::{Database, FakeClock, LEASE, PROMPT, Service, digits_job, text, undisturbed, until},
};

const DAYS: i64 = 3;

/// The server dies with its clock so many days off and wakes up with another one, and the worker that had the run is gone.
async fn is_taken_over(before: i64, after: i64) {
    let folder =
        tempfile::TempDir::with_prefix("vesicle-e2e-").expect("there is a place for temporary files");
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
