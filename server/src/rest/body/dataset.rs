//! Data sets as users read them.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// All data sets.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Datasets {
    pub(crate) datasets: Vec<Dataset>,
}

/// A data set.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dataset {
    #[schema(pattern = "^blake3:[0-9a-f]{64}$")]
    hash: String,
    names: Vec<String>,
    /// `images`, `bayes_net`, `table` or `audio`.
    kind: String,
    /// `{"kind": "images", "count", "rows", "cols", "max", "test_count", "labelled"}`,
    /// `{"kind": "bayes_net", "variables": [{"name", "values", "blanket"}]}`, `{"kind": "table", "columns", "rows"}` or
    /// `{"kind": "audio", "recordings", "labels", "speakers", "samples"}`.
    #[schema(value_type = Object)]
    shape: Box<RawValue>,
    /// Whose it is and under which licence.
    #[schema(required)]
    attribution: Option<String>,
    /// Length of the content, decoded.
    bytes: u64,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<store::Dataset> for Dataset {
    fn from(dataset: store::Dataset) -> Self {
        Self {
            hash: dataset.hash.to_string(),
            names: dataset.names,
            kind: dataset.kind,
            shape: RawValue::from_string(dataset.shape).unwrap_or_default(),
            attribution: dataset.attribution,
            bytes: dataset.bytes,
            created_at: rfc3339(dataset.created_at),
        }
    }
}

/// A data set to upload: images in IDX files, plain or gzip, a Bayesian network in a BIF file, a table, or recordings.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used; the form is read as a stream")]
pub(crate) struct UploadForm {
    /// Name to call it by.
    #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
    name: String,
    /// Greatest value of a pixel; 255 when absent.
    #[schema(minimum = 1, maximum = 255, nullable = false)]
    max: Option<u8>,
    /// Whose it is and under which licence.
    #[schema(max_length = 1024, nullable = false)]
    attribution: Option<String>,
    /// IDX file (count, rows, columns) of bytes; must be there unless `bif`, `table` or `audio` is.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    images: Option<Vec<u8>>,
    /// IDX file (count) of bytes.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    labels: Option<Vec<u8>>,
    /// The official test part.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    test_images: Option<Vec<u8>>,
    /// Labels of the test part.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    test_labels: Option<Vec<u8>>,
    /// Bayesian network (BIF), instead of images.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    bif: Option<Vec<u8>>,
    /// Table of imaged spines (CSV), instead of images.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    table: Option<Vec<u8>>,
    /// Recordings, instead of images: a tar archive, plain or gzip, of WAV files called label_speaker_number.wav.
    #[schema(value_type = Option<String>, format = Binary, nullable = false)]
    audio: Option<Vec<u8>>,
}
