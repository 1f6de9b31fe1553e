//! Visible units that say which class an image is of.

use super::parameters::Parameters;
use super::rbm::{Rbm, sampled};
use crate::{BinaryRows, Draws, Stream, stats};
use kernels::math;
use ndarray::{Array2, ArrayView1, Axis};
use std::ops::Range;

/// Visible units of a machine of images and labels: pixels, then `per_class` units of each class.
///
/// The machine learns the units of the class as it learns pixels, and can then be asked for what it is not
/// shown.
///
/// # Source
/// Larochelle & Bengio 2008, "Classification using discriminative restricted Boltzmann machines", ICML (the
/// joint machine and its P(class | v)). There the units of classes are one variable; here, as in Neftci et
/// al. 2016, they are independent binary units while the machine learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassUnits {
    /// Units of the image.
    pub pixels: usize,
    /// Classes.
    pub classes: usize,
    /// Units of each class, on together.
    pub per_class: usize,
}

impl ClassUnits {
    /// V, pixels and units of classes together.
    pub fn visible_units(&self) -> usize {
        self.pixels + self.classes * self.per_class
    }

    /// The units of a class.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn of(&self, class: usize) -> Range<usize> {
        assert!(class < self.classes, "class {class} is not among {}", self.classes);
        let first = self.pixels + class * self.per_class;
        first..first + self.per_class
    }

    /// Images with their labels: (examples, pixels) and one class each to (examples, V).
    ///
    /// # Panics
    /// If shapes do not fit or there is no such class.
    pub fn labelled(&self, images: &BinaryRows, labels: &[u8]) -> BinaryRows {
        assert_eq!(images.columns(), self.pixels, "one column per pixel");
        assert_eq!(images.len(), labels.len(), "one label per image");
        let mut rows = BinaryRows::new(self.visible_units());
        for (image, &label) in labels.iter().enumerate() {
            let units = self.of(usize::from(label)).map(|unit| unit as u32);
            rows.push(images.row(image).iter().copied().chain(units));
        }
        rows
    }

    /// The same examples with all units of classes off: (examples, V) to (examples, V).
    pub fn unlabelled(&self, rows: &BinaryRows) -> BinaryRows {
        let mut images = BinaryRows::new(rows.columns());
        let is_pixel = |unit: &u32| (*unit as usize) < self.pixels;
        (0..rows.len()).for_each(|i| images.push(rows.row(i).iter().copied().filter(is_pixel)));
        images
    }

    /// `P(class | pixels)` among the states in which the units of one class are on: (classes, examples).
    ///
    /// `ln P = Σ_u b_u + Σ_j log(1 + exp(c_j + Σ_i v_i W_ij + Σ_u W_uj))` up to what the classes share, u the units of
    /// the class: the free energies of the classes.
    ///
    /// # Panics
    /// If `images` or the machine have not V units; units of classes that are on count as pixels.
    pub fn posterior(&self, rbm: &Rbm, images: &BinaryRows) -> Array2<f64> {
        let inputs = rbm.hidden_inputs(images);
        let of_classes = (0..self.classes).map(|class| self.bias_and_row(rbm, class));
        let (biases, rows): (Vec<f64>, Vec<Vec<f32>>) = of_classes.unzip();
        let mut posterior = Array2::zeros((self.classes, images.len()));
        let mut softened = vec![0.0; inputs.ncols()];
        for (inputs, mut answers) in inputs.rows().into_iter().zip(posterior.columns_mut()) {
            for ((answer, bias), row) in answers.iter_mut().zip(&biases).zip(&rows) {
                softened.iter_mut().zip(inputs).zip(row).for_each(|((x, input), w)| *x = input + w);
                math::softpluses(&mut softened);
                *answer = bias + stats::sum_f32(&softened);
            }
            let greatest = answers.fold(f64::NEG_INFINITY, |most, x| most.max(*x));
            answers.mapv_inplace(|x| libm::exp(x - greatest));
            let total = answers.iter().fold(0.0, |sum, x| sum + x);
            answers.mapv_inplace(|x| x / total);
        }
        posterior
    }

    /// Mean activity of the units of each class while the pixels are held: (classes, examples).
    ///
    /// Gibbs sweeps over hidden units and units of classes, these off at first; every half sweep with weights of its
    /// own, drawn from the prior for the mixture ([`Parameters::sampled`], copies 0, 1, … of the half sweeps), so that
    /// a synapse releases anew. The first quarter of the sweeps is left out of the mean, which is of
    /// `P(unit on | h)`.
    ///
    /// Draws: streams `ClampedHidden` and `ClampedClass` at the numbers of the sweeps.
    ///
    /// # Panics
    /// If `images` has not V columns or there are no sweeps.
    ///
    /// # Source
    /// Neftci et al. 2016, Front. Neurosci. 10:241 (synapses release anew whenever they are used).
    pub fn clamped_activity(
        &self,
        parameters: &Parameters,
        images: &BinaryRows,
        sweeps: usize,
        draws: Draws,
    ) -> Array2<f64> {
        assert!(sweeps > 0, "a mean needs sweeps");
        let images = self.unlabelled(images);
        let (units, burn_in) = (self.classes * self.per_class, sweeps / 4);
        let mut classes = BinaryRows::new(units);
        (0..images.len()).for_each(|_| classes.push([]));
        let mut activity = Array2::zeros((self.classes, images.len()));
        for sweep in 0..sweeps {
            let (up, down) = (2 * sweep as u32, 2 * sweep as u32 + 1);
            let seen = self.with_classes(&images, &classes);
            let p = parameters.sampled(up, draws).hidden_prob(&seen);
            let hidden = sampled(&p, Stream::ClampedHidden, sweep, draws);
            let p = self.class_prob(&parameters.sampled(down, draws), &hidden);
            classes = sampled(&p, Stream::ClampedClass, sweep, draws);
            if sweep >= burn_in {
                for (mut activity, p) in activity.axis_iter_mut(Axis(1)).zip(p.rows()) {
                    self.add_means(p, activity.iter_mut());
                }
            }
        }
        activity / (sweeps - burn_in) as f64
    }

    /// Σ b_u and the summed rows of weights of a class.
    fn bias_and_row(&self, rbm: &Rbm, class: usize) -> (f64, Vec<f32>) {
        let mut row = vec![0.0; rbm.weights().ncols()];
        let mut bias = 0.0;
        for unit in self.of(class) {
            bias += f64::from(rbm.visible_biases()[unit]);
            row.iter_mut().zip(rbm.weights().row(unit)).for_each(|(sum, w)| *sum += w);
        }
        (bias, row)
    }

    fn with_classes(&self, images: &BinaryRows, classes: &BinaryRows) -> BinaryRows {
        let mut rows = BinaryRows::new(images.columns());
        for example in 0..images.len() {
            let on = classes.row(example).iter().map(|unit| unit + self.pixels as u32);
            rows.push(images.row(example).iter().copied().chain(on));
        }
        rows
    }

    /// `P(u = 1 | h)` of the units of classes alone, (examples, classes · per_class).
    fn class_prob(&self, rbm: &Rbm, hidden: &BinaryRows) -> Array2<f32> {
        let units = self.pixels..self.visible_units();
        let mut p = Array2::zeros((hidden.len(), units.len()));
        for (example, mut p) in p.rows_mut().into_iter().enumerate() {
            for (p, unit) in p.iter_mut().zip(units.clone()) {
                let (bias, row) = (rbm.visible_biases()[unit], rbm.weights().row(unit));
                *p = hidden.row(example).iter().fold(bias, |sum, &j| sum + row[j as usize]);
            }
        }
        math::sigmoids(p.as_slice_mut().expect("a new array is in standard layout"));
        p
    }

    fn add_means<'a>(&self, p: ArrayView1<'_, f32>, activity: impl Iterator<Item = &'a mut f64>) {
        let p = p.as_slice().expect("a row of a standard layout");
        for (sum, p) in activity.zip(p.chunks_exact(self.per_class)) {
            *sum += stats::sum_f32(p) / self.per_class as f64;
        }
    }
}

#[cfg(test)]
#[path = "class_units_tests.rs"]
mod tests;
