use super::*;
use crate::{Draws, Stream, logistic::sigmoid};
use ndarray::{Array2, array};

fn random(n: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut x = vec![0.0; n * columns];
    Draws::at(seed, 0).fill_uniform(Stream::Init, 0, &mut x);
    Array2::from_shape_vec((n, columns), x).expect("one number per place")
}

fn labels(n: usize, classes: usize) -> Vec<u8> {
    (0..n).map(|i| (i % classes) as u8).collect()
}

/// Value, gradient and Hessian of the objective in full space, straight from the definition; W (classes, columns) then b.
fn by_definition(
    x: &Array2<f32>,
    labels: &[u8],
    classes: usize,
    penalty: f64,
    at: &[f64],
) -> (f64, Vec<f64>, Array2<f64>) {
    let (n, columns) = x.dim();
    let place = |k: usize, j: usize| if j < columns { k * columns + j } else { classes * columns + k };
    let mut gradient = vec![0.0; at.len()];
    let mut hessian = Array2::zeros((at.len(), at.len()));
    let mut value = 0.0;
    for i in 0..n {
        let input = |j: usize| if j < columns { f64::from(x[[i, j]]) } else { 1.0 };
        let score = |k: usize| (0..=columns).map(|j| at[place(k, j)] * input(j)).sum::<f64>();
        let weights: Vec<f64> = (0..classes).map(|k| libm::exp(score(k))).collect();
        let total: f64 = weights.iter().sum();
        let p: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let label = usize::from(labels[i]);
        value -= libm::log(p[label]) / n as f64;
        for k in 0..classes {
            for j in 0..=columns {
                let miss = p[k] - f64::from(u8::from(k == label));
                gradient[place(k, j)] += miss * input(j) / n as f64;
                for (m, l) in (0..classes).flat_map(|m| (0..=columns).map(move |l| (m, l))) {
                    let curvature = p[k] * (f64::from(u8::from(k == m)) - p[m]);
                    hessian[[place(k, j), place(m, l)]] += curvature * input(j) * input(l) / n as f64;
                }
            }
        }
    }
    for w in 0..classes * columns {
        value += 0.5 * penalty * at[w] * at[w];
        gradient[w] += penalty * at[w];
        hessian[[w, w]] += penalty;
    }
    (value, gradient, hessian)
}

fn solve(mut a: Array2<f64>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        for i in k + 1..n {
            let factor = a[[i, k]] / a[[k, k]];
            (k..n).for_each(|j| a[[i, j]] -= factor * a[[k, j]]);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        b[k] = (b[k] - (k + 1..n).map(|j| a[[k, j]] * b[j]).sum::<f64>()) / a[[k, k]];
    }
    b
}

/// The minimum by Newton's method, a second road to the same place.
fn newton(x: &Array2<f32>, labels: &[u8], classes: usize, penalty: f64) -> Vec<f64> {
    let columns = x.ncols();
    let mut at = vec![0.0; classes * (columns + 1)];
    for _ in 0..30 {
        let (_, gradient, mut hessian) = by_definition(x, labels, classes, penalty, &at);
        // All biases together may move freely: 1 added between them picks the sum 0, where the fit starts.
        for (k, m) in (0..classes).flat_map(|k| (0..classes).map(move |m| (k, m))) {
            hessian[[classes * columns + k, classes * columns + m]] += 1.0;
        }
        let step = solve(hessian, gradient);
        at.iter_mut().zip(step).for_each(|(x, step)| *x -= step);
    }
    at
}

fn solution(fit: &Fit) -> Vec<f64> {
    fit.classifier.weights().iter().chain(fit.classifier.biases()).copied().collect()
}

