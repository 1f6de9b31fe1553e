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
        let split = Split::new(images, protocol.train_images, seed);
        let train = split.train.into_iter();
        let test = split.rest.into_iter().take(protocol.test_images as usize);
        Ok(Self {
            train: binary(images, train, protocol.threshold),
            test: binary(images, test, protocol.threshold),
            rows: images.rows,
            cols: images.cols,
        })
    }
}

/// Which images are for what, as places in the data set.
pub(crate) struct Split {
    /// To train on.
    pub(crate) train: Vec<u32>,
    /// To test on: the official test part, or all that follow the training images.
    pub(crate) rest: Vec<u32>,
}

impl Split {
    /// The first `train_images` of the training part; without an official test part, of a shuffle of all images by the
    /// stream `Split`.
    pub(crate) fn new(images: &Images, train_images: u32, seed: u64) -> Self {
        if images.test_count > 0 {
            let rest = (images.count - images.test_count..images.count).collect();
            return Self { train: (0..train_images).collect(), rest };
        }
        let mut train = Draws::at(seed, 0).permutation(Stream::Split, images.count);
        let rest = train.split_off(train_images as usize);
        Self { train, rest }
    }
}

/// A pixel is on if it is greater than `threshold`.
pub(crate) fn binary(images: &Images, which: impl Iterator<Item = u32>, threshold: u32) -> BinaryRows {
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
