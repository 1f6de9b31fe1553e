//! Plasticity and rewiring as sampling: one parameter θ for each potential synapse.
//!
//! `dθ = b (∂log p_S(θ) + ∂log p_N(x|θ)) dt + √(2 T b) dW`. A synapse is functional while θ > 0, with weight
//! `w = e^(θ − θ₀)`; at θ ≤ 0 it is retracted, has w = 0 and keeps diffusing under prior and noise.
//!
//! # Source
//! Kappel, Habenschuss, Legenstein & Maass 2015, PLoS Comput. Biol. 11:e1004485, "Network plasticity as Bayesian
//! inference".

pub mod imaging;
mod lazy;
pub mod mixture;
mod prior;
mod rule;
mod simplex;
mod spike_noise;
mod survival;
mod weight;

pub use lazy::LazyRows;
pub use prior::{Gaussian, Laplace, LogNormal, Prior, SpikeAndSlab};
pub use rule::{Epsp, PairRule};
pub use simplex::Simplex;
pub use spike_noise::SpikeNoise;
pub use survival::{births, parabolic_cylinder, survival_rate};
pub use weight::{AtZero, Weight};
