//! What is shown: binary images, or a mixture that is known.

use numerics::{BinaryRows, Draws, Stream, wta::Synthetic};

use super::params::{self, Params};
use crate::{
    Data, DataError, Images,
    boltzmann::{Split, binary},
};

/// Patterns of one run.
pub(super) enum Patterns {
    /// Images with what is needed to judge them.
    Images(Pictures),
    /// All patterns with their probabilities.
    Synthetic(Synthetic),
}

/// Binary images, the pixels that were kept of them, and labels.
pub(super) struct Pictures {
    pub(super) train: BinaryRows,
    pub(super) test: BinaryRows,
    /// Labels of both, if there are any.
    pub(super) labels: Option<Labels>,
    pub(super) frame: Frame,
}

/// Labels of training and test images.
pub(super) struct Labels {
    pub(super) train: Vec<u8>,
    pub(super) test: Vec<u8>,
    pub(super) classes: usize,
}

/// Where the kept pixels are.
pub(super) struct Frame {
    pub(super) rows: u32,
    pub(super) cols: u32,
    /// Places of the kept pixels in the frame, ascending.
    pub(super) kept: Vec<u32>,
}

impl Patterns {
    /// # Errors
    /// If the data set is not of labelled images where it must be, or nothing is left of it.
    pub(super) fn new(params: &Params, data: &Data, seed: u64) -> Result<Self, DataError> {
        match params.patterns {
            params::Patterns::Synthetic => Ok(Self::Synthetic(params.synthetic())),
            params::Patterns::Images => match data {
                Data::Images(images) => Pictures::new(params, images, seed).map(Self::Images),
                _ => Err(DataError("images are needed".into())),
            },
        }
    }

    /// Pixels of a pattern.
    pub(super) fn pixels(&self) -> usize {
        self.shown().columns()
    }

    /// Pattern `at` of this step; that index of stream `Pattern`.
    pub(super) fn draw(&self, draws: Draws, at: u64) -> &[u32] {
        match self {
            Self::Images(pictures) => {
                let count = pictures.train.len() as u32;
                pictures.train.row(draws.below(Stream::Pattern, at, count) as usize)
            }
            Self::Synthetic(synthetic) => synthetic.patterns.row(synthetic.draw(draws, at)),
        }
    }

    /// All patterns that may be shown.
    pub(super) fn shown(&self) -> &BinaryRows {
        match self {
            Self::Images(pictures) => &pictures.train,
            Self::Synthetic(synthetic) => &synthetic.patterns,
        }
    }

    /// How likely each is; alike if absent.
    pub(super) fn weights(&self) -> Option<&[f64]> {
        match self {
            Self::Images(_) => None,
            Self::Synthetic(synthetic) => Some(&synthetic.probability),
        }
    }
}

impl Pictures {
    fn new(params: &Params, images: &Images, seed: u64) -> Result<Self, DataError> {
        let Split { train, rest } = Split::new(images, params.train_images, seed);
        let is_wanted = |image: &u32| match &images.labels {
            Some(labels) => params.classes.is_empty() || params.classes.contains(&labels[*image as usize]),
            None => true,
        };
        if images.labels.is_none() && !params.classes.is_empty() {
            return Err(DataError("labels are needed to choose classes".into()));
        }
        let test = rest.into_iter().take(params.test_images as usize);
        let [train, test]: [Vec<u32>; 2] =
            [train.into_iter().filter(is_wanted).collect(), test.filter(is_wanted).collect()];
        if train.is_empty() || test.is_empty() {
            return Err(DataError(format!("no images of classes {:?} in one of the parts", params.classes)));
        }
        let [whole_train, whole_test] =
            [&train, &test].map(|part| binary(images, part.iter().copied(), params.threshold));
        let frame = Frame::new(params, images, &whole_train);
        if frame.kept.is_empty() {
            return Err(DataError("no pixel is left of the images".into()));
        }
        let labels = images.labels.as_ref().map(|labels| {
            let of = |part: &[u32]| part.iter().map(|&image| labels[image as usize]).collect();
            let classes = usize::from(labels.iter().copied().max().unwrap_or(0)) + 1;
            Labels { train: of(&train), test: of(&test), classes }
        });
        let (train, test) =
            (frame.cut(images, params.crop, &whole_train), frame.cut(images, params.crop, &whole_test));
        Ok(Self { train, test, labels, frame })
    }
}

impl Frame {
    fn new(params: &Params, images: &Images, train: &BinaryRows) -> Self {
        let crop = params.crop;
        let (rows, cols) = (images.rows - 2 * crop, images.cols - 2 * crop);
        let means = train.column_means();
        let place = |at: u32| ((at / cols + crop) * images.cols + at % cols + crop) as usize;
        let is_kept = |at: &u32| params.min_on == 0.0 || f64::from(means[place(*at)]) > params.min_on;
        Self { rows, cols, kept: (0..rows * cols).filter(is_kept).collect() }
    }

    /// Rows of the kept pixels only.
    fn cut(&self, images: &Images, crop: u32, whole: &BinaryRows) -> BinaryRows {
        let mut new_place = vec![None; images.pixels_per_image()];
        for (new, &at) in (0_u32..).zip(&self.kept) {
            new_place[((at / self.cols + crop) * images.cols + at % self.cols + crop) as usize] = Some(new);
        }
        let mut cut = BinaryRows::new(self.kept.len());
        for row in 0..whole.len() {
            cut.push(whole.row(row).iter().filter_map(|&pixel| new_place[pixel as usize]));
        }
        cut
    }

    /// One number a kept pixel as a picture; 0 elsewhere.
    pub(super) fn picture(&self, values: &[f64]) -> Vec<f32> {
        let mut picture = vec![0.0; (self.rows * self.cols) as usize];
        self.kept.iter().zip(values).for_each(|(&at, &value)| picture[at as usize] = value as f32);
        picture
    }
}
