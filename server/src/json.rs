//! JSON from outside: small and shallow, or refused before it costs anything.

use serde_json::Value as Json;

use crate::{config::Config, fault::Fault};

/// What a document may be like. Its size is the transport's business.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Deepest nesting of objects and arrays.
    pub(crate) depth: usize,
    /// Longest string, as it is written.
    pub(crate) string_bytes: usize,
    /// Most items of a list, or members of an object.
    pub(crate) items: usize,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        Self {
            depth: config.max_json_depth,
            string_bytes: config.max_json_string_bytes,
            items: config.max_json_items,
        }
    }
}

/// Parses a document.
pub(crate) fn parse(bytes: &[u8], limits: Limits) -> Result<Json, Fault> {
    measure(bytes, limits).map_err(Fault::malformed)?;
    serde_json::from_slice(bytes).map_err(|error| Fault::malformed(format!("the body is not JSON: {error}")))
}

/// Holds a document against the limits without parsing it: a parser would use stack for each level.
fn measure(bytes: &[u8], limits: Limits) -> Result<(), String> {
    // Commas of each level that is open.
    let mut levels: Vec<usize> = Vec::new();
    let (mut string, mut escaped) = (None, false);
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, string) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (b'"', None) => string = Some(at + 1),
            (b'"', Some(from)) => {
                string = None;
                check("a string of the JSON has", at - from, "bytes", limits.string_bytes)?;
            }
            (_, Some(_)) => {}
            (b'{' | b'[', None) => {
                levels.push(0);
                check("the JSON is nested", levels.len(), "levels deep", limits.depth)?;
            }
            (b'}' | b']', None) => _ = levels.pop(),
            (b',', None) => {
                let commas = levels.last_mut().map_or(0, |commas| {
                    *commas += 1;
                    *commas
                });
                check("a list or object of the JSON has", commas + 1, "items or more", limits.items)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn check(what: &str, found: usize, unit: &str, limit: usize) -> Result<(), String> {
    if found <= limit { Ok(()) } else { Err(format!("{what} {found} {unit}; it must be at most {limit}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::from(&Config::default())
    }

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    fn refused(text: &str) -> String {
        parse(text.as_bytes(), limits()).expect_err("too much").detail
    }

    #[test]
    fn thirty_two_levels_are_read_and_thirty_three_are_not() {
        assert!(parse(nested(32).as_bytes(), limits()).is_ok());
        assert_eq!(refused(&nested(33)), "the JSON is nested 33 levels deep; it must be at most 32");
        refused(&"[".repeat(200_000));
    }

    #[test]
    fn strings_of_64_kib_are_read_and_longer_ones_are_not() {
        let string = |bytes: usize| format!(r#"{{"name": "{}"}}"#, "x".repeat(bytes));
        assert!(parse(string(64 << 10).as_bytes(), limits()).is_ok());
        assert_eq!(
            refused(&string((64 << 10) + 1)),
            "a string of the JSON has 65537 bytes; it must be at most 65536"
        );
        refused(&string(6_400 << 10));
    }

    #[test]
    fn ten_thousand_items_are_read_and_more_are_not() {
        let list = |items: usize| format!("[[1,2],[{}]]", vec!["7"; items].join(","));
        assert!(parse(list(10_000).as_bytes(), limits()).is_ok());
        assert_eq!(
            refused(&list(10_001)),
            "a list or object of the JSON has 10001 items or more; it must be at most 10000"
        );
        refused(&list(1_000_000));
    }

    #[test]
    fn brackets_commas_and_quotes_inside_strings_do_not_count() {
        let text = format!(r#"["\"{}","[[[",",{}"]"#, "[".repeat(100), ",".repeat(20_000));
        assert!(parse(text.as_bytes(), Limits { depth: 1, items: 3, ..limits() }).is_ok());
    }
}
