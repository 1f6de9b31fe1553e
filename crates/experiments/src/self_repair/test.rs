//! A test: what one area knows of the digit when the other sense is shown alone, plasticity off.

use numerics::{
    Draws, Stream,
    areas::{Area, Learning, Streams, Synapses, Work},
    stats::{self, auc, information_bits, quarters},
};
use serde::{Deserialize, Serialize};

use super::{
    material::{Material, pick},
    params::Params,
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

/// Trials of one kind: spike counts and classes.
struct Trials {
    /// (trials, neurons of both areas).
    counts: Vec<u32>,
    /// Whether it was the second digit.
    second: Vec<bool>,
    neurons: usize,
}

/// Which examples are shown.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Train,
    Unseen,
}

impl Trials {
    fn of(&self, trial: usize) -> &[u32] {
        &self.counts[trial * self.neurons..(trial + 1) * self.neurons]
    }

    /// Summed spikes of each neuron, by class.
    fn by_class(&self, second: &[bool]) -> [Vec<f64>; 2] {
        let mut sums = [vec![0.0; self.neurons], vec![0.0; self.neurons]];
        for (trial, &second) in second.iter().enumerate() {
            let sums = &mut sums[usize::from(second)];
            sums.iter_mut().zip(self.of(trial)).for_each(|(sum, &n)| *sum += f64::from(n));
        }
        sums
    }

    /// What a spike of each neuron of `range` says for the second digit: log-ratio of its shares, 0.1 added to mean counts.
    fn readout(&self, range: std::ops::Range<usize>) -> Vec<f64> {
        let n =
            [false, true].map(|class| self.second.iter().filter(|&&second| second == class).count() as f64);
        let sums = self.by_class(&self.second);
        let shares = [0, 1].map(|class| {
            let mean: Vec<f64> = sums[class][range.clone()].iter().map(|sum| sum / n[class] + 0.1).collect();
            let total = stats::sum(&mean);
            mean.iter().map(|x| x / total).collect::<Vec<f64>>()
        });
        shares[0].iter().zip(&shares[1]).map(|(one, two)| libm::log(two / one)).collect()
    }

    /// Score of each trial under a read-out of the neurons of `range`.
    fn scores(&self, range: &std::ops::Range<usize>, readout: &[f64]) -> Vec<f64> {
        let score = |trial: usize| {
            let counts = &self.of(trial)[range.clone()];
            counts.iter().zip(readout).fold(0.0, |sum, (&n, weight)| sum + f64::from(n) * weight)
        };
        (0..self.second.len()).map(score).collect()
    }
}

/// Makes tests of one network.
pub(super) struct Tester<'a> {
    pub(super) params: &'a Params,
    pub(super) material: &'a Material,
    pub(super) work: &'a mut Work,
    pub(super) synapses: &'a mut Synapses,
    pub(super) draws: Draws,
}

