//! The circuit of a run: how it starts, is shown a pattern, and learns.

use numerics::{
    BinaryRows, Draws, Stream,
    epsp::Epsp,
    population::PopulationCode,
    stdp::{Annealed, Stdp},
    wta::{
        self, BiasRule as Biases, Buffers, Circuit, Learning, Levels, Mixture, Presentation, Rate, Synthetic,
        Traces, Winner, winner,
    },
};
use serde::{Deserialize, Serialize};

use super::params::{BiasRule, EpspShape, Init, Mode, Params, RateRule};

/// The least bias.
const BIAS_FLOOR: f64 = -9.0;
/// Bits for the input in the address of a loss.
const INPUT_BITS: u32 = 20;
/// Spikes that count as already seen where rates fall as 1/n.
const OFFSET: f64 = 10.0;

/// Rules of learning and of presentations, from the params.
pub(super) struct Rules {
    pub(super) learning: Learning,
    pub(super) presentation: Presentation,
    pub(super) epsp: Epsp,
    mode: Mode,
    dt_ms: f64,
    winner: Winner,
    code: PopulationCode,
}

/// What a circuit did since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Activity {
    /// Spikes of inputs; in mode ideal, inputs that were on.
    pub input_spikes: u64,
    /// Spikes of the circuit.
    pub circuit_spikes: u64,
}

/// Reusable buffers.
#[derive(Default)]
pub struct Room {
    pub(super) buffers: Buffers,
    pub(super) on: Vec<u32>,
    u: Vec<f32>,
    /// Potentials of the inputs at the last spike; mode ideal only.
    pub(super) y: Vec<f32>,
}

impl Rules {
    pub(super) fn new(params: &Params, pixels: usize) -> Self {
        let stdp = Stdp { gain: params.c, floor: params.weight_floor };
        let annealed = Annealed { numerator: 1.0, offset: OFFSET, floor: params.eta, ceiling: 1.0 };
        let rate = match params.rate {
            RateRule::Constant => Rate::Constant(params.eta),
            RateRule::Annealed => Rate::Annealed(annealed),
            RateRule::VarianceTracking => Rate::VarianceTracking(params.eta),
        };
        let bias = match params.bias {
            BiasRule::Prior => Biases::Prior { eta: params.eta_b, floor: BIAS_FLOOR },
            BiasRule::Homeostatic => Biases::Homeostatic { eta: params.eta_b },
            BiasRule::Fixed => Biases::Fixed,
        };
        let high = stdp.equilibrium(1.0);
        let levels =
            (params.weight_bits > 0).then_some(Levels { bits: params.weight_bits, low: stdp.floor, high });
        let winner = params.winner_rule();
        Self {
            learning: Learning { stdp, rate, bias, levels },
            presentation: Presentation {
                duration_ms: params.presentation_ms,
                input_hz: params.input_hz,
                circuit_hz: params.circuit_hz,
                loss: params.drop_spikes,
                winner,
            },
            epsp: match params.epsp {
                EpspShape::Rectangular => Epsp::Rectangular { width_ms: params.sigma_ms },
                EpspShape::DoubleExponential => {
                    Epsp::DoubleExponential { rise_ms: params.tau_rise_ms, fall_ms: params.tau_fall_ms }
                }
            },
            mode: params.mode,
            dt_ms: params.dt_ms,
            winner,
            code: PopulationCode::binary(pixels),
        }
    }

    /// A circuit before its first spike.
    pub(super) fn start(&self, params: &Params, synthetic: Option<&Synthetic>, draws: Draws) -> Circuit {
        let circuit = match synthetic.filter(|_| params.init == Init::Truth) {
            Some(synthetic) => Circuit::near(&synthetic.truth, &self.learning, draws),
            None => Circuit::new(&self.code, params.neurons as usize, params.start(), &self.learning, draws),
        };
        circuit.with_mismatch(params.mismatch_sd, draws)
    }

    /// What is left of inputs between presentations; nothing in mode ideal.
    pub(super) fn traces(&self, circuit: &Circuit) -> Option<Traces> {
        (self.mode != Mode::Ideal).then(|| Traces::new(self.epsp, circuit))
    }

