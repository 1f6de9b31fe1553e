use super::*;
use crate::boltzmann::exact::{TinyEnsemble, unit_distribution};
use crate::boltzmann::{Init, Synapses};
use crate::logistic::sigmoid;
use ndarray::{Array1, array};

/// Three pixels, and two classes of one unit each.
const UNITS: ClassUnits = ClassUnits { pixels: 3, classes: 2, per_class: 1 };
const HIDDEN: usize = 3;

fn tiny(synapses: Synapses) -> Parameters {
    let init = Init { hidden_units: HIDDEN, p0: 0.6, w_sd: 1.5, ..Init::default() };
    let mean = Array1::from(vec![0.3, 0.6, 0.5, 0.4, 0.7]);
    let mut parameters = Parameters::init(synapses, init, mean.view(), Draws::at(41, 0));
    parameters.c = Array1::from(vec![0.3, -0.5, 0.1]);
    parameters
}

fn image(pixels: usize) -> BinaryRows {
    let mut rows = BinaryRows::new(UNITS.visible_units());
    rows.push((0..UNITS.pixels as u32).filter(|i| pixels >> i & 1 == 1));
    rows
}

/// Mean and standard error over seeds of the clamped activity of both classes.
fn measured(parameters: &Parameters, pixels: usize) -> [(f64, f64); 2] {
    const SEEDS: u64 = 100;
    let of = |seed| UNITS.clamped_activity(parameters, &image(pixels), 80, Draws::at(seed, 0));
    let runs: Vec<Array2<f64>> = (1..=SEEDS).map(of).collect();
    [0, 1].map(|class| {
        let values: Vec<f64> = runs.iter().map(|activity| activity[[class, 0]]).collect();
        (stats::mean(&values), stats::sd(&values) / (SEEDS as f64).sqrt())
    })
}

