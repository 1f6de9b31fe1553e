//! A full disk: writes are refused, reads are answered, and all is well as soon as there is room.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

use crate::{
    checker::{self, History, Records},
    support::{OnSqlite, PROMPT, Service, SmallDisk, digits_job, undisturbed, until},
};

const MIB: u32 = 24;
/// From the first free byte to the first write.
const RECOVERY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_answers_reads_and_recovers_by_itself() {
    let Some(disk) = SmallDisk::mount(MIB) else { return };
    let env = disk.env();
    let settings: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut service = Service::start_on_sqlite(OnSqlite::FullDisk, &settings).await;
    let spec = digits_job(2, 6, 300);
    let job = service.client.submit(&spec, "before").await;
    let runs = service.client.runs(&job).await;
    let undisturbed = undisturbed(&spec, &runs, service.folder()).await;
    let mut history = History { answered: vec![("before".to_owned(), job.clone())], undisturbed };
    let worker = service.worker();
    until("a run is on its way", PROMPT, async || {
        let runs = service.client.runs(&job).await;
        runs.iter().any(|run| run["checkpoint_step"].as_u64() > Some(0)).then_some(())
    })
    .await;

    disk.fill();
    let tiny = digits_job(1, 1, 1);
    let mut sent = 0;
    let problem = until("a job is refused", PROMPT, async || {
        sent += 1;
        let key = format!("full-{sent}");
        let (status, answer) = service.client.try_submit(&tiny, &key).await.expect("the server answers");
        if status == StatusCode::CREATED {
            history.answered.push((key, answer["id"].as_str().expect("a job has an id").to_owned()));
            return None;
        }
        (status == StatusCode::INSUFFICIENT_STORAGE).then_some(answer)
    })
    .await;
    assert_eq!(problem["code"], "disk_full", "{problem}");
    until("a report of the worker is refused", PROMPT, async || {
        worker.log().contains("ResourceExhausted").then_some(())
    })
    .await;
    let read = service.client.job(&job).await;
    assert_eq!(read["state"], "running", "{read}");
    let alive = service.client.request(Method::GET, "/healthz").send().await.expect("the server answers");
    assert_eq!(alive.status(), StatusCode::OK);

    disk.free();
    let freed = Instant::now();
    let (status, answer) = until("a job is taken again", RECOVERY, async || {
        let sent = service.client.try_submit(&tiny, "after").await.expect("the server answers");
        (sent.0 == StatusCode::CREATED).then_some(sent)
    })
    .await;
    eprintln!("taken again {:?} after there was room: {status}", freed.elapsed());
    history.answered.push(("after".to_owned(), answer["id"].as_str().expect("a job has an id").to_owned()));
    for (_, job) in &history.answered {
        service.client.until_job_is(job, "succeeded", Duration::from_secs(60)).await;
    }
    assert!(worker.terminate(PROMPT).await.success());
    service.stop_server().await;
    checker::assert_sound(&service.database().await, &history).await;
    let records = Records::read(&service.database().await).await;
    assert!(records.damage.is_empty(), "{:?}", records.damage);
}
