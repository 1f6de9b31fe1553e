//! The data of every case: MNIST, pixels above 127.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use experiments::{Data, Idx, IdxDecoder, Images, images_from_idx};
use numerics::BinaryRows;

/// Images that are trained on: the first of the training part.
pub(crate) const TRAIN_IMAGES: usize = 20_000;
/// Images that quality is measured on: the first of the test part.
const TEST_IMAGES: usize = 2_000;
/// A pixel is on if it is greater.
pub(crate) const THRESHOLD: u8 = 127;

/// MNIST, as both sides see it.
pub(crate) struct Mnist {
    images: Arc<Images>,
}

impl Mnist {
    /// Reads the four files from `$VESICLE_DATA/mnist`.
    ///
    /// # Errors
    /// If they are not there or cannot be used.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let folder = folder()?;
        let part = |name: &str| -> anyhow::Result<(Idx, Idx)> {
            let file = |kind: &str| idx(&folder.join(format!("{name}-{kind}-ubyte.gz")));
            Ok((file("images-idx3")?, file("labels-idx1")?))
        };
        let ((images, labels), (test, test_labels)) =
            (part("train")?, part("t8k").or_else(|_| part("t10k"))?);
        match images_from_idx(images, Some(labels), Some((test, Some(test_labels))), 255)? {
            Data::Images(images) => Ok(Self { images }),
            Data::None | Data::BayesNet(_) | Data::Table(_) | Data::Audio(_) => {
                bail!("MNIST holds no images")
            }
        }
    }

    /// For the experiments.
    pub(crate) fn data(&self) -> Data {
        Data::Images(Arc::clone(&self.images))
    }

    /// V.
    pub(crate) fn visible_units(&self) -> usize {
        self.images.pixels_per_image()
    }

    /// Images that are trained on.
    pub(crate) fn training(&self) -> BinaryRows {
        self.rows(0, TRAIN_IMAGES)
    }

    /// Held-out images.
    pub(crate) fn test(&self) -> BinaryRows {
        self.rows((self.images.count - self.images.test_count) as usize, TEST_IMAGES)
    }

    fn rows(&self, first: usize, count: usize) -> BinaryRows {
        let mut rows = BinaryRows::new(self.visible_units());
        for image in self.pixels(first, count).chunks_exact(self.visible_units()) {
            rows.push((0..).zip(image).filter(|&(_, &pixel)| pixel > THRESHOLD).map(|(i, _)| i));
        }
        rows
    }

    /// Writes the training images for peers: one byte a pixel, 0 or 1.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write_training_images(&self, file: &Path) -> anyhow::Result<()> {
        let pixels = self.pixels(0, TRAIN_IMAGES).iter().map(|&pixel| u8::from(pixel > THRESHOLD));
        fs::write(file, pixels.collect::<Vec<u8>>())
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn pixels(&self, first: usize, count: usize) -> &[u8] {
        let size = self.visible_units();
        &self.images.pixels[first * size..(first + count) * size]
    }
}

fn folder() -> anyhow::Result<PathBuf> {
    let data = std::env::var_os("VESICLE_DATA").filter(|folder| !folder.is_empty());
    let data = data
        .context("MNIST is read from $VESICLE_DATA/mnist; set VESICLE_DATA to the folder of the data sets")?;
    Ok(Path::new(&data).join("mnist"))
}

fn idx(path: &Path) -> anyhow::Result<Idx> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut decoder = IdxDecoder::new(Data::LIMIT_BYTES);
    let decoded = decoder.push(&bytes).and_then(|()| decoder.finish());
    decoded.with_context(|| format!("cannot use {}", path.display()))
}
