//! One suite for all laws; the gradients of both models are held against it in `exact`.

use super::*;
use crate::boltzmann::exact::normal_nodes;
use crate::{Draws, Stream};

/// A new law needs its line here, and nothing else.
pub(in crate::boltzmann) const LAWS: &[Law] = &[
    Law::Bernoulli,
    Law::Gaussian,
    Law::BernoulliGaussian,
    Law::Quantal { sites: 1 },
    Law::Quantal { sites: 3 },
];

/// Synapses of both signs and of every reliability.
const SYNAPSES: [Synapse; 6] = [
    Synapse { w: 0.7, a: 0.0, log_sd: -0.7 },
    Synapse { w: -1.3, a: 0.8, log_sd: -0.3 },
    Synapse { w: 2.5, a: -1.5, log_sd: -1.2 },
    Synapse { w: -3.0, a: 2.5, log_sd: 0.0 },
    Synapse { w: 0.01, a: -3.0, log_sd: -4.6 },
    Synapse { w: 0.0, a: 1.0, log_sd: -2.0 },
];

/// Both the idle and the tilted form of each, with the name of the case.
fn cases(law: Law) -> Vec<(String, Synapse)> {
    let tilted = |synapse| law.with(|law| law.tilted(synapse));
    SYNAPSES
        .iter()
        .flat_map(|&s| [(format!("{law:?} {s:?}"), s), (format!("{law:?} {s:?} tilted"), tilted(s))])
        .collect()
}

fn atoms(law: Law, synapse: Synapse) -> Vec<Atom> {
    law.with(|law| law.atoms(synapse, &normal_nodes(24)))
}

/// `E[f(W) g]`, g = 1 or e^W.
fn expectation(atoms: &[Atom], f: impl Fn(&Atom) -> f64) -> f64 {
    atoms.iter().fold(0.0, |sum, atom| sum + atom.probability * f(atom))
}

#[test]
fn the_values_of_every_law_have_its_moments_and_its_effective_weight() {
    for &law in LAWS {
        for (name, synapse) in cases(law) {
            let atoms = atoms(law, synapse);
            let moment = |f: &dyn Fn(f64) -> f64| expectation(&atoms, |atom| f(atom.outcome.weight));
            let mean = moment(&|w| w);
            let variance = moment(&|w| (w - mean) * (w - mean));
            let log_mgf = libm::log(moment(&libm::exp));
            let [expected_mean, expected_variance, weff] =
                law.with(|law| [law.mean(synapse), law.variance(synapse), law.log_mgf(synapse)]);
            // Rounding of numbers up to e^5, and the quadrature.
            assert!((moment(&|_| 1.0) - 1.0).abs() < 1e-12, "{name}");
            assert!((mean - expected_mean).abs() < 1e-10, "{name}: {mean}, not {expected_mean}");
            assert!((variance - expected_variance).abs() < 1e-10, "{name}: {variance}");
            assert!((log_mgf - weff).abs() < 1e-10, "{name}: {log_mgf}, not {weff}");
            // A score has mean 0.
            assert!(expectation(&atoms, |atom| atom.score).abs() < 1e-12, "{name}");
        }
    }
}

#[test]
fn between_active_units_a_law_is_itself_tilted_by_the_exponential_of_the_weight() {
    for &law in LAWS {
        for synapse in SYNAPSES {
            let (prior, tilted) = (atoms(law, synapse), atoms(law, law.with(|law| law.tilted(synapse))));
            let mgf = expectation(&prior, |atom| libm::exp(atom.outcome.weight));
            // Moments, a release, and a function that is no polynomial.
            let functions: [&dyn Fn(&Atom) -> f64; 4] = [
                &|atom| atom.outcome.weight,
                &|atom| atom.outcome.weight * atom.outcome.weight,
                &|atom| f64::from(atom.outcome.releases),
                &|atom| libm::cos(atom.outcome.weight),
            ];
            for f in functions {
                let by_tilt = expectation(&prior, |atom| libm::exp(atom.outcome.weight) * f(atom)) / mgf;
                let by_law = expectation(&tilted, f);
                assert!((by_tilt - by_law).abs() < 1e-10, "{law:?} {synapse:?}: {by_tilt}, not {by_law}");
            }
        }
    }
}

/// Central differences of step 1e-5: off by ε²/6·f‴ + 1e-16/ε ≈ 1e-10 of numbers up to 10.
const STEP: f64 = 1e-5;

fn shifted(synapse: Synapse, part: usize, by: f64) -> Synapse {
    let mut shifted = synapse;
    *[&mut shifted.w, &mut shifted.a, &mut shifted.log_sd][part] += by;
    shifted
}

