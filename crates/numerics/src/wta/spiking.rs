//! One presentation of a pattern to a spiking circuit, from spike to spike.

use serde::{Deserialize, Serialize};

use super::{Circuit, Learning, PoissonTrain, Traces, Winner, poisson, winner};
use crate::{Draws, Stream};

/// How patterns are shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Presentation {
    /// How long.
    pub duration_ms: f64,
    /// Rate of an input that is on; the others are silent.
    pub input_hz: f64,
    /// R: rate of all neurons together.
    pub circuit_hz: f64,
    /// Part of the input spikes that is lost.
    pub loss: f64,
    /// Who fires.
    pub winner: Winner,
}

/// A spike of the circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CircuitSpike {
    /// Since the beginning of the presentation.
    pub ms: f64,
    /// Who fired.
    pub neuron: u32,
}

/// Reusable buffers, and what happened in the last presentation.
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    /// Spikes of the circuit, in order.
    pub spikes: Vec<CircuitSpike>,
    /// Spikes of the inputs.
    pub train: PoissonTrain,
    pub(super) times: Vec<f64>,
    pub(super) y: Vec<f32>,
    pub(super) u: Vec<f32>,
    pub(super) room: Vec<f32>,
    pub(super) on: Vec<u32>,
}

/// Shows inputs `on` for one presentation: exact, without a time step.
///
/// Spikes of the circuit come at rate R whatever the potentials; at each, potentials are brought up to date, the neuron
/// is drawn (spike e takes the 64-bit draw e of stream `Winner`) and, with `learning`, the circuit learns. What is left
/// of the input spikes stays in `traces` for the next presentation.
///
/// # Panics
/// If `on` names no input.
pub fn present(
    circuit: &mut Circuit,
    traces: &mut Traces,
    on: &[u32],
    presentation: &Presentation,
    learning: Option<&Learning>,
    draws: Draws,
    buffers: &mut Buffers,
) {
    let Presentation { duration_ms, input_hz, circuit_hz, loss, winner: rule } = *presentation;
    let Buffers { spikes, train, times, y, u, room, on: open } = buffers;
    // A Poisson process that loses spikes at random is one of a lower rate.
    train.draw(on, input_hz * (1.0 - loss), duration_ms, draws);
    poisson::times(circuit_hz, duration_ms, draws, times);
    spikes.clear();
    let mut seen = 0;
    for (event, &ms) in times.iter().enumerate() {
        let next = seen + train.ms[seen..].iter().take_while(|&&input_ms| input_ms <= ms).count();
        traces.advance(circuit, ms, (&train.ms[seen..next], &train.inputs[seen..next]), room);
        seen = next;
        traces.potentials(circuit, open, u);
        let mut uniform = [0.0];
        draws.fill_uniform_f64(Stream::Winner, event as u64, &mut uniform);
        let neuron = winner(rule, u, uniform[0]);
        spikes.push(CircuitSpike { ms, neuron: neuron as u32 });
        if let Some(learning) = learning {
            traces.values(y);
            circuit.learn(neuron, y, learning, (draws, event as u64));
            traces.relearn(circuit, neuron, room);
        }
    }
    traces.advance(circuit, duration_ms, (&train.ms[seen..], &train.inputs[seen..]), room);
    traces.restart(duration_ms);
}

#[cfg(test)]
#[path = "spiking_tests.rs"]
mod tests;
