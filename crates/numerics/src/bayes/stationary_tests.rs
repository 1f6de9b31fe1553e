use super::*;
use crate::{
    Draws,
    bayes::{
        Variable, asia, knill_kersten,
        module::{Target, fit},
    },
};

/// Modules fitted to the true law by batch EM, with a neuron for each row of the table.
fn fitted(network: &Network) -> Vec<Module> {
    let joint = network.joint().expect("small");
    let make = |at| {
        let rows: usize = network.blanket(at).iter().map(|&input| network.values(input)).product();
        let module = Module::new(network, at, network.blanket(at), rows, Draws::at(1, 0));
        let target = Target::new(network, &joint, &module).expect("small");
        fit(&module, &target, (3, 2000), Draws::at(1, 0))
    };
    (0..network.len()).map(make).collect()
}

#[test]
fn conditionals_of_one_law_have_it_as_their_stationary_law() {
    let network = knill_kersten();
    let found = stationary(&network, &fitted(&network)).expect("small");
    assert!(found.residual <= RESIDUAL, "{}", found.residual);
    for (p, expected) in found.law.iter().zip(network.joint().expect("small")) {
        assert!((p - expected).abs() < 1e-4, "{p} {expected}"); // as exact as EM
    }
}

#[test]
fn elimination_and_iteration_agree() {
    // From EM fits that stopped early, so that the conditionals belong to no joint law.
    let network = knill_kersten();
    let joint = network.joint().expect("small");
    let modules: Vec<Module> = (0..network.len())
        .map(|at| {
            let module = Module::new(&network, at, network.blanket(at), 2, Draws::at(4, 0));
            fit(&module, &Target::new(&network, &joint, &module).expect("small"), (1, 20), Draws::at(4, 0))
        })
        .collect();
    let states = network.states().expect("small");
    let kernels: Vec<Kernel> =
        modules.iter().map(|module| Kernel::new(&states, network.len(), module).expect("small")).collect();
    let direct = direct(&kernels, states.count());
    let mut law = vec![1.0 / 16.0; 16];
    (0..20_000).for_each(|_| law = advance(&kernels, &law));
    for (a, b) in direct.iter().zip(&law) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn thousands_of_states_are_iterated_until_nothing_moves() {
    // Twelve coins that do not see each other: 4,096 states, above those that are solved directly.
    let coin = |i: usize| Variable {
        name: format!("c{i}"),
        values: vec!["0".into(), "1".into()],
        parents: vec![],
        table: vec![0.25 + 0.05 * i as f64, 0.75 - 0.05 * i as f64],
    };
    let network = Network::new((0..12).map(coin).collect()).expect("a network");
    let modules: Vec<Module> = (0..12)
        .map(|at| {
            let mut module = Module::new(&network, at, &[], 1, Draws::at(1, 0));
            module.biases = network.variables()[at].table.iter().map(|p| libm::log(*p)).collect();
            module
        })
        .collect();
    let found = stationary(&network, &modules).expect("few enough");
    assert!(found.residual <= RESIDUAL, "{}", found.residual);
    for (p, expected) in found.law.iter().zip(network.joint().expect("few enough")) {
        assert!((p - expected).abs() < 1e-12);
    }
}

#[test]
fn a_network_of_more_states_than_are_enumerated_has_none() {
    let network = asia();
    let modules: Vec<Module> = (0..network.len())
        .map(|at| Module::new(&network, at, network.blanket(at), 1, Draws::at(1, 0)))
        .collect();
    assert!(stationary(&network, &modules).is_some());
    let sachs = crate::bayes::sachs();
    let modules: Vec<Module> =
        (0..sachs.len()).map(|at| Module::new(&sachs, at, sachs.blanket(at), 1, Draws::at(1, 0))).collect();
    assert_eq!(stationary(&sachs, &modules), None);
}
