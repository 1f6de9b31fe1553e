//! Little room on the disk of the database: what is refused, what goes on.

use std::sync::Arc;

use serde_json::json;
use store::{AcquireRequest, StoreError};
use tempfile::TempDir;
use tonic::Code;

use super::support::{Bench, quick, small_spec, text, worker};
use crate::{Config, Space, app::App, reaper, submit::submit, upload::Upload};

/// A server whose database is on the disk of a folder, with these limits.
async fn bench(min_free_bytes: u64, min_free_write_bytes: u64) -> (Bench, TempDir) {
    let folder = TempDir::new().expect("there is a place for temporary files");
    let disk = Some(folder.path().to_owned());
    let config = Config { disk, min_free_bytes, min_free_write_bytes, ..quick() };
    (Bench::with(config).await, folder)
}

#[tokio::test]
async fn nothing_that_stays_is_taken_while_the_disk_is_nearly_full() {
    let (bench, folder) = bench(u64::MAX, 0).await;
    let problem = bench.post("/api/v1/jobs", small_spec().to_string()).await.problem(507, "disk_full");
    let detail = text(&problem["detail"]);
    assert!(detail.starts_with("the disk of the database has "), "{detail}");
    assert!(detail.contains(&format!("at least {} for jobs and data sets", u64::MAX)), "{detail}");
    assert_eq!(Upload::begin(&bench.app).await.err().map(|fault| fault.kind.row().code), Some("disk_full"));
    bench.get("/api/v1/jobs").await.json();
    assert_eq!(bench.get("/readyz").await.json(), json!({"status": "ready", "disk": "no_new_jobs"}));
    bench.app.has_room_to_write().expect("what runs may go on");

    let free = Space::of(folder.path()).expect("is known").free;
    let (enough, _folder) = self::bench(free / 2, 0).await;
    enough.submit(small_spec()).await;
}

#[tokio::test]
async fn nothing_at_all_is_written_while_there_is_hardly_any_room_and_reading_goes_on() {
    let (bench, _folder) = bench(0, u64::MAX).await;
    for path in ["/api/v1/jobs", "/api/v1/jobs/00000000-0000-0000-0000-000000000000/cancel"] {
        let problem = bench.post(path, small_spec().to_string()).await.problem(507, "disk_full");
        assert!(
            text(&problem["detail"]).contains("for anything to be written; reading goes on"),
            "{problem}"
        );
    }
    let grpc = bench
        .post_with(
            "/vesicle.v1.WorkerService/Register",
            "",
            &[("content-type", "application/grpc"), ("te", "trailers")],
        )
        .await;
    assert_eq!(grpc.header("grpc-status"), (Code::ResourceExhausted as i32).to_string());
    bench.get("/api/v1/jobs").await.json();
    bench.post("/api/v1/gc", "{}").await.json();
    assert_eq!(bench.get("/readyz").await.json(), json!({"status": "ready", "disk": "reading_only"}));
    let telemetry = bench.get("/metrics").await.text();
    let free = telemetry.lines().find_map(|line| line.strip_prefix("vesicle_disk_free_bytes "));
    assert!(free.is_some_and(|free| free != "0"), "{telemetry}");
}

/// Reports are refused, so it is not the fault of a worker that none comes.
#[tokio::test]
async fn no_lease_runs_out_while_nothing_is_written() {
    let overdue = async |bench: &Bench| {
        // From before the disk was full.
        let earlier = App::new(quick(), Arc::clone(&bench.app.store));
        let job = submit(&earlier, small_spec().to_string().into(), None).await.expect("is taken").job.id;
        bench.app.store.register(worker()).await.expect("registers");
        let now = bench.app.now().await.expect("there is a clock");
        let request = AcquireRequest { worker: worker(), free_memory: 8 << 30, now, ttl_ms: 0 };
        bench.app.store.acquire(request).await.expect("answers").expect("there is work");
        job
    };
    let (full, _folder) = bench(0, u64::MAX).await;
    overdue(&full).await;
    assert!(matches!(reaper::look(&full.app, false).await, Err(StoreError::Full)));
    assert_eq!(full.app.store.run_counts().await.expect("answers").running, 1);

    let (enough, _folder) = bench(0, 0).await;
    overdue(&enough).await;
    // As soon as there is room again the lease gets time; without such a pause it would have run out.
    assert_eq!(reaper::look(&enough.app, true).await.expect("answers"), []);
    assert_eq!(reaper::look(&enough.app, false).await.expect("answers"), []);
    let (never, _folder) = bench(0, 0).await;
    let lost = overdue(&never).await;
    assert_eq!(reaper::look(&never.app, false).await.expect("answers"), [lost]);
}
