//! What a step climbs and how: choices beside the rates of [`Learning`].

use super::law::Law;
use super::learning::{Chain, Learning, Masks};
use super::parameters::Synapses;

/// How model A estimates the statistics of its weights, given the units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Estimator {
    /// By conditional means: W is integrated out (Rao and Blackwell).
    #[default]
    RaoBlackwell,
    /// W is drawn given the units, per example and phase: the same mean, more variance.
    ///
    /// That holds for w and ln s. The gradient of a stays a conditional mean: with drawn releases
    /// idle synapses, which say nothing, would walk at random until p is 0 or 1.
    Sampled,
}

/// What model B climbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// `E_W[ln P(v | W)]`, a lower bound of the likelihood by Jensen's inequality.
    #[default]
    Jensen,
    /// `E[ln (1/m) Σ_k P(v | W_k)]` over m independent machines: the tighter, the more of them.
    MultiSample {
        /// m, at least 1.
        masks: u32,
    },
}

/// What moves the release probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ReleaseRule {
    /// The gradient of the objective.
    #[default]
    Gradient,
    /// Nothing: they stay as they are (DropConnect, if the ensemble is a mixture).
    Frozen,
    /// The input of the branch that the synapse sits on, without any gradient.
    Local(LocalRule),
}

/// Homeostatic regulation of release by the local field, per branch and hidden unit.
///
/// Visible units ⌊i/branch⌋·branch … form a branch β of the dendrite of every hidden unit j. Its
/// field is the mean input `Σ_{i in β} ⟨v_i⟩ E[W_ij]`, over the mini-batch and then running over steps:
/// `field ← field + memory · (now − field)`, from the first mini-batch on. Every synapse of the branch
/// then takes `a_ij ← a_ij + rate · (target − field_βj)`: an over-excited branch releases less.
///
/// # Source
/// Branco, Staras, Darcy & Goda 2008, Neuron 59:475 (local dendritic activity sets release
/// probability); the equation is ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalRule {
    /// The input that a branch is held at.
    pub target: f64,
    /// Change of a for each unit of input and step.
    pub rate: f64,
    /// Visible units of a branch, at least 1: one row of an image of 28 columns has 28.
    pub branch: usize,
    /// Part of the running mean that one mini-batch renews, in (0, 1].
    pub memory: f64,
}

impl Default for LocalRule {
    /// Inputs held at 0, rate 0.02, branches of 28 units, a memory of 20 mini-batches.
    fn default() -> Self {
        Self { target: 0.0, rate: 0.02, branch: 28, memory: 0.05 }
    }
}

/// What a step climbs and how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Method {
    /// How model A estimates the statistics of its weights.
    pub estimator: Estimator,
    /// What model B climbs.
    pub objective: Objective,
    /// What moves the release probabilities.
    pub release_rule: ReleaseRule,
    /// Probability that a hidden unit is absent from both phases of an example, in [0, 1).
    ///
    /// Learning only: whoever looks at the machine looks at all its units, unscaled, which fits better
    /// than weights times 1 − dropout or one thinned machine.
    ///
    /// # Source
    /// Srivastava et al. 2014, J. Mach. Learn. Res. 15:1929, section 8.
    pub dropout: f64,
}

/// A method that does not fit an ensemble.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is {value}; {rule}")]
pub struct MethodError {
    /// Which choice.
    pub name: &'static str,
    /// What it is.
    pub value: String,
    /// What it must be.
    pub rule: String,
}

impl Method {
    /// Units on the smaller side of a machine whose states [`Objective::MultiSample`] enumerates at every step.
    ///
    /// The weights of the machines are their likelihoods, which need every Z(W_k); an estimate of it
    /// from one step's chains is off by nats, and would hand all weight to the machine with the luckiest error.
    pub const ENUMERATED_UNITS: usize = 16;

