//! Release held in check by the local field of a branch; see [`LocalRule`] for the equations.

use super::method::LocalRule;
use super::state::State;
use crate::BinaryRows;
use ndarray::Array2;

/// Brings the running mean inputs of all branches up to date.
///
/// `on`: for each visible unit the examples, of `n`, where it is on.
pub(super) fn follow(state: &mut State, on: &BinaryRows, rule: LocalRule, n: usize) {
    let weights = state.parameters.expected_weights();
    let (v, h) = weights.dim();
    let mut now: Array2<f32> = Array2::zeros((v.div_ceil(rule.branch), h));
    for (i, weights) in weights.rows().into_iter().enumerate() {
        let rate = on.row(i).len() as f32 / n as f32;
        now.row_mut(i / rule.branch).zip_mut_with(&weights, |field, w| *field += rate * w);
    }
    if state.fields.dim() != now.dim() {
        state.fields = now;
        return;
    }
    let memory = rule.memory as f32;
    state.fields.zip_mut_with(&now, |field, now| *field += memory * (now - *field));
}

/// Moves the releases of every branch towards its target.
pub(super) fn regulate(state: &mut State, rule: LocalRule, a_limit: f64) {
    let (rate, target, limit) = (rule.rate as f32, rule.target as f32, a_limit as f32);
    for (i, mut a) in state.parameters.a.rows_mut().into_iter().enumerate() {
        a.zip_mut_with(&state.fields.row(i / rule.branch), |a, field| {
            *a = (*a + rate * (target - field)).clamp(-limit, limit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Init, Parameters, Synapses};
    use super::*;
    use crate::Draws;
    use ndarray::{Array1, array};

    #[test]
    fn a_branch_above_its_target_loses_release_and_one_below_gains() {
        let init = Init { hidden_units: 2, ..Init::default() };
        let mean = Array1::from_elem(3, 0.5);
        let mut parameters = Parameters::init(Synapses::JointEnergy, init, mean.view(), Draws::at(1, 0));
        parameters.w = array![[2.0, -1.0], [1.0, 0.5], [4.0, 0.0]];
        let mut state = State::new(parameters);
        // Of four examples unit 0 is on in all, unit 1 in two, unit 2 in one; branches {0, 1} and {2}.
        let on = BinaryRows::from_dense(array![[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]].view(), |x| *x == 1);
        let rule = LocalRule { target: 0.5, rate: 0.1, branch: 2, memory: 0.25 };
        follow(&mut state, &on, rule, 4);
        // p = ½: (2 + ½)/2, (−1 + ¼)/2; 4/4/2, 0.
        assert_eq!(state.fields, array![[1.25, -0.375], [0.5, 0.0]]);
        regulate(&mut state, rule, 8.0);
        let expected = array![[-0.075, 0.0875], [-0.075, 0.0875], [0.0, 0.05]];
        assert!((&state.parameters.a - &expected).iter().all(|x: &f32| x.abs() < 1e-6));
        // The next mini-batch renews a quarter of the mean.
        state.parameters.a.fill(0.0);
        state.parameters.w.fill(0.0);
        follow(&mut state, &on, rule, 4);
        assert_eq!(state.fields, array![[0.9375, -0.28125], [0.375, 0.0]]);
        regulate(&mut state, LocalRule { rate: 1e3, ..rule }, 8.0);
        assert!(state.parameters.a.iter().all(|a| a.abs() == 8.0), "releases stay within their limit");
    }
}
