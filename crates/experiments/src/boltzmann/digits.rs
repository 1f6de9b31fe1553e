//! Images as the Boltzmann machines see them: binary, split into a part to train on and a part to test on.

use ndarray::ArrayView3;
use numerics::{BinaryRows, Draws, Stream};

use super::Protocol;
use crate::{Data, DataError, Images};

/// Binary images of one run.
pub(crate) struct Digits {
    pub(crate) train: BinaryRows,
    pub(crate) test: BinaryRows,
    pub(crate) rows: u32,
    pub(crate) cols: u32,
}

impl Digits {
    /// Splits and binarises. Without an official test part the split is a shuffle by the stream `Split`.
    pub(crate) fn new(protocol: &Protocol, data: &Data, seed: u64) -> Result<Self, DataError> {
        let Data::Images(images) = data else {
            return Err(DataError("images are needed".into()));
        };
        protocol.plan(&data.shape()).map_err(|error| DataError(error.to_string()))?;
        let order = Draws::at(seed, 0).permutation(Stream::Split, images.count);
        let first_test = images.count - images.test_count;
        let place = |i: u32| if images.test_count > 0 { i } else { order[i as usize] };
        let test_from = if images.test_count > 0 { first_test } else { protocol.train_images };
        let train = (0..protocol.train_images).map(place);
        let test = (test_from..test_from + protocol.test_images).map(place);
        Ok(Self {
            train: binary(images, train, protocol.threshold),
            test: binary(images, test, protocol.threshold),
            rows: images.rows,
            cols: images.cols,
        })
    }
}

/// A pixel is on if it is greater than `threshold`.
fn binary(images: &Images, which: impl Iterator<Item = u32>, threshold: u32) -> BinaryRows {
    let shape = (images.count as usize, images.rows as usize, images.cols as usize);
    let pixels =
        ArrayView3::from_shape(shape, &images.pixels).expect("images are checked when they are made");
    let mut rows = BinaryRows::new(images.pixels_per_image());
    for image in which {
        let image = pixels.index_axis(ndarray::Axis(0), image as usize);
        rows.push((0..).zip(image).filter(|&(_, &pixel)| u32::from(pixel) > threshold).map(|(i, _)| i));
    }
    rows
}