#[test]
fn labels_are_units_beyond_the_pixels_and_can_be_taken_off_again() {
    let units = ClassUnits { pixels: 2, classes: 3, per_class: 2 };
    let images = BinaryRows::from_dense(array![[1, 0], [0, 1]].view(), |x| *x == 1);
    let labelled = units.labelled(&images, &[2, 0]);
    assert_eq!(
        labelled.to_dense(),
        array![[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
    );
    let plain = units.unlabelled(&labelled);
    assert_eq!((plain.columns(), plain.row(0), plain.row(1)), (8, [0].as_slice(), [1].as_slice()));
}

#[test]
fn the_posterior_of_a_class_is_that_of_the_enumerated_machine() {
    let parameters = tiny(Synapses::JointEnergy);
    let exact = unit_distribution(&TinyEnsemble::from(&parameters));
    let rbm = parameters.marginal().expect("model A has a marginal");
    for pixels in 0..8 {
        let found = UNITS.posterior(&rbm, &image(pixels));
        let states = [pixels | 1 << 3, pixels | 1 << 4].map(|state| exact.row(state).sum());
        let expected = states[0] / (states[0] + states[1]);
        assert!((found[[0, 0]] - expected).abs() < 1e-5, "{pixels}: {found} instead of {expected}");
        assert!((found.sum() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn units_of_one_class_act_together_in_the_posterior() {
    // Twice the unit is a unit of twice the weight.
    let mut twice = tiny(Synapses::Reliable);
    let once_units = ClassUnits { pixels: 1, classes: 2, per_class: 2 };
    let mut once = twice.clone();
    for (class, unit) in [(0, 1), (1, 3)] {
        let row = &twice.w.row(unit) + &twice.w.row(unit + 1);
        once.w.row_mut(1 + class).assign(&row);
        once.b[1 + class] = twice.b[unit] + twice.b[unit + 1];
    }
    once.w = once.w.slice_axis(Axis(0), (..3).into()).to_owned();
    once.b = once.b.slice_axis(Axis(0), (..3).into()).to_owned();
    twice.w.row_mut(0).fill(0.7);
    once.w.row_mut(0).fill(0.7);
    let mut pixel = BinaryRows::new(5);
    pixel.push([0]);
    let found = once_units.posterior(&twice.marginal().expect("reliable"), &pixel);
    let mut pixel = BinaryRows::new(3);
    pixel.push([0]);
    let units = ClassUnits { pixels: 1, classes: 2, per_class: 1 };
    let expected = units.posterior(&once.marginal().expect("reliable"), &pixel);
    assert!((found[[0, 0]] - expected[[0, 0]]).abs() < 1e-6, "{found} {expected}");
}

#[test]
fn with_reliable_synapses_clamped_units_are_as_active_as_in_the_enumerated_machine() {
    let parameters = tiny(Synapses::Reliable);
    let exact = unit_distribution(&TinyEnsemble::from(&parameters));
    for pixels in [0, 5] {
        let states: Vec<f64> = (0..4).map(|classes| exact.row(pixels | classes << 3).sum()).collect();
        let total: f64 = states.iter().sum();
        let expected = [(states[1] + states[3]) / total, (states[2] + states[3]) / total];
        for ((mean, error), expected) in measured(&parameters, pixels).into_iter().zip(expected) {
            // 5 standard errors: 6e-7 by chance; the seeds are fixed.
            assert!((mean - expected).abs() < 5.0 * error, "{pixels}: {mean} ± {error}, not {expected}");
            assert!(error < 0.01);
        }
    }
}

/// Activity of both units in the stationary state of the chain in which every synapse releases anew in each half sweep.
fn with_fresh_releases(parameters: &Parameters, pixels: usize) -> [f64; 2] {
    let p = parameters.release_prob().mapv(f64::from);
    let w = parameters.w.mapv(f64::from);
    // E[s(bias + Σ ξ w)] over the releases of the synapses that are used.
    let mean = |bias: f32, synapses: &[(usize, usize)]| -> f64 {
        let each = |mask: usize| {
            let (mut weight, mut input) = (1.0, f64::from(bias));
            for (k, &at) in synapses.iter().enumerate() {
                let releases = mask >> k & 1 == 1;
                weight *= if releases { p[at] } else { 1.0 - p[at] };
                input += if releases { w[at] } else { 0.0 };
            }
            weight * sigmoid(input)
        };
        (0..1 << synapses.len()).map(each).sum()
    };
    let bit = |state: usize, k: usize| state >> k & 1 == 1;
    let both = |q: [f64; 2], state: usize| -> f64 {
        [0, 1].into_iter().map(|u| if bit(state, u) { q[u] } else { 1.0 - q[u] }).product()
    };
    let down = |hidden: usize| {
        [0, 1].map(|u| {
            let used: Vec<_> =
                (0..HIDDEN).filter(|&j| bit(hidden, j)).map(|j| (UNITS.pixels + u, j)).collect();
            mean(parameters.b[UNITS.pixels + u], &used)
        })
    };
    let hidden_given = |classes: usize| {
        let on = pixels | classes << UNITS.pixels;
        let q: Vec<f64> = (0..HIDDEN)
            .map(|j| {
                let used: Vec<_> = (0..5).filter(|&i| bit(on, i)).map(|i| (i, j)).collect();
                mean(parameters.c[j], &used)
            })
            .collect();
        (0..1_usize << HIDDEN).map(move |h| -> f64 {
            q.iter().enumerate().map(|(j, q)| if bit(h, j) { *q } else { 1.0 - q }).product()
        })
    };
    let mut share = [1.0, 0.0, 0.0, 0.0];
    for _ in 0..200 {
        let mut next = [0.0; 4];
        for (classes, &share) in share.iter().enumerate() {
            for (hidden, weight) in hidden_given(classes).enumerate() {
                let q = down(hidden);
                next.iter_mut().enumerate().for_each(|(to, next)| *next += share * weight * both(q, to));
            }
        }
        share = next;
    }
    [share[1] + share[3], share[2] + share[3]]
}

#[test]
fn with_stochastic_synapses_every_half_sweep_has_releases_of_its_own() {
    let parameters = tiny(Synapses::PriorMixture);
    for pixels in [2, 7] {
        let expected = with_fresh_releases(&parameters, pixels);
        for ((mean, error), expected) in measured(&parameters, pixels).into_iter().zip(expected) {
            // 5 standard errors: 6e-7 by chance; the seeds are fixed.
            assert!((mean - expected).abs() < 5.0 * error, "{pixels}: {mean} ± {error}, not {expected}");
            assert!(error < 0.01);
        }
    }
}
