//! Canonical params: one text for one setting, so that a hash of it names the setting.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Params with all defaults filled in, keys sorted, shortest floats, −0.0 as 0 and no white space.
///
/// Server, worker and `vesicle run` parse these very bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanonicalParams(String);

impl CanonicalParams {
    /// Writes checked params.
    pub(crate) fn write(params: &Json) -> Self {
        let mut params = params.clone();
        normalise(&mut params);
        Self(params.to_string())
    }

    /// Takes a text that [`CanonicalParams::as_str`] gave before, for example from a store.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// BLAKE3 of the text.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.0.as_bytes()).as_bytes()
    }
}

/// Sorts keys whatever map `serde_json` was built with, and drops the sign of zero.
fn normalise(value: &mut Json) {
    match value {
        Json::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => *value = Json::from(0.0),
        Json::Array(items) => items.iter_mut().for_each(normalise),
        Json::Object(map) => {
            let mut sorted: BTreeMap<String, Json> = std::mem::take(map).into_iter().collect();
            sorted.values_mut().for_each(normalise);
            *map = sorted.into_iter().collect::<Map<_, _>>();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_zero_has_no_sign() {
        let params = serde_json::json!({"b": [-0.0, 1.5], "a": {"d": 1, "c": 0.1}});
        let canonical = CanonicalParams::write(&params);
        assert_eq!(canonical.as_str(), r#"{"a":{"c":0.1,"d":1},"b":[0.0,1.5]}"#);
    }
}
