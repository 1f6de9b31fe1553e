use super::*;
use crate::{
    epsp::Epsp,
    population::PopulationCode,
    stdp::Stdp,
    wta::{BiasRule, Rate, Start, present_clocked},
};

const LEARNING: Learning = Learning {
    stdp: Stdp { gain: 1.0, floor: -7.0 },
    rate: Rate::Constant(0.05),
    bias: BiasRule::Prior { eta: 0.01, floor: -9.0 },
    levels: None,
};
const SHOWN: Presentation = Presentation {
    duration_ms: 50.0,
    input_hz: 100.0,
    circuit_hz: 200.0,
    loss: 0.0,
    winner: Winner::Softmax,
};
const EPSPS: [Epsp; 3] = [
    Epsp::Rectangular { width_ms: 10.0 },
    Epsp::DoubleExponential { rise_ms: 2.0, fall_ms: 20.0 },
    Epsp::DoubleExponential { rise_ms: 0.0, fall_ms: 10.0 },
];

fn circuit() -> Circuit {
    Circuit::new(&PopulationCode::binary(6), 5, Start::Optimistic, &LEARNING, Draws::at(1, 0))
}

/// Spikes of inputs since the beginning of time.
#[derive(Default)]
struct History(Vec<(f64, u32)>);

impl History {
    fn y(&self, epsp: Epsp, now: f64, inputs: usize) -> Vec<f64> {
        let mut y = vec![0.0; inputs];
        for &(ms, input) in self.0.iter().filter(|(ms, _)| *ms <= now) {
            y[input as usize] += epsp.after(now - ms);
        }
        if matches!(epsp, Epsp::Rectangular { .. }) {
            y.iter_mut().for_each(|y| *y = y.min(1.0));
        }
        y
    }
}

#[test]
fn potentials_by_recursion_are_direct_sums_over_all_spikes_at_the_present_weights() {
    for epsp in EPSPS {
        let mut circuit = circuit().with_mismatch(0.2, Draws::at(4, 0));
        let mut traces = Traces::new(epsp, &circuit);
        let (mut buffers, mut history) = (Buffers::default(), History::default());
        for step in 0..40_u32 {
            let on: Vec<u32> = (0..6).map(|pixel| 2 * pixel + (step >> (pixel % 3) & 1)).collect();
            let begin = 50.0 * f64::from(step);
            present(
                &mut circuit,
                &mut traces,
                &on,
                &SHOWN,
                Some(&LEARNING),
                Draws::at(7, step.into()),
                &mut buffers,
            );
            let train = &buffers.train;
            history.0.extend(train.ms.iter().zip(&train.inputs).map(|(ms, &input)| (begin + ms, input)));
            let (mut on, mut u, mut y, mut row) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            traces.potentials(&circuit, &mut on, &mut u);
            traces.values(&mut y);
            // Restarted: now is the end of the presentation.
            let exact = history.y(epsp, begin + 50.0, 12);
            for (y, exact) in y.iter().zip(&exact) {
                // f32 sums of some ten spikes.
                assert!((f64::from(*y) - exact).abs() < 1e-5, "{epsp:?}: {y} {exact}");
            }
            for (k, u) in u.into_iter().enumerate() {
                circuit.sent_row(k, &mut row);
                let sum: f64 = row.iter().zip(&exact).map(|(&w, y)| f64::from(w) * y).sum();
                let exact = f64::from(circuit.bias()[k]) + sum;
                assert!((f64::from(u) - exact).abs() < 3e-4, "{epsp:?}, step {step}: {u} {exact}");
            }
        }
    }
}

#[test]
fn a_circuit_fires_at_its_rate_whatever_its_potentials() {
    let mut circuit = circuit();
    let mut traces = Traces::new(EPSPS[0], &circuit);
    let (mut buffers, mut spikes) = (Buffers::default(), 0.0);
    for step in 0..2000 {
        present(
            &mut circuit,
            &mut traces,
            &[0, 3, 5],
            &SHOWN,
            Some(&LEARNING),
            Draws::at(5, step),
            &mut buffers,
        );
        assert!(buffers.spikes.is_sorted_by(|a, b| a.ms < b.ms));
        spikes += buffers.spikes.len() as f64;
    }
    // A Poisson count of 20,000: 4.5 σ.
    assert!((spikes - 20_000.0).abs() < 4.5 * 20_000.0_f64.sqrt(), "{spikes}");
}

#[test]
fn a_pattern_leaves_its_tail_in_the_next_presentation() {
    let circuit = circuit();
    for epsp in EPSPS {
        let mut traces = Traces::new(epsp, &circuit);
        let mut y = Vec::new();
        traces.advance(&circuit, 50.0, (&[48.0], &[3]), &mut Vec::new());
        traces.restart(50.0);
        traces.advance(&circuit, 4.0, (&[], &[]), &mut Vec::new());
        traces.values(&mut y);
        assert!((f64::from(y[3]) - epsp.after(6.0)).abs() < 1e-6, "{epsp:?}: {}", y[3]);
        traces.advance(&circuit, 3000.0, (&[], &[]), &mut Vec::new());
        traces.values(&mut y);
        assert!(y.iter().all(|&y| y == 0.0), "{epsp:?}: nothing is left after three seconds");
    }
}

