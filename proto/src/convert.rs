//! Messages to the words of [`jobs`] and back: total, and checked on the way in.

mod metric;
mod report;
mod worker;

use std::{fmt, str::FromStr};

pub use metric::{NAME_LIMIT, VALUE_LIMIT_BYTES};
pub use report::POINTS_LIMIT;
pub use worker::worker_info;

/// A message that says something it cannot mean: the field, its value and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}; {rule}")]
pub struct ConvertError {
    /// Path inside the message, such as `metrics[3].name`.
    pub field: String,
    /// As sent, cut to 80 characters.
    pub value: String,
    /// "it must be …".
    pub rule: String,
}

impl ConvertError {
    /// `field`, its value and the rule it breaks.
    pub fn new(field: impl Into<String>, value: impl fmt::Display, rule: impl Into<String>) -> Self {
        let value = value.to_string();
        let value =
            if value.chars().count() <= 80 { value } else { value.chars().take(79).chain(['…']).collect() };
        Self { field: field.into(), value, rule: rule.into() }
    }

    /// The same error, seen from the message that holds the one it was found in.
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

/// A field that must be there.
///
/// # Errors
/// If it is absent.
pub fn required<T>(field: &str, value: Option<T>) -> Result<T, ConvertError> {
    value.ok_or_else(|| ConvertError::new(field, "absent", "it must be given"))
}

/// An id of [`jobs`] from its text.
///
/// # Errors
/// If the text is not one.
pub fn id<T: FromStr<Err = jobs::IdError>>(field: &str, text: &str) -> Result<T, ConvertError> {
    text.parse().map_err(|e: jobs::IdError| {
        ConvertError::new(field, format!("`{text}`"), format!("it must be {}", e.what))
    })
}

/// A data set's hash from its text; `None` for the empty text, as messages write "no data".
///
/// # Errors
/// If the text is something else.
pub fn dataset(field: &str, text: &str) -> Result<Option<jobs::DatasetHash>, ConvertError> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// A BLAKE3 hash from its bytes.
///
/// # Errors
/// If they are not 32.
pub fn hash(field: &str, bytes: &[u8]) -> Result<[u8; 32], ConvertError> {
    bytes
        .try_into()
        .map_err(|_| ConvertError::new(field, format!("{} bytes", bytes.len()), "it must be 32 bytes"))
}

/// A value of an enum of the wire that is not given, or that this program does not know.
fn unknown(field: &str, number: i32) -> ConvertError {
    ConvertError::new(field, number, "it must be a value that the .proto file names, other than 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_whole_path_the_value_and_the_rule() {
        let error =
            required::<u32>("shape", None).expect_err("must be refused").within("value").within("metrics[3]");
        assert_eq!(error.to_string(), "`metrics[3].value.shape` is absent; it must be given");
        let long = ConvertError::new("name", "é".repeat(200), "it must be short");
        assert_eq!(long.value.chars().count(), 80);
    }

    #[test]
    fn ids_and_hashes_are_checked() {
        let text = "0191f2a4-7c00-7000-8000-000000000001";
        assert_eq!(id::<jobs::RunId>("run_id", text).expect("a UUID").to_string(), text);
        let error = id::<jobs::RunId>("run_id", "seven").expect_err("must be refused");
        assert_eq!(error.to_string(), "`run_id` is `seven`; it must be a run id (a UUID)");
        assert_eq!(dataset("dataset", ""), Ok(None));
        let hash_text = jobs::DatasetHash([7; 32]).to_string();
        assert_eq!(dataset("dataset", &hash_text), Ok(Some(jobs::DatasetHash([7; 32]))));
        assert!(dataset("dataset", "blake3:07").is_err());
        assert_eq!(hash("digest", &[1; 32]), Ok([1; 32]));
        assert_eq!(
            hash("digest", &[1; 31]).expect_err("must be refused").to_string(),
            "`digest` is 31 bytes; it must be 32 bytes"
        );
    }
}
