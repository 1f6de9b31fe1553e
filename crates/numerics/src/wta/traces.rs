//! What inputs have left in a circuit: postsynaptic potentials between spikes, by exact recursions.

use kernels::{math, plasticity, rows};
use serde::{Deserialize, Serialize};

use super::Circuit;
use crate::epsp::{Epsp, decay};

/// Below this a trace is none, so that it never becomes a subnormal number.
const NOTHING: f32 = 1e-12;

/// Potentials y of the inputs of one circuit, at a time within a presentation.
///
/// A rectangle needs the time of the last spike only. Exponentials decay by a factor between events, and so do the sums
/// `Σ_i w_ki y_i` of each neuron, to which an input spike adds a row of weights; when a neuron has learned, its sum is
/// computed anew, so that potentials are always those of the present weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Traces {
    epsp: Epsp,
    now_ms: f64,
    /// Time of the last spike of each input; −∞ if it is too old to matter. Empty for exponentials.
    last_ms: Vec<f64>,
    fall: Exponential,
    /// Empty without a rise.
    rise: Exponential,
    /// Factor that makes the greatest potential 1.
    scale: f32,
}

/// Traces of one time constant; empty for rectangles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Exponential {
    /// (inputs).
    y: Vec<f32>,
    /// (neurons).
    u: Vec<f32>,
}

impl Traces {
    /// No input has fired yet.
    pub fn new(epsp: Epsp, circuit: &Circuit) -> Self {
        let (inputs, neurons) = (circuit.inputs(), circuit.neurons());
        let zero = || Exponential { y: vec![0.0; inputs], u: vec![0.0; neurons] };
        let (last_ms, fall, rise) = match epsp {
            Epsp::Rectangular { .. } => {
                (vec![f64::NEG_INFINITY; inputs], Exponential::default(), Exponential::default())
            }
            Epsp::DoubleExponential { rise_ms, .. } => {
                (Vec::new(), zero(), if rise_ms > 0.0 { zero() } else { Exponential::default() })
            }
        };
        Self { epsp, now_ms: 0.0, last_ms, fall, rise, scale: epsp.scale() as f32 }
    }

    /// Whether they are traces of this circuit's inputs.
    pub fn fits(&self, circuit: &Circuit) -> bool {
        let fits =
            |trace: &Exponential| trace.y.len() == circuit.inputs() && trace.u.len() == circuit.neurons();
        match self.epsp {
            Epsp::Rectangular { .. } => self.last_ms.len() == circuit.inputs(),
            Epsp::DoubleExponential { rise_ms, .. } => {
                fits(&self.fall) && (rise_ms == 0.0 || fits(&self.rise))
            }
        }
    }

    /// Goes on to `to_ms`, taking up the spikes (`ms`, `inputs`) since the time before.
    pub(super) fn advance(
        &mut self,
        circuit: &Circuit,
        to_ms: f64,
        (ms, inputs): (&[f64], &[u32]),
        room: &mut Vec<f32>,
    ) {
        let past = to_ms - self.now_ms;
        self.now_ms = to_ms;
        match self.epsp {
            Epsp::Rectangular { .. } => {
                ms.iter().zip(inputs).for_each(|(&ms, &input)| self.last_ms[input as usize] = ms);
            }
            Epsp::DoubleExponential { rise_ms, fall_ms } => {
                for (trace, tau) in [(&mut self.fall, fall_ms), (&mut self.rise, rise_ms)] {
                    if tau > 0.0 {
                        trace.decay(decay(past, tau) as f32);
                        room.clear();
                        room.extend(ms.iter().map(|ms| ((ms - to_ms) * (1.0 / tau)) as f32));
                        math::exps(room);
                        trace.add(circuit, inputs, room);
                    }
                }
            }
        }
    }

    /// The potentials of all inputs, into `y`.
    pub(super) fn values(&self, y: &mut Vec<f32>) {
        y.clear();
        match self.epsp {
            Epsp::Rectangular { width_ms } => {
                let since = self.now_ms - width_ms;
                y.extend(self.last_ms.iter().map(|&last| if last > since { 1.0 } else { 0.0 }));
            }
            Epsp::DoubleExponential { .. } if self.rise.y.is_empty() => y.extend_from_slice(&self.fall.y),
            Epsp::DoubleExponential { .. } => {
                y.extend(self.fall.y.iter().zip(&self.rise.y).map(|(fall, rise)| self.scale * (fall - rise)));
            }
        }
    }

    /// The potentials of all neurons, into `u`.
    pub(super) fn potentials(&self, circuit: &Circuit, on: &mut Vec<u32>, u: &mut Vec<f32>) {
        u.clear();
        u.extend_from_slice(circuit.bias());
        match self.epsp {
            Epsp::Rectangular { width_ms } => {
                let since = self.now_ms - width_ms;
                on.clear();
                on.extend((0..).zip(&self.last_ms).filter(|&(_, &last)| last > since).map(|(i, _)| i));
                rows::add_rows(
                    circuit.sent(),
                    circuit.neurons(),
                    rows::Lists::new(&[0, on.len() as u32], on),
                    u,
                );
            }
            Epsp::DoubleExponential { .. } => {
                u.iter_mut().zip(&self.fall.u).for_each(|(u, fall)| *u += self.scale * fall);
                u.iter_mut().zip(&self.rise.u).for_each(|(u, rise)| *u -= self.scale * rise);
            }
        }
    }

    /// The weights of a neuron have changed.
    pub(super) fn relearn(&mut self, circuit: &Circuit, neuron: usize, room: &mut Vec<f32>) {
        if self.fall.y.is_empty() {
            return;
        }
        circuit.sent_row(neuron, room);
        for trace in [&mut self.fall, &mut self.rise] {
            if !trace.y.is_empty() {
                plasticity::dot(room, &trace.y, &mut trace.u[neuron]);
            }
        }
    }

    /// Ends a presentation of `duration_ms`: time begins anew, what is left of its spikes stays.
    pub(super) fn restart(&mut self, duration_ms: f64) {
        self.now_ms -= duration_ms;
        if let Epsp::Rectangular { width_ms } = self.epsp {
            for last in &mut self.last_ms {
                *last -= duration_ms;
                if *last <= self.now_ms - width_ms {
                    *last = f64::NEG_INFINITY;
                }
            }
        }
    }
}

impl Exponential {
    fn decay(&mut self, factor: f32) {
        // One loop for each: a loop over both would not use vectors.
        for xs in [&mut self.y, &mut self.u] {
            for x in xs {
                let next = *x * factor;
                *x = if next.abs() < NOTHING { 0.0 } else { next };
            }
        }
    }

    fn add(&mut self, circuit: &Circuit, inputs: &[u32], factors: &[f32]) {
        inputs.iter().zip(factors).for_each(|(&input, factor)| self.y[input as usize] += factor);
        plasticity::add_scaled_rows(circuit.sent(), inputs, factors, &mut self.u);
    }
}
