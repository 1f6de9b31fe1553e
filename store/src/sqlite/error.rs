//! The error of a group of writes.

use crate::StoreError;

/// The error of a whole group, for each request of it.
pub(super) fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Full => StoreError::Full,
        other => StoreError::Internal(format!("the group of writes was not committed: {other}")),
    }
}
