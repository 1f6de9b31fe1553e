//! Accuracies and paired differences as metrics.

use numerics::{boltzmann::Parameters, stats};

use super::{
    SHOTS,
    code::{CODES, Place},
    metrics::{GAINS, Gain},
    spread::{CHAIN, Clouds, Found, MASKS, PLANES, SYSTEMS},
};
use crate::Metrics;

/// Accuracies so far, in percent, by code, then images a class, then draw.
pub(super) struct Accuracies<'a> {
    pub(super) values: &'a [f64],
    pub(super) draws: usize,
}

impl<'a> Accuracies<'a> {
    /// Over draws; none while the code is being judged.
    fn over_draws(&self, code: usize, shots: usize) -> Option<&'a [f64]> {
        let all = SHOTS.len() * self.draws;
        let of_code = self.values.get(code * all..(code + 1) * all)?;
        Some(&of_code[shots * self.draws..][..self.draws])
    }

    /// Of the places, the one with the greatest mean: a control is the best of its settings, chosen on the very test
    /// images, which favours the control.
    fn best(&self, places: &[Place], shots: usize) -> Option<&'a [f64]> {
        let all: Option<Vec<&[f64]>> =
            places.iter().map(|&place| self.over_draws(place as usize, shots)).collect();
        all?.into_iter().reduce(|best, next| if stats::mean(next) > stats::mean(best) { next } else { best })
    }

    /// Difference on each draw.
    fn gain(&self, gain: &Gain, shots: usize) -> Option<Vec<f64>> {
        let (of, over) = (self.over_draws(gain.of as usize, shots)?, self.best(gain.over, shots)?);
        Some(of.iter().zip(over).map(|(of, over)| of - over).collect())
    }
}

/// Everything that is known by now.
pub(super) fn observe(accuracies: &Accuracies<'_>, out: &mut Metrics) {
    for (place, code) in CODES.iter().enumerate() {
        over_shots(out, code.metric, |shots| accuracies.over_draws(place, shots).map(stats::mean));
    }
    for (name, places) in super::metrics::BEST {
        over_shots(out, name, |shots| accuracies.best(places, shots).map(stats::mean));
    }
    let sds: Option<Vec<f32>> = (0..CODES.len())
        .flat_map(|code| (0..SHOTS.len()).map(move |shots| (code, shots)))
        .map(|(code, shots)| accuracies.over_draws(code, shots).map(|values| stats::sd(values) as f32))
        .collect();
    if let Some(sds) = sds {
        out.matrix("accuracy_sd", SHOTS.len() as u32, &sds);
    }
    if let Some(values) = accuracies.over_draws(Place::RbseBChain as usize, 0) {
        out.scalar("accuracy_rbse_b_chain_n1", stats::mean(values));
    }
    gains(accuracies, out);
}

fn gains(accuracies: &Accuracies<'_>, out: &mut Metrics) {
    let (mut errors, mut wins) = (Vec::new(), Vec::new());
    for gain in GAINS {
        over_shots(out, gain.metric, |shots| accuracies.gain(gain, shots).map(|gain| stats::mean(&gain)));
        for (shots, name) in gain.draws.iter().enumerate() {
            let Some(gain) = accuracies.gain(gain, shots) else { continue };
            let values: Vec<f32> = gain.iter().map(|&x| x as f32).collect();
            out.vector(name, &values);
            errors.push((stats::sd(&gain) / (gain.len() as f64).sqrt()) as f32);
            wins.push(gain.iter().filter(|&&x| x > 0.0).count() as f32);
        }
    }
    if errors.len() == GAINS.len() * SHOTS.len() {
        out.matrix("gain_standard_errors", SHOTS.len() as u32, &errors);
        out.matrix("gain_wins", SHOTS.len() as u32, &wins);
    }
}

/// How codes scatter, once that is known of all systems.
pub(super) fn observe_spread(found: &[Found], clouds: &Clouds, networks: &[Parameters], out: &mut Metrics) {
    if found.len() < SYSTEMS.len() {
        return;
    }
    let names = [
        "spread_within_over_between",
        "spread_dimensions",
        "spread_tangent_share",
        "spread_tangent_chance",
        "spread_purity",
    ];
    for (measure, name) in names.into_iter().enumerate() {
        let values: Vec<f32> = found.iter().map(|found| found.measures[measure] as f32).collect();
        out.vector(name, &values);
    }
    let [_, _, share, chance, _] = found[MASKS].measures;
    out.scalar("tangent_excess_masks", share - chance);
    let [_, _, share, chance, _] = found[CHAIN].measures;
    out.scalar("tangent_ratio_chain", share / chance);
    for (machine, name) in PLANES {
        if out.wants(name) {
            out.matrix(name, 2, &clouds.centres(&networks[machine.place()]));
        }
    }
    for (found, system) in found.iter().zip(SYSTEMS) {
        if let Some(name) = system.picture {
            out.matrix(name, 2, &found.picture);
        }
    }
}

/// A vector over images a class, once all of it is known.
fn over_shots(out: &mut Metrics, name: &'static str, value: impl Fn(usize) -> Option<f64>) {
    let values: Option<Vec<f32>> = (0..SHOTS.len()).map(|shots| value(shots).map(|x| x as f32)).collect();
    if let Some(values) = values {
        out.vector(name, &values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_the_better_of_its_settings_at_each_number_of_images() {
        let mut values = vec![0.0; CODES.len() * SHOTS.len() * 2];
        let mut set = |place: Place, shots: usize, pair: [f64; 2]| {
            values[(place as usize * SHOTS.len() + shots) * 2..][..2].copy_from_slice(&pair);
        };
        set(Place::RbmLow, 0, [40.0, 50.0]);
        set(Place::RbmHigh, 0, [44.0, 45.0]);
        set(Place::RbmLow, 3, [70.0, 70.0]);
        set(Place::RbmHigh, 3, [80.0, 70.0]);
        set(Place::RbseBChain, 0, [46.0, 49.0]);
        set(Place::RbseBChain, 3, [81.0, 72.0]);
        let accuracies = Accuracies { values: &values, draws: 2 };
        let gain = GAINS.iter().find(|gain| gain.metric == "gain_over_rbm").expect("it is declared");
        assert_eq!(accuracies.gain(gain, 0), Some(vec![6.0, -1.0]));
        assert_eq!(accuracies.gain(gain, 3), Some(vec![1.0, 2.0]));
        let unfinished = Accuracies { values: &values[..values.len() - 1], draws: 2 };
        assert_eq!(unfinished.over_draws(CODES.len() - 1, 0), None);
    }
}
