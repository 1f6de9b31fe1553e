//! A client of server-sent events that costs next to nothing: a socket, a buffer, and the rules of a browser's
//! `EventSource`, which waits as it was told before it connects again and names the last event it has seen.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

/// What a browser waits that was told nothing: 3 s in most.
const UNTOLD: Duration = Duration::from_secs(3);

/// An event as it came in.
#[derive(Debug)]
pub(super) struct Heard<'a> {
    pub(super) kind: &'a str,
    /// Its body, JSON.
    pub(super) data: &'a str,
}

/// Follows the log of a job.
#[derive(Debug)]
pub(super) struct Listener {
    port: u16,
    job: String,
    /// Number of the last event seen.
    pub(super) seen: u64,
    /// What the server said to wait before connecting again.
    retry: Duration,
}

impl Listener {
    pub(super) fn new(port: u16, job: &str) -> Self {
        Self { port, job: job.to_owned(), seen: 0, retry: UNTOLD }
    }

    /// Until the job ends. `wait` makes of what the server said how long to wait before connecting again.
    ///
    /// # Panics
    /// If an event is left out or comes twice.
    pub(super) async fn follow(
        &mut self,
        wait: impl Fn(Duration) -> Duration,
        mut heard: impl FnMut(Heard<'_>),
    ) {
        loop {
            if let Ok(true) = self.connection(&mut heard).await {
                return;
            }
            sleep(wait(self.retry)).await;
        }
    }

    /// One connection to its end; whether the job has ended.
    async fn connection(&mut self, heard: &mut impl FnMut(Heard<'_>)) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        // With HTTP/1.0 the answer comes as it is, without the lengths of its pieces in between.
        let request = format!(
            "GET /api/v1/jobs/{}/events HTTP/1.0\r\nhost: localhost\r\naccept: text/event-stream\r\nlast-event-id: {}\r\n\r\n",
            self.job, self.seen
        );
        stream.write_all(request.as_bytes()).await?;
        let mut lines = BufReader::with_capacity(4096, stream);
        let (mut line, mut kind, mut ended) = (String::new(), String::new(), false);
        while lines.read_line(&mut line).await? > 0 {
            match line.trim_end().split_once(": ") {
                Some(("retry", ms)) => self.retry = Duration::from_millis(ms.parse().expect("milliseconds")),
                Some(("id", seq)) => {
                    let seq: u64 = seq.parse().expect("a number");
                    assert_eq!(seq, self.seen + 1, "an event of job {} is missing or came twice", self.job);
                    self.seen = seq;
                }
                Some(("event", name)) => kind = name.to_owned(),
                Some(("data", data)) => {
                    ended = kind == "job_ended";
                    heard(Heard { kind: &kind, data });
                }
                _ => {}
            }
            line.clear();
        }
        Ok(ended)
    }
}
