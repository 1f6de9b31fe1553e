//! IDX, the format of the MNIST files, read piece by piece so that a bad file is refused early.
//!
//! Two zero bytes, a type byte (`0x08`, unsigned byte), the number of dimensions, each dimension as a 32-bit
//! big-endian integer, then the data in C order; plain or gzip.

use std::{
    io::{self, Write},
    sync::Arc,
};

use flate2::write::MultiGzDecoder;

use crate::{Data, DataError, Images};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Decoded bytes that compressed input may stand for, beside a start of [`RATIO_SLACK`].
const RATIO_LIMIT: u64 = 100;
const RATIO_SLACK: u64 = 1 << 20;

/// A file that is not usable IDX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdxError {
    /// The first bytes are something else.
    #[error(
        "it begins with {0:02x?}; an IDX file of bytes begins with 00 00 08 and the number of dimensions, 1 to 3"
    )]
    NotIdx(Vec<u8>),
    /// The dimensions declare more than is allowed.
    #[error("its dimensions {dims:?} declare {bytes} bytes; at most {limit} are taken")]
    TooLarge {
        /// As declared.
        dims: Vec<u32>,
        /// Their product.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A dimension is zero.
    #[error("its dimensions {0:?} hold nothing")]
    Empty(Vec<u32>),
    /// It ends early.
    #[error("it ends after {have} of {want} bytes")]
    Truncated {
        /// Bytes of data seen.
        have: u64,
        /// Bytes declared.
        want: u64,
    },
    /// It goes on after its end.
    #[error("it goes on after the {want} bytes that its dimensions declare")]
    TooLong {
        /// Bytes declared.
        want: u64,
    },
    /// The gzip stream is broken.
    #[error("its gzip stream is broken: {0}")]
    Gzip(String),
    /// It decodes to far more than it is.
    #[error("it decodes to more than {RATIO_LIMIT} times its size")]
    Bomb,
}

/// Reads one IDX file from pieces of any size.
pub struct IdxDecoder {
    input: Input,
    received: u64,
}

enum Input {
    Start(Vec<u8>, u64),
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
}

impl IdxDecoder {
    /// `limit`: most bytes of data to take.
    pub fn new(limit: u64) -> Self {
        Self { input: Input::Start(Vec::new(), limit), received: 0 }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// As soon as it is clear that the file cannot be used.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), IdxError> {
        self.received += bytes.len() as u64;
        if let Input::Start(start, limit) = &mut self.input {
            start.extend_from_slice(bytes);
            if start.len() < GZIP_MAGIC.len() {
                return Ok(());
            }
            let (start, raw) = (std::mem::take(start), Raw::new(*limit));
            self.input = match start.starts_with(&GZIP_MAGIC) {
                true => Input::Gzip(Box::new(MultiGzDecoder::new(raw))),
                false => Input::Plain(raw),
            };
            return self.feed(&start);
        }
        self.feed(bytes)
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), IdxError> {
        match &mut self.input {
            Input::Start(..) => Ok(()),
            Input::Plain(raw) => raw.take(bytes),
            // Small pieces, so that a bomb is noticed before much of it is decoded.
            Input::Gzip(decoder) => {
                for piece in bytes.chunks(1024) {
                    decoder.get_mut().allowance =
                        self.received.saturating_mul(RATIO_LIMIT).saturating_add(RATIO_SLACK);
                    let written = decoder.write_all(piece).and_then(|()| decoder.flush());
                    written.map_err(|e| decoder.get_mut().refusal(e))?;
                }
                Ok(())
            }
        }
    }

    /// Dimensions and data, once the file has ended.
    ///
    /// # Errors
    /// If it ended early.
    pub fn finish(self) -> Result<(Vec<u32>, Vec<u8>), IdxError> {
        match self.input {
            Input::Start(start, _) => Err(IdxError::NotIdx(start)),
            Input::Plain(raw) => raw.finish(),
            Input::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|e| decoder.get_mut().refusal(e))?;
                decoder.get_mut().take_out().finish()
            }
        }
    }
}

/// The decoded side: header, then data up to what the header declares.
#[derive(Default)]
struct Raw {
    header: Vec<u8>,
    dims: Vec<u32>,
    data: Vec<u8>,
    want: u64,
    limit: u64,
    /// Most decoded bytes that the compressed input seen so far may stand for.
    allowance: u64,
    refused: Option<IdxError>,
}

impl Raw {
    fn new(limit: u64) -> Self {
        Self { limit, allowance: u64::MAX, ..Self::default() }
    }

