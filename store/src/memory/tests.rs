//! The conformance suite over the memory store.

use std::sync::Arc;

use super::Memory;
use crate::Store;

async fn empty() -> Option<(Arc<dyn Store>, ())> {
    Some((Arc::new(Memory::new(jobs::Policy::default())), ()))
}

crate::conformance!(empty);
