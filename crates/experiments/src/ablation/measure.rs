//! How well an edited network does.

use numerics::{
    BinaryRows, Draws,
    boltzmann::{
        Parameters, Rbm,
        evaluate::{MixtureSum, pseudo_log_likelihood, reconstruction},
    },
    stats,
};
use serde::{Deserialize, Serialize};

use super::Params;
use crate::boltzmann::Labelled;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use numerics::logistic_regression::{Features, fit};

/// What a case has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) mse: f64,
    pub(super) pll: f64,
    /// ln E_W P(v | W) and E_W ln P(v | W), where exact.
    pub(super) likelihood: Option<(f64, f64)>,
    /// In percent.
    pub(super) accuracy: Option<f64>,
}

/// Flips per image of the pseudo-likelihood.
const FLIPS: usize = 16;
/// Draws of measurements start at this step, far beyond those of training. All cases share them, so that
/// differences between cases are not those of their masks.
const ADDRESS: u64 = 1 << 40;

/// What is needed to measure.
pub(super) struct Measure<'a> {
    pub(super) params: &'a Params,
    pub(super) test: &'a BinaryRows,
    pub(super) labelled: &'a Labelled,
    pub(super) seed: u64,
}

impl Measure<'_> {
    /// Mean squared error and pseudo-likelihood, averaged over members of the ensemble if it has several.
    pub(super) fn fit(&self, parameters: &Parameters) -> (f64, f64) {
        let draws = Draws::at(self.seed, ADDRESS);
        let members = members(parameters, self.params.fit_members);
        let (errors, plls): (Vec<f64>, Vec<f64>) = (0..members)
            .map(|copy| {
                let member = parameters.sampled(copy, draws);
                let error = reconstruction(&member, self.test, draws).mse;
                (error, pseudo_log_likelihood(&member, self.test, FLIPS, draws))
            })
            .unzip();
        (stats::mean(&errors), stats::mean(&plls))
    }

    /// Adds the members from `first` on, at most `count`, to a likelihood.
    pub(super) fn add_members(&self, parameters: &Parameters, first: u32, count: u32, sum: &mut MixtureSum) {
        let draws = Draws::at(self.seed, ADDRESS);
        for copy in first..(first + count).min(members(parameters, self.params.likelihood_members)) {
            sum.add_member(&parameters.sampled(copy, draws), self.test);
        }
    }

    /// A copy of the test images' features; none if it would be the same as those before.
    pub(super) fn encode_test(&self, parameters: &Parameters, copy: u32) -> Option<Features> {
        let differs = copy < self.copies(parameters, self.params.test_copies);
        differs.then(|| Features::new(self.encode(parameters, &self.labelled.test, copy, 1).view()))
    }

    /// Accuracy in percent after learning from one draw of labelled images.
    pub(super) fn accuracy(&self, parameters: &Parameters, draw: u32, test: &[Features]) -> f64 {
        let (picks, labels) = self.labelled.draw(self.params.shots, Draws::at(self.seed, u64::from(draw)));
        let images = self.labelled.train.select(&picks);
        let copies = self.copies(parameters, self.params.copies);
        let encoded: Vec<Array2<f32>> =
            (0..copies).map(|copy| self.encode(parameters, &images, copy, 2 + u64::from(draw))).collect();
        let views: Vec<ArrayView2<'_, f32>> = encoded.iter().map(|copy| copy.view()).collect();
        let encoded = concatenate(Axis(0), &views).expect("all copies have the same columns");
        let classes = self.labelled.classes();
        let labels = labels.repeat(copies as usize);
        let fit = fit(&Features::new(encoded.view()), &labels, classes, self.params.penalty);
        let mut total = Array2::<f64>::zeros((classes, self.labelled.test.len()));
        for copy in test {
            total += &fit.classifier.probabilities(copy);
        }
        self.labelled.percent_right(&total)
    }

    /// Copies that differ: one, if features of the ensemble know no chance.
    fn copies(&self, parameters: &Parameters, wanted: u32) -> u32 {
        if self.params.sweeps == 0 { members(parameters, wanted) } else { wanted }
    }

    /// `P(h = 1 | v)` after some sweeps within a member that all images share, (images, H).
    fn encode(&self, parameters: &Parameters, images: &BinaryRows, copy: u32, place: u64) -> Array2<f32> {
        let draws = Draws::at(self.seed, ADDRESS + place);
        let member: Rbm = parameters.sampled(copy, draws);
        let sweeps = self.params.sweeps as usize;
        let first = copy as usize * sweeps;
        member.hidden_prob(&member.gibbs(images, first..first + sweeps, draws))
    }
}

/// How many members say something new: one, if the ensemble is one machine.
fn members(parameters: &Parameters, wanted: u32) -> u32 {
    if parameters.marginal().is_some() { wanted.min(1) } else { wanted }
}
