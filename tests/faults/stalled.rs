//! Readers that stop reading: they are cut, cost little, go on where they were, and nobody else notices them.

use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{Random, Seen, Service, Tamper, Times, digits_job, resident_kib, times};

/// Those that read at last and go on.
const RESUMED: usize = 3;
/// Growth of the server's memory that is put up with.
const GROWTH_KIB: u64 = 64 << 10;
/// Events of the log that is read: no run could fill the buffers of the kernel as soon.
const EVENTS: u32 = 20_000;
/// Between a reader's time-out and the moment in which its stream is seen to be gone.
const NOTICED: Duration = Duration::from_secs(2);

/// A service whose only job has a log of many megabytes, and how long it waits for a reader.
struct Log {
    service: Service,
    job: String,
}

impl Log {
    async fn read_within(write_timeout: Duration) -> Self {
        let timeout = write_timeout.as_millis().to_string();
        let mut service = Service::start_with(&[("VESICLE_WRITE_TIMEOUT_MS", &timeout)]).await;
        let mut spec = digits_job(1, 1, 1);
        spec["requires"] = json!({"nobody": "has-it"});
        let job = service.client.submit(&spec, "long-log").await;
        service.client.post(&format!("/jobs/{job}/pause"), StatusCode::ACCEPTED).await;
        service.stop_server().await;
        let mut db = Tamper::with(&service).await;
        let more = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
             INSERT INTO event SELECT job_id, seq + i, at, kind, payload FROM event, n WHERE kind = 'run_paused'"
        );
        assert_eq!(db.change(more).await, u64::from(EVENTS));
        assert_eq!(db.change(format!("UPDATE job SET last_seq = last_seq + {EVENTS}")).await, 1);
        db.close().await;
        service.start_server().await;
        service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
        Self { service, job }
    }

    /// So many connections that ask for the log and read nothing.
    async fn stalled_readers(&self, count: usize) -> Vec<TcpStream> {
        let mut readers = Vec::new();
        for _ in 0..count {
            let socket = TcpSocket::new_v4().expect("there are sockets left");
            socket.set_recv_buffer_size(4096).expect("a buffer may be small");
            let address = format!("127.0.0.1:{}", self.service.port()).parse().expect("an address");
            let mut stream = socket.connect(address).await.expect("the server listens");
            let request = format!(
                "GET /api/v1/jobs/{}/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n",
                self.job
            );
            stream.write_all(request.as_bytes()).await.expect("the server reads");
            readers.push(stream);
        }
        readers
    }

    async fn open(&self) -> usize {
        self.service.client.telemetry("vesicle_event_streams").await as usize
    }

    /// What a short request takes.
    async fn answer(&self) -> Duration {
        let began = Instant::now();
        self.service.client.get("/jobs?limit=1").await;
        began.elapsed()
    }

    /// The log from one event on, as a reader gets it that reads.
    async fn after(&self, seen: Option<u64>) -> Vec<u64> {
        self.service.client.events(&self.job, seen).await.map(|event: Seen| event.seq).collect().await
    }

    /// A reader that reads at last, and asks for the rest, gets the whole log once.
    async fn assert_resumed(&self, mut readers: Vec<TcpStream>) {
        let whole = self.after(None).await;
        assert!(whole.iter().copied().eq(1..=whole.len() as u64), "a reader that reads gets all");
        Random::seeded(15).shuffle(&mut readers);
        for reader in readers.into_iter().take(RESUMED) {
            let mut seen = what_came(reader).await;
            assert!(seen.len() < whole.len(), "the log was too short to stall anybody");
            seen.extend(self.after(seen.last().copied()).await);
            assert_eq!(seen, whole, "without gap or duplicate");
        }
    }
}

/// The whole events that a reader finds when it reads at last.
async fn what_came(mut stream: TcpStream) -> Vec<u64> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 16];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| line.strip_prefix("id: ")?.trim().parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_stall_are_cut_cost_little_and_resume_where_they_were() {
    // 30 s are the default.
    let (count, timeout) = (times(20, 200), times(Duration::from_secs(1), Duration::from_secs(30)));
    let (strict, calm) = (Log::read_within(timeout).await, Log::read_within(timeout).await);
    let patient = Log::read_within(10 * timeout).await;
    let before = resident_kib(strict.service.server_pid());
    let began = Instant::now();
    let readers = strict.stalled_readers(count).await;
    let control = patient.stalled_readers(count).await;
    // Others ask meanwhile, in turn a server with stalled readers and one without.
    let (mut beside, mut apart, mut most) = (Vec::new(), Vec::new(), 0);
    loop {
        let open = strict.open().await;
        most = most.max(open);
        if most == count && open == 0 {
            break;
        }
        assert!(began.elapsed() <= timeout + NOTICED, "{open} of {most} readers are still there");
        for _ in 0..20 {
            beside.push(strict.answer().await);
            apart.push(calm.answer().await);
        }
    }
    let cut = began.elapsed();
    let grown = resident_kib(strict.service.server_pid()).saturating_sub(before);
    let (beside, apart) = (Times::of(beside), Times::of(apart));
    eprintln!(
        "{count} stalled readers, time-out {timeout:?}: all cut after {cut:?}, the server grew by {grown} KiB; \
         {} other requests: p99 {:?}, of a server without such readers {:?}",
        beside.count(),
        beside.percentile(99),
        apart.percentile(99)
    );
    assert!(cut >= timeout, "it is the time-out that cuts them");
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    assert_eq!(patient.open().await, count, "negative control: with a longer time-out they are kept");
    drop(control);
    strict.assert_resumed(readers).await;
}
