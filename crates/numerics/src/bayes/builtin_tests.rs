use super::*;

#[test]
fn embedded_networks_have_their_published_sizes() {
    // Variables, arcs and free parameters, as the Bayesian network repository lists them.
    let sizes = [
        (asia(), (8, 8, 18)),
        (cancer(), (5, 4, 10)),
        (earthquake(), (5, 4, 10)),
        (survey(), (6, 6, 21)),
        (sachs(), (11, 17, 178)),
        (knill_kersten(), (4, 3, 8)),
    ];
    for (network, expected) in sizes {
        let arcs: usize = network.variables().iter().map(|variable| variable.parents.len()).sum();
        let free = network.variables().iter().map(|v| v.table.len() / v.values.len() * (v.values.len() - 1));
        assert_eq!((network.len(), arcs, free.sum::<usize>()), expected);
    }
}

#[test]
fn the_network_of_knill_and_kersten_has_four_levels_of_probability() {
    let mut joint = knill_kersten().joint().expect("small");
    joint.sort_by(f64::total_cmp);
    for (level, expected) in joint.chunks(4).zip([0.0169, 0.1131, 0.1131, 0.7569]) {
        assert!(level.iter().all(|p| (p - 0.25 * expected).abs() < 1e-15), "{level:?}");
    }
}

#[test]
fn the_ising_square_has_the_energy_of_its_edges() {
    // All spins alike: 12 edges agree; one corner flipped: 10 agree, 2 do not; the centre flipped: 8 and 4.
    let joint = ising(0.5).joint().expect("small");
    let ratio = |state: usize| joint[0] / joint[state];
    assert!((ratio(0b1_0000_0000) - libm::exp(0.5 * 4.0)).abs() < 1e-9);
    assert!((ratio(0b0_0001_0000) - libm::exp(0.5 * 8.0)).abs() < 1e-6);
    assert!((ratio(0b1_1111_1111) - 1.0).abs() < 1e-12);
}

#[test]
fn parity_hides_in_all_four_variables_together() {
    let network = parity(0.1);
    let joint = network.joint().expect("small");
    assert!((joint[0b0110] - 0.125 * 0.9).abs() < 1e-15 && (joint[0b0111] - 0.125 * 0.1).abs() < 1e-15);
    let three = network.without("x2").expect("small").joint().expect("small");
    assert!(three.iter().all(|p| (p - 0.125).abs() < 1e-15), "three of them are fair coins");
}

#[test]
fn a_random_law_is_one_of_its_seed() {
    let law = |seed| random_joint(Draws::at(seed, 0), 4, 0.1).joint().expect("small");
    assert_eq!(law(1), law(1));
    assert_ne!(law(1), law(2));
    assert!((law(1).iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn a_random_table_tells_the_same_amount_whatever_the_draw() {
    let tables: Vec<Network> = (1..=4).map(|seed| random_table(Draws::at(seed, 0), 6, 0.1)).collect();
    let told = std::f64::consts::LN_2 + 0.1 * libm::log(0.1) + 0.9 * libm::log(0.9);
    for network in &tables {
        let joint = network.joint().expect("small");
        assert!((joint.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // I(x6; others) = Σ p ln p(x, z) / p(x) p(z), with p(x) = 1/32 and p(z) = 1/2.
        let information: f64 = joint.iter().map(|p| p * libm::log(p * 64.0)).sum();
        assert!((information - told).abs() < 1e-12, "{information}");
        let last: f64 = joint.iter().skip(1).step_by(2).sum();
        assert!((last - 0.5).abs() < 1e-12, "{last}");
    }
    assert_ne!(tables[0].joint(), tables[1].joint());
    assert_eq!(tables[0].joint(), random_table(Draws::at(1, 0), 6, 0.1).joint());
}
