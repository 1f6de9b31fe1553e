//! The maths: draws, distributions, Boltzmann machines, spiking circuits, Bayesian networks, statistics.
//!
//! Pure functions of their arguments: no files, no clock, no environment, no threads. The same
//! arguments give the same bits on every machine; see the `kernels` crate for how.

#![forbid(unsafe_code)]

pub mod areas;
pub mod bayes;
pub mod binary;
pub mod boltzmann;
pub mod bootstrap;
pub mod cochlea;
pub mod collective;
pub mod distributions;
pub mod draws;
pub mod epsp;
pub mod logistic;
pub mod logistic_regression;
pub mod policy;
pub mod population;
pub mod sde;
pub mod stats;
pub mod stdp;
pub mod synaptic_sampling;
pub mod wta;

pub use binary::BinaryRows;
pub use draws::{Draws, Stream};
