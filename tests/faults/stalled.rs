//! Readers that stop reading: they are cut, cost little, go on where they were, and nobody else notices them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::join_all};
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{Random, Seen, Service, Tamper, Times, digits_job, resident_kib, times};

const SEED: u64 = 15;
/// Those that read at last and go on.
const RESUMED: usize = 3;
/// Growth of the server's memory that is put up with.
const GROWTH_KIB: u64 = 64 << 10;
/// Events of the log that is read, each as large as an event may be.
const EVENTS: u32 = 400;
const EVENT_BYTES: usize = 15_000;
/// A reader that took nothing for so long has stalled: the kernel holds no more for it.
const SETTLED: Duration = Duration::from_millis(200);
/// Between a reader's time-out and the moment in which it is seen to be gone.
const NOTICED: Duration = Duration::from_secs(1);

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
        let paused: String = db.read("SELECT payload FROM event WHERE kind = 'run_paused'".to_owned()).await;
        let more = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
             INSERT INTO event SELECT job_id, seq + i, at, 'run_progressed', '{}' FROM event, n WHERE kind = 'run_paused'",
            large_event(&paused)
        );
        assert_eq!(db.change(more).await, u64::from(EVENTS));
        assert_eq!(db.change(format!("UPDATE job SET last_seq = last_seq + {EVENTS}")).await, 1);
        db.close().await;
        service.start_server().await;
        service.client.post(&format!("/jobs/{job}/cancel"), StatusCode::ACCEPTED).await;
        Self { service, job }
    }

    /// So many connections that ask for the log and read nothing.
    async fn stalled_readers(&self, count: usize) -> Vec<Reader> {
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
            let port = stream.local_addr().expect("it is connected").port();
            readers.push(Reader { stream, port, held: 0, since: Instant::now(), cut: None });
        }
        readers
    }

    async fn open(&self) -> usize {
        self.service.client.telemetry("vesicle_event_streams").await as usize
    }

    /// What short requests take, eight at once.
    async fn answers(&self) -> Vec<Duration> {
        let ask = async || {
            let began = Instant::now();
            self.service.client.get("/jobs?limit=1").await;
            began.elapsed()
        };
        join_all((0..8).map(|_| ask())).await
    }

    /// The log from one event on, as a reader gets it that reads.
    async fn after(&self, seen: Option<u64>) -> Vec<u64> {
        self.service.client.events(&self.job, seen).await.map(|event: Seen| event.seq).collect().await
    }

    /// A reader that reads at last, and asks for the rest, gets the whole log once.
    async fn assert_resumed(&self, mut readers: Vec<Reader>) {
        let whole = self.after(None).await;
        assert!(whole.iter().copied().eq(1..=whole.len() as u64), "a reader that reads gets all");
        Random::seeded(SEED).shuffle(&mut readers);
        for reader in readers.into_iter().take(RESUMED) {
            let mut seen = what_came(reader.stream).await;
            assert!(seen.len() < whole.len(), "the log was too short to stall anybody");
            seen.extend(self.after(seen.last().copied()).await);
            assert_eq!(seen, whole, "without gap or duplicate");
        }
    }
}

/// A reader that reads nothing.
struct Reader {
    stream: TcpStream,
    port: u16,
    /// What the kernel holds for it, and since when it is no more and no less.
    held: u64,
    since: Instant,
    /// How long it had stalled when the server closed its connection.
    cut: Option<Duration>,
}

impl Reader {
    fn look(&mut self, untaken: &BTreeMap<u16, u64>) {
        match untaken.get(&self.port) {
            Some(held) if *held == self.held => {}
            Some(held) => (self.held, self.since) = (*held, Instant::now()),
            None => self.cut = self.cut.or(Some(self.since.elapsed())),
        }
    }

    fn has_stalled(&self) -> bool {
        self.held > 0 && self.cut.is_none() && self.since.elapsed() >= SETTLED
    }
}

