//! One classifier: from a few labelled images to its accuracy on the test images.

use ndarray::{Array2, ArrayView2, Axis, concatenate};
use numerics::{
    BinaryRows, Draws,
    boltzmann::{Parameters, features::moment_matched},
    logistic_regression::{Features, fit},
};

use super::{
    Params, SHOTS,
    code::{CODES, Reading, mean_codes, sampled_codes},
};
use crate::boltzmann::Labelled;

/// Draws of encodings start at this step, far beyond those of training, so that it does not matter who trained.
const ADDRESS: u64 = 1 << 40;

/// What is needed to encode and to judge.
pub(super) struct Judge<'a> {
    pub(super) params: &'a Params,
    pub(super) labelled: &'a Labelled,
    pub(super) seed: u64,
    /// As in [`super::Machine::ALL`].
    pub(super) networks: &'a [Parameters],
}

impl Judge<'_> {
    /// One copy of the test images' features.
    pub(super) fn encode_test(&self, code: usize, copy: u32) -> Features {
        let draws = Draws::at(self.seed, ADDRESS | (code as u64) << 32);
        Features::new(self.encode(code, &self.labelled.test, copy, draws).view())
    }

    /// Accuracy on the test images, in percent, after learning from `SHOTS[shots]` images of every class.
    pub(super) fn accuracy(&self, code: usize, shots: usize, draw: u32, test: &[Features]) -> f64 {
        let (picks, labels) =
            self.labelled.draw(SHOTS[shots], Draws::at(u64::from(self.params.label_seed), u64::from(draw)));
        let images = self.labelled.train.select(&picks);
        let copies = self.copies(CODES[code].reading, SHOTS[shots]);
        let place = (shots as u64 + 1) << 16 | u64::from(draw);
        let draws = Draws::at(self.seed, ADDRESS | (code as u64) << 32 | place);
        let encoded = self.encode_copies(code, &images, copies, draws);
        let labels = labels.repeat(copies as usize);
        let classes = self.labelled.classes();
        let fit = fit(&Features::new(encoded.view()), &labels, classes, self.params.penalty);
        let mut total = Array2::<f64>::zeros((classes, self.labelled.test.len()));
        for copy in test {
            total += &fit.classifier.probabilities(copy);
        }
        self.labelled.percent_right(&total)
    }

    /// Copies of a labelled image. Equal copies would leave a classifier as it is, so one stands for them.
    fn copies(&self, reading: Reading, shots: u32) -> u32 {
        match (reading.is_stochastic(), shots) {
            (false, _) => 1,
            (true, 10..) => (self.params.copies / 2).max(1),
            (true, _) => self.params.copies,
        }
    }

    /// All copies, one after the other.
    fn encode_copies(&self, code: usize, images: &BinaryRows, copies: u32, draws: Draws) -> Array2<f32> {
        if let Reading::OwnMasks(_) = CODES[code].reading {
            // Every image has a mask of its own anyway, and moments of all synapses are found once a call.
            let places: Vec<u32> = (0..images.len() as u32).collect();
            return self.encode(code, &images.select(&places.repeat(copies as usize)), 0, draws);
        }
        let encoded: Vec<Array2<f32>> =
            (0..copies).map(|copy| self.encode(code, images, copy, draws)).collect();
        let views: Vec<ArrayView2<'_, f32>> = encoded.iter().map(|copy| copy.view()).collect();
        concatenate(Axis(0), &views).expect("all copies have the same columns")
    }

    fn encode(&self, code: usize, images: &BinaryRows, copy: u32, draws: Draws) -> Array2<f32> {
        let reading = CODES[code].reading;
        let Some(machine) = reading.machine() else { return images.to_dense() };
        let parameters = &self.networks[machine.place()];
        match reading {
            Reading::Pixels | Reading::Mean(_) => mean_codes(parameters, images),
            Reading::OwnMasks(_) => moment_matched(parameters, images, copy, draws),
            Reading::Masks(_) | Reading::Chain(_) => {
                sampled_codes(parameters, images, reading.sweeps(self.params), copy, draws)
            }
        }
    }
}
