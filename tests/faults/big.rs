//! Input that is far too large: it is refused after no more than the limit was read, and leaves no memory behind.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{PROMPT, Service, resident_kib};

const GIB: u64 = 1 << 30;
/// What the kernel and the server take of a connection before anybody has looked at it.
const BUFFERS: u64 = 12 << 20;
/// Growth of the server's memory that is put up with.
const GROWTH_KIB: u64 = 16 << 10;

/// What came of a request: the head of the answer and the bytes of the body that were sent until it came.
struct Answer {
    head: String,
    sent: u64,
}

/// Sends a head and then as much of `body`, again and again up to `total`, as the server takes before it answers.
async fn send(service: &Service, head: &str, body: &[u8], total: u64) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", service.port())).await.expect("the server listens");
    let (mut from, mut to) = stream.into_split();
    to.write_all(format!("{head}host: localhost\r\n\r\n").as_bytes()).await.expect("the server reads");
    let (mut answer, mut buffer, mut sent) = (Vec::new(), [0; 4096], 0);
    let exchange = async {
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let rest = &body[sent as usize % body.len()..];
            tokio::select! {
                wrote = to.write(rest), if sent < total => match wrote {
                    Ok(wrote) => sent += wrote as u64,
                    Err(_) => continue, // closed on their side; what they said before is still to be read
                },
                read = from.read(&mut buffer) => match read {
                    Ok(read @ 1..) => answer.extend_from_slice(&buffer[..read]),
                    _ => break,
                },
            }
        }
    };
    timeout(PROMPT, exchange).await.expect("the server answers");
    Answer { head: String::from_utf8_lossy(&answer).into_owned(), sent }
}

fn post(path: &str, kind: &str, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\ncontent-type: {kind}\r\n{more}")
}

/// A gRPC message whose length is what its head says, and zeros.
fn grpc(compressed: u8, announced: u32, bytes: &[u8]) -> Vec<u8> {
    [&[compressed][..], &announced.to_be_bytes(), bytes].concat()
}

/// Zeros, a thousand times smaller.
fn bomb(mib: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..mib {
        encoder.write_all(&zeros).expect("memory can be written");
    }
    encoder.finish().expect("memory can be written")
}

#[tokio::test(flavor = "multi_thread")]
async fn input_far_beyond_the_limits_is_refused_early_and_costs_no_memory() {
    let service = Service::start().await;
    service.client.get("/jobs?limit=1").await;
    let before = resident_kib(service.server_pid());
    let (json, wire) = ("application/json", "application/grpc");
    let report = "/vesicle.v1.WorkerService/Report";
    let mib = vec![b' '; 1 << 20];
    let chunk = [b"100000\r\n".as_slice(), &mib, b"\r\n"].concat();

    let long = format!("content-length: {GIB}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    let announced = send(&service, &post("/api/v1/jobs", json, &long), &mib, GIB).await;
    let streamed = send(&service, &post("/api/v1/jobs", json, chunked), &chunk, GIB).await;
    for answer in [&announced, &streamed] {
        assert!(answer.head.starts_with("HTTP/1.1 413"), "{}", answer.head);
        assert!(answer.sent <= (1 << 20) + BUFFERS, "{} bytes were taken", answer.sent);
    }

    let deep = "[".repeat(200_000);
    let head = post("/api/v1/jobs", json, &format!("content-length: {}\r\n", deep.len()));
    let answer = send(&service, &head, deep.as_bytes(), deep.len() as u64).await;
    assert!(answer.head.starts_with("HTTP/1.1 400"), "{}", answer.head);

    let huge = grpc(0, GIB as u32, &mib);
    let answer = send(&service, &post(report, wire, &format!("content-length: {GIB}\r\n")), &huge, GIB).await;
    assert!(answer.head.contains("grpc-status: 8"), "{}", answer.head);
    assert!(answer.sent <= (4 << 20) + BUFFERS, "{} bytes were taken", answer.sent);

    // Nothing that is packed is unpacked.
    let packed = bomb(64);
    assert!(packed.len() * 900 < 64 << 20, "it is no bomb");
    let message = grpc(1, packed.len() as u32, &packed);
    let more = format!("grpc-encoding: gzip\r\ncontent-length: {}\r\n", message.len());
    let answer = send(&service, &post(report, wire, &more), &message, message.len() as u64).await;
    assert!(answer.head.contains("grpc-status: 12"), "{}", answer.head);
    let more = format!("content-encoding: gzip\r\ncontent-length: {}\r\n", packed.len());
    let answer = send(&service, &post("/api/v1/jobs", json, &more), &packed, packed.len() as u64).await;
    assert!(answer.head.starts_with("HTTP/1.1 400"), "{}", answer.head);

    let grown = resident_kib(service.server_pid()).saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    let log = service.server_log();
    assert!(!log.contains("panicked") && !log.contains("internal error"), "{log}");
    service.client.get("/jobs?limit=1").await;
}

/// 16 KiB with what every request has: a kibibyte less, and one more.
#[tokio::test(flavor = "multi_thread")]
async fn headers_have_a_limit() {
    let service = Service::start().await;
    for (bytes, status) in [(15 << 10, "200"), (17 << 10, "431")] {
        let head = format!("GET /readyz HTTP/1.1\r\nx-much: {}\r\n", "a".repeat(bytes));
        let answer = send(&service, &head, b"-", 0).await;
        assert!(answer.head.starts_with(&format!("HTTP/1.1 {status}")), "{bytes} bytes: {}", answer.head);
    }
}