/// What the kernel holds of what a server wrote and nobody took, by the port of the client, as long as the server has the
/// connection.
fn untaken(server: u16) -> BTreeMap<u16, u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux lists its connections");
    let connection = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let mut port = || u16::from_str_radix(fields.next()?.split_once(':')?.1, 16).ok();
        let (local, remote) = (port()?, port()?);
        let established = fields.next()? == "01";
        let held = u64::from_str_radix(fields.next()?.split_once(':')?.0, 16).ok()?;
        (local == server && established).then_some((remote, held))
    };
    table.lines().filter_map(connection).collect()
}

/// Progress of a run with as many numbers as an event has room for.
fn large_event(paused: &str) -> String {
    let mut event: Json = serde_json::from_str(paused).expect("a payload is JSON");
    let named =
        |n: usize| (format!("a_metric_whose_name_says_what_it_is_{n:03}"), json!(1.0 / (n + 3) as f64));
    event["event"] = json!("run_progressed");
    (event["step"], event["steps"]) = (json!(1), json!(2));
    event["scalars"] = (0..EVENT_BYTES / 60).map(named).collect::<serde_json::Map<_, _>>().into();
    event.to_string()
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

/// What others saw while readers stalled.
struct Meanwhile {
    /// What they waited for an answer of the server with stalled readers, and of one without, asked in turn.
    beside: Times,
    apart: Times,
    /// Most memory of the server.
    most_kib: u64,
}

/// Watches until all readers were cut; none may have stalled for longer than `most`.
async fn watch(strict: &Log, calm: &Log, readers: &mut [Reader], most: Duration) -> Meanwhile {
    let (mut beside, mut apart, mut most_kib) = (Vec::new(), Vec::new(), 0);
    let mut random = Random::seeded(SEED);
    while readers.iter().any(|reader| reader.cut.is_none()) {
        let all_stalled = readers.iter().all(Reader::has_stalled);
        let mut asked = [(strict, &mut beside), (calm, &mut apart)];
        // None of them always comes first.
        random.shuffle(&mut asked);
        for (log, times) in asked {
            let answers = log.answers().await;
            times.extend(answers.into_iter().filter(|_| all_stalled));
        }
        let untaken = untaken(strict.service.port());
        readers.iter_mut().for_each(|reader| reader.look(&untaken));
        most_kib = most_kib.max(resident_kib(strict.service.server_pid()));
        assert!(readers.iter().all(|reader| reader.cut.is_some() || reader.since.elapsed() <= most));
    }
    Meanwhile { beside: Times::of(beside), apart: Times::of(apart), most_kib }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_stall_are_cut_cost_little_and_resume_where_they_were() {
    // 25 s are the default.
    let (count, timeout) = (times(20, 200), times(Duration::from_secs(3), Duration::from_secs(25)));
    let promised = times(timeout + NOTICED, Duration::from_secs(30));
    let (strict, calm) = (Log::read_within(timeout).await, Log::read_within(timeout).await);
    let patient = Log::read_within(10 * timeout).await;
    let before = resident_kib(strict.service.server_pid());
    let control = patient.stalled_readers(20).await;
    let mut readers = strict.stalled_readers(count).await;
    let Meanwhile { beside, apart, most_kib } = watch(&strict, &calm, &mut readers, promised).await;
    let grown = most_kib.saturating_sub(before);
    let cut = Times::of(readers.iter().filter_map(|reader| reader.cut).collect());
    eprintln!(
        "{} stalled readers of events of {EVENT_BYTES} bytes: cut after {:?} to {:?} (promised {promised:?}), the server grew by \
         {grown} KiB; {} other requests meanwhile: p50 {:?}, p99 {:?}, of a server without such readers {:?}, {:?}",
        cut.count(),
        cut.percentile(1),
        cut.longest(),
        beside.count(),
        beside.percentile(50),
        beside.percentile(99),
        apart.percentile(50),
        apart.percentile(99)
    );
    assert!(cut.percentile(1) + NOTICED >= timeout, "it is the time-out that cuts them: {cut:?}");
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    // A few requests have no 99th percentile to speak of.
    let (percent, factor) = times((50, 1.5), (99, 1.2));
    let (with, without) = (beside.percentile(percent), apart.percentile(percent));
    assert!(with <= without.mul_f64(factor), "others wait {with:?}, without stalled readers {without:?}");
    assert_eq!(patient.open().await, control.len(), "negative control: with a longer time-out they are kept");
    strict.assert_resumed(readers).await;
}
