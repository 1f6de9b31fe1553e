//! Trials of one kind and what their spikes tell.

use std::ops::Range;

use numerics::stats;
use serde::{Deserialize, Serialize};

/// Spike counts and classes of trials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trials {
    /// (trials, neurons of both areas).
    counts: Vec<u32>,
    /// Which digit was shown.
    classes: Vec<u8>,
}

impl Trials {
    /// One more.
    pub(super) fn push(&mut self, class: usize, counts: &[u32]) {
        self.counts.extend_from_slice(counts);
        self.classes.push(class as u8);
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// Class of each.
    pub(super) fn classes(&self) -> &[u8] {
        &self.classes
    }

    fn neurons(&self) -> usize {
        self.counts.len() / self.len().max(1)
    }

    /// Spikes of each neuron in a trial.
    pub(super) fn of(&self, trial: usize) -> &[u32] {
        let neurons = self.neurons();
        &self.counts[trial * neurons..(trial + 1) * neurons]
    }

    /// Summed spikes of each neuron, by class; `labels` are in place of the classes.
    pub(super) fn by_class(&self, labels: &[u8], classes: usize) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; self.neurons()]; classes];
        for (trial, &class) in labels.iter().enumerate() {
            let sums = &mut sums[usize::from(class)];
            sums.iter_mut().zip(self.of(trial)).for_each(|(sum, &n)| *sum += f64::from(n));
        }
        sums
    }

    /// What a spike of each neuron of `range` says for each class, against the mean of the others: log-ratios of its shares, 0.1
    /// added to mean counts; (classes, neurons).
    pub(super) fn readout(&self, range: &Range<usize>, classes: usize) -> Vec<Vec<f64>> {
        let sums = self.by_class(&self.classes, classes);
        let shares: Vec<Vec<f64>> = (0..classes)
            .map(|class| {
                let n = self.classes.iter().filter(|&&other| usize::from(other) == class).count() as f64;
                let mean: Vec<f64> = sums[class][range.clone()].iter().map(|sum| sum / n + 0.1).collect();
                let total = stats::sum(&mean);
                mean.iter().map(|x| x / total).collect()
            })
            .collect();
        let others = |class: usize, neuron: usize| {
            let sum =
                (0..classes).filter(|&other| other != class).fold(0.0, |sum, c| sum + shares[c][neuron]);
            sum / (classes - 1) as f64
        };
        let ratio = |class: usize, neuron: usize| libm::log(shares[class][neuron] / others(class, neuron));
        (0..classes).map(|class| (0..range.len()).map(|neuron| ratio(class, neuron)).collect()).collect()
    }

    /// Score of each trial for each class under a read-out of the neurons of `range`: (classes, trials).
    pub(super) fn scores(&self, range: &Range<usize>, readout: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let score = |weights: &Vec<f64>, trial: usize| {
            let counts = &self.of(trial)[range.clone()];
            counts.iter().zip(weights).fold(0.0, |sum, (&n, weight)| sum + f64::from(n) * weight)
        };
        readout.iter().map(|weights| (0..self.len()).map(|trial| score(weights, trial)).collect()).collect()
    }
}

/// The class with the greatest score, the first of equal ones; `scores` is (classes, items).
pub(super) fn named(scores: &[Vec<f64>], item: usize) -> usize {
    (1..scores.len())
        .fold(0, |best, class| if scores[class][item] > scores[best][item] { class } else { best })
}

/// Probability that a trial of a class has a greater score for it than one of another class; mean over classes.
pub(super) fn auc(scores: &[Vec<f64>], classes: &[u8]) -> f64 {
    let one = |(class, scores): (usize, &Vec<f64>)| {
        let is_class: Vec<bool> = classes.iter().map(|&other| usize::from(other) == class).collect();
        stats::auc(scores, &is_class)
    };
    stats::mean(&scores.iter().enumerate().map(one).collect::<Vec<f64>>())
}

/// Part of the trials that are named rightly.
pub(super) fn accuracy(scores: &[Vec<f64>], classes: &[u8]) -> f64 {
    let right = |&(trial, &class): &(usize, &u8)| named(scores, trial) == usize::from(class);
    classes.iter().enumerate().filter(right).count() as f64 / classes.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(rows: &[(usize, [u32; 3])]) -> Trials {
        let mut trials = Trials::default();
        rows.iter().for_each(|(class, counts)| trials.push(*class, counts));
        trials
    }

    #[test]
    fn a_readout_is_that_worked_by_hand() {
        let trials = trials(&[(0, [4, 0, 1]), (0, [2, 0, 1]), (1, [0, 3, 1])]);
        let readout = trials.readout(&(0..2), 2);
        // Mean counts (3, 0) and (0, 3), and 0.1: shares 3.1/3.2 and 0.1/3.2.
        let expected = libm::log(31.0);
        assert!((readout[0][0] - expected).abs() < 1e-12 && (readout[1][0] + expected).abs() < 1e-12);
        let scores = trials.scores(&(0..2), &readout);
        assert!((scores[1][2] - 3.0 * expected).abs() < 1e-12);
        assert_eq!((auc(&scores, trials.classes()), accuracy(&scores, trials.classes())), (1.0, 1.0));
    }

    #[test]
    fn each_of_three_classes_is_held_against_the_others() {
        let trials = trials(&[(0, [9, 1, 0]), (1, [1, 9, 0]), (2, [0, 1, 9]), (2, [1, 9, 0])]);
        let scores = trials.scores(&(0..3), &trials.readout(&(0..3), 3));
        assert_eq!([0, 1, 2].map(|trial| named(&scores, trial)), [0, 1, 2]);
        // One of the two last trials has the spikes of the second.
        assert_eq!(accuracy(&scores, trials.classes()), 0.75);
        assert!(auc(&scores, trials.classes()) > 0.8);
    }

    #[test]
    fn equal_scores_name_the_first_class() {
        assert_eq!(named(&[vec![1.0], vec![1.0], vec![0.5]], 0), 0);
        assert_eq!(auc(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[0, 1]), 0.5);
    }
}
