use super::super::exact::{TinyEnsemble, unit_distribution};
use super::super::law::suite_tests::LAWS;
use super::super::{Init, Learning, Scratch, State, step};
use super::*;
use crate::stats;

const SIDE: usize = 20;
const RELEASING: [Synapses; 2] = [Synapses::JointEnergy, Synapses::PriorMixture];

/// Images of two thick strokes across a square of 20 × 20 pixels; about a quarter of the pixels are on.
fn strokes(n: usize, draws: Draws) -> BinaryRows {
    let mut u = vec![0.0; 8 * n];
    draws.fill_uniform_f64(Stream::Split, 0, &mut u);
    let mut images = BinaryRows::new(SIDE * SIDE);
    for u in u.chunks_exact(8) {
        let on = |pixel: usize| {
            let (x, y) = ((pixel % SIDE) as f64, (pixel / SIDE) as f64);
            u.chunks_exact(4).any(|stroke| {
                let (px, py, angle, reach) = (
                    20.0 * stroke[0],
                    20.0 * stroke[1],
                    std::f64::consts::PI * stroke[2],
                    8.0 + 6.0 * stroke[3],
                );
                let (dx, dy) = (libm::cos(angle), libm::sin(angle));
                let (along, across) = ((x - px) * dx + (y - py) * dy, (x - px) * dy - (y - py) * dx);
                along.abs() < reach && across.abs() < 2.5
            })
        };
        images.push((0..SIDE * SIDE).filter(|pixel| on(*pixel)).map(|pixel| pixel as u32));
    }
    images
}

/// A machine that has learned strokes: reliable synapses beside unreliable ones.
fn trained(synapses: Synapses) -> (Parameters, BinaryRows) {
    let images = strokes(1_000, Draws::at(21, 0));
    let init = Init { hidden_units: 100, ..Init::default() };
    let mut state =
        State::new(Parameters::init(synapses, init, images.column_means().view(), Draws::at(21, 0)));
    let (mut scratch, mut batch) = (Scratch::default(), BinaryRows::new(0));
    let eta_w = if synapses == Synapses::JointEnergy { 0.2 } else { 0.1 };
    for t in 1..=300_u64 {
        let picks: Vec<u32> = (0..50).map(|k| ((t * 50 + k) % 1_000) as u32).collect();
        images.select_into(&picks, &mut batch);
        step(&mut state, &batch, &Learning { eta_w, ..Learning::default() }, &mut scratch, Draws::at(21, t));
    }
    (state.parameters, images)
}

/// A machine with random weights, and images for it.
fn random(synapses: Synapses) -> (Parameters, BinaryRows) {
    let images = strokes(10, Draws::at(21, 0));
    let init = Init { hidden_units: 30, w_sd: 0.5, p0: 0.4, ..Init::default() };
    (Parameters::init(synapses, init, images.column_means().view(), Draws::at(21, 0)), images)
}

/// Mean and standard deviation of every feature over examples, which are one image again and again.
fn moments(features: &Array2<f32>) -> Vec<(f64, f64)> {
    let of = |j: usize| features.column(j).iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    (0..features.ncols()).map(|j| (stats::mean(&of(j)), stats::sd(&of(j)))).collect()
}

/// Greatest tolerable differences: mean over units and worst unit of the mean, worst unit of the deviation.
///
/// 600 samples of a deviation of 0.03 leave 0.03·√(2/600) = 0.002 in a mean, and of the greatest, 0.35, 0.02.
const BOUNDS: [f64; 3] = [0.005, 0.04, 0.06];

/// The differences of [`BOUNDS`], after 600 samples each of one image.
fn differences(image: &BinaryRows, explicit: &Parameters, matched: &Parameters) -> [f64; 3] {
    let samples = image.select(&[0; 600]);
    let explicit = moments(&per_example_masks(explicit, &samples, 0, Draws::at(22, 0)));
    let matched = moments(&moment_matched(matched, &samples, 0, Draws::at(22, 1)));
    let pairs = || explicit.iter().zip(&matched);
    let means: Vec<f64> = pairs().map(|(x, y)| (x.0 - y.0).abs()).collect();
    let sds = pairs().map(|(x, y)| (x.1 - y.1).abs());
    let worst = means.iter().fold(0.0_f64, |m, x| m.max(*x));
    [stats::mean(&means), worst, sds.fold(0.0, f64::max)]
}

