//! Clients that are slow on purpose: they hold no connection for ever, and nobody else notices them.

use std::time::{Duration, Instant};

use futures::{StreamExt, future::join_all};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use crate::support::{OnSqlite, PROMPT, Random, Seen, Service, digits_job, resident_kib, until};

const SHORT_REQUESTS: [(&str, &str); 3] = [
    ("VESICLE_HEADER_TIMEOUT_MS", "1000"),
    ("VESICLE_BODY_IDLE_MS", "1000"),
    ("VESICLE_REQUEST_TIMEOUT_MS", "2000"),
];
/// Of each kind.
const SLOW: usize = 75;
const DRIP: Duration = Duration::from_millis(200);
/// A request beside 300 slow ones, in a debug build on a busy machine.
const ANSWER: Duration = Duration::from_secs(2);

/// How a client is slow.
#[derive(Debug, Clone, Copy)]
enum Slow {
    /// Says nothing at all.
    Silent,
    /// The beginning of HTTP/2, byte by byte.
    Preface,
    /// A header line every now and then, without end.
    Headers,
    /// A body, byte by byte.
    Body,
}

const KINDS: [Slow; 4] = [Slow::Silent, Slow::Preface, Slow::Headers, Slow::Body];

impl Slow {
    fn first(self) -> &'static [u8] {
        match self {
            Self::Silent | Self::Preface => b"",
            Self::Headers => b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
            Self::Body => {
                b"POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
            }
        }
    }

    fn drop(self, n: usize) -> &'static [u8] {
        match self {
            Self::Silent => b"",
            Self::Preface => &b"PRI * HTTP/2.0\r\n\r\nSM\r\n"[n.min(20)..n.min(20) + 1],
            Self::Headers => b"x-more: and more\r\n",
            Self::Body => b" ",
        }
    }
}

/// Connects, and goes on until the server has closed the connection; answers how long that took.
async fn dawdle(port: u16, kind: Slow) -> Duration {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    let began = Instant::now();
    let mut said = stream.write_all(kind.first()).await;
    let mut buffer = [0; 4096];
    for n in 0.. {
        if said.is_err() || matches!(timeout(DRIP, read_to_end(&mut stream, &mut buffer)).await, Ok(())) {
            break;
        }
        said = stream.write_all(kind.drop(n)).await;
    }
    began.elapsed()
}

/// Until the other side closes; an answer before is fine.
async fn read_to_end(stream: &mut TcpStream, buffer: &mut [u8]) {
    while let Ok(1..) = stream.read(buffer).await {}
}

fn slow_clients(port: u16) -> Vec<JoinHandle<Duration>> {
    let all = KINDS.into_iter().flat_map(|kind| [kind; SLOW]);
    all.map(|kind| tokio::spawn(dawdle(port, kind))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_slow_requests_are_closed_and_nobody_waits_for_them() {
    let (strict, patient) = (Service::start_with(&SHORT_REQUESTS).await, Service::start().await);
    let (cut, kept) = (slow_clients(strict.port()), slow_clients(patient.port()));
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let began = Instant::now();
        strict.client.get("/jobs?limit=1").await;
        longest = longest.max(began.elapsed());
    }
    let closed = timeout(PROMPT, join_all(cut)).await.expect("every slow request is closed");
    let last = closed.into_iter().map(|took| took.expect("no client panics")).max();
    eprintln!("last one closed after {last:?}; slowest answer beside them {longest:?}");
    assert!(longest <= ANSWER, "{longest:?}");
    // Negative control: at the default of 10 s and more all of these are still open.
    let open = kept.iter().filter(|client| !client.is_finished()).count();
    assert_eq!(open, KINDS.len() * SLOW, "it is the time-outs that close them");
    kept.iter().for_each(JoinHandle::abort);
}

const READERS: usize = 20;
/// Of them, those that read at last and go on.
const RESUMED: usize = 3;
/// Growth of the server's memory that is put up with.
const GROWTH_KIB: u64 = 64 << 10;

/// A connection that asks for the log of a job and reads nothing.
async fn stalled_reader(port: u16, job: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("there are sockets left");
    socket.set_recv_buffer_size(4096).expect("a buffer may be small");
    let address = format!("127.0.0.1:{port}").parse().expect("an address");
    let mut stream = socket.connect(address).await.expect("the server listens");
    let request = format!(
        "GET /api/v1/jobs/{job}/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    stream
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

/// A service whose only job has a log of many megabytes: no run could fill the buffers of the kernel as soon.
async fn with_long_log(settings: &[(&str, &str)]) -> (Service, String) {
    let mut service = Service::start_on_sqlite(OnSqlite::Tampered, settings).await;
    let mut spec = digits_job(1, 1, 1);
    spec["requires"] = json!({"nobody": "has-it"});
    let job = service.client.submit(&spec, "long-log").await;
    service.client.post(&format!("/jobs/{job}/pause"), StatusCode::ACCEPTED).await;
    service.stop_server().await;
    let options = SqliteConnectOptions::new().filename(service.sqlite_file());
    let mut db = SqliteConnection::connect_with(&options).await.expect("the server has gone");
    let more = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO event SELECT job_id, seq + i, at, kind, payload FROM event, n WHERE kind = 'run_paused';
        UPDATE job SET last_seq = last_seq + 20000";
    sqlx::raw_sql(more).execute(&mut db).await.expect("events can be added");
    db.close().await.expect("the database can be closed");
    service.start_server().await;
    service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
    (service, job)
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_stall_are_cut_cost_little_and_resume_where_they_were() {
    let (strict, job) = with_long_log(&[("VESICLE_WRITE_TIMEOUT_MS", "1000")]).await;
    let (patient, other) = with_long_log(&[]).await;
    let before = resident_kib(strict.server_pid());
    let mut readers = Vec::new();
    let mut control = Vec::new();
    for _ in 0..READERS {
        readers.push(stalled_reader(strict.port(), &job).await);
        control.push(stalled_reader(patient.port(), &other).await);
    }
    let open = async |service: &Service| service.client.telemetry("vesicle_event_streams").await as usize;
    let mut most = 0;
    until("all are cut", PROMPT, async || {
        let now = open(&strict).await;
        most = most.max(now);
        (most == READERS && now == 0).then_some(())
    })
    .await;
    let grown = resident_kib(strict.server_pid()).saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    assert_eq!(open(&patient).await, READERS, "negative control: at the default of 30 s they are kept");

    let whole: Vec<u64> = strict.client.events(&job, None).await.map(|event: Seen| event.seq).collect().await;
    assert!(whole.iter().copied().eq(1..=whole.len() as u64), "a reader that reads gets all");
    let mut random = Random::seeded(15);
    random.shuffle(&mut readers);
    let mut cut_short = 0;
    for reader in readers.into_iter().take(RESUMED) {
        let mut seen = what_came(reader).await;
        cut_short += usize::from(seen.len() < whole.len());
        let rest = strict.client.events(&job, seen.last().copied()).await;
        seen.extend(rest.map(|event| event.seq).collect::<Vec<_>>().await);
        assert_eq!(seen, whole, "without gap or duplicate");
    }
    assert_eq!(cut_short, RESUMED, "the log was too short to stall anybody");
    let alive = strict.client.request(Method::GET, "/readyz").send().await.expect("the server answers");
    assert_eq!(alive.status(), StatusCode::OK);
}
