//! The circuit by the clock, as simulators have it: time steps and inhibition that is computed rather than ideal.

use super::{Buffers, Circuit, CircuitSpike, Learning, Presentation, Traces};
use crate::{Draws, Stream};

/// Shows inputs `on` for one presentation in steps of `dt_ms`.
///
/// In a step every input that is on fires with probability `1 − e^(−rate dt)`, and every neuron, on its own, with
/// `1 − e^(−r_k dt)`, `r_k = R e^(u_k) / Σ_j e^(u_j)`: the sum is what inhibition reads at the *previous* tick, so that it
/// lags behind the potentials; two neurons may fire in one step, then both learn. As dt → 0 this is [`super::present`].
/// The circuit always draws by softmax. Input j of `on` takes the 32-bit draw `tick · n + j` of `InputSpikes`, neuron k
/// the draw `tick · K + k` of `CircuitSpikes`; `event` counts the circuit's spikes.
///
/// # Panics
/// If `dt_ms` is not above 0 or `on` names no input.
pub fn present_clocked(
    circuit: &mut Circuit,
    traces: &mut Traces,
    on: &[u32],
    (presentation, dt_ms): (&Presentation, f64),
    learning: Option<&Learning>,
    draws: Draws,
    buffers: &mut Buffers,
) {
    assert!(dt_ms > 0.0, "a step of the clock takes time");
    let Presentation { duration_ms, input_hz, circuit_hz, loss, .. } = *presentation;
    let Buffers { spikes, train, times, y, u, room, on: open } = buffers;
    let probability = |hz: f64| -libm::expm1(-hz * dt_ms / 1000.0);
    let input_probability = probability(input_hz * (1.0 - loss)) as f32;
    let (ticks, neurons) = ((duration_ms / dt_ms).round() as u64, circuit.neurons());
    spikes.clear();
    train.ms.clear();
    train.inputs.clear();
    let (mut uniform, mut draw) = (vec![0.0_f32; on.len()], vec![0.0_f32; neurons]);
    traces.potentials(circuit, open, u);
    let mut inhibition = log_sum(u);
    for tick in 0..ticks {
        let ms = (tick + 1) as f64 * dt_ms;
        draws.fill_uniform(Stream::InputSpikes, tick * on.len() as u64, &mut uniform);
        let before = train.inputs.len();
        let fired = on.iter().zip(&uniform).filter(|&(_, &uniform)| uniform < input_probability);
        train.inputs.extend(fired.map(|(&input, _)| input));
        times.clear();
        times.resize(train.inputs.len() - before, ms);
        traces.advance(circuit, ms, (times, &train.inputs[before..]), room);
        train.ms.extend_from_slice(times);
        traces.potentials(circuit, open, u);
        draws.fill_uniform(Stream::CircuitSpikes, tick * neurons as u64, &mut draw);
        let rate = |u: f32| circuit_hz * libm::exp(f64::from(u) - inhibition);
        let fired: Vec<u32> = (0..)
            .zip(u.iter().zip(&draw))
            .filter(|&(_, (&u, &draw))| f64::from(draw) < probability(rate(u)))
            .map(|(neuron, _)| neuron)
            .collect();
        inhibition = log_sum(u);
        for neuron in fired {
            if let Some(learning) = learning {
                traces.values(y);
                circuit.learn(neuron as usize, y, learning, (draws, spikes.len() as u64));
                traces.relearn(circuit, neuron as usize, room);
            }
            spikes.push(CircuitSpike { ms, neuron });
        }
    }
    traces.restart(ticks as f64 * dt_ms);
}

/// ln Σ e^u.
fn log_sum(u: &[f32]) -> f64 {
    let greatest = u.iter().fold(f32::NEG_INFINITY, |greatest, &u| greatest.max(u));
    let sum = u.iter().fold(0.0, |sum, &u| sum + libm::exp(f64::from(u - greatest)));
    f64::from(greatest) + libm::log(sum)
}
