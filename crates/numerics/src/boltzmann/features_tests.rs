use super::super::law::Law;
use super::super::law::suite_tests::LAWS;
use super::super::{Init, Learning, Scratch, State, step};
use super::*;
use crate::stats;
use ndarray::Array1;

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
                let (px, py, angle, reach) =
                    (20.0 * stroke[0], 20.0 * stroke[1], 3.14 * stroke[2], 8.0 + 6.0 * stroke[3]);
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
    for t in 1..=400_u64 {
        let picks: Vec<u32> = (0..50).map(|k| ((t * 50 + k) % 1_000) as u32).collect();
        images.select_into(&picks, &mut batch);
        step(&mut state, &batch, &Learning { eta_w, ..Learning::default() }, &mut scratch, Draws::at(21, t));
    }
    (state.parameters, images)
}

/// Mean and standard deviation of every feature of the first image over copies.
fn moments(copies: u32, features: impl Fn(u32) -> Array2<f32>) -> Vec<(f64, f64)> {
    let samples: Vec<Array2<f32>> = (0..copies).map(features).collect();
    let of = |j: usize| samples.iter().map(|f| f64::from(f[[0, j]])).collect::<Vec<_>>();
    (0..samples[0].ncols()).map(|j| (stats::mean(&of(j)), stats::sd(&of(j)))).collect()
}

#[test]
fn matched_moments_give_the_features_of_explicit_masks() {
    for synapses in RELEASING {
        let (parameters, images) = trained(synapses);
        let image = images.select(&[3]);
        let explicit = moments(600, |copy| per_example_masks(&parameters, &image, copy, Draws::at(22, 0)));
        let matched = moments(600, |copy| moment_matched(&parameters, &image, copy, Draws::at(22, 1)));
        let differences = |part: fn(&(f64, f64)) -> f64| -> Vec<f64> {
            explicit.iter().zip(&matched).map(|(x, y)| (part(x) - part(y)).abs()).collect()
        };
        let (means, sds) = (differences(|m| m.0), differences(|m| m.1));
        let worst = |xs: &[f64]| xs.iter().fold(0.0_f64, |m, x| m.max(*x));
        let spread: Vec<f64> = explicit.iter().map(|m| m.1).collect();
        println!(
            "{synapses:?}: {} pixels on, sd of a feature {:.3}, worst {:.3}; mean off by {:.4}, worst {:.4}; sd off by at most {:.4}",
            image.row(0).len(),
            stats::mean(&spread),
            worst(&spread),
            stats::mean(&means),
            worst(&means),
            worst(&sds),
        );
    }
}