#[test]
fn lost_spikes_are_missing_from_the_train() {
    let circuit = circuit();
    let (mut traces, mut buffers, mut n) = (Traces::new(EPSPS[0], &circuit), Buffers::default(), 0.0);
    let lossy = Presentation { loss: 0.75, ..SHOWN };
    for step in 0..2000 {
        present(&mut circuit.clone(), &mut traces, &[1, 2], &lossy, None, Draws::at(6, step), &mut buffers);
        n += buffers.train.ms.len() as f64;
    }
    // 2 inputs, 25 Hz, 100 s: a Poisson count of 5000.
    assert!((n - 5000.0).abs() < 4.5 * 5000.0_f64.sqrt(), "{n}");
}

/// Rates of the circuit and of its first neuron, in Hz, over 100 s without learning.
fn rates(dt_ms: Option<f64>, epsp: Epsp) -> (f64, f64) {
    let weights: Vec<f64> = (0..24).map(|i| -0.2 * f64::from(i % 7)).collect();
    let mut circuit = Circuit::with_weights(12, &weights, &[-0.3, -1.0], &LEARNING);
    let (mut traces, mut buffers) = (Traces::new(epsp, &circuit), Buffers::default());
    let (mut all, mut first) = (0.0, 0.0);
    for step in 0..2000 {
        let draws = Draws::at(11, step);
        let on = [0, 3, 4, 7, 9, 10];
        match dt_ms {
            None => present(&mut circuit, &mut traces, &on, &SHOWN, None, draws, &mut buffers),
            Some(dt) => {
                present_clocked(&mut circuit, &mut traces, &on, (&SHOWN, dt), None, draws, &mut buffers)
            }
        }
        all += buffers.spikes.len() as f64;
        first += buffers.spikes.iter().filter(|spike| spike.neuron == 0).count() as f64;
    }
    (all / 100.0, first / 100.0)
}

#[test]
fn the_circuit_by_the_clock_fires_as_the_exact_one() {
    for epsp in EPSPS {
        let (all, first) = rates(None, epsp);
        let (clocked_all, clocked_first) = rates(Some(0.2), epsp);
        // Counts of 20,000 on both sides: σ of the difference 2 Hz, 4.5 of them; the step of 0.2 ms loses
        // R dt/2 = 2 % of the rate at most (1 − e^−x against x), 4 Hz.
        assert!((clocked_all - all).abs() < 9.0 + 4.0, "{epsp:?}: {all} {clocked_all}");
        assert!((clocked_first - first).abs() < 9.0 + 4.0, "{epsp:?}: {first} {clocked_first}");
        assert!(first > 20.0 && first < 180.0, "both neurons take part: {first}");
    }
}

#[test]
fn a_circuit_that_learns_by_the_clock_learns_the_same_weights() {
    let start = || Circuit::new(&PopulationCode::binary(6), 2, Start::Optimistic, &LEARNING, Draws::at(1, 0));
    let mut circuits = [start(), start()];
    let mut traces = circuits.each_ref().map(|circuit| Traces::new(EPSPS[0], circuit));
    let (mut buffers, learning) = (Buffers::default(), Learning { rate: Rate::Constant(0.005), ..LEARNING });
    let patterns = [[0, 2, 4, 7, 9, 11], [1, 3, 5, 6, 8, 10]];
    for step in 0..6000 {
        let (draws, on) = (Draws::at(3, step), &patterns[(step % 2) as usize]);
        let [exact, clocked] = &mut circuits;
        present(exact, &mut traces[0], on, &SHOWN, Some(&learning), draws, &mut buffers);
        present_clocked(clocked, &mut traces[1], on, (&SHOWN, 0.2), Some(&learning), draws, &mut buffers);
    }
    // Each neuron has one of the patterns; the mean weight from what is on in it.
    let of_own = |circuit: &Circuit| -> f64 {
        let mean = |k, on: &[u32; 6]| {
            on.iter().map(|&i| f64::from(circuit.weights(k)[i as usize])).sum::<f64>() / 6.0
        };
        let of = |k| patterns.iter().map(|on| mean(k, on)).fold(f64::NEG_INFINITY, f64::max);
        let chosen = |k| mean(k, &patterns[0]) > mean(k, &patterns[1]);
        assert_ne!(chosen(0), chosen(1), "the neurons share the patterns");
        (of(0) + of(1)) / 2.0
    };
    let [exact, clocked] = circuits.each_ref().map(of_own);
    // An input has fired within 10 ms with probability 1 − e^−1; 2 of 50 ms are those of the pattern before.
    let steady = libm::log(1.0 - libm::exp(-1.0));
    assert!((exact - steady).abs() < 0.2, "{exact} against {steady}");
    // A weight scatters by √(η (1 − p)/2p) = 0.04, twelve of them share windows of two spikes: below 0.03 for the mean.
    assert!((exact - clocked).abs() < 4.5 * 0.03 * 2.0_f64.sqrt(), "{exact} {clocked}");
}
