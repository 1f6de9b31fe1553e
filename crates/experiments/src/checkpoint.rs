//! A checkpoint: a header that says whose state it is, and the state.
//!
//! `VSCL` · length of the header (u32 LE) · header (postcard) · CRC32C of the header (u32 LE) · body. The body is
//! the state in postcard, compressed with zstd where that saves at least 5 %.

use std::io::Read;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{SourceMark, Trace};

const MAGIC: &[u8; 4] = b"VSCL";
pub(crate) const FORMAT: u8 = 2;

/// What a checkpoint says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Layout of the file.
    pub format: u8,
    /// Name of the experiment.
    pub experiment: String,
    /// Its version.
    pub version: u32,
    /// Canonical params.
    pub params: String,
    /// Hash of the data set; zeros when there is none.
    pub data_hash: [u8; 32],
    /// Randomness key.
    pub seed: u64,
    /// Steps between observation points.
    pub every: u64,
    /// The runs that it builds on, by name.
    pub sources: Vec<SourceMark>,
    /// Steps taken.
    pub step: u64,
    /// Whether the observation at this step, if one is due, was made.
    pub observed: bool,
    /// Chain value of the digest.
    pub trace: Trace,
    /// Length of the state, uncompressed.
    pub body_bytes: u64,
    /// BLAKE3 of the state, uncompressed.
    pub body_hash: [u8; 32],
    /// Whether the body is compressed.
    pub compressed: bool,
}

/// A checkpoint that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Cut, flipped or not a checkpoint at all.
    #[error("checkpoint is damaged: {0}")]
    Damaged(String),
    /// Somebody else's.
    #[error("checkpoint is of {found}, this run is {expected}")]
    Foreign {
        /// What the header says.
        found: String,
        /// What the run is.
        expected: String,
    },
    /// Its state would need more memory than planned.
    #[error("checkpoint holds a state of {bytes} bytes; the plan allows {limit}")]
    TooLarge {
        /// Of the header.
        bytes: u64,
        /// Of the plan.
        limit: u64,
    },
}

impl Header {
    /// Reads the header of a checkpoint of which at least the beginning is there.
    ///
    /// # Errors
    /// If it is cut, damaged or of another format.
    pub fn peek(bytes: &[u8]) -> Result<Self, CheckpointError> {
        read_header(bytes).map(|(header, _)| header)
    }
}

fn damaged(why: impl ToString) -> CheckpointError {
    CheckpointError::Damaged(why.to_string())
}

/// The state as bytes, bit for bit.
pub(crate) fn encode_state<S: Serialize>(state: &S) -> Vec<u8> {
    postcard::to_stdvec(state).expect("a state is plain data and always encodes")
}

/// Reads a state and checks that every byte was used.
pub(crate) fn decode_state<S: DeserializeOwned>(body: &[u8]) -> Result<S, CheckpointError> {
    let (state, rest) = postcard::take_from_bytes(body).map_err(damaged)?;
    if rest.is_empty() { Ok(state) } else { Err(damaged(format!("{} bytes are left over", rest.len()))) }
}

/// Header and body as one piece of bytes. `header` comes with the fields about the body still open.
pub(crate) fn write(mut header: Header, state: &[u8]) -> Vec<u8> {
    header.format = FORMAT;
    header.body_bytes = state.len() as u64;
    header.body_hash = *blake3::hash(state).as_bytes();
    let packed = zstd::bulk::compress(state, 1).expect("compressing memory into memory cannot fail");
    header.compressed = packed.len() as u64 * 100 <= state.len() as u64 * 95;
    let head = postcard::to_stdvec(&header).expect("a header is plain data and always encodes");
    let body = if header.compressed { &packed[..] } else { state };
    let mut out = Vec::with_capacity(12 + head.len() + body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(head.len() as u32).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    out.extend_from_slice(body);
    out
}

/// Reads header and state; a state larger than `limit` bytes is refused before anything is allocated.
pub(crate) fn read(bytes: &[u8], limit: u64) -> Result<(Header, Vec<u8>), CheckpointError> {
    let (header, body) = read_header(bytes)?;
    if header.body_bytes > limit {
        return Err(CheckpointError::TooLarge { bytes: header.body_bytes, limit });
    }
    let state = if header.compressed { decompress(body, header.body_bytes)? } else { body.to_vec() };
    if state.len() as u64 != header.body_bytes || blake3::hash(&state).as_bytes() != &header.body_hash {
        return Err(damaged("the state does not match its hash"));
    }
    Ok((header, state))
}

fn read_header(bytes: &[u8]) -> Result<(Header, &[u8]), CheckpointError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin with VSCL"))?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends in the header"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if rest.len() < length.saturating_add(4) {
        return Err(damaged("it ends in the header"));
    }
    let (head, rest) = rest.split_at(length);
    let (crc, body) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends in the header"))?;
    if crc32c::crc32c(head) != u32::from_le_bytes(*crc) {
        return Err(damaged("the header does not match its CRC"));
    }
    // The format is the first byte of every header, whatever follows.
    if let Some(format) = head.first().filter(|format| **format != FORMAT) {
        return Err(damaged(format!("it has format {format}, this program reads {FORMAT}")));
    }
    let (header, left) = postcard::take_from_bytes::<Header>(head).map_err(damaged)?;
    if left.is_empty() { Ok((header, body)) } else { Err(damaged("bytes are left over in the header")) }
}

/// Never holds more than one byte over what the header promises.
fn decompress(body: &[u8], expected: u64) -> Result<Vec<u8>, CheckpointError> {
    let decoder = zstd::stream::read::Decoder::new(body).map_err(damaged)?;
    let mut state = Vec::new();
    decoder.take(expected + 1).read_to_end(&mut state).map_err(damaged)?;
    Ok(state)
}
