use super::*;
use crate::Level;

/// 4,003 synapses (no multiple of a vector) over the range learning reaches, and beyond.
fn synapses() -> (Vec<f32>, Vec<f32>) {
    let grid = |i: u32, k: u32| f32::from((i.wrapping_mul(k) % 4_001) as u16) / 2_000.0 - 1.0;
    (0..4_003).map(|i| (20.0 * grid(i, 7_919) * grid(i, 31).abs(), 8.0 * grid(i, 104_729))).unzip()
}

fn bits(xs: &[f32]) -> Vec<u32> {
    xs.iter().map(|x| x.to_bits()).collect()
}

/// log(1 + e^x) in f64.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
}

#[test]
fn the_collapsed_weight_keeps_its_digits_for_small_and_for_large_weights() {
    let mut worst = 0.0_f64;
    for i in -160_i16..=160 {
        for size in [1e-6_f32, 1e-4, 1e-3, 0.01, 0.1, 0.5, 1.0, 3.0, 8.0, 20.0] {
            for w in [size, -size] {
                let a = f32::from(i) * 0.05;
                let (a64, w64) = (f64::from(a), f64::from(w));
                let exact = if size < 0.01 {
                    libm::log1p(libm::expm1(w64) / (1.0 + libm::exp(-a64)))
                } else {
                    softplus(a64 + w64) - softplus(a64)
                };
                let ulp = exact.abs() * f64::from(f32::EPSILON);
                let error = (f64::from(collapsed(w, a)) - exact).abs() / ulp;
                assert!(error <= 8.0, "w {w}, a {a}: {error} ulp");
                worst = worst.max(error);
            }
        }
    }
    println!("collapse: {worst:.2} ulp");
}

#[test]
fn a_collapsed_inhibitory_synapse_is_bounded_by_its_failures() {
    // weff ≥ log(1 − p) = −log 2 at p = ½, however negative w is.
    assert!((collapsed(-60.0, 0.0) + std::f32::consts::LN_2).abs() < 1e-6);
    assert!((collapsed(60.0, 0.0) - (60.0 - std::f32::consts::LN_2)).abs() < 1e-5);
    assert_eq!(collapsed(0.0, 1.5), 0.0);
    assert!(collapsed(f32::NAN, 0.0).is_nan() && collapsed(0.1, f32::NAN).is_nan());
}

#[test]
fn every_level_collapses_and_releases_with_the_same_bits() {
    let (w, a) = synapses();
    let words: Vec<u32> = (0..w.len() as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let run = |level| {
        let (mut weff, mut mask, mut released) = (vec![0.0; w.len()], vec![0.0; w.len()], vec![0.0; w.len()]);
        collapse_at(level, &w, &a, &mut weff);
        release_at(level, &w, &a, &words, &mut mask, &mut released);
        [bits(&weff), bits(&mask), bits(&released)]
    };
    for &level in Level::available() {
        assert!(run(level) == run(Level::Portable), "{level:?}");
    }
    let [_, mask, released] = run(Level::Portable);
    for i in 0..w.len() {
        let released_here = uniform(words[i]) < sigmoid(a[i]);
        assert_eq!(f32::from_bits(mask[i]), f32::from(u8::from(released_here)));
        assert_eq!(f32::from_bits(released[i]), if released_here { w[i] } else { 0.0 });
    }
}

const RULE: Rule = Rule {
    w: Ascent { rate: 0.2, momentum: 0.5, decay: 2e-4 },
    a: Ascent { rate: 3.2, momentum: 0.5, decay: 0.0 },
    a_limit: 8.0,
    d_scale: 0.01,
};

#[test]
fn every_level_ascends_with_the_same_bits() {
    let (w0, a0) = synapses();
    let d: Vec<f32> = w0.iter().map(|w| w * 3.0 - 1.0).collect();
    let mask: Vec<f32> = a0.iter().map(|a| f32::from(u8::from(*a > 0.3))).collect();
    let run = |level| {
        let (mut w, mut a, mut vw, mut va) = (w0.clone(), a0.clone(), a0.clone(), w0.clone());
        for _ in 0..3 {
            ascend_at(level, &mut w, &mut vw, &d, 0.01, RULE.w);
            let learned = Learned { w: &mut w, a: &mut a, w_velocity: &mut vw, a_velocity: &mut va };
            ascend_joint_energy_at(level, learned, &d, RULE);
            let learned = Learned { w: &mut w, a: &mut a, w_velocity: &mut vw, a_velocity: &mut va };
            ascend_mixture_at(level, learned, &mask, &d, RULE);
        }
        [bits(&w), bits(&a), bits(&vw), bits(&va)]
    };
    for &level in Level::available() {
        assert!(run(level) == run(Level::Portable), "{level:?}");
    }
}

#[test]
fn an_idle_synapse_of_the_mixture_changes_its_release_but_not_its_strength() {
    let (mut w, mut a, mut vw, mut va) = ([0.5], [0.0], [0.0], [0.0]);
    let rule = Rule { w: Ascent { decay: 0.0, ..RULE.w }, ..RULE };
    let learned = Learned { w: &mut w, a: &mut a, w_velocity: &mut vw, a_velocity: &mut va };
    ascend_mixture(learned, &[0.0], &[100.0], rule);
    assert_eq!(w, [0.5]);
    // da = p(1 − p) w d = ¼ · ½ · 1, times the rate 3.2.
    assert!((a[0] - 0.4).abs() < 1e-6);
}
