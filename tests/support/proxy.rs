//! A TCP proxy that a test holds in its hand: it withholds answers, cuts connections after so many bytes, goes down or
//! slow, and knows which calls were passed on and not answered.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use super::frames::{Frame, Frames, subject};

/// A proxy in front of one server.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: AtomicU16,
    withholds: watch::Sender<bool>,
    /// Nothing gets through either way; it comes later.
    stalls: watch::Sender<bool>,
    /// No connection gets through.
    down: AtomicBool,
    /// Bytes a second in each direction of each connection; 0 for as fast as it goes.
    rate: AtomicU64,
    /// How long bytes were held back for that, in microseconds.
    held_back: AtomicU64,
    /// Bytes that servers got.
    sent: AtomicU64,
    /// Counts the times that all connections were to be closed.
    severed: watch::Sender<u64>,
    /// Bytes of answers after which the next connections are closed.
    cuts: Mutex<VecDeque<u64>>,
    connections: AtomicU64,
    calls: Mutex<BTreeMap<(u64, u32), Call>>,
}

/// A call that was passed to the server and whose answer has not been passed back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    /// The UUID that its message begins with: the run of a report.
    pub(crate) subject: Option<String>,
    /// Whether the server has answered; the answer is withheld then.
    pub(crate) answered: bool,
    body: Vec<u8>,
    passed: bool,
}

impl Proxy {
    /// Listens on a free port of the loopback address and passes everything to `upstream`.
    pub(crate) async fn to(upstream: u16) -> Self {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback address has a free port");
        let port = listener.local_addr().expect("it listens").port();
        let shared = Arc::new(Shared {
            upstream: AtomicU16::new(upstream),
            withholds: watch::Sender::new(false),
            stalls: watch::Sender::new(false),
            down: AtomicBool::new(false),
            rate: AtomicU64::new(0),
            held_back: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            severed: watch::Sender::new(0),
            cuts: Mutex::default(),
            connections: AtomicU64::new(0),
            calls: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { url: format!("http://127.0.0.1:{port}"), shared, accepting }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the address ends in a port")
    }

    /// New connections go to another server; those that are there stay.
    pub(crate) fn redirect(&self, upstream: u16) {
        self.shared.upstream.store(upstream, Ordering::Relaxed);
    }

    /// From now on requests pass and answers do not.
    pub(crate) fn withhold_answers(&self) {
        self.shared.withholds.send_replace(true);
    }

    /// From now on nothing passes either way, and no connection ends: as when a cable is pulled out. At `false` everything
    /// that was sent meanwhile comes through, as TCP sends it again.
    pub(crate) fn stall(&self, stalls: bool) {
        self.shared.stalls.send_replace(stalls);
    }

    /// Closes all connections, drops what was withheld, and lets new ones through.
    pub(crate) fn sever(&self) {
        self.shared.severed.send_modify(|n| *n += 1);
        self.shared.calls().clear();
        self.shared.withholds.send_replace(false);
    }

    /// Closes all connections and lets no new ones through, until [`Self::bring_up`].
    pub(crate) fn take_down(&self) {
        self.shared.down.store(true, Ordering::Relaxed);
        self.sever();
    }

    pub(crate) fn bring_up(&self) {
        self.shared.down.store(false, Ordering::Relaxed);
    }

    /// From now on bytes pass at this rate; at 0 as fast as they come.
    pub(crate) fn pass_at(&self, bytes_per_s: u64) {
        self.shared.rate.store(bytes_per_s, Ordering::Relaxed);
    }

    /// For how long bytes were held back because the link was slow, all connections added up.
    pub(crate) fn held_back(&self) -> Duration {
        Duration::from_micros(self.shared.held_back.load(Ordering::Relaxed))
    }

    /// Bytes that the server got in all.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Closes the next connections after so many bytes of answers each, those after them never.
    pub(crate) fn cut_after(&self, bytes: impl IntoIterator<Item = u64>) {
        self.shared.cuts().extend(bytes);
    }

    /// Cuts that no connection has met yet.
    pub(crate) fn cuts_left(&self) -> usize {
        self.shared.cuts().len()
    }

    /// The call about `subject` that the server got and whose answer nobody got.
    pub(crate) fn unanswered(&self, subject: &str) -> Option<Call> {
        let calls = self.shared.calls();
        calls.values().find(|call| call.passed && call.subject.as_deref() == Some(subject)).cloned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.severed.send_modify(|n| *n += 1);
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<(u64, u32), Call>> {
        self.calls.lock().expect("nothing panics while the lock is held")
    }

    /// Notes what calls say.
    fn note(&self, number: u64, frames: &[Frame]) {
        let mut calls = self.calls();
        for frame in frames.iter().filter(|frame| frame.is_of_a_call()) {
            let call = calls.entry((number, frame.stream)).or_default();
            call.body.extend_from_slice(frame.data());
            if frame.ends_stream() {
                call.subject = subject(&call.body);
            }
        }
    }

    /// Notes which calls the server has got whole.
    fn passed(&self, number: u64, frames: &[Frame]) {
        let mut calls = self.calls();
        for frame in frames.iter().filter(|frame| frame.ends_stream()) {
            if let Some(call) = calls.get_mut(&(number, frame.stream)) {
                call.passed = true;
            }
        }
    }

    /// What a slow link does, and one that is cut.
    async fn pace(&self, bytes: usize) {
        let mut stalls = self.stalls.subscribe();
        stalls.wait_for(|stalls| !stalls).await.expect("the proxy is there as long as its connections");
        let micros = (bytes as u64 * 1_000_000).checked_div(self.rate.load(Ordering::Relaxed)).unwrap_or(0);
        if micros > 0 {
            tokio::time::sleep(Duration::from_micros(micros)).await;
            self.held_back.fetch_add(micros, Ordering::Relaxed);
        }
    }

    fn cuts(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.cuts.lock().expect("nothing panics while the lock is held")
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(connect(client, Arc::clone(&shared)));
    }
}

/// One connection, until either side or the test closes it.
async fn connect(client: TcpStream, shared: Arc<Shared>) {
    let number = shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut severed = shared.severed.subscribe();
    if shared.down.load(Ordering::Relaxed) {
        return;
    }
    // A server that is away refuses: so do we, by closing.
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.upstream.load(Ordering::Relaxed))).await else {
        return;
    };
    let cut = shared.cuts().pop_front();
    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = requests(client_in, server_out, number, &shared) => {}
        () = answers(server_in, client_out, number, &shared, cut) => {}
        _ = severed.changed() => {}
    }
}

