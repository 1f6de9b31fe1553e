//! How much memory the runs of a worker leave.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What a worker may use, and what its runs are planned to use.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: u64,
    planned: AtomicU64,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, planned: AtomicU64::new(0) })
    }

    /// What one more run may be planned to use.
    pub(crate) fn free(&self) -> u64 {
        self.limit.saturating_sub(self.planned.load(Ordering::Relaxed))
    }

    /// Never refuses: that the run fits was the server's decision.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Reserved {
        self.planned.fetch_add(bytes, Ordering::Relaxed);
        Reserved { memory: self.clone(), bytes }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.memory.planned.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_reserved_is_free_again_when_it_has_ended() {
        let memory = Memory::new(100);
        let (first, second) = (memory.reserve(70), memory.reserve(50));
        assert_eq!(memory.free(), 0);
        drop(second);
        assert_eq!(memory.free(), 30);
        drop(first);
        assert_eq!(memory.free(), 100);
    }
}
