//! A machine trained with dropout, as it is looked at.

use super::parameters::Parameters;
use super::rbm::Rbm;
use crate::{Draws, Stream};

/// The bias that stands for absence: s(−1e4) is the least probability there is, about 1e-38.
const ABSENT: f32 = -1e4;

impl Parameters {
    /// One thinned machine: each hidden unit is absent with probability `dropout`.
    ///
    /// Unit j of a copy takes draw `copy · 2³² + j` of stream `ObserveMask`. What the ensemble's synapses do is
    /// not asked: the weights are [`Parameters::expected_weights`].
    pub fn thinned(&self, dropout: f64, copy: u32, draws: Draws) -> Rbm {
        let mut u = vec![0.0; self.hidden_units()];
        draws.fill_uniform(Stream::ObserveMask, u64::from(copy) << 32, &mut u);
        let (mut w, mut c) = (self.expected_weights(), self.c.clone());
        for (j, _) in u.iter().enumerate().filter(|(_, u)| **u < dropout as f32) {
            w.column_mut(j).fill(0.0);
            c[j] = ABSENT;
        }
        Rbm::new(w, self.b.clone(), c)
    }

    /// All hidden units with weights times `1 − dropout`: the deterministic reading of dropout.
    ///
    /// # Source
    /// Srivastava et al. 2014, J. Mach. Learn. Res. 15:1929, for the scaling. It keeps the mean input
    /// of visible units; hidden inputs, which were not thinned, shrink with it.
    pub fn thinned_mean(&self, dropout: f64) -> Rbm {
        let kept = (1.0 - dropout) as f32;
        self.with_weights(self.expected_weights() * kept)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Init, Synapses};
    use super::*;
    use crate::BinaryRows;
    use ndarray::Array1;

    #[test]
    fn absent_units_are_silent_and_say_nothing_and_the_others_are_as_ever() {
        let init = Init { hidden_units: 400, w_sd: 1.0, ..Init::default() };
        let mean = Array1::from_elem(5, 0.5);
        let parameters = Parameters::init(Synapses::Reliable, init, mean.view(), Draws::at(3, 0));
        let whole = parameters.marginal().expect("reliable synapses have a marginal");
        let thinned = parameters.thinned(0.25, 2, Draws::at(3, 1));
        let mut visible = BinaryRows::new(5);
        visible.push([0, 3]);
        let (p, all) = (thinned.hidden_prob(&visible), whole.hidden_prob(&visible));
        let absent = (0..400).filter(|j| thinned.hidden_biases()[*j] == ABSENT).count();
        // 4.5σ of a binomial count: 7e-6 by chance; the seed is fixed.
        assert!((absent as f64 - 100.0).abs() < 4.5 * 75.0_f64.sqrt(), "{absent}");
        for j in 0..400 {
            if thinned.hidden_biases()[j] == ABSENT {
                assert!(p[[0, j]] < 1e-30 && thinned.weights().column(j).iter().all(|w| *w == 0.0));
            } else {
                assert_eq!(p[[0, j]], all[[0, j]]);
            }
        }
        assert_ne!(thinned, parameters.thinned(0.25, 3, Draws::at(3, 1)));
        let halved = parameters.thinned_mean(0.5);
        assert!(halved.weights().iter().zip(&parameters.w).all(|(x, w)| *x == 0.5 * w));
    }
}
