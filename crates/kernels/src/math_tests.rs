use super::*;
use crate::Level;

/// The greatest error of `ours` against `exact` over a grid, in ulp of the exact result.
fn worst_ulp(from: f32, to: f32, ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
    const POINTS: u32 = 400_000;
    let mut worst = 0.0_f64;
    for i in 0..=POINTS {
        let x = from + (to - from) * (i as f32 / POINTS as f32);
        let expected = exact(f64::from(x));
        let nearest = (expected as f32).abs();
        let ulp = f64::from(f32::from_bits(nearest.to_bits() + 1)) - f64::from(nearest);
        let error = (f64::from(ours(x)) - expected).abs() / ulp;
        assert!(error.is_finite(), "at {x}");
        worst = worst.max(error);
    }
    worst
}

/// Holds an error bound over wide and narrow grids.
fn check(name: &str, bound: f64, grids: &[(f32, f32)], ours: fn(f32) -> f32, exact: fn(f64) -> f64) {
    for &(from, to) in grids {
        let worst = worst_ulp(from, to, ours, exact);
        println!("{name} on [{from}, {to}]: {worst:.2} ulp");
        assert!(worst <= bound, "{name} on [{from}, {to}]: {worst} ulp");
    }
}

const WIDE: &[(f32, f32)] = &[(-87.0, 87.0), (-8.0, 8.0), (-0.4, 0.4), (-1e-3, 1e-3)];

#[test]
fn the_exponential_is_as_accurate_as_stated() {
    check("exp", 2.0, WIDE, exp, libm::exp);
    check("exp_m1", 3.0, WIDE, exp_m1, libm::expm1);
}

#[test]
fn the_sigmoid_is_as_accurate_as_stated() {
    check("sigmoid", 3.0, WIDE, sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)));
}

#[test]
fn the_logarithm_is_as_accurate_as_stated() {
    check("ln", 2.0, &[(1e-30, 1e-3), (1e-3, 0.9), (0.9, 1.1), (1.1, 3.0), (3.0, 1e30)], ln, libm::log);
    check("ln_1p", 3.0, &[(-0.999, 0.0), (-1e-3, 1e-3), (0.0, 3.0), (3.0, 1e30)], ln_1p, libm::log1p);
}

#[test]
fn the_softplus_is_as_accurate_as_stated() {
    check("softplus", 3.0, WIDE, softplus, |x| {
        if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
    });
}

#[test]
fn far_arguments_saturate_and_nan_stays_nan() {
    assert_eq!(sigmoid(f32::INFINITY), 1.0);
    assert!((1.6e-38..1.7e-38).contains(&sigmoid(f32::NEG_INFINITY)));
    assert_eq!(softplus(1e30), 1e30);
    assert!((0.0..1.7e-38).contains(&softplus(-1e30)));
    for f in [exp, exp_m1, sigmoid, ln, ln_1p, softplus] {
        assert!(f(f32::NAN).is_nan());
    }
}

/// A kernel on slices and the same function of one number.
type Twins = (fn(Level, &mut [f32]), fn(f32) -> f32);

#[test]
fn every_level_gives_the_same_bits() {
    // 10,007 numbers: no multiple of any vector width.
    let xs: Vec<f32> = (0..10_007).map(|i| (i as f32 - 5_000.0) * 0.019).chain([f32::NAN]).collect();
    let kernels: [Twins; 3] = [(exps_at, exp), (sigmoids_at, sigmoid), (softpluses_at, softplus)];
    for (slices, one) in kernels {
        let expected: Vec<u32> = xs.iter().map(|&x| one(x).to_bits()).collect();
        for &level in Level::available() {
            let mut ys = xs.clone();
            slices(level, &mut ys);
            let bits: Vec<u32> = ys.iter().map(|y| y.to_bits()).collect();
            assert_eq!(bits, expected, "{level:?}");
        }
    }
}
