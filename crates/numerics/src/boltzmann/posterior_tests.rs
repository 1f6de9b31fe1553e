use super::super::law::suite_tests::LAWS;
use super::super::step::tests::random_case;
use super::*;

#[test]
fn drawn_weights_give_the_gradient_of_conditional_means_at_more_variance() {
    for &law in LAWS {
        let (state, batch) = random_case((Synapses::JointEnergy, law), 20, 12, 8);
        let found = compare_estimators(&state, &batch, &Learning::default(), 400, 17);
        println!("{law:?}: {found:.3?}");
        if law == super::super::Law::Gaussian {
            // ∂W/∂w = 1 whatever W: nothing to draw, nothing to gain.
            assert!((found.variance_ratio - 1.0).abs() < 1e-4 && !found.mean_square_z.is_finite());
            continue;
        }
        // The mean of up to 96 squares of about standard normal numbers: 1 ± √(2/96); 5 of them.
        assert!((found.mean_square_z - 1.0).abs() < 5.0 * (2.0_f64 / 96.0).sqrt(), "{law:?}: {found:?}");
        assert!(found.variance_ratio > 1.05, "{law:?}: {found:?}");
    }
}

#[test]
fn a_wrong_posterior_is_told_from_the_right_one() {
    // Negative control of the comparison: idle releases in place of those between active units.
    let law = super::super::Law::Bernoulli;
    let (state, batch) = random_case((Synapses::JointEnergy, law), 20, 12, 8);
    let mut wrong = state.clone();
    // s(a + w) with a − w for a: the draws then follow p.
    wrong.parameters.a = &state.parameters.a - &state.parameters.w;
    let mut scratch = Scratch::default();
    let (mut squares, n) = (0.0, 400_u32);
    let mut sums = vec![[0.0_f64; 2]; state.parameters.w.len()];
    for t in 0..n {
        let draws = Draws::at(17, u64::from(t));
        chain::run(
            &mut state.clone(),
            &batch,
            (&Learning::default(), &Method::default()),
            &mut scratch,
            draws,
        );
        statistics::collect(&state.parameters, &batch, &mut scratch);
        ascent::differentiate(&state.parameters, Estimator::RaoBlackwell, &mut scratch);
        let by_means = scratch.g_w.clone();
        collect(&wrong.parameters, &batch, &mut scratch, draws);
        for (sums, (x, y)) in sums.iter_mut().zip(by_means.iter().zip(&scratch.g_w)) {
            let z = f64::from(y - x);
            (sums[0], sums[1]) = (sums[0] + z, sums[1] + z * z);
        }
    }
    for [sum, square] in &sums {
        squares += sum * sum / square.max(1e-12) / sums.len() as f64;
    }
    assert!(squares > 3.0, "{squares}");
}
