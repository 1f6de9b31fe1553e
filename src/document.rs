//! Files that a user writes, JSON or TOML alike.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use serde_json::{Map, Value as Json};

/// Reads a JSON or TOML document; `-` is standard input.
///
/// # Errors
/// If it cannot be read, is neither, or holds no object.
pub(crate) fn read(path: &Path) -> anyhow::Result<Map<String, Json>> {
    let name = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
    let text = match path == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(path),
    };
    parse(&text.with_context(|| format!("cannot read {name}"))?).with_context(|| format!("cannot use {name}"))
}

/// JSON begins with a brace, TOML cannot.
fn parse(text: &str) -> anyhow::Result<Map<String, Json>> {
    let document = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).context("it begins like JSON but is not")?,
        false => toml::from_str::<Json>(text).context("it is neither JSON nor TOML")?,
    };
    match document {
        Json::Object(object) => Ok(object),
        _ => Err(anyhow!("it must hold an object")),
    }
}

/// Whether an argument means a file rather than a name.
pub(crate) fn is_file(text: &str) -> bool {
    let path = PathBuf::from(text);
    text == "-" || text.contains('/') || path.extension().is_some_and(|end| end == "json" || end == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_toml_say_the_same() {
        let json = parse(r#" {"experiment": "rbse", "params": {"r": 10, "p0": 0.5}}"#).expect("JSON");
        let toml = parse("experiment = \"rbse\"\n[params]\nr = 10\np0 = 0.5\n").expect("TOML");
        assert_eq!(json, toml);
    }

    #[test]
    fn names_are_not_files() {
        assert!(is_file("-") && is_file("job.toml") && is_file("./job") && is_file("a.json"));
        assert!(!is_file("rbse"));
    }
}
