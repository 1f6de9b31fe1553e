//! Seeds as findings and figures write them.

use serde::{Deserialize, Deserializer, de::Error};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<u64>),
    Range(String),
}

/// A list, or a range as the command line takes it: `"1..50"`, both ends included.
///
/// # Errors
/// If it is neither, or the range is empty.
pub(crate) fn seeds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u64>>, D::Error> {
    let text = match Written::deserialize(deserializer)? {
        Written::List(seeds) => return Ok(Some(seeds)),
        Written::Range(text) => text,
    };
    let range = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match range {
        Some((from, to)) if from <= to => Ok(Some((from..=to).collect())),
        _ => Err(D::Error::custom(format!(
            "`seeds` is {text:?}; it must be a list or a range such as \"1..5\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Finding {
        #[serde(default, deserialize_with = "seeds")]
        seeds: Option<Vec<u64>>,
    }

    #[test]
    fn seeds_are_a_list_a_range_or_absent() {
        let read = |text: &str| toml::from_str::<Finding>(text).map(|finding| finding.seeds);
        assert_eq!(read("").expect("absent"), None);
        assert_eq!(read("seeds = [1, 7]").expect("a list"), Some(vec![1, 7]));
        assert_eq!(read("seeds = \"1..3\"").expect("a range"), Some(vec![1, 2, 3]));
        for bad in ["3..1", "1-3", "1..", "a..b", ""] {
            let error = read(&format!("seeds = \"{bad}\"")).expect_err(bad);
            assert!(error.to_string().contains("it must be a list or a range"), "{error}");
        }
    }
}
