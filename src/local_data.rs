//! Data sets without a server: the built-in one, those in folders of `VESICLE_DATA`, or files at hand.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use experiments::{
    Data, DataNeed, IdxDecoder, audio_from_tar, digits8x8, images_from_idx, network_from_bif, table_from_csv,
};

use crate::{data::audio_archive, exit::Usage};

/// Decoded IDX file.
type Idx = (Vec<u32>, Vec<u8>);

/// Where the images come from.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data set: digits8x8 (built in), or one in $VESICLE_DATA: fashion-mnist (its folder), mnist-t8k (the folder
    /// mnist with t8k-… as test part), alarm.bif (a network in the folder bif), fsdd (fsdd/fsdd.tar.gz, recordings)
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
    /// A Bayesian network of your own (BIF)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["images", "dataset"], help_heading = "Data")]
    bif: Option<PathBuf>,
    /// A table of your own (CSV)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dataset", "images", "bif"], help_heading = "Data")]
    table: Option<PathBuf>,
    /// Recordings of your own (tar of WAV files called label_speaker_number.wav, or a folder of them)
    #[arg(long, value_name = "PATH", conflicts_with_all = ["dataset", "images", "bif", "table"], help_heading = "Data")]
    audio: Option<PathBuf>,
}

impl DataArgs {
    /// What `need` asks for, from where the user says.
    ///
    /// # Errors
    /// If it is not there or cannot be used.
    pub(crate) fn load(&self, need: DataNeed) -> anyhow::Result<Data> {
        let builtin = match need {
            DataNeed::Images { builtin } if self.bif.is_none() => builtin,
            DataNeed::Images { .. } => bail!(Usage("this experiment needs images; leave --bif out".into())),
            DataNeed::BayesNet => return self.network(),
            DataNeed::Table => return self.table(),
            DataNeed::Audio => return self.recordings(),
            DataNeed::None => {
                let given = [&self.images, &self.bif, &self.table, &self.audio].map(Option::is_some);
                if self.dataset.is_some() || given.contains(&true) {
                    let rule = "this experiment needs no data; leave --dataset, --images, --bif, --table and --audio out";
                    bail!(Usage(rule.into()));
                }
                return Ok(Data::None);
            }
        };
        let Some(images) = &self.images else {
            return named(self.dataset.as_deref().unwrap_or(builtin));
        };
        let labels = self.labels.as_deref().map(idx).transpose()?;
        let test_labels = self.test_labels.as_deref().map(idx).transpose()?;
        let test = self.test_images.as_deref().map(idx).transpose()?.map(|test| (test, test_labels));
        Ok(images_from_idx(idx(images)?, labels, test, self.max)?)
    }

    fn table(&self) -> anyhow::Result<Data> {
        let Some(path) = &self.table else {
            bail!(Usage("this experiment needs a table; give --table FILE".into()));
        };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        table_from_csv(&bytes).with_context(|| format!("cannot use {}", path.display()))
    }

    fn recordings(&self) -> anyhow::Result<Data> {
        let named = self.dataset.as_deref().map(archive_file).transpose()?.flatten();
        let Some(path) = self.audio.as_ref().or(named.as_ref()) else {
            let rule = "this experiment needs recordings; give --audio PATH, or --dataset with a name in VESICLE_DATA";
            bail!(Usage(rule.into()));
        };
        let bytes = match path.is_dir() {
            true => audio_archive(path)?,
            false => std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        };
        audio_from_tar(&bytes, Data::LIMIT_BYTES).with_context(|| format!("cannot use {}", path.display()))
    }

    fn network(&self) -> anyhow::Result<Data> {
        let named = self.dataset.as_deref().map(network_file).transpose()?.flatten();
        let Some(path) = self.bif.as_ref().or(named.as_ref()) else {
            let rule = "this experiment needs a Bayesian network; name one with --bif FILE";
            bail!(Usage(rule.into()));
        };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        network_from_bif(&bytes).with_context(|| format!("cannot use {}", path.display()))
    }
}

fn named(name: &str) -> anyhow::Result<Data> {
    if name == "digits8x8" {
        return Ok(digits8x8());
    }
    let files = files(name)?;
    let test = (idx(&files.test_images)?, Some(idx(&files.test_labels)?));
    Ok(images_from_idx(idx(&files.images)?, Some(idx(&files.labels)?), Some(test), 255)?)
}

/// Files of a data set in a folder of `VESICLE_DATA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// Images to train on.
    pub(crate) images: PathBuf,
    /// Their labels.
    pub(crate) labels: PathBuf,
    /// Images of the official test part.
    pub(crate) test_images: PathBuf,
    /// Their labels.
    pub(crate) test_labels: PathBuf,
}

