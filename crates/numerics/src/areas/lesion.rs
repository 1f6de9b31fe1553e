//! What is taken out of a network, for ever.

use super::{Area, Synapses, Wiring};

/// How much a lesion took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Removed.
    pub removed: u32,
    /// There before.
    pub of: u32,
}

impl Synapses {
    /// Removes neurons with all their synapses.
    ///
    /// # Panics
    /// If there is no such neuron.
    pub fn remove_neurons(&mut self, wiring: &Wiring, neurons: &[usize]) {
        for &neuron in neurons {
            self.alive[neuron] = false;
        }
        for area in Area::ALL {
            let width = wiring.width(area);
            for (row, may_be) in self.may_be[area as usize].chunks_exact_mut(width).enumerate() {
                let to = wiring.of(area).start + row;
                for (column, may_be) in may_be.iter_mut().enumerate() {
                    let from_dead = wiring.source(area, column).is_some_and(|source| !self.alive[source]);
                    *may_be &= self.alive[to] && !from_dead;
                }
            }
        }
    }

    /// Removes connections between the areas, in both directions, so that they never grow again: those that `is_hit`, given whether
    /// a synapse is functional and a number of its own from 0.
    pub fn cut_between(&mut self, wiring: &Wiring, is_hit: impl Fn(bool, u64) -> bool) -> Cut {
        let mut cut = Cut { removed: 0, of: 0 };
        let mut number = 0;
        for area in Area::ALL {
            let width = wiring.width(area);
            let (theta, may_be) = (&mut self.theta[area as usize], &mut self.may_be[area as usize]);
            for (i, (theta, may_be)) in theta.iter_mut().zip(may_be).enumerate() {
                let neuron = wiring.of(area).start + i / width;
                if !wiring.is_between(neuron, i % width) {
                    continue;
                }
                number += 1;
                if !*may_be {
                    continue;
                }
                cut.of += 1;
                if is_hit(*theta > 0.0, number - 1) {
                    *may_be = false;
                    cut.removed += 1;
                }
            }
        }
        cut
    }
}