#[test]
fn matched_moments_give_the_features_of_explicit_masks() {
    for synapses in RELEASING {
        let (parameters, images) = trained(synapses);
        let image = images.select(&[3]);
        let found = differences(&image, &parameters, &parameters);
        println!("{synapses:?}: {} pixels on, {found:.4?}", image.row(0).len());
        assert!(found.iter().zip(BOUNDS).all(|(x, bound)| *x <= bound), "{synapses:?}: {found:?}");
        // Negative control: the moments of the other model do not do.
        let other = if synapses == RELEASING[0] { RELEASING[1] } else { RELEASING[0] };
        let other = Parameters { synapses: other, ..parameters.clone() };
        let control = differences(&image, &parameters, &other);
        println!("with the moments of the other: {control:.4?}");
        assert!(control.iter().zip(BOUNDS).any(|(x, bound)| *x > bound), "{synapses:?}: {control:?}");
    }
}

#[test]
fn a_chain_inside_a_sampled_member_of_model_a_keeps_the_joint_distribution() {
    // From v ~ P(v) any number of sweeps at the W of (v, h) leaves P(v, h, W) as it is: so the mean of
    // P(h_j | v, W) is P(h_j). 5 standard errors: 6e-7 each by chance, 20 of them.
    const N: usize = 20_000;
    for &law in LAWS {
        let init = Init { hidden_units: 2, w_sd: 1.5, law, p0: 0.4, sd0: 0.6 };
        let mean = ndarray::array![0.4, 0.6];
        let mut parameters = Parameters::init(Synapses::JointEnergy, init, mean.view(), Draws::at(23, 0));
        parameters.c = ndarray::array![0.5, -0.7];
        let units = unit_distribution(&TinyEnsemble::from(&parameters));
        let p_visible: Vec<f64> = units.rows().into_iter().map(|row| row.sum()).collect();
        let mut visible = BinaryRows::new(2);
        for i in 0..N as u64 {
            let v = crate::distributions::categorical(Draws::at(23, 1), Stream::ObservePick, i, &p_visible);
            visible.push((0..2).filter(|bit| v >> bit & 1 == 1));
        }
        for sweeps in [0, 3] {
            let features = sampled(&parameters, &visible, sweeps, 5, Draws::at(23, 2));
            for j in 0..2 {
                let expected: f64 = (0..4).filter(|h| h >> j & 1 == 1).map(|h| units.column(h).sum()).sum();
                let values: Vec<f64> = features.column(j).iter().map(|x| f64::from(*x)).collect();
                let error = stats::sd(&values) / (N as f64).sqrt();
                let found = stats::mean(&values);
                assert!(
                    (found - expected).abs() < 5.0 * error,
                    "{law:?}, {sweeps} sweeps, unit {j}: {found}, not {expected} ± {error}"
                );
            }
        }
    }
}

#[test]
fn a_copy_of_the_mixture_shows_all_images_the_same_member() {
    let (parameters, images) = random(Synapses::PriorMixture);
    let (images, draws) = (images.select(&[1, 2, 3]), Draws::at(24, 0));
    let rbm = parameters.sampled(7, draws);
    let chain = rbm.gibbs(&images, 7 * 1024..7 * 1024 + 2, draws);
    assert_eq!(sampled(&parameters, &images, 2, 7, draws), rbm.hidden_prob(&chain));
    assert_eq!(sampled(&parameters, &images, 0, 7, draws), rbm.hidden_prob(&images));
    assert_ne!(sampled(&parameters, &images, 2, 8, draws), sampled(&parameters, &images, 2, 7, draws));
}

#[test]
fn reliable_features_scatter_by_their_chain_only() {
    let (mut parameters, images) = random(Synapses::PriorMixture);
    (parameters.synapses, parameters.a) = (Synapses::Reliable, Array2::zeros((0, 0)));
    let (images, draws) = (images.select(&[1, 2]), Draws::at(25, 0));
    let rbm = parameters.marginal().expect("reliable synapses have a marginal");
    for copy in [0, 1] {
        assert_eq!(sampled(&parameters, &images, 0, copy, draws), rbm.hidden_prob(&images));
        assert_eq!(per_example_masks(&parameters, &images, copy, draws), rbm.hidden_prob(&images));
        assert_eq!(moment_matched(&parameters, &images, copy, draws), rbm.hidden_prob(&images));
    }
    assert_ne!(sampled(&parameters, &images, 1, 0, draws), sampled(&parameters, &images, 1, 1, draws));
}

#[test]
fn the_weights_of_an_image_do_not_depend_on_what_is_beside_it() {
    for synapses in RELEASING {
        let (parameters, images) = random(synapses);
        let draws = Draws::at(26, 0);
        let (both, first) = (images.select(&[4, 9]), images.select(&[4]));
        let row = |features: Array2<f32>| features.row(0).to_owned();
        for copy in [0, 3] {
            let explicit = |images| row(per_example_masks(&parameters, images, copy, draws));
            assert_eq!(explicit(&both), explicit(&first));
            let chain = |images| row(sampled(&parameters, images, 2, copy, draws));
            assert_eq!(chain(&both), chain(&first));
        }
    }
}
