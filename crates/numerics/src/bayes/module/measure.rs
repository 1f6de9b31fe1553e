//! How far a module is from the truth.

use super::Module;
use crate::bayes::{JOINT_STATES, Network, States};

/// The true law of a module's variable and inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// (rows, V): rows run through the values of the inputs, the last fastest.
    pub law: Vec<f64>,
}

impl Target {
    /// `None` if network, or inputs with variable, have more than 65,536 states.
    ///
    /// # Panics
    /// If `joint` is not the law of the network's states.
    pub fn new(network: &Network, joint: &[f64], module: &Module) -> Option<Self> {
        let states = network.states()?;
        assert_eq!(states.count(), joint.len(), "one probability for each state");
        let rows = module.rows()?;
        let mut law = vec![0.0; rows.count() * module.values];
        let mut state = vec![0; network.len()];
        for (index, p) in joint.iter().enumerate() {
            states.write(index, &mut state);
            law[module.row(&state) * module.values + usize::from(state[module.variable])] += p;
        }
        Some(Self { law })
    }
}

impl Module {
    /// The numbering of its inputs' values; `None` if they and the variable have more than 65,536 states.
    pub fn rows(&self) -> Option<States> {
        let rows = States::new(self.inputs.iter().map(|input| input.values))?;
        (rows.count() * self.values <= JOINT_STATES).then_some(rows)
    }

    /// The row of a state: the number of its inputs' values.
    pub fn row(&self, state: &[u8]) -> usize {
        self.inputs.iter().fold(0, |row, input| row * input.values + usize::from(state[input.variable]))
    }

    /// The law that it implies, `p(z = v, x) ∝ Σ_h exp(u_vh)`, laid out as [`Target::law`].
    ///
    /// # Panics
    /// If there are more than 65,536 states.
    pub fn table(&self) -> Vec<f64> {
        let rows = self.rows().expect("a table is of few states");
        let mut values = vec![0; self.inputs.len()];
        let mut table = Vec::with_capacity(rows.count() * self.values);
        let mut potentials = Vec::new();
        for row in 0..rows.count() {
            rows.write(row, &mut values);
            potentials.clear();
            potentials.extend_from_slice(&self.biases);
            for (input, &value) in self.inputs.iter().zip(&values) {
                self.excite(input.row + usize::from(value), 1.0, &mut potentials);
            }
            let groups = potentials.chunks_exact(self.hidden);
            table.extend(groups.map(|group| group.iter().fold(0.0, |sum, u| sum + libm::exp(*u))));
        }
        let total = table.iter().fold(0.0, |sum, p| sum + p);
        table.iter_mut().for_each(|p| *p /= total);
        table
    }

    /// KL of its joint law from the true one, in nats: `Σ p*(z, x) ln p*(z, x)/p(z, x)`.
    ///
    /// # Panics
    /// If the target is not of this module.
    pub fn joint_kl(&self, target: &Target) -> f64 {
        let table = self.table();
        assert_eq!(table.len(), target.law.len(), "the target is of this module");
        divergence(&target.law, &table)
    }

    /// KL of its conditional law, in nats: `Σ p*(x) KL(p*(z | x) ‖ p(z | x))`.
    ///
    /// # Panics
    /// If the target is not of this module.
    pub fn conditional_kl(&self, target: &Target) -> f64 {
        conditional_divergence(&target.law, &self.table(), self.values)
    }
}

/// The same for two laws laid out as [`Target::law`].
pub(crate) fn conditional_divergence(law: &[f64], table: &[f64], values: usize) -> f64 {
    assert_eq!(table.len(), law.len(), "laws of the same states");
    let row = |(p, q): (&[f64], &[f64])| {
        let (of_p, of_q) = (p.iter().fold(0.0, |sum, x| sum + x), q.iter().fold(0.0, |sum, x| sum + x));
        p.iter().zip(q).filter(|(p, _)| **p > 0.0).fold(0.0, |sum, (p, q)| {
            sum + p * (libm::log(p / of_p) - libm::log((q / of_q).max(f64::MIN_POSITIVE)))
        })
    };
    law.chunks_exact(values).zip(table.chunks_exact(values)).map(row).fold(0.0, |sum, kl| sum + kl)
}

/// `Σ p ln p/q` over states with p above 0; q is taken as 1e-300 at least.
///
/// # Panics
/// If the lengths differ.
pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "laws of the same states");
    let terms = p.iter().zip(q).filter(|(p, _)| **p > 0.0);
    terms.fold(0.0, |sum, (p, q)| sum + p * (libm::log(*p) - libm::log(q.max(1e-300))))
}

/// Mean KL of a module's conditional law from the true one over states of the network, in nats: of each state only what the
/// other variables are counts, so that no noise of the variable itself enters.
///
/// # Shapes
/// `states`: (n, variables).
///
/// # Panics
/// If there are no states.
pub fn held_out_kl(network: &Network, module: &Module, states: &[u8]) -> f64 {
    assert!(!states.is_empty(), "a mean is over states");
    let (mut truth, mut learned) = (vec![0.0; module.values], vec![0.0; module.values]);
    let mut potentials = Vec::new();
    let mut sum = 0.0;
    for state in states.chunks_exact(network.len()) {
        let mut state = state.to_vec();
        network.conditional(module.variable, &mut state, &mut truth);
        module.law(&state, &mut potentials, &mut learned);
        sum += divergence(&truth, &learned);
    }
    sum / (states.len() / network.len()) as f64
}
