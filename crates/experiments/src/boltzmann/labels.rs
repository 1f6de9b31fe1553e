//! Images with labels: the few to learn from, the many to be right about.

use std::ops::Range;

use ndarray::{Array2, ArrayView1};
use numerics::{BinaryRows, Draws, Stream};

use super::{Split, binary};
use crate::{Data, DataError};

/// Labelled images of a run; the default is none at all.
#[derive(Default)]
pub(crate) struct Labelled {
    /// The training images, in the order of the networks' own.
    pub(crate) train: BinaryRows,
    /// Places in `train` of the images of every class.
    classes: Vec<Vec<u32>>,
    pub(crate) test: BinaryRows,
    pub(crate) test_labels: Vec<u8>,
}

/// Which images are labelled.
pub(crate) struct LabelledChoice {
    /// Images of the training part.
    pub(crate) train_images: u32,
    /// Images of what [`Split`] leaves to test on.
    pub(crate) test: Range<u32>,
    /// A pixel is on if it is greater.
    pub(crate) threshold: u32,
    /// Images that every class must have among the training images.
    pub(crate) shots: u32,
}

impl Labelled {
    /// # Errors
    /// If there are no labels, or too few images of a class among the training images.
    pub(crate) fn new(choice: &LabelledChoice, data: &Data, seed: u64) -> Result<Self, DataError> {
        let Data::Images(images) = data else {
            return Err(DataError("images are needed".into()));
        };
        let Some(labels) = &images.labels else {
            return Err(DataError("labels are needed".into()));
        };
        let Split { train, rest } = Split::new(images, choice.train_images, seed);
        let test = &rest[choice.test.start as usize..choice.test.end as usize];
        let most = labels.iter().copied().max().unwrap_or(0);
        let mut classes = vec![Vec::new(); usize::from(most) + 1];
        for (place, &image) in (0..).zip(&train) {
            classes[usize::from(labels[image as usize])].push(place);
        }
        let needed = choice.shots;
        if let Some(class) = classes.iter().position(|members| members.len() < needed as usize) {
            let found = classes[class].len();
            return Err(DataError(format!("class {class} has {found} training images; {needed} are needed")));
        }
        Ok(Self {
            train: binary(images, train.iter().copied(), choice.threshold),
            classes,
            test: binary(images, test.iter().copied(), choice.threshold),
            test_labels: test.iter().map(|&image| labels[image as usize]).collect(),
        })
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The first `most` training images of a class, or all if there are fewer.
    pub(crate) fn some_of(&self, class: usize, most: usize) -> BinaryRows {
        let members = &self.classes[class];
        self.train.select(&members[..most.min(members.len())])
    }

    /// `shots` images of every class, class by class, as places in `train`, and their labels.
    ///
    /// The first of a shuffle of each class (Fisher and Yates from the front; exchange i of class c is bounded integer
    /// `c · 2^32 + i` of stream `OneShotDraw`), so that more shots add to fewer.
    pub(crate) fn draw(&self, shots: u32, draws: Draws) -> (Vec<u32>, Vec<u8>) {
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

    /// [`percent_right`] on the test images.
    pub(crate) fn percent_right(&self, total: &Array2<f64>) -> f64 {
        percent_right(total, &self.test_labels)
    }
}

/// Share of the examples, in percent, of which the answer is right: the class of the greatest entry (the first of
/// equals) of their column of `total`, (classes, examples).
pub(super) fn percent_right(total: &Array2<f64>, labels: &[u8]) -> f64 {
    let answer = |column: ArrayView1<'_, f64>| {
        column.iter().enumerate().fold(0, |best, (class, &p)| if p > column[best] { class } else { best })
    };
    let answers = total.columns().into_iter().map(answer).zip(labels);
    let right = answers.filter(|(answer, label)| *answer == usize::from(**label));
    100.0 * right.count() as f64 / labels.len() as f64
}