impl Tester<'_> {
    /// Shows patterns of both digits in random order, as many of each, plasticity off. `block` numbers the kinds of trials at a step.
    fn trials(&mut self, areas: [bool; 2], from: From, block: u64) -> Trials {
        let (n, material) = (self.params.test_trials, self.material);
        let base = self.draws.step() << 20 | block << 16;
        let order = self.draws.at_step(base).permutation(Stream::ObservePattern, n);
        let neurons = 2 * self.params.neurons as usize;
        let mut trials = Trials { counts: Vec::new(), second: Vec::new(), neurons };
        for (trial, place) in (0..).zip(order) {
            let class = (place % 2) as usize;
            let draws = self.draws.at_step(base | trial);
            let choose = |area: Area| {
                let sense = material.of(area);
                let patterns = match from {
                    From::Train => sense.train(class),
                    From::Unseen => sense.held_out(class),
                };
                // In tests sounds take turns, so that each is heard as often.
                let by_turns = from == From::Unseen && area == Area::Sound;
                let turn = &patterns[(place / 2) as usize % patterns.len()];
                let any = pick(patterns, draws, Stream::ObservePattern, 1 << 40 | area as u64);
                areas[area as usize].then_some(if by_turns { turn } else { any })
            };
            let shown = Area::ALL.map(choose);
            self.work.present(self.synapses, shown, Learning::Off, (draws, Streams::TESTS));
            trials.counts.extend_from_slice(self.work.spikes());
            trials.second.push(class == 1);
        }
        trials
    }

    /// Neurons of the visual area that fire more for the second digit, the most selective first: both senses, training patterns.
    pub(super) fn prefer_second(&mut self) -> Vec<usize> {
        let trials = self.trials([true, true], From::Train, 8);
        let sums = trials.by_class(&trials.second);
        let excess = |neuron: usize| sums[1][neuron] - sums[0][neuron];
        let range = 0..self.params.neurons as usize;
        let mut chosen: Vec<usize> = range.filter(|&neuron| excess(neuron) > 0.0).collect();
        chosen.sort_by(|&a, &b| excess(b).total_cmp(&excess(a)));
        chosen
    }

    /// All measures, and the mean predicted images.
    pub(super) fn measure(&mut self) -> ([f64; MEASURES.len()], [Vec<f32>; 2]) {
        let k = self.params.neurons as usize;
        let (vision, sound) = (0..k, k..2 * k);
        let seen = self.trials([true, false], From::Train, 0).readout(vision.clone());
        let heard = self.trials([false, true], From::Train, 1).readout(sound.clone());
        let hearing = self.trials([false, true], From::Unseen, 2);
        let seeing = self.trials([true, false], From::Unseen, 3);
        let score = hearing.scores(&vision, &seen);
        let reverse = seeing.scores(&sound, &heard);
        let (image_score, images) = self.predicted(&hearing);
        let share = self.shares(&seen, &heard);
        let values = [
            auc(&score, &hearing.second),
            accuracy(&score, &hearing.second),
            self.bits_per_spike(&hearing),
            self.bits_per_trial(&score, &hearing.second),
            auc(&image_score, &hearing.second),
            accuracy(&image_score, &hearing.second),
            auc(&reverse, &seeing.second),
            accuracy(&reverse, &seeing.second),
            auc(&seeing.scores(&vision, &seen), &seeing.second),
            auc(&hearing.scores(&sound, &heard), &hearing.second),
            share[0],
            share[1],
            share[2],
        ];
        (values, images)
    }

    /// Labels exchanged among trials, for chance.
    fn shuffled(&self, second: &[bool], shuffle: u64) -> Vec<bool> {
        let draws = self.draws.at_step(self.draws.step() << 20 | shuffle);
        let order = draws.permutation(Stream::ObservePermutation, second.len() as u32);
        order.into_iter().map(|i| second[i as usize]).collect()
    }

    /// A measure less what it finds with exchanged labels.
    fn above_chance(&self, second: &[bool], measure: impl Fn(&[bool]) -> f64) -> f64 {
        let chance: Vec<f64> =
            (0..SHUFFLES).map(|shuffle| measure(&self.shuffled(second, shuffle))).collect();
        measure(second) - stats::mean(&chance)
    }

    /// What the identity of one spike of the visual area tells of the digit, in bits.
    fn bits_per_spike(&self, trials: &Trials) -> f64 {
        let k = self.params.neurons as usize;
        self.above_chance(&trials.second, |second| {
            let [one, two] = trials.by_class(second);
            information_bits(&[&one[..k], &two[..k]].concat(), k)
        })
    }

    /// What the quarter of a trial's score tells of the digit, in bits.
    fn bits_per_trial(&self, scores: &[f64], second: &[bool]) -> f64 {
        let quarters = quarters(scores);
        self.above_chance(second, |second| {
            let mut table = [0.0; 8];
            quarters
                .iter()
                .zip(second)
                .for_each(|(quarter, &second)| table[usize::from(second) * 4 + quarter] += 1.0);
            information_bits(&table, 4)
        })
    }

    /// The image that the visual area predicts in each trial, as its distance from the border between real images; and the mean
    /// image of each digit.
    ///
    /// `α e^w` of a neuron's inputs is the mean trace that it has learned; read back as rates and pixels, and averaged over the
    /// spikes of a trial.
    fn predicted(&self, trials: &Trials) -> (Vec<f64>, [Vec<f32>; 2]) {
        let features = self.material.means[0].len();
        let width = self.synapses.theta(Area::Vision).len() / self.params.neurons as usize;
        let epsp = self.params.sight().epsp;
        let trace = (epsp.tau_fall_ms - epsp.tau_rise_ms) * 1e-3 * (self.params.high_hz - self.params.low_hz);
        let pixel = |row: &[f32], i: usize| 0.5 + f64::from(row[i] - row[features + i]) / (2.0 * trace);
        let fields: Vec<Vec<f64>> = (self.work.expected(Area::Vision).chunks_exact(width))
            .map(|row| (0..features).map(|i| pixel(row, i)).collect())
            .collect();
        let (mut scores, mut sums, mut n) =
            (Vec::new(), [vec![0.0; features], vec![0.0; features]], [0.0; 2]);
        for (trial, &second) in trials.second.iter().enumerate() {
            let counts = &trials.of(trial)[..fields.len()];
            let total = counts.iter().sum::<u32>().max(1);
            let mut image = vec![0.0; features];
            for (&count, field) in counts.iter().zip(&fields).filter(|&(&count, _)| count > 0) {
                let part = f64::from(count) / f64::from(total);
                image.iter_mut().zip(field).for_each(|(pixel, x)| *pixel += part * x);
            }
            scores.push(self.material.discriminant.score(&image));
            let class = usize::from(second);
            n[class] += 1.0;
            sums[class].iter_mut().zip(&image).for_each(|(sum, x)| *sum += x);
        }
        let mean = |class: usize| sums[class].iter().map(|sum| (sum / n[class]) as f32).collect();
        (scores, [mean(0), mean(1)])
    }

    /// Functional share of connections onto the visual area: from neurons that prefer the same digit, from others; and of inputs of
    /// both areas. 0 where there are none.
    fn shares(&self, seen: &[f64], heard: &[f64]) -> [f64; 3] {
        let k = seen.len();
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
                        usize::from((seen[neuron] > 0.0) != (heard[source - k] > 0.0))
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

/// Part of the trials that a score above 0 says to be the second digit rightly.
fn accuracy(scores: &[f64], second: &[bool]) -> f64 {
    let right = scores.iter().zip(second).filter(|&(&score, &second)| (score > 0.0) == second).count();
    right as f64 / scores.len() as f64
}
