//! The few hot loops: counter-based draws and binary row sums, with run-time SIMD dispatch.
//!
//! Every kernel is written once, in portable Rust with a fixed order of plain additions and
//! multiplications, and compiled once per [`Level`]. Rust never contracts `a * b + c`, so the
//! levels differ in speed only: **the same bits everywhere**, which the tests of each file hold.
//! This is the only crate with unsafe code, and all of it is the step from "the machine has
//! these instructions" to "call the function compiled for them", and loads and stores.

pub mod ars;
pub mod dense;
pub mod diffusion;
mod level;
pub mod math;
pub mod plasticity;
pub mod rewiring;
pub mod rows;
pub mod sample;
pub mod synapses;
pub mod tiled;

pub use level::Level;
