//! `W = (w/n) k`: n sites, each releasing a quantum or not.

use super::{Atom, Outcome, Slope, Synapse, SynapseLaw};
use crate::logistic::{sigmoid, softplus};

/// `weff = n ln(1 − p + p e^(w/n))`, tilted `a + w/n`, `∂weff = (q, n (q − p))` with `q = s(a + w/n)`.
///
/// At n = 1 it is the Bernoulli law; as n grows at fixed w the weight scatters less.
///
/// # Source
/// Del Castillo & Katz 1954, J. Physiol. 124:560, for the binomial release of quanta.
pub(super) struct Quantal {
    pub(super) sites: u32,
}

impl Quantal {
    fn n(&self) -> f64 {
        f64::from(self.sites)
    }

    fn outcome(&self, synapse: Synapse, releases: u32) -> Outcome {
        Outcome { releases, weight: synapse.w * (f64::from(releases) / self.n()) }
    }

    /// P(k releases) for k = 0, 1, …, n.
    ///
    /// In logarithms: `(1 − p)^n` may lie below the smallest number.
    fn probabilities(&self, a: f64) -> impl Iterator<Item = f64> {
        let n = self.n();
        let mut log_p = -n * softplus(a);
        (0..=self.sites).map(move |k| {
            if k > 0 {
                let k = f64::from(k);
                log_p += libm::log((n - k + 1.0) / k) + a;
            }
            libm::exp(log_p)
        })
    }
}

impl SynapseLaw for Quantal {
    fn log_mgf(&self, Synapse { w, a, .. }: Synapse) -> f64 {
        self.n() * (softplus(a + w / self.n()) - softplus(a))
    }

    fn log_mgf_slope(&self, Synapse { w, a, .. }: Synapse) -> Slope {
        let q = sigmoid(a + w / self.n());
        Slope { w: q, a: self.n() * (q - sigmoid(a)), log_sd: 0.0 }
    }

    fn tilted(&self, synapse: Synapse) -> Synapse {
        Synapse { a: synapse.a + synapse.w / self.n(), ..synapse }
    }

    fn release_prob(&self, synapse: Synapse) -> f64 {
        sigmoid(synapse.a)
    }

    fn mean(&self, synapse: Synapse) -> f64 {
        synapse.w * sigmoid(synapse.a)
    }

    fn variance(&self, Synapse { w, a, .. }: Synapse) -> f64 {
        w * w * sigmoid(a) * sigmoid(-a) / self.n()
    }

    fn draw(&self, synapse: Synapse, uniform: f64, _: f64) -> Outcome {
        // Inversion from the top: at one site it is `uniform < p`, as in the Bernoulli law.
        let Synapse { a, .. } = synapse;
        let mut left = uniform;
        for (failures, probability) in self.probabilities(-a).enumerate() {
            if left < probability {
                return self.outcome(synapse, self.sites - failures as u32);
            }
            left -= probability;
        }
        // Rounding may leave a trace of the total: it belongs to the last value.
        self.outcome(synapse, 0)
    }

    fn path(&self, Synapse { w, a, .. }: Synapse, outcome: Outcome) -> Slope {
        let released = f64::from(outcome.releases) / self.n();
        Slope { w: released, a: sigmoid(a) * sigmoid(-a) * w, log_sd: 0.0 }
    }

    fn atoms(&self, synapse: Synapse, _: &[(f64, f64)]) -> Vec<Atom> {
        let mean = self.n() * sigmoid(synapse.a);
        let atom = |(k, probability): (usize, f64)| Atom {
            probability,
            score: k as f64 - mean,
            outcome: self.outcome(synapse, k as u32),
        };
        self.probabilities(synapse.a).enumerate().map(atom).collect()
    }
}
