//! Everything that is wrong with a document, each thing once.

use crate::fault::{Breach, Fault};

/// Named in one answer; a document with more is hardly read to the end.
const MOST: usize = 100;

/// Breaches in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Breaches(Vec<Breach>);

impl Breaches {
    /// Notes a breach, unless the very same is known.
    pub(super) fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        let breach = Breach { pointer: pointer.into(), detail: detail.into() };
        if self.0.len() < MOST && !self.0.contains(&breach) {
            self.0.push(breach);
        }
    }

    /// Notes a breach unless the field has one already.
    pub(super) fn add_if_new(&mut self, pointer: &str, detail: impl Into<String>) {
        if !self.0.iter().any(|breach| breach.pointer == pointer) {
            self.add(pointer, detail);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_fault(self) -> Fault {
        Fault::invalid(self.0)
    }
}
