use super::*;
use crate::bayes::{
    Network, infer, knill_kersten,
    module::{Module, Target, fit},
};

fn fitted(network: &Network) -> Vec<Module> {
    let joint = network.joint().expect("small");
    let make = |at| {
        let module = Module::new(network, at, network.blanket(at), 4, Draws::at(1, 0));
        let target = Target::new(network, &joint, &module).expect("small");
        fit(&module, &target, (3, 2000), Draws::at(1, 0))
    };
    (0..network.len()).map(make).collect()
}

#[test]
fn the_running_network_answers_a_question_as_exact_inference_does() {
    let network = knill_kersten();
    let modules = fitted(&network);
    let evidence = [(2, 1), (3, 1)];
    let (mut state, free) = (vec![0, 0, 1, 1], [0, 1]);
    let mut occupancy = Occupancy::new([2; 4], 16);
    let states = network.states().expect("small");
    let (mut potentials, seconds) = (Vec::new(), 200.0);
    let events = run_hold(
        (&mut state, &free),
        (seconds, 100.0),
        (Draws::at(3, 0), Stream::BayesEvent, 0),
        |at, state, out| {
            modules[at].law(state, &mut potentials, &mut out[..2]);
            2
        },
        |held, state| occupancy.hold(held, state, Some(&states)),
    );
    assert!((occupancy.seconds - seconds).abs() < 1e-6);
    // 100 Hz each for 200 s: 40,000 events, ± 4.5 √40,000.
    assert!((events as f64 - 40_000.0).abs() < 900.0, "{events}");
    let exact = infer(&network, &evidence).expect("possible").marginals;
    // p(1 − p) ≤ 0.18 and an autocorrelation time below 0.2 s: 1,000 independent samples at least; 4.5 standard errors.
    for at in [0, 1] {
        let share = occupancy.share(at, 1);
        assert!(
            (share - exact[at][1]).abs() < 4.5 * (0.18_f64 / 1000.0).sqrt(),
            "{at}: {share} {}",
            exact[at][1]
        );
    }
    assert_eq!((occupancy.share(2, 1), occupancy.share(3, 1)), (1.0, 1.0), "what is given stays");
    let joint: f64 = occupancy.joint.iter().sum();
    assert!((joint - seconds).abs() < 1e-6);
}

#[test]
fn runs_in_a_row_read_all_the_time_there_is() {
    let mut occupancy = Occupancy::new([2, 2], 0);
    let mut state = vec![0, 1];
    for step in 0..10 {
        let law = |_: usize, _: &mut [u8], out: &mut [f64; 256]| {
            out[..2].copy_from_slice(&[0.25, 0.75]);
            2
        };
        let draws = (Draws::at(1, step), Stream::BayesIdeal, 0);
        let hold = |held: f64, state: &[u8]| occupancy.hold(held, state, None);
        run_hold((&mut state, &[0, 1]), (50.0, 100.0), draws, law, hold);
    }
    // 50,000 independent redraws of each variable: p = ¾ ± 4.5 √(2 p (1 − p)/n), holding times being exponential.
    for at in 0..2 {
        assert!((occupancy.share(at, 1) - 0.75).abs() < 4.5 * (2.0 * 0.1875 / 50_000.0_f64).sqrt());
    }
}

#[test]
fn potentials_that_a_rival_ends_never_overlap_and_are_valid_as_often_as_the_formula_says() {
    let network = knill_kersten();
    let modules = fitted(&network);
    for (rate, tau) in [(100.0, 0.015), (300.0, 0.015), (300.0, 0.03)] {
        let mut chain = PotentialChain::new(&network, &[0; 4]);
        let epsp = Epsp { rate, tau, resets: true };
        let draws = (Draws::at(6, 0), Stream::BayesEvent, 0);
        chain.run(&network, &modules, epsp, 100.0, draws);
        let read = &chain.read;
        let n = (read.valid + read.silent + read.double) as f64;
        assert!((n - 100_000.0).abs() <= 1.0, "read every millisecond: {n}");
        assert_eq!(read.double, 0);
        assert_eq!(read.valid, read.joint.iter().sum::<u64>());
        // A variable is silent if its module has not fired for tau.
        let p = 1.0 - libm::exp(-rate * tau);
        let expected = p * p * p * p;
        // Readings within tau are alike: n · 1 ms / (2 tau) independent ones at least; 5σ.
        let se = (expected * (1.0 - expected) / (n * 0.001 / (2.0 * tau))).sqrt();
        let valid = read.valid as f64 / n;
        assert!((valid - expected).abs() < 5.0 * se, "{valid} {expected}");
    }
    let mut chain = PotentialChain::new(&network, &[0; 4]);
    let epsp = Epsp { rate: 100.0, tau: 0.015, resets: false };
    chain.run(&network, &modules, epsp, 30.0, (Draws::at(6, 0), Stream::BayesEvent, 0));
    assert!(chain.read.double > 0 && chain.read.silent > chain.read.valid, "{:?}", chain.read);
}

#[test]
fn potentials_are_read_alike_however_the_run_is_cut() {
    // The process is memoryless but draws afresh: what is equal is the number of readings.
    let network = knill_kersten();
    let modules = fitted(&network);
    let mut chain = PotentialChain::new(&network, &[0; 4]);
    for step in 0..7 {
        let epsp = Epsp { rate: 100.0, tau: 0.015, resets: true };
        chain.run(&network, &modules, epsp, 0.9995, (Draws::at(6, step), Stream::BayesEvent, 0));
    }
    let n = chain.read.valid + chain.read.silent + chain.read.double;
    assert!((6996..=6997).contains(&n), "{n}");
}

#[test]
fn the_divergence_of_families_is_that_of_the_law_that_factorises_along_the_graph() {
    let network = knill_kersten();
    let joint = network.joint().expect("small");
    let states = network.states().expect("small");
    let mut families = FamilyOccupancy::new(&network);
    // Time spread as if y4 did not depend on y2: KL is the mutual information of the two, in nats.
    let mut state = vec![0; 4];
    for index in 0..16 {
        states.write(index, &mut state);
        families.hold(joint[index & !1] + joint[index | 1], &state, &network);
    }
    let exact = infer(&network, &[]).expect("possible").families;
    let information = std::f64::consts::LN_2 + 0.87 * libm::log(0.87) + 0.13 * libm::log(0.13);
    assert!((families.divergence(&network, &exact, 0.0) - information).abs() < 1e-12);
}
