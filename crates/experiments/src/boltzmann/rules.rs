//! Settings as the learning rules of the numerics know them.

use numerics::boltzmann as rules;

use super::{Estimator, Law, Masks, Objective, Protocol, ReleaseRule, Rule, Statistics, network::Path};

/// Largest |a|: release probabilities between 0.0003 and 0.9997.
pub(super) const A_LIMIT: f64 = 8.0;
/// Part of the running mean input of a branch that one mini-batch renews.
const BRANCH_MEMORY: f64 = 0.05;

impl Protocol {
    /// Which code learns: the fast path where it has all that the settings ask for.
    pub(super) fn path(&self) -> Path {
        let means = self.estimator == Estimator::RaoBlackwell && self.objective == Objective::Jensen;
        let fast = self.law == Law::Bernoulli
            && means
            && self.release_rule != ReleaseRule::Local
            && self.dropout == 0.0;
        if fast { Path::Tiled } else { Path::General }
    }

    /// Rates and limits at a step.
    pub(super) fn learning(&self, at: u64) -> rules::Learning {
        let k = self.cd_k as usize;
        rules::Learning {
            eta_w: self.rate(at),
            release_rate_ratio: match self.release_rule {
                ReleaseRule::Gradient => self.r,
                ReleaseRule::Frozen | ReleaseRule::Local => 0.0,
            },
            momentum: self.momentum(at),
            weight_decay: self.weight_decay,
            a_limit: A_LIMIT,
            chain: match self.rule {
                Rule::Cd => rules::Chain::Cd { k },
                Rule::Pcd => rules::Chain::Pcd { k },
            },
            masks: match self.masks {
                Masks::Batch => rules::Masks::Batch,
                Masks::HalfStep => rules::Masks::HalfStep,
                Masks::Example => rules::Masks::Example,
            },
            statistics: match self.statistics {
                Statistics::Probabilities => rules::Statistics::Probabilities,
                Statistics::Samples => rules::Statistics::Samples,
            },
        }
    }

    /// What is climbed and how; a row of `columns` pixels is a dendritic branch.
    pub(super) fn method(&self, columns: usize) -> rules::Method {
        rules::Method {
            estimator: match self.estimator {
                Estimator::RaoBlackwell => rules::Estimator::RaoBlackwell,
                Estimator::Sampled => rules::Estimator::Sampled,
            },
            objective: match self.objective {
                Objective::Jensen => rules::Objective::Jensen,
                Objective::MultiSample => rules::Objective::MultiSample { masks: self.objective_masks },
            },
            release_rule: match self.release_rule {
                ReleaseRule::Gradient => rules::ReleaseRule::Gradient,
                ReleaseRule::Frozen => rules::ReleaseRule::Frozen,
                ReleaseRule::Local => rules::ReleaseRule::Local(rules::LocalRule {
                    target: self.release_target,
                    rate: self.r * self.eta_w,
                    branch: columns,
                    memory: BRANCH_MEMORY,
                }),
            },
            dropout: self.dropout,
        }
    }
}
