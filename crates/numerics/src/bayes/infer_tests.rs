use super::*;
use crate::{
    Draws,
    bayes::{asia, ising, knill_kersten, random_joint, sachs, survey, three_valued},
};

/// Marginals and families by enumeration, with ln p(evidence).
fn enumerated(network: &Network, evidence: &Evidence) -> Posterior {
    let (states, joint) = (network.states().expect("small"), network.joint().expect("small"));
    let mut marginals: Vec<Vec<f64>> = (0..network.len()).map(|at| vec![0.0; network.values(at)]).collect();
    let mut families: Vec<Vec<f64>> =
        network.variables().iter().map(|variable| vec![0.0; variable.table.len()]).collect();
    let mut state = vec![0; network.len()];
    let mut total = 0.0;
    for (index, p) in joint.iter().enumerate() {
        states.write(index, &mut state);
        if evidence.iter().any(|&(at, value)| state[at] != value) {
            continue;
        }
        total += p;
        for at in 0..network.len() {
            marginals[at][usize::from(state[at])] += p;
            families[at][network.cell(at, &state)] += p;
        }
    }
    marginals.iter_mut().chain(&mut families).flatten().for_each(|p| *p /= total);
    Posterior { marginals, families, log_evidence: libm::log(total) }
}

fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>]) {
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn posteriors_are_those_of_enumeration() {
    let random = random_joint(Draws::at(3, 0), 6, 0.3);
    for network in [knill_kersten(), asia(), survey(), three_valued(), ising(0.5), random] {
        let n = network.len();
        for evidence in [vec![], vec![(n - 1, 0)], vec![(0, 1), (n - 2, 0)], vec![(n / 2, 0), (n - 1, 1)]] {
            let (found, expected) =
                (infer(&network, &evidence).expect("possible"), enumerated(&network, &evidence));
            assert_close(&found.marginals, &expected.marginals);
            assert_close(&found.families, &expected.families);
            assert!((found.log_evidence - expected.log_evidence).abs() < 1e-12);
        }
    }
}

#[test]
fn contours_explain_shading_away() {
    // Closed form: p(y1 = 1 | y3 = 1) = 1/2, p(y1 = 1 | y3 = 1, y4 = 1) = 2 · 0.87 · 0.13 = 0.2262.
    let network = knill_kersten();
    let p = |evidence: &Evidence| infer(&network, evidence).expect("possible").marginals[0][1];
    assert!((p(&[(2, 1)]) - 0.5).abs() < 1e-14);
    assert!((p(&[(2, 1), (3, 1)]) - 0.2262).abs() < 1e-14);
    assert!((p(&[(2, 1), (3, 0)]) - 0.7738).abs() < 1e-14);
}

#[test]
fn evidence_that_cannot_happen_is_refused() {
    let network = asia();
    let place = |name| network.find(name).expect("it is there");
    let evidence = [(place("lung"), 0), (place("either"), 1)];
    assert_eq!(infer(&network, &evidence), Err(InferenceError::Impossible));
    let all: Vec<(usize, u8)> = (0..network.len()).map(|at| (at, u8::from(at == place("either")))).collect();
    assert_eq!(infer(&network, &all), Err(InferenceError::Impossible), "also when no variable is left");
}

#[test]
fn a_network_of_a_hundred_thousand_states_takes_evidence() {
    // p(Akt | Erk = a, PKA = b) is a row of Akt's table, whatever else: its other neighbours are its parents.
    let network = sachs();
    let place = |name| network.find(name).expect("it is there");
    let found = infer(&network, &[(place("Erk"), 2), (place("PKA"), 1)]).expect("possible");
    for (p, expected) in
        found.marginals[place("Akt")].iter().zip([0.177_105_936, 0.813_732_581, 0.009_161_483])
    {
        assert!((p - expected).abs() < 1e-9, "{p}");
    }
}
