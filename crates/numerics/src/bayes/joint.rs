//! All states of a small network, and networks made of a joint law.

use super::{Network, Variable};

/// Most states that are enumerated.
pub const JOINT_STATES: usize = 65_536;

/// Numbers the states of variables with these numbers of values; the last variable is fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct States {
    values: Vec<usize>,
    count: usize,
}

impl States {
    /// `None` if there are more than [`JOINT_STATES`].
    pub fn new(values: impl IntoIterator<Item = usize>) -> Option<Self> {
        let values: Vec<usize> = values.into_iter().collect();
        let count = values.iter().try_fold(1_usize, |count, &n| count.checked_mul(n))?;
        (count <= JOINT_STATES).then_some(Self { values, count })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of a state.
    pub fn index(&self, state: &[u8]) -> usize {
        self.values.iter().zip(state).fold(0, |index, (&n, &value)| index * n + usize::from(value))
    }

    /// Writes the state with this number.
    pub fn write(&self, mut index: usize, state: &mut [u8]) {
        for (value, &n) in state.iter_mut().zip(&self.values).rev() {
            *value = (index % n) as u8;
            index /= n;
        }
    }

    /// Distance in number between states that differ by 1 in variable `at`.
    pub fn stride(&self, at: usize) -> usize {
        self.values[at + 1..].iter().product()
    }

    /// Values of variable `at`.
    pub fn values(&self, at: usize) -> usize {
        self.values[at]
    }
}

impl Network {
    /// The numbering of its states; `None` if there are more than [`JOINT_STATES`].
    pub fn states(&self) -> Option<States> {
        States::new((0..self.len()).map(|at| self.values(at)))
    }

    /// Probability of every state; `None` if there are more than [`JOINT_STATES`].
    pub fn joint(&self) -> Option<Vec<f64>> {
        let states = self.states()?;
        let mut state = vec![0; self.len()];
        let probability = |index| {
            states.write(index, &mut state);
            self.order().iter().fold(1.0, |p, &at| p * self.probability(at, &state))
        };
        Some((0..states.count()).map(probability).collect())
    }

    /// The network of a joint law: each variable has those before it as parents, and its Markov blanket is exactly the
    /// variables that its conditional law depends on.
    ///
    /// # Panics
    /// If names, values and law do not fit together, or the law has a negative number or no mass.
    pub fn of_joint(variables: Vec<(String, Vec<String>)>, joint: &[f64]) -> Self {
        let states =
            States::new(variables.iter().map(|(_, values)| values.len())).expect("a small joint law");
        assert_eq!(states.count(), joint.len(), "one probability for each state");
        let total = joint.iter().fold(0.0, |sum, p| sum + p);
        assert!(
            total > 0.0 && joint.iter().all(|p| *p >= 0.0),
            "probabilities are not negative, some is above 0"
        );
        let blankets = (0..variables.len()).map(|at| dependence(&states, joint, at)).collect();
        let mut mass = vec![1.0];
        let make = |(at, (name, values)): (usize, (String, Vec<String>))| {
            // Mass of the states that agree in the variables up to and with this one.
            let stride = states.stride(at);
            let next: Vec<f64> = joint
                .chunks_exact(stride)
                .map(|block| block.iter().fold(0.0, |sum, p| sum + p / total))
                .collect();
            let uniform = 1.0 / values.len() as f64;
            let row = |(row, &of): (usize, &f64)| {
                let part = &next[row * values.len()..(row + 1) * values.len()];
                let of = if at == 0 { 1.0 } else { of };
                part.iter().map(|p| if of > 0.0 { p / of } else { uniform }).collect::<Vec<f64>>()
            };
            let table = mass.iter().enumerate().flat_map(row).collect();
            mass = next;
            Variable { name, values, parents: (0..at).collect(), table }
        };
        let variables = variables.into_iter().enumerate().map(make).collect();
        Self::new(variables).expect("conditionals of a joint law are a network").with_blankets(blankets)
    }

    /// The network of the other variables: the one with this name is summed out.
    ///
    /// # Errors
    /// If there is no such variable, it is the only one, or the network has more than [`JOINT_STATES`] states.
    pub fn without(&self, name: &str) -> Result<Self, String> {
        let at = self.find(name).ok_or_else(|| format!("there is no variable `{name}`"))?;
        let joint = self.joint().ok_or_else(|| {
            format!("`{name}` cannot be summed out; the network must have at most {JOINT_STATES} states")
        })?;
        let states = self.states().expect("it has a joint");
        let (stride, values) = (states.stride(at), states.values(at));
        let variables: Vec<(String, Vec<String>)> = (self.variables().iter().enumerate())
            .filter(|(other, _)| *other != at)
            .map(|(_, variable)| (variable.name.clone(), variable.values.clone()))
            .collect();
        if variables.is_empty() {
            return Err(format!("`{name}` is the only variable; it cannot be summed out"));
        }
        let rest: Vec<f64> = (0..states.count() / values)
            .map(|index| {
                let first = index / stride * stride * values + index % stride;
                (0..values).fold(0.0, |sum, value| sum + joint[first + value * stride])
            })
            .collect();
        Ok(Self::of_joint(variables, &rest))
    }
}

/// The variables on which the conditional law of `at` depends, to 1e-9: where its odds differ between states that differ in
/// one other variable. States without mass say nothing.
fn dependence(states: &States, joint: &[f64], at: usize) -> Vec<usize> {
    let (stride, values) = (states.stride(at), states.values(at));
    let total = |first: usize| (0..values).fold(0.0, |sum, value| sum + joint[first + value * stride]);
    let firsts = || (0..states.count()).filter(|index| index / stride % values == 0);
    let depends = |other: usize| {
        let step = states.stride(other);
        let pairs = firsts().filter(|index| index / step % states.values(other) + 1 < states.values(other));
        pairs.into_iter().any(|first| {
            let (a, b) = (total(first), total(first + step));
            let differs = |value: usize| {
                let place = first + value * stride;
                (joint[place] / a - joint[place + step] / b).abs() > 1e-9
            };
            a > 0.0 && b > 0.0 && (0..values).any(differs)
        })
    };
    (0..states.values.len()).filter(|&other| other != at && depends(other)).collect()
}
