//! Each variable keeps the value of its module's last output spike.

use serde::{Deserialize, Serialize};

use super::{Events, draw, gap, pick};
use crate::{
    Draws, Stream,
    bayes::{Network, States, module::conditional_divergence},
};

/// How long variables had their values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Occupancy {
    /// Simulated time that was read, in seconds.
    pub seconds: f64,
    /// For each variable the seconds of each value.
    pub values: Vec<Vec<f64>>,
    /// Seconds of each state, where they are few; else empty.
    pub joint: Vec<f64>,
}

impl Occupancy {
    /// Nothing read yet. `joint` is the number of states to be told apart; 0 for none.
    pub fn new(values: impl IntoIterator<Item = usize>, joint: usize) -> Self {
        let values = values.into_iter().map(|n| vec![0.0; n]).collect();
        Self { seconds: 0.0, values, joint: vec![0.0; joint] }
    }

    /// A state was held for so long.
    pub fn hold(&mut self, seconds: f64, state: &[u8], states: Option<&States>) {
        self.seconds += seconds;
        for (times, &value) in self.values.iter_mut().zip(state) {
            times[usize::from(value)] += seconds;
        }
        if let Some(states) = states.filter(|_| !self.joint.is_empty()) {
            self.joint[states.index(state)] += seconds;
        }
    }

    /// Takes up what another has read.
    ///
    /// # Panics
    /// If it is of other variables.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.values.len(), other.values.len(), "occupancies of the same variables");
        self.seconds += other.seconds;
        let add = |(sum, x): (&mut f64, &f64)| *sum += x;
        self.values.iter_mut().flatten().zip(other.values.iter().flatten()).for_each(add);
        self.joint.iter_mut().zip(&other.joint).for_each(add);
    }

    /// Share of the time that a variable had a value.
    pub fn share(&self, variable: usize, value: usize) -> f64 {
        self.values[variable][value] / self.seconds
    }
}

/// How long the members of each family had their values, laid out as the tables of the network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FamilyOccupancy {
    seconds: Vec<Vec<f64>>,
}

impl FamilyOccupancy {
    /// Nothing read yet.
    pub fn new(network: &Network) -> Self {
        Self { seconds: network.variables().iter().map(|variable| vec![0.0; variable.table.len()]).collect() }
    }

    /// A state was held for so long.
    pub fn hold(&mut self, seconds: f64, state: &[u8], network: &Network) {
        for (at, times) in self.seconds.iter_mut().enumerate() {
            times[network.cell(at, state)] += seconds;
        }
    }

    /// Takes up what another has read.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.seconds.iter_mut().flatten().zip(other.seconds.iter().flatten());
        pairs.for_each(|(sum, x)| *sum += x);
    }

    /// KL of the law that was read from the true one, in nats, with the law that was read put together from its families:
    /// `Σ_i Σ p*(x_i, pa_i) ln p*(x_i | pa_i)/q(x_i | pa_i)`. It is the whole KL if that law factorises along the graph,
    /// and that of its projection if not.
    ///
    /// `families` are the true laws, as [`super::super::Posterior::families`]; `prior` seconds are added to every cell.
    pub fn divergence(&self, network: &Network, families: &[Vec<f64>], prior: f64) -> f64 {
        let of = |(at, (truth, times)): (usize, (&Vec<f64>, &Vec<f64>))| {
            let read: Vec<f64> = times.iter().map(|seconds| seconds + prior).collect();
            conditional_divergence(truth, &read, network.values(at))
        };
        families.iter().zip(&self.seconds).enumerate().map(of).fold(0.0, |sum, kl| sum + kl)
    }
}

/// Runs for `seconds` from a state, each of the `free` variables being redrawn at `rate` Hz; returns the number of events.
///
/// `law` writes the law of a variable in a state into the first places of a buffer; `visit` is told how long each state was
/// held. Gaps, modules and values take the 64-bit draws `first …` of `stream`. The process is memoryless: runs in a row are
/// one long run.
///
/// # Panics
/// If `rate` is not above 0.
pub fn run_hold(
    (state, free): (&mut [u8], &[usize]),
    (seconds, rate): (f64, f64),
    (draws, stream, first): (Draws, Stream, u64),
    mut law: impl FnMut(usize, &mut [u8], &mut [f64; 256]) -> usize,
    mut visit: impl FnMut(f64, &[u8]),
) -> u64 {
    assert!(rate > 0.0, "modules fire");
    if free.is_empty() {
        visit(seconds, state);
        return 0;
    }
    let mut events = Events::new(draws, stream, first);
    let total = rate * free.len() as f64;
    let mut p = [0.0; 256];
    let (mut time, mut count) = (0.0, 0);
    loop {
        let [first, second, third] = events.next();
        let held = gap(first) / total;
        visit(held.min(seconds - time), state);
        time += held;
        if time >= seconds {
            return count;
        }
        let variable = free[pick(second, free.len())];
        let values = law(variable, state, &mut p);
        state[variable] = draw(&p[..values], third);
        count += 1;
    }
}
