//! Standard output: data only, and a reader that goes away is an ordinary error.

use std::io::{self, Write};

use clap::Args;
use serde_json::Value as Json;

/// Whether a person or a program reads.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// Print JSON, as the REST API gives it
    #[arg(long)]
    pub(crate) json: bool,
}

/// One piece of text, as it is.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// One line.
pub(crate) fn line(line: &str) -> io::Result<()> {
    text(&format!("{line}\n"))
}

/// A JSON document, indented.
pub(crate) fn json(document: &Json) -> io::Result<()> {
    line(&format!("{document:#}"))
}
