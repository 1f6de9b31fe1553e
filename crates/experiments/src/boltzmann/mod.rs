//! What the experiments on Boltzmann machines share: protocol, data, training and observation.

mod digits;
mod labels;
mod network;
mod observe;
mod protocol;
mod release_law;
mod rules;
mod settings;
mod trainer;

pub(crate) use digits::{Split, binary};
pub(crate) use labels::{Labelled, LabelledChoice};
pub use network::Network;
pub(crate) use observe::{FIT_METRICS, RELEASE_METRICS, joined, observe_fit, observe_release};
pub(crate) use protocol::Protocol;
pub use settings::{Estimator, Law, Masks, Objective, ReleaseRule, Rule, Statistics};
pub(crate) use settings::{is_one, one};
pub(crate) use trainer::Trainer;
pub use trainer::TrainerScratch;
