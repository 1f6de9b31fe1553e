//! A connection that cannot be held open for nothing: its first bytes must come, and what is written be taken.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Length of the HTTP/2 preface: until then the protocol may be undecided, and no time-out of hyper applies.
const PREFACE: u64 = 24;

/// Fails when the first 24 bytes are not there in time, or when the peer takes nothing for too long.
pub(crate) struct Guarded<S> {
    inner: S,
    received: u64,
    first_bytes: Pin<Box<Sleep>>,
    write_timeout: Duration,
    write_stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(crate) fn new(inner: S, first_bytes: Duration, write_timeout: Duration) -> Self {
        Self {
            inner,
            received: 0,
            first_bytes: Box::pin(sleep(first_bytes)),
            write_timeout,
            write_stalled: None,
        }
    }

    /// Passes an answer of the peer on; the clock runs while there is none.
    fn watch<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.write_stalled = None;
            return polled;
        }
        let timeout = self.write_timeout;
        let stalled = self.write_stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => {
                stalled.as_mut().reset(Instant::now() + timeout);
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.received += (buf.filled().len() - before) as u64;
        if polled.is_pending() && self.received < PREFACE && self.first_bytes.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer sends nothing")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SOON: Duration = Duration::from_millis(30);
    const NEVER: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_peer_that_sends_half_a_preface_is_cut_off() {
        let (ours, mut theirs) = duplex(64);
        let mut guarded = Guarded::new(ours, SOON, NEVER);
        theirs.write_all(b"PRI * HTTP").await.expect("there is room");
        let mut bytes = [0; PREFACE as usize];
        let error = guarded.read_exact(&mut bytes).await.expect_err("the rest never comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut_off() {
        let (ours, _theirs) = duplex(64);
        let mut guarded = Guarded::new(ours, NEVER, SOON);
        let error = guarded.write_all(&[0; 1024]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_quiet_peer_may_stay_once_it_has_spoken() {
        let (ours, mut theirs) = duplex(64);
        let mut guarded = Guarded::new(ours, SOON, NEVER);
        theirs.write_all(&[b'x'; PREFACE as usize]).await.expect("there is room");
        let mut bytes = [0; PREFACE as usize];
        guarded.read_exact(&mut bytes).await.expect("all there");
        guarded.first_bytes.as_mut().await;
        let mut byte = [0];
        let quiet = tokio::time::timeout(SOON, guarded.read_exact(&mut byte)).await;
        assert!(quiet.is_err(), "still open, still nothing to read");
    }
}
