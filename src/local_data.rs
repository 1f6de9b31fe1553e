//! Data sets without a server: the built-in one, MNIST from `VESICLE_DATA`, or files at hand.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use experiments::{Data, DataNeed, IdxDecoder, digits8x8, images_from_idx, table_from_csv};

use crate::exit::Usage;

/// Decoded IDX file.
type Idx = (Vec<u32>, Vec<u8>);

/// Where the images come from.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data set: digits8x8 (built in) or mnist-t8k (from the folder $VESICLE_DATA/mnist)
    #[arg(long, value_name = "NAME", conflicts_with = "images", help_heading = "Data")]
    dataset: Option<String>,
    /// Images of a data set of your own (IDX, plain or .gz)
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    images: Option<PathBuf>,
    /// Their labels
    #[arg(long, value_name = "FILE", requires = "images", help_heading = "Data")]
    labels: Option<PathBuf>,
    /// Images of an official test part, which is never trained on
    #[arg(long, value_name = "FILE", requires = "images", help_heading = "Data")]
    test_images: Option<PathBuf>,
    /// Labels of the test part
    #[arg(long, value_name = "FILE", requires = "test_images", help_heading = "Data")]
    test_labels: Option<PathBuf>,
    /// Greatest value that a pixel can take
    #[arg(long, value_name = "N", default_value_t = 255, requires = "images", help_heading = "Data")]
    max: u8,
    /// A table of your own (CSV)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dataset", "images"], help_heading = "Data")]
    table: Option<PathBuf>,
}

impl DataArgs {
    /// What `need` asks for, from where the user says.
    ///
    /// # Errors
    /// If it is not there or cannot be used.
    pub(crate) fn load(&self, need: DataNeed) -> anyhow::Result<Data> {
        if need == DataNeed::Table {
            let Some(table) = &self.table else {
                bail!(Usage("this experiment needs a table; give --table FILE".into()));
            };
            let bytes = std::fs::read(table).with_context(|| format!("cannot read {}", table.display()))?;
            return table_from_csv(&bytes).with_context(|| format!("cannot use {}", table.display()));
        }
        let DataNeed::Images { builtin } = need else {
            if self.dataset.is_some() || self.images.is_some() || self.table.is_some() {
                bail!(Usage(
                    "this experiment needs no data; leave --dataset, --images and --table out".into()
                ));
            }
            return Ok(Data::None);
        };
        let Some(images) = &self.images else {
            return named(self.dataset.as_deref().unwrap_or(builtin));
        };
        let labels = self.labels.as_deref().map(idx).transpose()?;
        let test_labels = self.test_labels.as_deref().map(idx).transpose()?;
        let test = self.test_images.as_deref().map(idx).transpose()?.map(|test| (test, test_labels));
        Ok(images_from_idx(idx(images)?, labels, test, self.max)?)
    }
}

fn named(name: &str) -> anyhow::Result<Data> {
    match name {
        "digits8x8" => Ok(digits8x8()),
        MNIST => {
            let [images, labels, test_images, test_labels] = mnist_files()?;
            let test = (idx(&test_images)?, Some(idx(&test_labels)?));
            Ok(images_from_idx(idx(&images)?, Some(idx(&labels)?), Some(test), 255)?)
        }
        _ => bail!(Usage(format!(
            "data set `{name}` is not known without a server; use digits8x8, {MNIST}, or --images FILE"
        ))),
    }
}

/// MNIST's training images with the 8,000 test images at hand as the test part.
pub(crate) const MNIST: &str = "mnist-t8k";

/// Training images and labels, test images and labels of MNIST.
///
/// # Errors
/// If `VESICLE_DATA` does not lead to them.
pub(crate) fn mnist_files() -> anyhow::Result<[PathBuf; 4]> {
    let Some(folder) = std::env::var_os("VESICLE_DATA").filter(|folder| !folder.is_empty()) else {
        bail!(
            "data set `{MNIST}` is read from $VESICLE_DATA/mnist; set VESICLE_DATA to the folder of the data sets"
        );
    };
    let folder = Path::new(&folder).join("mnist");
    let file = |name: &str| folder.join(format!("{name}-ubyte.gz"));
    let files = ["train-images-idx3", "train-labels-idx1", "t8k-images-idx3", "t8k-labels-idx1"].map(file);
    match files.iter().find(|file| !file.is_file()) {
        Some(missing) => bail!("data set `{MNIST}` lacks {}; is VESICLE_DATA right?", missing.display()),
        None => Ok(files),
    }
}

fn idx(path: &Path) -> anyhow::Result<Idx> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut decoder = IdxDecoder::new(Data::LIMIT_BYTES);
    let decoded = decoder.push(&bytes).and_then(|()| decoder.finish());
    decoded.with_context(|| format!("cannot use {}", path.display()))
}