/// The files of data set `name` in `VESICLE_DATA`.
///
/// They lie in the folder `name`, with `t10k` or `test` as the beginning of the test part's names; or `name` is
/// FOLDER-PART, and `PART` their beginning: `mnist-t8k` is `mnist/train-…` with `mnist/t8k-…`.
///
/// # Errors
/// If a file is not there, or `VESICLE_DATA` is not set.
pub(crate) fn files(name: &str) -> anyhow::Result<Files> {
    let Some(root) = std::env::var_os("VESICLE_DATA").filter(|root| !root.is_empty()) else {
        bail!(
            "data set `{name}` is read from $VESICLE_DATA; set VESICLE_DATA to the folder of the data sets"
        );
    };
    files_in(Path::new(&root), name)
}

/// The file of a Bayesian network: `alarm.bif` is `VESICLE_DATA/bif/alarm.bif`. None if the name is no such name.
///
/// # Errors
/// If the file is not there, or `VESICLE_DATA` is not set.
pub(crate) fn network_file(name: &str) -> anyhow::Result<Option<PathBuf>> {
    if !name.ends_with(".bif") {
        return Ok(None);
    }
    let Some(root) = std::env::var_os("VESICLE_DATA").filter(|root| !root.is_empty()) else {
        bail!(
            "network `{name}` is read from $VESICLE_DATA/bif; set VESICLE_DATA to the folder of the data sets"
        );
    };
    let file = Path::new(&root).join("bif").join(name);
    if file.is_file() { Ok(Some(file)) } else { bail!("there is no network {}", file.display()) }
}

/// The archive of recordings `name`: `VESICLE_DATA/name/name.tar.gz`, or `.tar`. None if there is no such file.
///
/// # Errors
/// If `VESICLE_DATA` is not set.
pub(crate) fn archive_file(name: &str) -> anyhow::Result<Option<PathBuf>> {
    let Some(root) = std::env::var_os("VESICLE_DATA").filter(|root| !root.is_empty()) else {
        bail!(
            "data set `{name}` is read from $VESICLE_DATA; set VESICLE_DATA to the folder of the data sets"
        );
    };
    let file = |ending: &str| Path::new(&root).join(name).join(format!("{name}.{ending}"));
    Ok([file("tar.gz"), file("tar")].into_iter().find(|file| file.is_file()))
}

/// Whether a data set is in `VESICLE_DATA`.
///
/// # Errors
/// Why it is not.
pub(crate) fn at_hand(name: &str) -> anyhow::Result<()> {
    if network_file(name)?.is_some() || archive_file(name)?.is_some() {
        return Ok(());
    }
    files(name).map(|_| ())
}

fn files_in(root: &Path, name: &str) -> anyhow::Result<Files> {
    let (folder, parts) = match name.rsplit_once('-') {
        Some((folder, part)) if !root.join(name).is_dir() && root.join(folder).is_dir() => {
            (root.join(folder), vec![part])
        }
        _ => (root.join(name), vec!["t10k", "test"]),
    };
    let file = |parts: &[&str], what: &str| {
        let plain = |part: &&str| folder.join(format!("{part}-{what}-ubyte"));
        let both = |path: PathBuf| [path.with_extension("gz"), path];
        let names = || parts.iter().map(plain).flat_map(both);
        names().find(|file| file.is_file()).with_context(|| {
            let missing = names().next().unwrap_or_default();
            format!("data set `{name}` lacks {}; is VESICLE_DATA right?", missing.display())
        })
    };
    Ok(Files {
        images: file(&["train"], "images-idx3")?,
        labels: file(&["train"], "labels-idx1")?,
        test_images: file(&parts, "images-idx3")?,
        test_labels: file(&parts, "labels-idx1")?,
    })
}

fn idx(path: &Path) -> anyhow::Result<Idx> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut decoder = IdxDecoder::new(Data::LIMIT_BYTES);
    let decoded = decoder.push(&bytes).and_then(|()| decoder.finish());
    decoded.with_context(|| format!("cannot use {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_a_folder_or_a_folder_and_a_test_part() {
        let root = tempfile::tempdir().expect("there is a place for temporary files");
        let put = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
            std::fs::write(&path, "").expect("a file can be written");
            path
        };
        for part in ["train", "t8k"] {
            put(&format!("mnist/{part}-images-idx3-ubyte.gz"));
            put(&format!("mnist/{part}-labels-idx1-ubyte.gz"));
        }
        for part in ["train", "t10k"] {
            put(&format!("fashion-mnist/{part}-images-idx3-ubyte"));
            put(&format!("fashion-mnist/{part}-labels-idx1-ubyte.gz"));
        }
        let found = files_in(root.path(), "mnist-t8k").expect("all files are there");
        assert_eq!(found.test_labels, root.path().join("mnist/t8k-labels-idx1-ubyte.gz"));
        let found = files_in(root.path(), "fashion-mnist").expect("all files are there");
        assert_eq!(found.test_images, root.path().join("fashion-mnist/t10k-images-idx3-ubyte"));
        let missing = |name| files_in(root.path(), name).expect_err("there are none").to_string();
        assert!(missing("mnist").contains("mnist/t10k-images-idx3-ubyte.gz"), "{}", missing("mnist"));
        assert!(missing("letters").contains("letters/train-images-idx3-ubyte.gz"), "{}", missing("letters"));
    }
}
