//! What a server on a real port does with connections.

use std::{net::SocketAddr, sync::Arc};

use jobs::Policy;
use store::Memory;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::support::{quick, serve, soon};
use crate::{Config, StartError, start};

async fn talk(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    stream.write_all(bytes).await.expect("is taken");
    let mut answer = Vec::new();
    soon("the end of the connection", stream.read_to_end(&mut answer)).await.expect("is read");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn another_address_than_loopback_needs_the_flag() {
    let config = Config { listen: ([0, 0, 0, 0], 0).into(), ..quick() };
    let store = Arc::new(Memory::new(Policy::default()));
    let refused = start(config.clone(), store.clone()).await.expect_err("must be refused");
    assert!(matches!(refused, StartError::NotLoopback(_)), "{refused}");
    let running = start(Config { insecure_listen: true, ..config }, store).await.expect("starts");
    running.drain().begin();
    soon("the end", running.join()).await;
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let running = serve(Config { header_timeout_ms: 100, ..quick() }).await;
    for begin in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
        let answer = talk(running.addr, begin.as_bytes()).await;
        assert!(!answer.contains("200 OK"), "{begin:?} got {answer}");
    }
    let whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(talk(running.addr, whole.as_bytes()).await.contains("200 OK"));
}

#[tokio::test]
async fn a_body_that_stops_is_refused() {
    let running = serve(Config { body_idle_ms: 100, ..quick() }).await;
    let head = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\nConnection: close\r\n\r\n{\"expe";
    let answer = talk(running.addr, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn connections_over_the_cap_wait_for_their_turn() {
    let running = serve(Config { max_connections: 1, ..quick() }).await;
    let first = TcpStream::connect(running.addr).await.expect("connects");
    let whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let second = tokio::spawn(async move { talk(running.addr, whole.as_bytes()).await });
    drop(first);
    assert!(soon("its turn", second).await.expect("no panic").contains("200 OK"));
}

#[tokio::test]
async fn a_drain_ends_the_server_and_its_streams() {
    let running = serve(quick()).await;
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut idle = TcpStream::connect(running.addr).await.expect("connects");
    idle.write_all(request.as_bytes()).await.expect("is taken");
    let mut first = [0; 15];
    soon("the answer", idle.read_exact(&mut first)).await.expect("is read");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let (addr, drain) = (running.addr, running.drain());
    drain.begin();
    soon("the end", running.join()).await;
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}