    /// Shows a pattern, given its pixels that are on. With `learns` the circuit learns.
    pub(super) fn show(
        &self,
        circuit: &mut Circuit,
        traces: Option<&mut Traces>,
        pixels: &[u32],
        learns: Learns,
        draws: Draws,
        room: &mut Room,
    ) -> Activity {
        let mut on = std::mem::take(&mut room.on);
        self.code.encode_binary(pixels, &mut on);
        let learning = (learns == Learns::Yes).then_some(&self.learning);
        let activity = match traces {
            None => self.show_ideal(circuit, &mut on, learning, draws, room),
            Some(traces) => {
                let (shown, buffers) = (&self.presentation, &mut room.buffers);
                if self.mode == Mode::Clocked {
                    wta::present_clocked(circuit, traces, &on, (shown, self.dt_ms), learning, draws, buffers);
                } else {
                    wta::present(circuit, traces, &on, shown, learning, draws, buffers);
                }
                Activity {
                    input_spikes: buffers.train.inputs.len() as u64,
                    circuit_spikes: buffers.spikes.len() as u64,
                }
            }
        };
        room.on = on;
        activity
    }

    /// One winner; its spike is left in the buffers.
    fn show_ideal(
        &self,
        circuit: &mut Circuit,
        on: &mut Vec<u32>,
        learning: Option<&Learning>,
        draws: Draws,
        room: &mut Room,
    ) -> Activity {
        self.lose(on, draws, 0);
        let neuron = self.winner(circuit, on, draws, 0, room);
        room.buffers.spikes.clear();
        room.buffers.spikes.push(wta::CircuitSpike { ms: 0.0, neuron: neuron as u32 });
        if let Some(learning) = learning {
            learn(circuit, neuron, on, learning, (draws, 0), room);
        }
        Activity { input_spikes: on.len() as u64, circuit_spikes: 1 }
    }

    /// Inputs of pattern `at` of a step that are on and not lost; mode ideal only.
    pub(super) fn seen(&self, pixels: &[u32], on: &mut Vec<u32>, draws: Draws, at: usize) {
        self.code.encode_binary(pixels, on);
        self.lose(on, draws, at);
    }

    fn lose(&self, on: &mut Vec<u32>, draws: Draws, at: usize) {
        if self.presentation.loss > 0.0 {
            let mut uniform = vec![0.0; on.len()];
            draws.fill_uniform_f64(Stream::Loss, (at as u64) << INPUT_BITS, &mut uniform);
            let mut left = uniform.into_iter();
            on.retain(|_| left.next().is_some_and(|uniform| uniform >= self.presentation.loss));
        }
    }

    /// The neuron that pattern `at` of a step makes fire; mode ideal only.
    pub(super) fn winner(
        &self,
        circuit: &Circuit,
        on: &[u32],
        draws: Draws,
        at: usize,
        room: &mut Room,
    ) -> usize {
        circuit.potentials(on, &mut room.u);
        let mut uniform = [0.0];
        draws.fill_uniform_f64(Stream::Winner, at as u64, &mut uniform);
        winner(self.winner, &mut room.u, uniform[0])
    }

    /// The neuron of the greatest potential for each of these patterns, every input known; the first of equals.
    pub(super) fn winners(&self, circuit: &Circuit, patterns: &BinaryRows) -> Vec<u32> {
        let (mut on, mut u) = (Vec::new(), Vec::new());
        (0..patterns.len())
            .map(|row| {
                self.code.encode_binary(patterns.row(row), &mut on);
                circuit.potentials(&on, &mut u);
                winner(Winner::Argmax, &mut u, 0.0) as u32
            })
            .collect()
    }

    /// The mixture that a circuit's weights say.
    pub(super) fn mixture(&self, circuit: &Circuit) -> Mixture {
        Mixture::of_circuit(circuit, matches!(self.learning.bias, Biases::Prior { .. }))
    }
}

/// The circuit learns from a spike, the `at`-th of the step, while these inputs are on.
pub(super) fn learn(
    circuit: &mut Circuit,
    neuron: usize,
    on: &[u32],
    learning: &Learning,
    (draws, at): (Draws, u64),
    room: &mut Room,
) {
    room.y.clear();
    room.y.resize(circuit.inputs(), 0.0);
    on.iter().for_each(|&input| room.y[input as usize] = 1.0);
    circuit.learn(neuron, &room.y, learning, (draws, at));
}

/// Whether a presentation is for learning or for looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learns {
    /// Spikes change weights and biases.
    Yes,
    /// Nothing changes but what is left of the inputs.
    No,
}
