//! Restricted Boltzmann machines with stochastic synapses.
//!
//! `−E(v, h, W) = vᵀWh + bᵀv + cᵀh` over binary units. What a synapse has learned, and how its weight W
//! scatters around that, is a [`law`]: a Bernoulli synapse is `W_ij = w_ij ξ_ij` with `ξ_ij` in {0, 1}, and
//! `p = s(a)` is its release probability, `s(x) = 1/(1 + e^−x)`. The learned parameters are w, a and
//! ln s (V × H), b (V) and c (H). `D = ⟨v h⟩_data − ⟨v h⟩_model`.
//!
//! [`Synapses`] names the three ensembles. [`State`] and [`step()`] learn, [`step_by()`] with a [`Method`] of one's
//! choice, [`tiled`] fast; [`Parameters`] yields the [`Rbm`]s of an ensemble, on which everything else is
//! measured ([`evaluate`], [`features`]); [`exact`] enumerates machines of a few units.
//!
//! # Source
//! Al-Shedivat, Neftci & Cauwenberghs 2014, "Learning non-deterministic representations with
//! energy-based ensembles", arXiv:1412.7272 (the restricted Boltzmann stochastic ensemble).

mod ascent;
mod chain;
mod class_units;
pub mod curve;
pub mod evaluate;
pub mod exact;
pub mod features;
pub mod law;
mod learning;
mod local;
mod method;
mod multi_sample;
mod parameters;
mod posterior;
mod rbm;
mod scratch;
mod state;
mod statistics;
mod step;
pub mod tiled;
mod unit_index;
mod weights;

pub use class_units::ClassUnits;
pub use law::Law;
pub use learning::{Chain, Learning, Masks, Statistics};
pub use method::{Estimator, LocalRule, Method, MethodError, Objective, ReleaseRule};
pub use parameters::{Init, Parameters, Synapses};
pub use posterior::{EstimatorComparison, compare_estimators};
pub use rbm::Rbm;
pub use scratch::Scratch;
pub use state::{PersistentChains, State, Velocity};
pub use step::{step, step_by};
pub use unit_index::{synapse_index, unit_index};
