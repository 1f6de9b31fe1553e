use super::*;
use crate::Level;

const RULE: Rule = Rule {
    step: 0.03,
    theta_0: 3.0,
    rest: 0.049_787_07,
    alpha: 0.135_335_28,
    cap: 5.0,
    floor: -6.0,
    inputs: 5,
};

/// θ, traces and bounds that pass through every branch.
fn example(n: usize) -> (Vec<f32>, Vec<f32>, Vec<f32>, Vec<bool>) {
    let theta = (0..n).map(|i| (i as f32 * 0.37) % 13.0 - 7.0).collect();
    let x = (0..n).map(|i| (i as f32 * 0.11) % 1.7).collect();
    let most = (0..n).map(|i| if i % 3 == 0 { 2.0 } else { 5.0 }).collect();
    (theta, x, most, (0..n).map(|i| i % 7 != 2).collect())
}

struct Rows {
    theta: Vec<f32>,
    w: Vec<f32>,
    depression: Vec<f32>,
}

impl Rows {
    fn row(&mut self) -> Row<'_> {
        Row { theta: &mut self.theta, w: &mut self.w, depression: &mut self.depression }
    }
}

#[test]
fn learning_is_the_equation_of_each_synapse() {
    let (theta, x, most, may_be) = example(40);
    let mut rows = Rows { theta, w: vec![0.0; 40], depression: vec![0.0; 40] };
    let mut sum = 0.0;
    settle(&mut rows.row(), &may_be, &most, RULE, &mut sum);
    let before: Vec<f64> = rows.theta.iter().map(|&theta| f64::from(theta)).collect();
    learn(&mut rows.row(), &x, &most, RULE, &mut sum);
    let (mut expected_sum, alpha) = (0.0, libm::exp(-2.0));
    for i in 0..40 {
        let theta = before[i];
        assert!(may_be[i] || theta == -6.0, "a synapse that may not be is at the floor");
        let e = libm::exp(theta - 3.0);
        let w = e - libm::exp(-3.0);
        let kick = 0.03 * e * (f64::from(x[i]) - (alpha * libm::exp(w)).min(5.0));
        let expected = if theta > 0.0 { (theta + kick).min(f64::from(most[i])) } else { theta };
        // A few roundings of numbers up to 7.
        assert!((f64::from(rows.theta[i]) - expected).abs() < 3e-6, "{i}: {} {expected}", rows.theta[i]);
        let w = if expected > 0.0 { libm::exp(expected - 3.0) - libm::exp(-3.0) } else { 0.0 };
        assert!((f64::from(rows.w[i]) - w).abs() < 3e-5, "{i}: {} {w}", rows.w[i]);
        if i < RULE.inputs {
            expected_sum += alpha * libm::exp(w) - alpha;
        }
    }
    assert!((f64::from(sum) - expected_sum).abs() < 1e-5 * (1.0 + expected_sum), "{sum} {expected_sum}");
}

#[test]
fn what_depends_on_theta_can_be_computed_anew_with_the_same_bits() {
    let (theta, x, most, may_be) = example(301);
    let mut rows = Rows { theta, w: vec![0.0; 301], depression: vec![0.0; 301] };
    let (mut learned, mut again) = (0.0, 0.0);
    settle(&mut rows.row(), &may_be, &most, RULE, &mut learned);
    (0..50).for_each(|_| learn(&mut rows.row(), &x, &most, RULE, &mut learned));
    let mut fresh = Rows { theta: rows.theta.clone(), w: vec![9.0; 301], depression: vec![9.0; 301] };
    settle(&mut fresh.row(), &may_be, &most, RULE, &mut again);
    assert_eq!((&fresh.theta, &fresh.w, again), (&rows.theta, &rows.w, learned));
    assert_eq!(fresh.depression, rows.depression);
}

#[test]
fn potentials_are_products_of_rows() {
    let w: Vec<f32> = (0..60).map(|i| i as f32).collect();
    let x: Vec<f32> = (0..20).map(|i| (i % 2) as f32).collect();
    let mut out = [0.0; 3];
    potentials(&w, &x, &mut out);
    assert_eq!(out, [100.0, 300.0, 500.0]);
}

#[test]
fn traces_fade_and_end() {
    let (mut fall, mut rise) = (vec![1.0, 1.5e-12, 0.0], vec![1.0, 1.5e-12, 4.0]);
    fade(&mut fall, &mut rise, [0.5, 0.25]);
    assert_eq!((fall, rise), (vec![0.5, 0.0, 0.0], vec![0.25, 0.0, 1.0]));
}

#[test]
fn every_level_gives_the_same_bits_at_every_length() {
    for n in [5, 15, 16, 17, 31, 64, 130] {
        let run = |level: Level| {
            let (theta, x, most, may_be) = example(n);
            let mut rows = Rows { theta, w: vec![0.0; n], depression: vec![0.0; n] };
            let (mut sum, mut u, mut rise) = (0.0, [0.0], x.clone());
            settle_at(level, &mut rows.row(), &may_be, &most, RULE, &mut sum);
            learn_at(level, &mut rows.row(), &x, &most, RULE, &mut sum);
            potentials_at(level, &rows.w, &x, &mut u);
            fade_at(level, &mut rows.depression, &mut rise, [0.9, 0.5]);
            (rows.theta, rows.w, rows.depression, rise, sum.to_bits(), u[0].to_bits())
        };
        for &level in Level::available() {
            assert_eq!(run(level), run(Level::Portable), "{level:?}, {n}");
        }
    }
}
