//! JSON from outside: small and shallow, or refused before it costs anything.

use serde_json::Value as Json;

use crate::fault::Fault;

/// Deepest nesting of objects and arrays.
const DEPTH: usize = 32;

/// Parses a document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Json, Fault> {
    if depth(bytes) > DEPTH {
        return Err(Fault::malformed(format!(
            "the JSON is nested too deep; it must be at most {DEPTH} levels"
        )));
    }
    serde_json::from_slice(bytes).map_err(|error| Fault::malformed(format!("the body is not JSON: {error}")))
}

/// Deepest nesting outside strings, without parsing: a parser would use stack for each level.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn thirty_two_levels_are_read_and_thirty_three_are_not() {
        assert!(parse(nested(32).as_bytes()).is_ok());
        let error = parse(nested(33).as_bytes()).expect_err("too deep");
        assert!(error.detail.contains("32"), "{}", error.detail);
        assert!(parse("[".repeat(200_000).as_bytes()).is_err());
    }

    #[test]
    fn brackets_inside_strings_do_not_count() {
        let text = format!(r#"["\"{}","[[["]"#, "[".repeat(100));
        assert_eq!(depth(text.as_bytes()), 1);
        assert!(parse(text.as_bytes()).is_ok());
    }
}
