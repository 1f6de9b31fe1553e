//! Winner-take-all circuits: neurons that compete for spikes and learn a mixture by STDP.
//!
//! Potentials `u_k = b_k + Σ_i w_ki y_i`; rates `r_k = e^(u_k − I)`. Ideal inhibition `I = ln Σ_j e^(u_j) − ln R`
//! holds the summed rate at R, so that the circuit's spikes are a homogeneous Poisson process and the neuron of each is
//! drawn with probability `q_k = e^(u_k) / Σ_j e^(u_j)`: simulation goes from spike to spike and is exact
//! ([`present`]; [`present_clocked`] is the same by the clock, with inhibition that comes a tick late). At a spike the
//! winner's synapses learn ([`crate::stdp`]).
//!
//! If weights are log-probabilities, `e^(u_k)` is the joint probability of a mixture, q its posterior (E-step) and
//! learning a running mean (M-step): stochastic online expectation maximisation. [`Mixture`] is that mixture and
//! the batch algorithm, as the control.
//!
//! # Source
//! Nessler, Pfeiffer, Buesing & Maass 2013, PLoS Comput. Biol. 9:e1003037; Habenschuss, Puhr & Maass 2013, Neural
//! Comput. 25:1371 (homeostasis).

mod circuit;
mod clocked;
mod learning;
mod mixture;
mod poisson;
mod scores;
mod spiking;
mod synthetic;
mod traces;
mod winner;

pub use circuit::{Circuit, Start};
pub use clocked::present_clocked;
pub use learning::{BiasRule, Learning, Levels, Rate};
pub use mixture::{Fit, Mixture};
pub use poisson::PoissonTrain;
pub use scores::{Votes, accuracy};
pub use spiking::{Buffers, CircuitSpike, Presentation, present};
pub use synthetic::Synthetic;
pub use traces::Traces;
pub use winner::{Winner, winner};
