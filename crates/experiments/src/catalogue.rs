//! The one visible list of experiments. Everything else follows from it.

use crate::{
    ablation::Ablation,
    annealing::Annealing,
    bayes_net::BayesNet,
    exact::Exact,
    kind::{Kind, Of},
    one_shot::OneShot,
    posterior::Posterior,
    rbm::Rbm,
    rbse::Rbse,
    reward::Reward,
    self_repair::SelfRepair,
    sparsity::Sparsity,
    spike_temperature::SpikeTemperature,
    spine_dynamics::SpineDynamics,
    spine_fit::SpineFit,
    stdp_window::StdpWindow,
    wta_mixture::WtaMixture,
};

macro_rules! catalogue {
    ($($experiment:ty),* $(,)?) => {
        /// Every experiment, by name.
        pub static CATALOGUE: &[&dyn Kind] = &[$({
            static ENTRY: Of<$experiment> = Of::new();
            &ENTRY as &dyn Kind
        }),*];
    };
}

catalogue![
    Rbm,
    Rbse,
    Exact,
    OneShot,
    Ablation,
    WtaMixture,
    BayesNet,
    SpineDynamics,
    StdpWindow,
    Annealing,
    Posterior,
    Sparsity,
    SpineFit,
    SelfRepair,
    Reward,
    SpikeTemperature
];

/// An experiment by name.
pub fn find(name: &str) -> Option<&'static dyn Kind> {
    CATALOGUE.iter().copied().find(|kind| kind.name() == name)
}
