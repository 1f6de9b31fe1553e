//! Looks into HTTP/2 as it passes: enough to know which gRPC calls wait for their answer.

use std::io::Read;

use flate2::read::GzDecoder;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

/// One frame (RFC 9113, 4.1).
#[derive(Debug)]
pub(crate) struct Frame {
    kind: u8,
    flags: u8,
    pub(crate) stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// What a call says, as far as this frame carries it.
    pub(crate) fn data(&self) -> &[u8] {
        if self.kind == DATA && self.flags & PADDED == 0 { &self.payload } else { &[] }
    }

    /// Whether it belongs to what a call or its answer says.
    pub(crate) fn is_of_a_call(&self) -> bool {
        matches!(self.kind, DATA | HEADERS)
    }

    /// Whether nothing follows on its stream.
    pub(crate) fn ends_stream(&self) -> bool {
        self.kind == RST_STREAM || (self.is_of_a_call() && self.flags & END_STREAM != 0)
    }
}

/// Bytes of one direction of a connection, cut into frames. What is not HTTP/2 has none.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    begun: bool,
    opaque: bool,
}

impl Frames {
    /// Of the client, which begins with the preface.
    pub(crate) fn of_client() -> Self {
        Self::default()
    }

    /// Of the server, which begins with a frame.
    pub(crate) fn of_server() -> Self {
        Self { begun: true, ..Self::default() }
    }

    /// The frames that are complete with these bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        if self.opaque {
            return Vec::new();
        }
        self.buffer.extend_from_slice(bytes);
        if !self.begun {
            let seen = self.buffer.len().min(PREFACE.len());
            self.opaque = self.buffer[..seen] != PREFACE[..seen];
            if self.opaque || seen < PREFACE.len() {
                return Vec::new();
            }
            self.buffer.drain(..PREFACE.len());
            self.begun = true;
        } else if self.buffer.starts_with(b"HTTP/1.1") {
            self.opaque = true;
            return Vec::new();
        }
        std::iter::from_fn(|| self.pop()).collect()
    }

    fn pop(&mut self) -> Option<Frame> {
        let head: [u8; HEAD] = self.buffer.get(..HEAD)?.try_into().ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = self.buffer.get(HEAD..HEAD + length)?.to_vec();
        self.buffer.drain(..HEAD + length);
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }
}

/// Field 1 of a gRPC message if it is the text of a UUID: the run of a report, the worker of a call for work.
pub(crate) fn subject(body: &[u8]) -> Option<String> {
    let (&compressed, rest) = body.split_first()?;
    let message = rest.get(4..)?;
    let plain = if compressed == 1 {
        let mut plain = Vec::new();
        GzDecoder::new(message).read_to_end(&mut plain).ok()?;
        plain
    } else {
        message.to_vec()
    };
    // Tag 1, length-delimited, 36 bytes.
    let text = plain.strip_prefix(&[0x0a, 36])?.get(..36)?;
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<uuid::Uuid>().ok().map(|_| text.to_owned())
}
