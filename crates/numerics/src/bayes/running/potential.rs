//! A value counts as long as the potential of its output neuron's last spike lasts: no value or two may count.

use serde::{Deserialize, Serialize};

use super::{Events, draw, gap, pick};
use crate::{
    Draws, Stream,
    bayes::{Network, module::Module},
};

/// How an output spike acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epsp {
    /// Output spikes of a module, in Hz.
    pub rate: f64,
    /// How long a potential lasts, in seconds.
    pub tau: f64,
    /// Whether a spike ends the potentials of the other values of its variable.
    pub resets: bool,
}

/// What was read at fixed times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadOut {
    /// Times at which each variable had exactly one value.
    pub valid: u64,
    /// Times at which some variable had none.
    pub silent: u64,
    /// Times at which none was silent and some had two or more.
    pub double: u64,
    /// Of the valid times, how often each state was read.
    pub joint: Vec<u64>,
}

/// A chain with its potentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotentialChain {
    /// For each variable and value the seconds since its output neuron fired; infinite if never.
    since: Vec<Vec<f64>>,
    /// Seconds until it is read next.
    until_read: f64,
    /// What was read.
    pub read: ReadOut,
}

/// Seconds between two readings.
const READ_EVERY: f64 = 0.001;

impl PotentialChain {
    /// Every variable has just taken a value of `state`.
    ///
    /// # Panics
    /// If the network has more than 65,536 states.
    pub fn new(network: &Network, state: &[u8]) -> Self {
        let fired = |at: usize| {
            (0..network.values(at))
                .map(|v| if v == usize::from(state[at]) { 0.0 } else { f64::INFINITY })
                .collect()
        };
        let states = network.states().expect("few states are read");
        Self {
            since: (0..network.len()).map(fired).collect(),
            until_read: READ_EVERY,
            read: ReadOut { joint: vec![0; states.count()], ..ReadOut::default() },
        }
    }

    /// Runs for `seconds` without evidence, reading every millisecond. Takes the 64-bit draws `first …` of `stream`.
    pub fn run(
        &mut self,
        network: &Network,
        modules: &[Module],
        epsp: Epsp,
        seconds: f64,
        (draws, stream, first): (Draws, Stream, u64),
    ) {
        let states = network.states().expect("few states are read");
        let mut events = Events::new(draws, stream, first);
        let total = epsp.rate * modules.len() as f64;
        let (mut potentials, mut p) = (Vec::new(), vec![0.0; u8::MAX.into()]);
        let mut time = 0.0;
        loop {
            let [first, second, third] = events.next();
            let held = (gap(first) / total).min(seconds - time);
            self.pass(held, epsp.tau, &states);
            time += held;
            if time >= seconds {
                return;
            }
            let module = &modules[pick(second, modules.len())];
            let since = &self.since;
            let p = &mut p[..module.values];
            module.law_of_active(|at, value| since[at][value] < epsp.tau, &mut potentials, p);
            let value = usize::from(draw(p, third));
            let since = &mut self.since[module.variable];
            if epsp.resets {
                since.fill(f64::INFINITY);
            }
            since[value] = 0.0;
        }
    }

    /// Time goes by, with the readings that fall into it.
    fn pass(&mut self, mut seconds: f64, tau: f64, states: &crate::bayes::States) {
        while self.until_read <= seconds {
            let step = self.until_read;
            self.age(step);
            seconds -= step;
            self.until_read = READ_EVERY;
            self.look(tau, states);
        }
        self.age(seconds);
        self.until_read -= seconds;
    }

    fn age(&mut self, seconds: f64) {
        self.since.iter_mut().flatten().for_each(|since| *since += seconds);
    }

    fn look(&mut self, tau: f64, states: &crate::bayes::States) {
        let (mut silent, mut double) = (false, false);
        let mut state = Vec::with_capacity(self.since.len());
        for since in &self.since {
            let mut active = since.iter().enumerate().filter(|(_, since)| **since < tau);
            state.push(active.next().map_or(0, |(value, _)| value as u8));
            match since.iter().filter(|since| **since < tau).count() {
                0 => silent = true,
                1 => {}
                _ => double = true,
            }
        }
        match (silent, double) {
            (true, _) => self.read.silent += 1,
            (false, true) => self.read.double += 1,
            (false, false) => {
                self.read.valid += 1;
                self.read.joint[states.index(&state)] += 1;
            }
        }
    }
}
