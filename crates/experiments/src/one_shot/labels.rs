//! Images with labels: the few to learn from, the many to test on.

use numerics::{BinaryRows, Draws, Stream};

use super::{Params, SHOTS};
use crate::{
    Data, DataError,
    boltzmann::{Split, binary},
};

/// Labelled images of a run.
pub(super) struct Labelled {
    /// The training images, in the order of the networks' own.
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
        let Data::Images(images) = data else {
            return Err(DataError("images are needed".into()));
        };
        let Some(labels) = &images.labels else {
            return Err(DataError("labels are needed".into()));
        };
        let split = Split::new(images, params.train_images, seed);
        let (from, count) = (params.test_from as usize, params.test_images as usize);
        let test = &split.rest[from..from + count];
        let most = labels.iter().copied().max().unwrap_or(0);
        let mut classes = vec![Vec::new(); usize::from(most) + 1];
        for (place, &image) in (0..).zip(&split.train) {
            classes[usize::from(labels[image as usize])].push(place);
        }
        let needed = SHOTS[SHOTS.len() - 1] as usize;
        if let Some(class) = classes.iter().position(|members| members.len() < needed) {
            let found = classes[class].len();
            return Err(DataError(format!("class {class} has {found} training images; {needed} are needed")));
        }
        Ok(Self {
            train: binary(images, split.train.iter().copied(), params.threshold),
            classes,
            test: binary(images, test.iter().copied(), params.threshold),
            test_labels: test.iter().map(|&image| labels[image as usize]).collect(),
        })
    }

    /// How many classes there are.
    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The first `most` training images of a class, or all if there are fewer.
    pub(super) fn some_of(&self, class: usize, most: usize) -> BinaryRows {
        let members = &self.classes[class];
        self.train.select(&members[..most.min(members.len())])
    }

    /// `shots` images of every class, class by class, as places in `train`, and their labels.
    ///
    /// The first of a shuffle of each class (Fisher and Yates from the front; exchange i of class c is bounded integer
    /// `c · 2^32 + i` of stream `OneShotDraw` at (`label_seed`, draw)), so that more shots add to fewer.
    pub(super) fn draw(&self, shots: u32, draw: u32, label_seed: u32) -> (Vec<u32>, Vec<u8>) {
        let draws = Draws::at(u64::from(label_seed), u64::from(draw));
        let mut picks = Vec::new();
        let mut labels = Vec::new();
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
