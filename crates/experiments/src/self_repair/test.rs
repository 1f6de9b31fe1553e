//! A test: what one area knows of the digit when the other sense is shown alone, plasticity off.

use numerics::{
    Draws, Stream,
    areas::{Area, Learning, Streams, Synapses, Work},
    stats::{self, information_bits, quarters},
};
use serde::{Deserialize, Serialize};

use super::{
    material::{Material, pick},
    params::Params,
    schedule::Trial,
    trials::{Trials, accuracy, auc, named},
};

/// Permutations of labels that tell what a measure finds by chance.
const SHUFFLES: u64 = 20;

/// What is measured, in the order of [`Test::values`].
pub(super) const MEASURES: [&str; 13] = [
    "auc",
    "accuracy",
    "bits_per_spike",
    "bits_per_trial",
    "image_auc",
    "image_accuracy",
    "reverse_auc",
    "reverse_accuracy",
    "vision_auc",
    "sound_auc",
    "same_digit_share",
    "other_digit_share",
    "input_share",
];

/// A test and its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Test {
    /// When, in s.
    pub(super) at_s: f64,
    /// Phases that had begun.
    pub(super) phase: u32,
    /// Whether it followed a lesion, or a record, directly.
    pub(super) directly: bool,
    /// By [`MEASURES`].
    pub(super) values: [f64; MEASURES.len()],
}

/// Makes tests of one network.
pub(super) struct Tester<'a> {
    pub(super) params: &'a Params,
    pub(super) material: &'a Material,
    pub(super) work: &'a mut Work,
    pub(super) synapses: &'a mut Synapses,
    /// At the event that the test is.
    pub(super) draws: Draws,
}

