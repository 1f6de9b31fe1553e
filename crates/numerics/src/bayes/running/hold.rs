//! Each variable keeps the value of its module's last output spike.

use serde::{Deserialize, Serialize};

use super::{Events, draw, gap, pick};
use crate::{Draws, Stream, bayes::States};

/// How long variables had their values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Occupancy {
    /// Simulated time that was read, in seconds.
    pub seconds: f64,
    /// For each variable the seconds of each value.
    pub values: Vec<Vec<f64>>,
    /// Seconds of each state, where they are few; else empty.
    pub joint: Vec<f64>,
    /// Output spikes.
    pub events: u64,
}

impl Occupancy {
    /// Nothing read yet. `joint` is the number of states to be told apart; 0 for none.
    pub fn new(values: impl IntoIterator<Item = usize>, joint: usize) -> Self {
        let values = values.into_iter().map(|n| vec![0.0; n]).collect();
        Self { seconds: 0.0, values, joint: vec![0.0; joint], events: 0 }
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
        self.events += other.events;
        let add = |(sum, x): (&mut f64, &f64)| *sum += x;
        self.values.iter_mut().flatten().zip(other.values.iter().flatten()).for_each(add);
        self.joint.iter_mut().zip(&other.joint).for_each(add);
    }

    /// Share of the time that a variable had a value.
    pub fn share(&self, variable: usize, value: usize) -> f64 {
        self.values[variable][value] / self.seconds
    }
}

/// Runs for `seconds` from a state, each of the `free` variables being redrawn at `rate` Hz, and adds to the occupancy.
///
/// `law` writes the law of a variable in a state; gaps, modules and values take the 64-bit draws `first …` of `stream`.
/// The process is memoryless: runs in a row are one long run.
///
/// # Panics
/// If `rate` is not above 0.
pub fn run_hold(
    (state, free): (&mut [u8], &[usize]),
    mut law: impl FnMut(usize, &mut [u8], &mut [f64]),
    (seconds, rate): (f64, f64),
    (draws, stream, first): (Draws, Stream, u64),
    (occupancy, states): (&mut Occupancy, Option<&States>),
) {
    assert!(rate > 0.0, "modules fire");
    if free.is_empty() {
        occupancy.hold(seconds, state, states);
        return;
    }
    let mut events = Events::new(draws, stream, first);
    let total = rate * free.len() as f64;
    let most = occupancy.values.iter().map(Vec::len).max().unwrap_or(0);
    let mut p = vec![0.0; most];
    let mut time = 0.0;
    loop {
        let [first, second, third] = events.next();
        let held = gap(first) / total;
        occupancy.hold(held.min(seconds - time), state, states);
        time += held;
        if time >= seconds {
            return;
        }
        let variable = free[pick(second, free.len())];
        let p = &mut p[..occupancy.values[variable].len()];
        law(variable, state, p);
        state[variable] = draw(p, third);
        occupancy.events += 1;
    }
}
