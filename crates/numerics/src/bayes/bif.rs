//! The Bayesian interchange format, BIF 0.15: what benchmark networks are published in.
//!
//! ```text
//! network NAME { property …; }
//! variable NAME { type discrete [ 2 ] { yes, no }; property …; }
//! probability ( NAME | PARENT, … ) { (value, …) p, …; default p, …; table p, …; property …; }
//! ```
//!
//! Comments are `//` and `/* */`. Rows come in any order, `default` stands for rows that are not given. A `table` with
//! parents runs through the values of the variable first, then of its parents, the last fastest, as Cozman's description
//! of the format has it. Properties are passed over.
//!
//! # Source
//! F. Cozman, *The interchange format for Bayesian networks*, 1998.

mod read;
mod tables;
mod token;
mod write;

pub use read::read_bif;
pub use write::write_bif;

/// Longest file, in bytes.
pub(super) const LIMIT_BYTES: usize = 1 << 26;

/// A file that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {detail}")]
pub struct BifError {
    /// Line, counted from 1.
    pub line: usize,
    /// Name, value and rule.
    pub detail: String,
}

impl BifError {
    pub(super) fn new(line: usize, detail: impl Into<String>) -> Self {
        Self { line, detail: detail.into() }
    }
}

#[cfg(test)]
#[path = "bif/bif_tests.rs"]
mod tests;
