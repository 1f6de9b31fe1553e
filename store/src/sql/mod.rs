//! The verbs of a store in SQL: written once, compiled for each database.
//!
//! Each back end includes this folder as a module of its own and says what the names stand for that are imported
//! here: `Backend` is the store, `Db` its connection, `Row` a row; `lock`, `dialect` and `statements` hold what databases
//! do not say alike. Placeholders are `$1`, `$2`, …, which both understand.

mod acquire;
mod bulk;
mod checkpoints;
mod collect;
mod datasets;
mod metrics;
mod read;
mod report;
mod retention;
mod runs;
mod series;
mod store;
pub(super) mod submit;
mod together;
mod workers;

use super::{Backend, Db, Row, dialect, lock, statements};
pub(super) use metrics::{Saved, Scalar, SeriesChange};
pub(super) use together::{Reported, Submitting};