async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, number: u64, shared: &Shared) {
    let (mut frames, mut buffer) = (Frames::of_client(), vec![0; 1 << 16]);
    while let Ok(read @ 1..) = client.read(&mut buffer).await {
        // Noted before it is passed on, or its answer could come first.
        let frames = frames.push(&buffer[..read]);
        shared.note(number, &frames);
        shared.pace(read).await;
        if server.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        shared.sent.fetch_add(read as u64, Ordering::Relaxed);
        shared.passed(number, &frames);
    }
}

async fn answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    number: u64,
    shared: &Shared,
    cut: Option<u64>,
) {
    let (mut frames, mut buffer) = (Frames::of_server(), vec![0; 1 << 16]);
    let mut withholds = shared.withholds.subscribe();
    let (mut waiting, mut ended) = (Vec::new(), Vec::new());
    let mut left = cut.unwrap_or(u64::MAX);
    loop {
        tokio::select! {
            read = server.read(&mut buffer) => {
                let Ok(read @ 1..) = read else { return };
                waiting.extend_from_slice(&buffer[..read]);
                let frames = frames.push(&buffer[..read]);
                let streams = frames.iter().filter(|frame| frame.ends_stream()).map(|frame| (number, frame.stream));
                for stream in streams {
                    shared.calls().entry(stream).and_modify(|call| call.answered = true);
                    ended.push(stream);
                }
            }
            _ = withholds.changed() => {}
        }
        if *withholds.borrow() || waiting.is_empty() {
            continue;
        }
        let bytes = left.min(waiting.len() as u64);
        shared.pace(bytes as usize).await;
        if client.write_all(&waiting[..bytes as usize]).await.is_err() {
            return;
        }
        left -= bytes;
        if left == 0 {
            return;
        }
        waiting.clear();
        let mut calls = shared.calls();
        for stream in ended.drain(..) {
            calls.remove(&stream);
        }
    }
}