fn difference(synapse: Synapse, part: usize, f: impl Fn(Synapse) -> f64) -> f64 {
    (f(shifted(synapse, part, STEP)) - f(shifted(synapse, part, -STEP))) / (2.0 * STEP)
}

#[test]
fn the_slope_of_the_effective_weight_agrees_with_central_differences() {
    for &law in LAWS {
        for (name, synapse) in cases(law) {
            let slope = law.with(|law| law.log_mgf_slope(synapse));
            for (part, ours) in [slope.w, slope.a, slope.log_sd].into_iter().enumerate() {
                let numeric = difference(synapse, part, |synapse| law.with(|law| law.log_mgf(synapse)));
                assert!((ours - numeric).abs() < 1e-8, "{name}, part {part}: {ours}, not {numeric}");
            }
        }
    }
}

#[test]
fn a_drawn_weight_moves_along_its_path() {
    // By w and ln s at fixed noise; by a, where a release would jump, as the mean weight does.
    for &law in LAWS {
        for (name, synapse) in cases(law) {
            for (u, z) in [(0.05, 0.3), (0.5, -1.2), (0.93, 2.0)] {
                let outcome = law.with(|law| law.draw(synapse, u, z));
                let path = law.with(|law| law.path(synapse, outcome));
                let weight = |synapse| law.with(|law| law.draw(synapse, u, z).weight);
                let mean = |synapse| law.with(|law| law.mean(synapse));
                let numeric = [
                    difference(synapse, 0, weight),
                    difference(synapse, 1, mean),
                    difference(synapse, 2, weight),
                ];
                for (ours, numeric) in [path.w, path.a, path.log_sd].into_iter().zip(numeric) {
                    assert!((ours - numeric).abs() < 1e-8, "{name} at {u}, {z}: {ours}, not {numeric}");
                }
            }
        }
    }
}

#[test]
fn drawn_weights_have_the_moments_and_releases_of_their_law() {
    const N: usize = 40_000;
    let (mut u, mut z) = (vec![0.0; N], vec![0.0; N]);
    Draws::at(31, 0).fill_uniform_f64(Stream::Posterior, 0, &mut u);
    Draws::at(31, 0).fill_normal(Stream::SynapseNoise, 0, &mut z);
    for &law in LAWS {
        for (name, synapse) in cases(law) {
            let drawn: Vec<Outcome> =
                law.with(|law| u.iter().zip(&z).map(|(u, z)| law.draw(synapse, *u, *z)).collect());
            let values = atoms(law, synapse);
            let functions: [(&str, &dyn Fn(Outcome) -> f64); 3] = [
                ("releases", &|o| f64::from(o.releases)),
                ("mean", &|o| o.weight),
                ("square", &|o| o.weight * o.weight),
            ];
            for (what, f) in functions {
                let mean = expectation(&values, |atom| f(atom.outcome));
                let square = expectation(&values, |atom| f(atom.outcome) * f(atom.outcome));
                let found = drawn.iter().fold(0.0, |sum, o| sum + f(*o)) / N as f64;
                // 5 standard errors: 6e-7 each by chance, 150 cases; 1e-9 where nothing scatters.
                let error = ((square - mean * mean).max(0.0) / N as f64).sqrt();
                assert!((found - mean).abs() <= 5.0 * error + 1e-9, "{name}, {what}: {found}, not {mean}");
            }
        }
    }
}

#[test]
fn one_site_is_a_bernoulli_synapse() {
    let (one, plain) = (Law::Quantal { sites: 1 }, Law::Bernoulli);
    for synapse in SYNAPSES {
        assert_eq!(one.with(|l| l.tilted(synapse)), plain.with(|l| l.tilted(synapse)));
        assert_eq!(one.with(|l| l.log_mgf(synapse)), plain.with(|l| l.log_mgf(synapse)));
        for u in [0.0, 0.1, 0.4, 0.6, 0.9, 0.999] {
            assert_eq!(one.with(|l| l.draw(synapse, u, 0.0)), plain.with(|l| l.draw(synapse, u, 0.0)));
        }
    }
}

#[test]
fn many_sites_of_a_tiny_release_probability_do_not_underflow() {
    // (1 − p)^n = e^−1000·sp(3) is below the least number of 64 bits.
    let law = Law::Quantal { sites: 1000 };
    let synapse = Synapse { w: 2.0, a: 3.0, log_sd: 0.0 };
    let atoms = atoms(law, synapse);
    assert!((expectation(&atoms, |_| 1.0) - 1.0).abs() < 1e-9);
    let outcome = law.with(|law| law.draw(synapse, 0.5, 0.0));
    // p = .9526, sd of the count 6.7: the median is near the mean.
    assert!((f64::from(outcome.releases) - 952.6).abs() < 2.0, "{outcome:?}");
}
