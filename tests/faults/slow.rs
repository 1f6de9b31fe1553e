//! Clients that are slow on purpose: they hold no connection for ever, and nobody else notices them.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use crate::support::{PROMPT, Service};

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
