//! Binary images as bits, made once for many mini-batches.

use crate::BinaryRows;
use std::ops::Range;

/// Binary images, one bit a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    columns: usize,
    words_per_image: usize,
    words: Vec<u64>,
}

/// Some of the images, in an order: a mini-batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    images: &'a Images,
    picks: &'a [u32],
}

impl From<&BinaryRows> for Images {
    fn from(rows: &BinaryRows) -> Self {
        let mut images = Self::default();
        images.assign(rows);
        images
    }
}

impl From<&Images> for BinaryRows {
    fn from(images: &Images) -> Self {
        let mut rows = BinaryRows::new(images.columns);
        for image in 0..images.len() {
            let words = images.words(image);
            rows.push((0..images.columns as u32).filter(|i| words[*i as usize / 64] >> (i % 64) & 1 == 1));
        }
        rows
    }
}

impl Images {
    /// Becomes the given rows; keeps the memory.
    pub(super) fn assign(&mut self, rows: &BinaryRows) {
        self.columns = rows.columns();
        self.words_per_image = rows.columns().div_ceil(64);
        self.words.clear();
        self.words.resize(rows.len() * self.words_per_image, 0);
        for (image, words) in self.words.chunks_exact_mut(self.words_per_image.max(1)).enumerate() {
            for &unit in rows.row(image) {
                words[unit as usize / 64] |= 1 << (unit % 64);
            }
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.words.len() / self.words_per_image.max(1)
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Units of an image.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The images with these numbers, in this order.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn batch<'a>(&'a self, picks: &'a [u32]) -> Batch<'a> {
        let n = self.len();
        assert!(picks.iter().all(|&pick| (pick as usize) < n), "the images of a batch are among {n}");
        Batch { images: self, picks }
    }

    /// The words of some images, image after image.
    pub(super) fn words_of(&self, images: Range<usize>) -> &[u64] {
        &self.words[images.start * self.words_per_image..images.end * self.words_per_image]
    }

    /// The same, to be changed; bits beyond the last column stay 0.
    pub(super) fn words_of_mut(&mut self, images: Range<usize>) -> &mut [u64] {
        &mut self.words[images.start * self.words_per_image..images.end * self.words_per_image]
    }

    /// Unit i of an image is bit i mod 64 of word ⌊i/64⌋.
    pub(super) fn words(&self, image: usize) -> &[u64] {
        &self.words[image * self.words_per_image..][..self.words_per_image]
    }
}

impl Batch<'_> {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// Units of an example.
    pub fn columns(&self) -> usize {
        self.images.columns
    }

    /// The words of one example.
    pub(super) fn words(&self, example: usize) -> &[u64] {
        self.images.words(self.picks[example] as usize)
    }
}
