//! The embedded data set: 1,797 handwritten digits of 8x8 pixels.

use std::sync::OnceLock;

use crate::{Data, IdxDecoder, images_from_idx};

/// Whose the digits are.
pub const ATTRIBUTION: &str = "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine \
     Learning Repository, 1998, doi 10.24432/C50P49; CC BY 4.0";

const IMAGES: &[u8] = include_bytes!("../data/digits-images-idx3-ubyte.gz");
const LABELS: &[u8] = include_bytes!("../data/digits-labels-idx1-ubyte.gz");
const INK: u8 = 16;

/// The data set `digits8x8`: 1,797 images, pixels 0 to 16, with labels, without a test part.
pub fn digits8x8() -> Data {
    static DIGITS: OnceLock<Data> = OnceLock::new();
    let decode = |file: &[u8]| {
        let mut decoder = IdxDecoder::new(Data::LIMIT_BYTES);
        decoder.push(file).and_then(|()| decoder.finish()).expect("the embedded files are tested")
    };
    let make = || images_from_idx(decode(IMAGES), Some(decode(LABELS)), None, INK);
    DIGITS.get_or_init(|| make().expect("the embedded files are tested")).clone()
}