    /// Whether the method can train this ensemble of `units` = (V, H).
    ///
    /// # Errors
    /// Says which choice does not fit, and the rule.
    pub fn check(
        &self,
        synapses: Synapses,
        law: Law,
        units: (usize, usize),
        learning: &Learning,
    ) -> Result<(), MethodError> {
        let error = |name, value: String, rule: &str| Err(MethodError { name, value, rule: rule.to_owned() });
        if let Law::Quantal { sites: 0 } = law {
            return error("sites", "0".to_owned(), "it must be at least 1");
        }
        if self.estimator == Estimator::Sampled && synapses != Synapses::JointEnergy {
            return error("estimator", "sampled".to_owned(), "it needs model A");
        }
        if learning.masks != Masks::Batch && synapses != Synapses::PriorMixture {
            return error("masks", format!("{:?}", learning.masks), "fresh masks need model B");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return error("dropout", self.dropout.to_string(), "it must be at least 0 and below 1");
        }
        if self.dropout > 0.0 && matches!(learning.chain, Chain::Pcd { .. }) {
            let rule = "it must be 0 with persistent chains, which belong to no example";
            return error("dropout", self.dropout.to_string(), rule);
        }
        if let ReleaseRule::Local(local) = self.release_rule {
            if synapses == Synapses::Reliable || !law.releases() {
                return error("release_rule", "local".to_owned(), "it needs a release probability");
            }
            if local.branch == 0 {
                return error("branch", "0".to_owned(), "it must be at least 1");
            }
        }
        match self.objective {
            Objective::Jensen => Ok(()),
            Objective::MultiSample { masks } => {
                self.check_multi_sample(masks, synapses, law, units, learning)
            }
        }
    }

    fn check_multi_sample(
        &self,
        masks: u32,
        synapses: Synapses,
        law: Law,
        (visible, hidden): (usize, usize),
        learning: &Learning,
    ) -> Result<(), MethodError> {
        let multi_sample =
            |rule: String| Err(MethodError { name: "objective", value: "multi_sample".to_owned(), rule });
        if masks == 0 {
            let rule = "it must be at least 1".to_owned();
            return Err(MethodError { name: "objective_masks", value: "0".to_owned(), rule });
        }
        if synapses != Synapses::PriorMixture || law != Law::Bernoulli || learning.masks != Masks::Batch {
            return multi_sample("it needs model B, Bernoulli synapses and one mask a mini-batch".to_owned());
        }
        if self.dropout > 0.0 {
            return multi_sample("it does not go with dropout".to_owned());
        }
        if visible.min(hidden) > Self::ENUMERATED_UNITS {
            return multi_sample(format!(
                "it needs at most {} visible or hidden units: the weights of its machines are exact likelihoods",
                Self::ENUMERATED_UNITS
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, synapses: Synapses, law: Law, learning: Learning) -> Option<String> {
        method.check(synapses, law, (784, 200), &learning).err().map(|error| error.to_string())
    }

    #[test]
    fn plain_learning_fits_every_ensemble_and_law() {
        for synapses in [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture] {
            for law in [Law::Bernoulli, Law::Gaussian, Law::BernoulliGaussian, Law::Quantal { sites: 4 }] {
                assert_eq!(refused(Method::default(), synapses, law, Learning::default()), None);
            }
        }
    }

    #[test]
    fn a_choice_that_does_not_fit_is_named_with_its_rule() {
        let (a, b) = (Synapses::JointEnergy, Synapses::PriorMixture);
        let (plain, usual) = (Method::default(), Learning::default());
        let sampled = Method { estimator: Estimator::Sampled, ..plain };
        let says = |method, synapses, law, learning| {
            refused(method, synapses, law, learning).expect("it does not fit")
        };
        assert_eq!(says(sampled, b, Law::Bernoulli, usual), "`estimator` is sampled; it needs model A");
        let fresh = Learning { masks: Masks::Example, ..usual };
        assert!(says(plain, a, Law::Bernoulli, fresh).starts_with("`masks` is Example"));
        let local = Method { release_rule: ReleaseRule::Local(LocalRule::default()), ..plain };
        assert!(says(local, a, Law::Gaussian, usual).starts_with("`release_rule` is local"));
        let multi = Method { objective: Objective::MultiSample { masks: 5 }, ..plain };
        assert!(says(multi, b, Law::Bernoulli, usual).contains("at most 16 visible or hidden units"));
        assert_eq!(multi.check(b, Law::Bernoulli, (784, 16), &usual), Ok(()));
        assert!(says(multi, a, Law::Bernoulli, usual).contains("needs model B"));
        assert!(says(plain, a, Law::Quantal { sites: 0 }, usual).starts_with("`sites` is 0"));
        let persistent = Learning { chain: Chain::Pcd { k: 1 }, ..usual };
        let thinned = Method { dropout: 0.5, ..plain };
        assert!(
            says(thinned, Synapses::Reliable, Law::Bernoulli, persistent).starts_with("`dropout` is 0.5")
        );
        assert!(says(Method { dropout: 1.0, ..plain }, a, Law::Bernoulli, usual).contains("below 1"));
    }
}
