//! How well an RBM fits data.
//!
//! All of it takes an [`Rbm`](super::Rbm), so that the caller says which one: the marginal of an
//! ensemble ([`super::Parameters::marginal`], exact for reliable synapses and model A), a sampled
//! one ([`super::Parameters::sampled`], model B) or mean weights
//! ([`super::Parameters::mean_weights`]). Only [`mixture_likelihood`] is about a whole ensemble.
//!
//! The log-likelihood of an image is `−F(v) − log Z`. log Z is exact where one side has at most
//! 20 units ([`exact_log_partition`]), else estimated from below and above by annealed importance
//! sampling ([`ais`]).

pub mod ais;
mod fit;
mod mixture;
mod partition;

pub use fit::{Reconstruction, free_energy, pseudo_log_likelihood, reconstruction};
pub use mixture::{MixtureLikelihood, MixtureSum, mixture_likelihood};
pub use partition::{EXACT_UNITS, exact_log_likelihood, exact_log_partition, log_likelihood};
