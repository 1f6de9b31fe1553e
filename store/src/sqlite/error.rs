//! The error of a group of writes.

use crate::StoreError;

/// The error of a whole group, for each request of it.
pub(super) fn same(error: &StoreError) -> StoreError {
    let other = || StoreError::Internal(format!("the group of writes was not committed: {error}"));
    error.of_all().unwrap_or_else(other)
}
