//! What winners say about labels that the circuit never saw.

use serde::{Deserialize, Serialize};

/// How often each neuron fired for each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Votes {
    /// (neurons, classes).
    counts: Vec<u64>,
    classes: usize,
}

impl Votes {
    /// No spike yet.
    pub fn new(neurons: usize, classes: usize) -> Self {
        Self { counts: vec![0; neurons * classes], classes }
    }

    /// Counts of winners, one for each label.
    pub fn of(neurons: usize, classes: usize, winners: &[u32], labels: &[u8]) -> Self {
        let mut votes = Self::new(neurons, classes);
        winners.iter().zip(labels).for_each(|(&winner, &label)| votes.add(winner, label, 1));
        votes
    }

    /// A neuron fired `times` times for a pattern of a class.
    ///
    /// # Panics
    /// If there is no such neuron or class.
    pub fn add(&mut self, neuron: u32, class: u8, times: u64) {
        assert!(usize::from(class) < self.classes, "there is no class {class}");
        self.counts[neuron as usize * self.classes + usize::from(class)] += times;
    }

    /// H(class | neuron) / H(class): 0 if every neuron knows the class, 1 if none does. 0 for one class.
    pub fn class_entropy(&self) -> f64 {
        let sum = |xs: &[u64]| xs.iter().sum::<u64>() as f64;
        let total = sum(&self.counts);
        let term = |count: f64| if count > 0.0 { -count / total * libm::log(count / total) } else { 0.0 };
        let rows = self.counts.chunks_exact(self.classes);
        let joint = self.counts.iter().fold(0.0, |h, &count| h + term(count as f64));
        let neurons = rows.clone().fold(0.0, |h, row| h + term(sum(row)));
        let classes = (0..self.classes)
            .fold(0.0, |h, class| h + term(rows.clone().map(|row| row[class]).sum::<u64>() as f64));
        if classes > 0.0 { ((joint - neurons) / classes).max(0.0) } else { 0.0 }
    }

    /// The class that each neuron stands for: the most frequent, the first of equals; (neurons).
    pub fn labels(&self) -> Vec<u8> {
        let most =
            |row: &[u64]| (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best }) as u8;
        self.counts.chunks_exact(self.classes).map(most).collect()
    }

    /// Neurons that fired at all.
    pub fn used(&self) -> usize {
        self.counts.chunks_exact(self.classes).filter(|row| row.iter().any(|&count| count > 0)).count()
    }
}

/// Share of patterns whose winner stands for their class.
pub fn accuracy(winners: &[u32], neuron_labels: &[u8], labels: &[u8]) -> f64 {
    let right =
        winners.iter().zip(labels).filter(|&(&winner, label)| neuron_labels[winner as usize] == *label);
    right.count() as f64 / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_is_that_worked_by_hand() {
        // Neuron 0: classes 0 0 1 1; neuron 1: class 1 twice. H(c) of 2/6 and 4/6; H(c|n) = 4/6 ln 2.
        let votes = Votes::of(3, 2, &[0, 0, 0, 0, 1, 1], &[0, 0, 1, 1, 1, 1]);
        let third: f64 = 1.0 / 3.0;
        let class = -third * libm::log(third) - 2.0 * third * libm::log(2.0 * third);
        assert!((votes.class_entropy() - 2.0 * third * std::f64::consts::LN_2 / class).abs() < 1e-12);
        assert_eq!((votes.used(), votes.labels()), (2, vec![0, 1, 0]));
    }

    #[test]
    fn neurons_that_know_the_class_leave_no_entropy() {
        let votes = Votes::of(3, 3, &[2, 0, 1, 2], &[0, 1, 2, 0]);
        assert_eq!(votes.class_entropy(), 0.0);
        assert_eq!(accuracy(&[2, 0, 1, 1], &votes.labels(), &[0, 1, 2, 0]), 0.75);
    }
}
