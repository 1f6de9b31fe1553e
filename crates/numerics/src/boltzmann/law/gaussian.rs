//! `W ~ N(w, s²)`: a synapse that always releases, never the same.

use super::{Atom, Outcome, Slope, Synapse, SynapseLaw};

/// `weff = w + s²/2`, tilted `w + s²`, `∂weff = (1, –, s²)` by (w, –, ln s).
pub(super) struct Gaussian;

impl SynapseLaw for Gaussian {
    fn log_mgf(&self, synapse: Synapse) -> f64 {
        synapse.w + 0.5 * self.variance(synapse)
    }

    fn log_mgf_slope(&self, synapse: Synapse) -> Slope {
        Slope { w: 1.0, a: 0.0, log_sd: self.variance(synapse) }
    }

    fn tilted(&self, synapse: Synapse) -> Synapse {
        Synapse { w: synapse.w + self.variance(synapse), ..synapse }
    }

    fn release_prob(&self, _: Synapse) -> f64 {
        1.0
    }

    fn mean(&self, synapse: Synapse) -> f64 {
        synapse.w
    }

    fn variance(&self, synapse: Synapse) -> f64 {
        libm::exp(2.0 * synapse.log_sd)
    }

    fn draw(&self, synapse: Synapse, _: f64, normal: f64) -> Outcome {
        Outcome { releases: 1, weight: synapse.w + libm::exp(synapse.log_sd) * normal }
    }

    fn path(&self, synapse: Synapse, outcome: Outcome) -> Slope {
        // W = w + s ε: ∂W/∂ln s = s ε.
        Slope { w: 1.0, a: 0.0, log_sd: outcome.weight - synapse.w }
    }

    fn atoms(&self, synapse: Synapse, normal: &[(f64, f64)]) -> Vec<Atom> {
        let atom = |&(z, probability): &(f64, f64)| Atom {
            probability,
            score: 0.0,
            outcome: self.draw(synapse, 0.0, z),
        };
        normal.iter().map(atom).collect()
    }
}