#[test]
fn two_points_have_the_solution_worked_by_hand() {
    // x = ±1, one of each class: w₁ = −w₀ = w minimises log(1 + e^(−2w)) + λ w², so λ w = s(−2w).
    let x = array![[-1.0_f32], [1.0]];
    let fit = fit(&Features::new(x.view()), &[0, 1], 2, 0.01);
    let w = fit.classifier.weights()[[1, 0]];
    assert!((0.01 * w - sigmoid(-2.0 * w)).abs() < 1e-6, "{w}");
    assert!((fit.classifier.weights()[[0, 0]] + w).abs() < 1e-6);
    let p = fit.classifier.probabilities(&Features::new(array![[1.0_f32], [0.0]].view()));
    assert!((p[[1, 0]] - sigmoid(2.0 * w)).abs() < 1e-9);
    assert!((p[[1, 1]] - 0.5).abs() < 1e-6);
}

#[test]
fn the_minimum_is_newtons_with_more_and_with_fewer_examples_than_columns() {
    for (n, columns) in [(40, 6), (9, 14), (5, 5)] {
        let (x, labels) = (random(n, columns, 3), labels(n, 3));
        let fit = fit(&Features::new(x.view()), &labels, 3, 0.01);
        let newton = newton(&x, &labels, 3, 0.01);
        let far = solution(&fit).iter().zip(&newton).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // ‖x − x*‖ ≤ ‖gradient‖/λ = 1e-6/0.01 in W, since λ is the least curvature.
        assert!(far < 1e-4, "{n} x {columns}: {far}");
    }
}

#[test]
fn the_gradient_in_full_space_vanishes_also_when_examples_repeat() {
    // Ten different examples, each three times: rank 9 among 30 examples and 50 columns.
    let once = random(10, 50, 5);
    let x = Array2::from_shape_fn((30, 50), |(i, j)| once[[i % 10, j]]);
    let fit = fit(&Features::new(x.view()), &labels(30, 10), 10, 0.01);
    let (_, gradient, _) = by_definition(&x, &labels(30, 10), 10, 0.01, &solution(&fit));
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!(fit.gradient_norm <= lbfgs::TOLERANCE && norm < 2.0 * lbfgs::TOLERANCE, "{norm}");
}

#[test]
fn copies_of_all_examples_leave_the_solution_where_it_is() {
    // A penalty on the sum of losses would weaken with every copy.
    let (x, labels) = (random(20, 8, 7), labels(20, 4));
    let once = fit(&Features::new(x.view()), &labels, 4, 0.01);
    let many = Array2::from_shape_fn((100, 8), |(i, j)| x[[i % 20, j]]);
    let five = fit(&Features::new(many.view()), &labels.repeat(5), 4, 0.01);
    for (a, b) in solution(&once).iter().zip(solution(&five)) {
        assert!((a - b).abs() < 2e-4, "{a} against {b}");
    }
}

#[test]
fn no_other_point_has_a_lesser_value() {
    let (x, labels) = (random(30, 5, 8), labels(30, 3));
    let best = solution(&fit(&Features::new(x.view()), &labels, 3, 0.1));
    let value = |at: &[f64]| by_definition(&x, &labels, 3, 0.1, at).0;
    for i in 0..50 {
        let mut shift = vec![0.0; best.len()];
        Draws::at(i, 1).fill_normal(Stream::Init, 0, &mut shift);
        let other: Vec<f64> = best.iter().zip(shift).map(|(x, shift)| x + 0.01 * shift).collect();
        assert!(value(&other) > value(&best));
    }
}

#[test]
fn examples_that_are_all_alike_leave_only_the_share_of_each_class() {
    let x = Array2::from_elem((4, 7), 0.25_f32);
    let fit = fit(&Features::new(x.view()), &[0, 1, 1, 1], 2, 0.01);
    let p = fit.classifier.probabilities(&Features::new(x.view()));
    assert!((p[[1, 0]] - 0.75).abs() < 1e-5);
    assert!(fit.classifier.weights().iter().all(|&w| w == 0.0));
}

#[test]
#[should_panic(expected = "labels are below 2")]
fn a_label_without_a_class_is_refused() {
    fit(&Features::new(random(2, 2, 1).view()), &[0, 2], 2, 0.01);
}
