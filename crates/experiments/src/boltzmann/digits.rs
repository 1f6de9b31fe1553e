//! Images as the Boltzmann machines see them: binary, split into a part to train on and a part to test on.

use ndarray::ArrayView3;
use numerics::{BinaryRows, Draws, Stream, boltzmann::ClassUnits};

use super::Protocol;
use crate::{Data, DataError, Images};

/// Binary images of one run.
pub(crate) struct Digits {
    /// Visible units: pixels, then units of classes if there are any.
    pub(crate) train: BinaryRows,
    /// The same of the test images.
    pub(crate) test: BinaryRows,
    pub(crate) rows: u32,
    pub(crate) cols: u32,
    /// The classes, if machines learn them.
    pub(super) classes: Option<Classes>,
}

/// What the images are of, where that is learned.
pub(super) struct Classes {
    pub(super) units: ClassUnits,
    /// Classes of the test images.
    pub(super) test: Vec<u8>,
}

impl Digits {
    /// Splits and binarises. Without an official test part the split is a shuffle by the stream `Split`.
    pub(crate) fn new(protocol: &Protocol, data: &Data, seed: u64) -> Result<Self, DataError> {
        let Data::Images(images) = data else {
            return Err(DataError("images are needed".into()));
        };
        protocol.plan(&data.shape()).map_err(|error| DataError(error.to_string()))?;
        let Split { train, mut rest } = Split::new(images, protocol.train_images, seed);
        rest.truncate(protocol.test_images as usize);
        let (rows, cols) = (images.rows, images.cols);
        let pixels = |which: &[u32]| binary(images, which.iter().copied(), protocol.threshold);
        let (train_pixels, test_pixels) = (pixels(&train), pixels(&rest));
        let Some(labels) = images.labels.as_ref().filter(|_| protocol.label_units > 0) else {
            return Ok(Self { train: train_pixels, test: test_pixels, rows, cols, classes: None });
        };
        let units = ClassUnits {
            pixels: images.pixels_per_image(),
            classes: labels.iter().max().map_or(1, |&most| usize::from(most) + 1),
            per_class: protocol.label_units as usize,
        };
        let of = |which: &[u32]| -> Vec<u8> { which.iter().map(|&image| labels[image as usize]).collect() };
        let train = units.labelled(&train_pixels, &of(&train));
        let test = units.labelled(&test_pixels, &of(&rest));
        Ok(Self { train, test, rows, cols, classes: Some(Classes { units, test: of(&rest) }) })
    }

    /// Pixels of an image: the first of the visible units.
    pub(super) fn pixels(&self) -> usize {
        self.rows as usize * self.cols as usize
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
