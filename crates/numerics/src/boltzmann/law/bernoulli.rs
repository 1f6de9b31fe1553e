//! `W = w ξ`: one site that releases or not.

use super::{Atom, Outcome, Slope, Synapse, SynapseLaw};
use crate::logistic::{sigmoid, softplus};

/// `weff = ln(1 − p + p e^w)`, tilted `a + w`, `∂weff = (q, q − p)` with `q = s(a + w)`.
pub(super) struct Bernoulli;

impl SynapseLaw for Bernoulli {
    fn log_mgf(&self, Synapse { w, a, .. }: Synapse) -> f64 {
        softplus(a + w) - softplus(a)
    }

    fn log_mgf_slope(&self, Synapse { w, a, .. }: Synapse) -> Slope {
        let q = sigmoid(a + w);
        Slope { w: q, a: q - sigmoid(a), log_sd: 0.0 }
    }

    fn tilted(&self, synapse: Synapse) -> Synapse {
        Synapse { a: synapse.a + synapse.w, ..synapse }
    }

    fn release_prob(&self, synapse: Synapse) -> f64 {
        sigmoid(synapse.a)
    }

    fn mean(&self, synapse: Synapse) -> f64 {
        synapse.w * sigmoid(synapse.a)
    }

    fn variance(&self, Synapse { w, a, .. }: Synapse) -> f64 {
        w * w * sigmoid(a) * sigmoid(-a)
    }

    fn draw(&self, synapse: Synapse, uniform: f64, _: f64) -> Outcome {
        let releases = u32::from(uniform < sigmoid(synapse.a));
        Outcome { releases, weight: f64::from(releases) * synapse.w }
    }

    fn path(&self, Synapse { w, a, .. }: Synapse, outcome: Outcome) -> Slope {
        Slope { w: f64::from(outcome.releases), a: sigmoid(a) * sigmoid(-a) * w, log_sd: 0.0 }
    }

    fn atoms(&self, Synapse { w, a, .. }: Synapse, _: &[(f64, f64)]) -> Vec<Atom> {
        let p = sigmoid(a);
        vec![
            Atom { probability: sigmoid(-a), score: -p, outcome: Outcome { releases: 0, weight: 0.0 } },
            Atom { probability: p, score: 1.0 - p, outcome: Outcome { releases: 1, weight: w } },
        ]
    }
}
