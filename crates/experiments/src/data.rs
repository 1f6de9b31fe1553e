//! Data sets as experiments see them.

use std::sync::Arc;

use numerics::bayes::{Network, Variable, read_bif};
use serde::{Deserialize, Serialize};

use crate::{Audio, Table};

/// A data set in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Data {
    /// No data needed.
    None,
    /// Images with or without labels.
    Images(Arc<Images>),
    /// A Bayesian network.
    BayesNet(Arc<Network>),
    /// A table of numbers.
    Table(Arc<Table>),
    /// Recordings of spoken words.
    Audio(Arc<Audio>),
}

/// Images of one size, one byte a pixel.
///
/// The last `test_count` of them are the official test part, which no experiment trains on; 0 when the set has
/// none, then experiments split by the stream `Split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// How many, test part included.
    pub count: u32,
    /// Pixels down.
    pub rows: u32,
    /// Pixels across.
    pub cols: u32,
    /// Greatest value a pixel can take: 255, or 16 for the 8x8 digits. Thresholds are in these units.
    pub max: u8,
    /// How many of the last images are the official test part.
    pub test_count: u32,
    /// `count · rows · cols` bytes, image by image, row by row.
    pub pixels: Vec<u8>,
    /// One label per image.
    pub labels: Option<Vec<u8>>,
}

/// What an experiment asks of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataNeed {
    /// None.
    None,
    /// Images; `builtin` is taken when a job names none.
    Images {
        /// Name of the embedded data set.
        builtin: &'static str,
    },
    /// A Bayesian network, which the job must name.
    BayesNet,
    /// A table, which the job must name.
    Table,
    /// Recordings, which the job must name.
    Audio,
}

/// The shape of a data set, without its content. Plans are made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataShape {
    /// No data.
    None,
    /// Images.
    Images {
        /// How many, test part included.
        count: u32,
        /// Pixels down.
        rows: u32,
        /// Pixels across.
        cols: u32,
        /// Greatest value of a pixel.
        max: u8,
        /// How many of the last are the official test part.
        test_count: u32,
        /// Whether each has a label.
        labelled: bool,
    },
    /// A table of numbers.
    Table {
        /// Names.
        columns: Vec<String>,
        /// How many rows.
        rows: u32,
    },
    /// A Bayesian network.
    BayesNet {
        /// Its variables.
        variables: Vec<VariableShape>,
    },
    /// Recordings of spoken words.
    Audio {
        /// How many.
        recordings: u32,
        /// What is said.
        labels: Vec<String>,
        /// Who speaks.
        speakers: Vec<String>,
        /// Samples of all.
        samples: u64,
    },
}

/// A variable of a network, without its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableShape {
    /// Its name.
    pub name: String,
    /// Names of its values.
    pub values: Vec<String>,
    /// Places of the variables in its Markov blanket.
    pub blanket: Vec<u32>,
}

impl VariableShape {
    /// The variables of a network.
    pub fn of(network: &Network) -> Vec<Self> {
        let shape = |(at, variable): (usize, &Variable)| Self {
            name: variable.name.clone(),
            values: variable.values.clone(),
            blanket: network.blanket(at).iter().map(|&other| other as u32).collect(),
        };
        network.variables().iter().enumerate().map(shape).collect()
    }
}

/// Data that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data set: {0}")]
pub struct DataError(pub String);

impl Data {
    /// Largest encoded data set, in bytes.
    pub const LIMIT_BYTES: u64 = 1 << 30;

    /// Name of the kind, as in [`DataShape`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Images(_) => "images",
            Self::BayesNet(_) => "bayes_net",
            Self::Table(_) => "table",
            Self::Audio(_) => "audio",
        }
    }

    /// Kind and shape, without the content.
    pub fn shape(&self) -> DataShape {
        match self {
            Self::None => DataShape::None,
            Self::Images(images) => DataShape::Images {
                count: images.count,
                rows: images.rows,
                cols: images.cols,
                max: images.max,
                test_count: images.test_count,
                labelled: images.labels.is_some(),
            },
            Self::BayesNet(network) => DataShape::BayesNet { variables: VariableShape::of(network) },
            Self::Table(table) => {
                DataShape::Table { columns: table.columns.clone(), rows: table.rows() as u32 }
            }
            Self::Audio(audio) => DataShape::Audio {
                recordings: audio.recordings.len() as u32,
                labels: audio.labels(),
                speakers: audio.speakers(),
                samples: audio.samples(),
            },
        }
    }

    /// Bytes that [`Data::decode`] reads; their BLAKE3 names the data set.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain numbers and bytes always encode")
    }

    /// Reads what [`Data::encode`] wrote, and checks it.
    ///
    /// # Errors
    /// If bytes are missing, left over, or do not fit the shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DataError> {
        let (data, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|e| DataError(e.to_string()))?;
        if !rest.is_empty() {
            return Err(DataError(format!("{} bytes are left over", rest.len())));
        }
        match &data {
            Self::Images(images) => images.check()?,
            Self::Table(table) => table.check()?,
            Self::Audio(audio) => audio.check()?,
            // A network has been checked as it was decoded.
            Self::None | Self::BayesNet(_) => {}
        }
        Ok(data)
    }

    /// BLAKE3 of kind, shape and decoded bytes.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.encode()).as_bytes()
    }
}

/// Reads a Bayesian network from a BIF file.
///
/// # Errors
/// If it is not UTF-8, or no network: then with the line and what is wrong.
pub fn network_from_bif(bytes: &[u8]) -> Result<Data, DataError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        DataError(format!("line {line}: the text is not UTF-8"))
    })?;
    let network = read_bif(text).map_err(|error| DataError(error.to_string()))?;
    Ok(Data::BayesNet(Arc::new(network)))
}

impl Images {
    /// Pixels of one image.
    pub fn pixels_per_image(&self) -> usize {
        self.rows as usize * self.cols as usize
    }

    /// Whether the numbers fit together.
    ///
    /// # Errors
    /// Names what does not.
    pub fn check(&self) -> Result<(), DataError> {
        let expected = u64::from(self.count) * u64::from(self.rows) * u64::from(self.cols);
        let fail = |what: String| Err(DataError(what));
        if expected == 0 {
            return fail(format!("{} images of {}x{} pixels are none", self.count, self.rows, self.cols));
        }
        if expected > Data::LIMIT_BYTES {
            return fail(format!("{expected} pixels are more than {}", Data::LIMIT_BYTES));
        }
        if self.pixels.len() as u64 != expected {
            return fail(format!("{} pixels do not make {expected}", self.pixels.len()));
        }
        if let Some(labels) = self.labels.as_ref().filter(|labels| labels.len() != self.count as usize) {
            return fail(format!("{} labels for {} images", labels.len(), self.count));
        }
        if self.test_count >= self.count {
            return fail(format!(
                "{} of {} images for testing leave none to train on",
                self.test_count, self.count
            ));
        }
        if self.max == 0 || self.pixels.iter().any(|&pixel| pixel > self.max) {
            return fail(format!("a pixel exceeds the greatest value {}", self.max));
        }
        Ok(())
    }
}
