//! The law in which a network of learned modules comes to rest, exactly.

use super::{JOINT_STATES, Network, States, module::Module};

/// Networks up to so many states are solved directly before they are iterated.
const DIRECT: usize = 1024;
/// The iteration ends when the law changes by no more, summed over states.
pub const RESIDUAL: f64 = 1e-12;
/// Additions that the iteration may take.
const WORK: u64 = 4_000_000_000;

/// A stationary law.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// Probability of every state.
    pub law: Vec<f64>,
    /// Σ |π − π P|.
    pub residual: f64,
}

/// The stationary law of the network in which each event redraws the variable of a module, all modules equally often.
///
/// The kernel has one probability for each state and each value that a single variable can take, so a product with it is
/// cheap; the law is multiplied until it changes by no more than 1e-12. Up to 1,024 states it begins at the solution of
/// Grassmann, Taksar & Heyman, from the uniform law above. Where conditionals do not belong to one joint law, the result
/// depends on how often each module fires: here equally often.
///
/// `None` if the network has more than 65,536 states, or a module sees so many.
///
/// # Panics
/// If there is not one module for each variable, in order.
///
/// # Source
/// Grassmann, Taksar & Heyman 1985, Oper. Res. 33:1107.
pub fn stationary(network: &Network, modules: &[Module]) -> Option<Stationary> {
    assert!(
        modules.iter().map(|module| module.variable).eq(0..network.len()),
        "one module for each variable"
    );
    let states = network.states()?;
    let kernels: Vec<Kernel> =
        modules.iter().map(|module| Kernel::new(&states, network.len(), module)).collect::<Option<_>>()?;
    let n = states.count();
    let mut law = if n <= DIRECT { direct(&kernels, n) } else { vec![1.0 / n as f64; n] };
    let mut residual = f64::INFINITY;
    for _ in 0..(WORK / (n * network.len()) as u64).max(1) {
        let next = advance(&kernels, &law);
        residual = law.iter().zip(&next).fold(0.0, |sum, (a, b)| sum + (a - b).abs());
        law = next;
        if residual <= RESIDUAL {
            break;
        }
    }
    Some(Stationary { law, residual })
}

/// How one module redraws its variable.
struct Kernel {
    stride: usize,
    values: usize,
    /// Row of the conditional law for each state whose variable has its first value.
    rows: Vec<u32>,
    /// (rows, values).
    conditional: Vec<f64>,
}

impl Kernel {
    fn new(states: &States, variables: usize, module: &Module) -> Option<Self> {
        module.rows()?;
        let (stride, values) = (states.stride(module.variable), module.values);
        let mut conditional = module.table();
        for row in conditional.chunks_exact_mut(values) {
            let total = row.iter().fold(0.0, |sum, p| sum + p);
            let uniform = 1.0 / values as f64;
            row.iter_mut().for_each(|p| *p = if total > 0.0 { *p / total } else { uniform });
        }
        let mut state = vec![0; variables];
        let row = |first: usize| {
            states.write(first, &mut state);
            u32::try_from(module.row(&state)).expect("rows are below 65,536")
        };
        let rows = firsts(states.count(), stride, values).map(row).collect();
        debug_assert!(states.count() <= JOINT_STATES);
        Some(Self { stride, values, rows, conditional })
    }

    /// Adds `share · law · P` to `next`.
    fn add(&self, law: &[f64], share: f64, next: &mut [f64]) {
        for (first, &row) in firsts(law.len(), self.stride, self.values).zip(&self.rows) {
            let places = (0..self.values).map(|value| first + value * self.stride);
            let total = places.clone().fold(0.0, |sum, place| sum + law[place]);
            let row = &self.conditional[row as usize * self.values..][..self.values];
            places.zip(row).for_each(|(place, p)| next[place] += share * total * p);
        }
    }
}

/// Numbers of the states whose variable with this stride has its first value.
fn firsts(count: usize, stride: usize, values: usize) -> impl Iterator<Item = usize> {
    (0..count / (stride * values))
        .flat_map(move |block| (0..stride).map(move |at| block * stride * values + at))
}

/// One step of the chain.
fn advance(kernels: &[Kernel], law: &[f64]) -> Vec<f64> {
    let mut next = vec![0.0; law.len()];
    let share = 1.0 / kernels.len() as f64;
    kernels.iter().for_each(|kernel| kernel.add(law, share, &mut next));
    let total = next.iter().fold(0.0, |sum, p| sum + p);
    next.iter_mut().for_each(|p| *p /= total);
    next
}

/// Elimination of one state after the other, which subtracts nothing and so loses no digits.
fn direct(kernels: &[Kernel], n: usize) -> Vec<f64> {
    let mut p = vec![0.0; n * n];
    let mut unit = vec![0.0; n];
    for (state, row) in p.chunks_exact_mut(n).enumerate() {
        unit[state] = 1.0;
        kernels.iter().for_each(|kernel| kernel.add(&unit, 1.0, row));
        unit[state] = 0.0;
    }
    for last in (1..n).rev() {
        let (above, below) = p.split_at_mut(last * n);
        let eliminated = &below[..last];
        let out = eliminated.iter().fold(0.0, |sum, p| sum + p);
        for row in above.chunks_exact_mut(n) {
            row[last] /= out;
            let into = row[last];
            if into > 0.0 {
                row[..last].iter_mut().zip(eliminated).for_each(|(p, q)| *p += into * q);
            }
        }
    }
    let mut law = vec![0.0; n];
    law[0] = 1.0;
    for state in 1..n {
        law[state] = (0..state).fold(0.0, |sum, from| sum + law[from] * p[from * n + state]);
    }
    let total = law.iter().fold(0.0, |sum, p| sum + p);
    law.iter_mut().for_each(|p| *p /= total);
    law
}

#[cfg(test)]
#[path = "stationary_tests.rs"]
mod tests;