    fn take_out(&mut self) -> Self {
        std::mem::take(self)
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<(), IdxError> {
        while self.dims.is_empty() && !bytes.is_empty() {
            let (byte, rest) = bytes.split_at(1);
            self.header.extend_from_slice(byte);
            bytes = rest;
            self.read_header()?;
        }
        let have = self.data.len() as u64 + bytes.len() as u64;
        match () {
            () if bytes.is_empty() => Ok(()),
            () if have > self.want => Err(IdxError::TooLong { want: self.want }),
            () if have > self.allowance => Err(IdxError::Bomb),
            () => {
                self.data.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn read_header(&mut self) -> Result<(), IdxError> {
        let header = &self.header;
        let expected = [Some(0), Some(0), Some(8)];
        if header.iter().zip(expected).any(|(&byte, expected)| Some(byte) != expected) {
            return Err(IdxError::NotIdx(header.clone()));
        }
        let Some(&n) = header.get(3) else { return Ok(()) };
        if !(1..=3).contains(&n) {
            return Err(IdxError::NotIdx(header.clone()));
        }
        if header.len() < 4 + 4 * usize::from(n) {
            return Ok(());
        }
        let dims: Vec<u32> =
            header[4..].as_chunks::<4>().0.iter().map(|dim| u32::from_be_bytes(*dim)).collect();
        let bytes = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(u64::from(dim)));
        let bytes = bytes.unwrap_or(u64::MAX);
        match bytes {
            0 => return Err(IdxError::Empty(dims)),
            _ if bytes > self.limit => return Err(IdxError::TooLarge { dims, bytes, limit: self.limit }),
            _ => {}
        }
        (self.dims, self.want) = (dims, bytes);
        Ok(())
    }

    /// The reason behind an error that passed through the gzip decoder.
    fn refusal(&mut self, error: io::Error) -> IdxError {
        self.refused.take().unwrap_or_else(|| IdxError::Gzip(error.to_string()))
    }

    fn finish(self) -> Result<(Vec<u32>, Vec<u8>), IdxError> {
        let have = self.data.len() as u64;
        match () {
            () if self.dims.is_empty() => Err(IdxError::NotIdx(self.header)),
            () if have < self.want => Err(IdxError::Truncated { have, want: self.want }),
            () => Ok((self.dims, self.data)),
        }
    }
}

impl Write for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.take(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(refused) => {
                self.refused = Some(refused);
                Err(io::Error::other("refused"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A decoded IDX file: dimensions and data.
pub type Idx = (Vec<u32>, Vec<u8>);

/// A data set of images from decoded IDX files: images, perhaps labels, perhaps an official test part.
///
/// # Errors
/// If dimensions or counts do not fit together.
pub fn images_from_idx(
    images: Idx,
    labels: Option<Idx>,
    test: Option<(Idx, Option<Idx>)>,
    max: u8,
) -> Result<Data, DataError> {
    let (count, rows, cols) = image_dims(&images.0, "images")?;
    let (mut pixels, mut labels) = (images.1, label_bytes(labels, count, "labels")?);
    let mut test_count = 0;
    if let Some((test, test_labels)) = test {
        let (n, test_rows, test_cols) = image_dims(&test.0, "test images")?;
        if (test_rows, test_cols) != (rows, cols) {
            let what = format!("test images are {test_rows}x{test_cols}; the others are {rows}x{cols}");
            return Err(DataError(what));
        }
        test_count = n;
        pixels.extend_from_slice(&test.1);
        labels = match (labels, label_bytes(test_labels, n, "test labels")?) {
            (Some(mut labels), Some(more)) => {
                labels.extend(more);
                Some(labels)
            }
            (None, None) => None,
            _ => return Err(DataError("labels must come for both parts or for none".into())),
        };
    }
    let count = count.checked_add(test_count).ok_or_else(|| DataError("there are too many images".into()))?;
    let images = Images { count, rows, cols, max, test_count, pixels, labels };
    images.check()?;
    Ok(Data::Images(Arc::new(images)))
}

fn image_dims(dims: &[u32], what: &str) -> Result<(u32, u32, u32), DataError> {
    match *dims {
        [count, rows, cols] => Ok((count, rows, cols)),
        _ => Err(DataError(format!(
            "{what} have {} dimensions; (count, rows, columns) are needed",
            dims.len()
        ))),
    }
}

fn label_bytes(labels: Option<Idx>, count: u32, what: &str) -> Result<Option<Vec<u8>>, DataError> {
    let Some((dims, bytes)) = labels else { return Ok(None) };
    if dims != [count] {
        return Err(DataError(format!(
            "{what} have dimensions {dims:?}; ({count}) is needed, one for each image"
        )));
    }
    Ok(Some(bytes))
}
