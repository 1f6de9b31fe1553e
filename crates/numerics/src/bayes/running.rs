//! The running network: output events of modules, and what is read out of them.
//!
//! The free modules fire output spikes as one Poisson process, each module at the same rate; a spike of module z has the value
//! v with the probability of its hidden neurons at that moment. A variable that is given is never redrawn.

mod hold;
mod potential;

pub use hold::{FamilyOccupancy, Occupancy, run_hold};
pub use potential::{Epsp, PotentialChain, ReadOut};

use crate::{Draws, Stream};

/// Uniform numbers that an event takes: gap, module, value.
const DRAWS: usize = 3;
/// Events whose numbers are drawn together.
const BLOCK: usize = 64;

/// The numbers of events, drawn as they are needed.
struct Events {
    draws: Draws,
    stream: Stream,
    next: u64,
    uniform: [f64; DRAWS * BLOCK],
    left: usize,
}

impl Events {
    fn new(draws: Draws, stream: Stream, first: u64) -> Self {
        Self { draws, stream, next: first, uniform: [0.0; DRAWS * BLOCK], left: 0 }
    }

    fn next(&mut self) -> [f64; DRAWS] {
        if self.left == 0 {
            self.draws.fill_uniform_f64(self.stream, self.next, &mut self.uniform);
            self.next += self.uniform.len() as u64;
            self.left = BLOCK;
        }
        let at = (BLOCK - self.left) * DRAWS;
        self.left -= 1;
        [self.uniform[at], self.uniform[at + 1], self.uniform[at + 2]]
    }
}

/// A gap of a Poisson process, in units of its mean.
fn gap(uniform: f64) -> f64 {
    -libm::log(1.0 - uniform)
}

/// One of `n`, each equally likely.
fn pick(uniform: f64, n: usize) -> usize {
    ((uniform * n as f64) as usize).min(n - 1)
}

/// The value that a uniform number stands for.
fn draw(law: &[f64], uniform: f64) -> u8 {
    let mut left = uniform;
    let value = law.iter().position(|p| {
        left -= p;
        left < 0.0
    });
    // Rounding may leave a trace: it belongs to the last value that can occur.
    let last = || law.iter().rposition(|p| *p > 0.0).unwrap_or(0);
    value.unwrap_or_else(last) as u8
}

#[cfg(test)]
#[path = "running/running_tests.rs"]
mod tests;
