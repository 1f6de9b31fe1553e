//! Two areas of spiking winner-take-all circuits, all of whose synapses sample: plasticity and rewiring as one process.
//!
//! Area 0 sees, area 1 hears. Each has circuits of a few neurons; a circuit fires at a constant rate, and the neuron that fires is
//! drawn with probability softmax(u),
//!
//! `u_k = Σ_i w_ki x_i + Σ_j w_kj z_j + (β_k − A_k) F(t)/F̄`, `A_k = Σ_i α (e^(w_ki) − 1)` over the inputs of k.
//!
//! x and z are traces of spikes of the inputs and of all neurons of other circuits, F the summed trace of the area's inputs, F̄
//! its mean during a pattern. `Σ w_ki x_i − A_k` is the log-likelihood of the inputs under the mixture of Poisson units whose
//! gradient the synapses follow: without A_k a neuron that fits two patterns badly wins over those that fit one well. An
//! area without input has F = 0, so that neither A nor β acts. β holds every neuron at its share of spikes.
//!
//! Each potential synapse has a parameter θ under prior, likelihood and noise
//! (`crate::synaptic_sampling`): at a spike of its neuron `θ += b N e^(θ − θ₀) (x − α e^w)` if θ > 0, and once a second the exact
//! transition of the prior's Ornstein–Uhlenbeck process.
//!
//! # Source
//! Kappel, Habenschuss, Legenstein & Maass 2015, PLoS Comput. Biol. 11:e1004485. A_k, β and the bounds are ours.

mod input;
mod lesion;
mod present;
mod synapses;
mod traces;
mod wiring;

pub use input::{Code, Coded};
pub use lesion::Cut;
pub use present::{Activity, Learning, Sight, Streams, Work};
pub use synapses::{Rule, Synapses};
pub use wiring::{Area, Wiring};

#[cfg(test)]
#[path = "areas/tests.rs"]
mod tests;
