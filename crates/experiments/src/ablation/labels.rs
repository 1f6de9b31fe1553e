//! Images with labels: the few to learn from, the test images to be right about.

use numerics::{BinaryRows, Draws, Stream};

use super::Params;
use crate::{
    Data, DataError,
    boltzmann::{Split, binary},
};

/// Labelled images of a run; none if no accuracies are asked for.
#[derive(Default)]
pub(super) struct Labelled {
    /// The training images, in the order of the network's own.
    pub(super) train: BinaryRows,
    /// Places in `train` of the images of every class.
    classes: Vec<Vec<u32>>,
    pub(super) test: BinaryRows,
    pub(super) test_labels: Vec<u8>,
}

impl Labelled {
    /// # Errors
    /// If there are no labels, or too few images of a class among the training images.
    pub(super) fn new(params: &Params, data: &Data, seed: u64) -> Result<Self, DataError> {
        if params.draws == 0 {
            return Ok(Self::default());
        }
        let Data::Images(images) = data else {
            return Err(DataError("images are needed".into()));
        };
        let Some(labels) = &images.labels else {
            return Err(DataError("labels are needed unless `draws` is 0".into()));
        };
        let Split { train, rest } = Split::new(images, params.train_images, seed);
        let test = &rest[..params.test_images as usize];
        let most = labels.iter().copied().max().unwrap_or(0);
        let mut classes = vec![Vec::new(); usize::from(most) + 1];
        for (place, &image) in (0..).zip(&train) {
            classes[usize::from(labels[image as usize])].push(place);
        }
        if let Some(class) = classes.iter().position(|members| members.len() < params.shots as usize) {
            let (found, needed) = (classes[class].len(), params.shots);
            return Err(DataError(format!("class {class} has {found} training images; {needed} are needed")));
        }
        Ok(Self {
            train: binary(images, train.iter().copied(), params.threshold),
            classes,
            test: binary(images, test.iter().copied(), params.threshold),
            test_labels: test.iter().map(|&image| labels[image as usize]).collect(),
        })
    }

    /// How many classes there are.
    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// `shots` images of every class, class by class, as places in `train`, and their labels.
    ///
    /// The first of a shuffle of each class: exchange i of class c is bounded integer `c · 2^32 + i` of stream
    /// `OneShotDraw`.
    pub(super) fn draw(&self, shots: u32, draws: Draws) -> (Vec<u32>, Vec<u8>) {
        let (mut picks, mut labels) = (Vec::new(), Vec::new());
        for (class, members) in self.classes.iter().enumerate() {
            let mut members = members.clone();
            for i in 0..shots {
                let index = (class as u64) << 32 | u64::from(i);
                let other = i + draws.below(Stream::OneShotDraw, index, members.len() as u32 - i);
                members.swap(i as usize, other as usize);
            }
            picks.extend(&members[..shots as usize]);
            labels.extend(std::iter::repeat_n(class as u8, shots as usize));
        }
        (picks, labels)
    }
}
