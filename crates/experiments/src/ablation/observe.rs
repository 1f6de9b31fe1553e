//! From outcomes to metrics.

use numerics::{boltzmann::Parameters, stats};

use super::{
    edit::Criterion,
    measure::Outcome,
    metrics::{COSTS, CURVES, EDITS},
    schedule::Case,
};
use crate::Metrics;

/// Outcomes of the cases that are done, in their order.
pub(super) struct Results<'a> {
    pub(super) cases: &'a [Case],
    pub(super) outcomes: &'a [Outcome],
    pub(super) percent: &'a [u32],
}

impl Results<'_> {
    fn of(&self, case: Case) -> Option<&Outcome> {
        self.outcomes.get(self.cases.iter().position(|other| *other == case)?)
    }

    /// The outcome at each share from 0 on; at 0 the network without or after more learning.
    fn curve(&self, criterion: Criterion, relearned: bool) -> Option<Vec<&Outcome>> {
        let at = |percent: u32| match (relearned, percent) {
            (false, 0) => self.of(Case::Edited(super::edit::Edit::Intact)),
            (false, _) => self.of(Case::Pruned { criterion, percent }),
            (true, 0) => self.of(Case::Relearned { criterion: Criterion::Random, percent }),
            (true, _) => self.of(Case::Relearned { criterion, percent }),
        };
        [0].iter().chain(self.percent).map(|&percent| at(percent)).collect()
    }

    /// Everything at the last step.
    pub(super) fn observe(&self, out: &mut Metrics) {
        let percent: Vec<f32> = [0].iter().chain(self.percent).map(|&percent| percent as f32).collect();
        out.vector("prune_percent", &percent);
        for row in &EDITS {
            let Some(outcome) = self.of(Case::Edited(row.key)) else { continue };
            for (name, quantity) in row.quantities() {
                if let Some(value) = (quantity.of)(outcome) {
                    out.scalar(name, value);
                }
            }
        }
        for row in &CURVES {
            let (criterion, relearned) = row.key;
            let Some(outcomes) = self.curve(criterion, relearned) else { continue };
            for (name, quantity) in row.curves() {
                let values: Option<Vec<f32>> =
                    outcomes.iter().map(|outcome| (quantity.of)(outcome).map(|value| value as f32)).collect();
                if let Some(values) = values {
                    out.vector(name, &values);
                }
            }
        }
        for (criterion, [ratio, loss]) in COSTS {
            let Some(curve) = self.curve(criterion, true) else { continue };
            let ratios: Vec<f32> = curve.iter().map(|outcome| (outcome.mse / curve[0].mse) as f32).collect();
            out.vector(ratio, &ratios);
            let lost = |outcome: &&Outcome| Some((curve[0].accuracy? - outcome.accuracy?) as f32);
            if let Some(losses) = curve.iter().map(lost).collect::<Option<Vec<f32>>>() {
                out.vector(loss, &losses);
            }
        }
    }
}

/// Information in the release probabilities of a network that began at p0.
pub(super) fn observe_bits(parameters: &Parameters, p0: f64, out: &mut Metrics) {
    let p = parameters.release_prob();
    // Synapses that never fail began so.
    let p0 = if parameters.a.is_empty() { 1.0 } else { p0 };
    let (p, strength) = (p.as_slice(), parameters.w.as_slice());
    let layout = "parameters are in standard layout";
    let bits = stats::release_bits(p.expect(layout), &[p0], strength.expect(layout));
    out.scalar("bits_per_synapse", bits.mean);
    out.vector("bits_by_strength", &bits.by_strength.map(|bits| bits as f32));
}
