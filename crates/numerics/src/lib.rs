//! The maths: draws, distributions, Boltzmann machines, statistics.
//!
//! Pure functions of their arguments: no files, no clock, no environment, no threads. The same
//! arguments give the same bits on every machine; see the `kernels` crate for how.

#![forbid(unsafe_code)]

pub mod binary;
pub mod boltzmann;
pub mod bootstrap;
pub mod distributions;
pub mod draws;
pub mod logistic;
pub mod logistic_regression;
pub mod sde;
pub mod stats;
pub mod synaptic_sampling;

pub use binary::BinaryRows;
pub use draws::{Draws, Stream};
