//! `W = ξ g`: a release that may fail and, if it does not, varies in size (spike and slab).

use super::{Atom, Outcome, Slope, Synapse, SynapseLaw};
use crate::logistic::{sigmoid, softplus};

/// `weff = ln(1 − p + p e^(w + s²/2))`, tilted `(w + s², a + w + s²/2)`.
///
/// `∂weff = (q, q − p, q s²)` by (w, a, ln s) with `q = s(a + w + s²/2)`.
pub(super) struct BernoulliGaussian;

/// ln E[e^g].
fn slab(Synapse { w, log_sd, .. }: Synapse) -> f64 {
    w + 0.5 * libm::exp(2.0 * log_sd)
}

impl SynapseLaw for BernoulliGaussian {
    fn log_mgf(&self, synapse: Synapse) -> f64 {
        softplus(synapse.a + slab(synapse)) - softplus(synapse.a)
    }

    fn log_mgf_slope(&self, synapse: Synapse) -> Slope {
        let q = sigmoid(synapse.a + slab(synapse));
        Slope { w: q, a: q - sigmoid(synapse.a), log_sd: q * libm::exp(2.0 * synapse.log_sd) }
    }

    fn tilted(&self, synapse: Synapse) -> Synapse {
        let Synapse { w, a, log_sd } = synapse;
        Synapse { w: w + libm::exp(2.0 * log_sd), a: a + slab(synapse), log_sd }
    }

    fn release_prob(&self, synapse: Synapse) -> f64 {
        sigmoid(synapse.a)
    }

    fn mean(&self, synapse: Synapse) -> f64 {
        synapse.w * sigmoid(synapse.a)
    }

    fn variance(&self, Synapse { w, a, log_sd }: Synapse) -> f64 {
        // E[Var] + Var[E]: p s² + p (1 − p) w².
        sigmoid(a) * (libm::exp(2.0 * log_sd) + sigmoid(-a) * w * w)
    }

    fn draw(&self, Synapse { w, a, log_sd }: Synapse, uniform: f64, normal: f64) -> Outcome {
        if uniform < sigmoid(a) {
            Outcome { releases: 1, weight: w + libm::exp(log_sd) * normal }
        } else {
            Outcome { releases: 0, weight: 0.0 }
        }
    }

    fn path(&self, Synapse { w, a, .. }: Synapse, outcome: Outcome) -> Slope {
        let by_release = sigmoid(a) * sigmoid(-a) * w;
        if outcome.releases > 0 {
            Slope { w: 1.0, a: by_release, log_sd: outcome.weight - w }
        } else {
            Slope { w: 0.0, a: by_release, log_sd: 0.0 }
        }
    }

    fn atoms(&self, synapse: Synapse, normal: &[(f64, f64)]) -> Vec<Atom> {
        let p = sigmoid(synapse.a);
        let silent = Outcome { releases: 0, weight: 0.0 };
        let mut atoms = vec![Atom { probability: sigmoid(-synapse.a), score: -p, outcome: silent }];
        atoms.extend(normal.iter().map(|&(z, weight)| Atom {
            probability: p * weight,
            score: 1.0 - p,
            outcome: Outcome { releases: 1, weight: synapse.w + libm::exp(synapse.log_sd) * z },
        }));
        atoms
    }
}
