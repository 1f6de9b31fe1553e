//! Bayesian networks of discrete variables: description, exact inference, samples, and spiking modules that learn them.
//!
//! A state is one byte a variable, in the order of the network; tables and joints run through states with the last
//! variable fastest.

mod bif;
mod builtin;
mod conditional;
mod dirichlet;
mod eliminate;
mod factor;
mod infer;
mod joint;
pub mod module;
mod network;
pub mod running;
mod sample;
pub mod stationary;
pub mod structure;

pub use bif::{BifError, read_bif, write_bif};
pub use builtin::{
    asia, cancer, earthquake, ising, knill_kersten, parity, random_joint, random_table, sachs, survey,
    three_valued,
};
pub use infer::{Evidence, InferenceError, Posterior, infer};
pub use joint::{JOINT_STATES, States};
pub use network::{Network, NetworkError, Variable};