impl Tester<'_> {
    /// Shows `n` more patterns of a kind, plasticity off: all digits in random order, as many of each.
    pub(super) fn show(&mut self, kind: Trial, n: u32, trials: &mut Trials) {
        let (material, classes) = (self.material, self.params.classes());
        let base = self.draws.step() << 20 | (kind as u64) << 16;
        let order = self.draws.at_step(base).permutation(Stream::ObservePattern, self.params.test_trials);
        let shows = kind.shows();
        let from = trials.len();
        for (trial, place) in (from as u64..).zip(order.into_iter().skip(from).take(n as usize)) {
            let class = place as usize % classes;
            let draws = self.draws.at_step(base | trial);
            let choose = |area: Area| {
                let sense = material.of(area);
                let patterns = if kind.is_unseen() { sense.held_out(class) } else { sense.train(class) };
                // In tests sounds take turns, so that each is heard as often.
                let by_turns = kind.is_unseen() && area == Area::Sound;
                let turn = &patterns[place as usize / classes % patterns.len()];
                let any = pick(patterns, draws, Stream::ObservePattern, 1 << 40 | area as u64);
                shows[area as usize].then_some(if by_turns { turn } else { any })
            };
            let shown = Area::ALL.map(choose);
            self.work.present(self.synapses, shown, Learning::Off, (draws, Streams::TESTS));
            trials.push(class, self.work.spikes());
        }
    }

    /// Neurons of the visual area that fire more for the second digit than for any other, the most selective first.
    pub(super) fn prefer_second(&self, trials: &Trials) -> Vec<usize> {
        let sums = trials.by_class(trials.classes(), self.params.classes());
        let most = |neuron: usize| {
            let others = sums.iter().enumerate().filter(|(class, _)| *class != 1);
            others.fold(0.0, |most: f64, (_, sums)| most.max(sums[neuron]))
        };
        let excess = |neuron: usize| sums[1][neuron] - most(neuron);
        let range = 0..self.params.neurons as usize;
        let mut chosen: Vec<usize> = range.filter(|&neuron| excess(neuron) > 0.0).collect();
        chosen.sort_by(|&a, &b| excess(b).total_cmp(&excess(a)));
        chosen
    }

    /// All measures, and the mean predicted images, of the trials of each of [`Trial::TEST`].
    pub(super) fn measure(&self, trials: &[Trials; 4]) -> ([f64; MEASURES.len()], Vec<Vec<f32>>) {
        let (k, classes) = (self.params.neurons as usize, self.params.classes());
        let (vision, sound) = (0..k, k..2 * k);
        let [seen, heard, hearing, seeing] = trials;
        let seen = seen.readout(&vision, classes);
        let heard = heard.readout(&sound, classes);
        let (heard_class, seen_class) = (hearing.classes(), seeing.classes());
        let score = hearing.scores(&vision, &seen);
        let reverse = seeing.scores(&sound, &heard);
        let (image_score, images) = self.predicted(hearing);
        let share = self.shares(&seen, &heard);
        let values = [
            auc(&score, heard_class),
            accuracy(&score, heard_class),
            self.bits_per_spike(hearing),
            self.bits_per_trial(&score, heard_class),
            auc(&image_score, heard_class),
            accuracy(&image_score, heard_class),
            auc(&reverse, seen_class),
            accuracy(&reverse, seen_class),
            auc(&seeing.scores(&vision, &seen), seen_class),
            auc(&hearing.scores(&sound, &heard), heard_class),
            share[0],
            share[1],
            share[2],
        ];
        (values, images)
    }

    /// Labels exchanged among trials, for chance.
    fn shuffled(&self, classes: &[u8], shuffle: u64) -> Vec<u8> {
        let draws = self.draws.at_step(self.draws.step() << 20 | shuffle);
        let order = draws.permutation(Stream::ObservePermutation, classes.len() as u32);
        order.into_iter().map(|i| classes[i as usize]).collect()
    }

    /// A measure less what it finds with exchanged labels.
    fn above_chance(&self, classes: &[u8], measure: impl Fn(&[u8]) -> f64) -> f64 {
        let chance: Vec<f64> =
            (0..SHUFFLES).map(|shuffle| measure(&self.shuffled(classes, shuffle))).collect();
        measure(classes) - stats::mean(&chance)
    }

    /// What the identity of one spike of the visual area tells of the digit, in bits.
    fn bits_per_spike(&self, trials: &Trials) -> f64 {
        let k = self.params.neurons as usize;
        self.above_chance(trials.classes(), |labels| {
            let sums = trials.by_class(labels, self.params.classes());
            let table: Vec<f64> = sums.iter().flat_map(|sums| sums[..k].iter().copied()).collect();
            information_bits(&table, k)
        })
    }

    /// What a trial's score tells of the digit, in bits: with two digits the quarter that it is in among all, with more the digit
    /// that it names.
    fn bits_per_trial(&self, scores: &[Vec<f64>], classes: &[u8]) -> f64 {
        let (answers, columns) = match scores {
            [_, second] => (quarters(second), 4),
            _ => ((0..classes.len()).map(|trial| named(scores, trial)).collect(), scores.len()),
        };
        self.above_chance(classes, |labels| {
            let mut table = vec![0.0; scores.len() * columns];
            answers
                .iter()
                .zip(labels)
                .for_each(|(answer, &class)| table[usize::from(class) * columns + answer] += 1.0);
            information_bits(&table, columns)
        })
    }

    /// The image that the visual area predicts in each trial, as its distances from the borders between real images, (classes,
    /// trials); and the mean image of each digit.
    ///
    /// `α e^w` of a neuron's inputs is the mean trace that it has learned; read back as rates and pixels, and averaged over the
    /// spikes of a trial.
    fn predicted(&self, trials: &Trials) -> (Vec<Vec<f64>>, Vec<Vec<f32>>) {
        let (features, classes) = (self.material.means[0].len(), self.params.classes());
        let width = self.synapses.theta(Area::Vision).len() / self.params.neurons as usize;
        let epsp = self.params.sight().epsp;
        let trace = (epsp.tau_fall_ms - epsp.tau_rise_ms) * 1e-3 * (self.params.high_hz - self.params.low_hz);
        let pixel = |row: &[f32], i: usize| 0.5 + f64::from(row[i] - row[features + i]) / (2.0 * trace);
        let fields: Vec<Vec<f64>> = (self.work.expected(Area::Vision).chunks_exact(width))
            .map(|row| (0..features).map(|i| pixel(row, i)).collect())
            .collect();
        let (mut scores, mut sums) = (vec![Vec::new(); classes], vec![vec![0.0; features]; classes]);
        let mut n = vec![0.0; classes];
        for (trial, &class) in trials.classes().iter().enumerate() {
            let counts = &trials.of(trial)[..fields.len()];
            let total = counts.iter().sum::<u32>().max(1);
            let mut image = vec![0.0; features];
            for (&count, field) in counts.iter().zip(&fields).filter(|&(&count, _)| count > 0) {
                let part = f64::from(count) / f64::from(total);
                image.iter_mut().zip(field).for_each(|(pixel, x)| *pixel += part * x);
            }
            let borders = self.material.discriminants.iter();
            scores.iter_mut().zip(borders).for_each(|(scores, border)| scores.push(border.score(&image)));
            n[usize::from(class)] += 1.0;
            sums[usize::from(class)].iter_mut().zip(&image).for_each(|(sum, x)| *sum += x);
        }
        let mean = |(sums, n): (&Vec<f64>, &f64)| sums.iter().map(|sum| (sum / n) as f32).collect();
        (scores, sums.iter().zip(&n).map(mean).collect())
    }

    /// Functional share of connections onto the visual area: from neurons that prefer the same digit, from others; and of inputs of
    /// both areas. 0 where there are none.
    fn shares(&self, seen: &[Vec<f64>], heard: &[Vec<f64>]) -> [f64; 3] {
        let k = self.params.neurons as usize;
        let mut found = [[0.0_f64; 2]; 3];
        for area in Area::ALL {
            let (theta, may_be) = (self.synapses.theta(area), self.synapses.may_be(area));
            let width = theta.len() / k;
            let inputs = width - 2 * k;
            for (i, (&theta, _)) in theta.iter().zip(may_be).enumerate().filter(|(_, (_, may_be))| **may_be) {
                let (neuron, column) = (i / width, i % width);
                let kind = match column.checked_sub(inputs) {
                    None => 2,
                    Some(source) if area == Area::Vision && source >= k => {
                        usize::from(named(seen, neuron) != named(heard, source - k))
                    }
                    Some(_) => continue,
                };
                found[kind][0] += f64::from(theta > 0.0);
                found[kind][1] += 1.0;
            }
        }
        found.map(|[functional, of]| functional / of.max(1.0))
    }
}
