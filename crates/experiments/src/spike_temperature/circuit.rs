//! The circuit: spikes, kicks, prior and noise.

use numerics::{Draws, Stream, sde::OrnsteinUhlenbeck, synaptic_sampling::SpikeNoise, wta::PoissonTrain};
use serde::{Deserialize, Serialize};

use super::{
    GRID_S, Params,
    params::{Compensation, Winner},
};

/// From one step of prior and noise to the next.
pub(super) const NOISE_MS: f64 = 50.0;
/// Steps of prior and noise between two looks at how far θ moved: 0.25 s.
const LOOK_EVERY: u64 = 5;

/// Everything that changes but samples; synapses are (neurons, inputs).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Circuit {
    pub(super) theta: Vec<f64>,
    /// What is left of input spikes.
    fall: Vec<f64>,
    rise: Vec<f64>,
    /// Excitability.
    bias: Vec<f64>,
    /// Sum of x − depression over the spikes of the window, and their number.
    window: Vec<f64>,
    /// Running mean of its square over the window's length, 1/s: estimates of `r E δ² + …`.
    spread: Vec<f64>,
    /// Windows so far.
    windows: u64,
    /// Steps of prior and noise so far.
    rounds: u64,
    pub(super) tally: Tally,
}

/// Sums over looks at each synapse since the end of burn-in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    before: Vec<f64>,
    /// (θ' − θ)², without the mean way of the drift.
    pub(super) squares: Vec<f64>,
    /// What the squares are predicted to be, over 2 b dt: temperature of the noise plus T_add.
    pub(super) predicted: Vec<f64>,
    /// The same with T_add of independent kicks.
    pub(super) apart: Vec<f64>,
    pub(super) looks: u64,
}

/// Reusable buffers.
#[derive(Default)]
pub struct Scratch {
    trains: Vec<PoissonTrain>,
    z: Vec<f64>,
    u: Vec<f64>,
}

/// What is fixed.
pub(super) struct Rules {
    pub(super) params: Params,
    /// One for each class of inputs.
    pub(super) classes: Vec<SpikeNoise>,
}

impl Circuit {
    pub(super) fn new(rules: &Rules, draws: Draws) -> Self {
        let (params, inputs) = (&rules.params, rules.params.all_inputs());
        let mut theta = vec![0.0; params.synapses()];
        draws.fill_normal(Stream::SpikeInit, 0, &mut theta);
        let starts: Vec<f64> = rules.classes.iter().map(|class| class.posterior().mean(|x| x)).collect();
        for (s, theta) in theta.iter_mut().enumerate() {
            *theta = starts[rules.class_of(s % inputs)] + 0.05 * *theta;
        }
        Self {
            fall: vec![0.0; inputs],
            rise: vec![0.0; inputs],
            bias: vec![0.0; params.neurons as usize],
            window: vec![0.0; theta.len()],
            spread: vec![0.0; theta.len()],
            windows: 0,
            rounds: 0,
            tally: Tally::default(),
            theta,
        }
    }

    /// [`GRID_S`] of simulated time.
    pub(super) fn advance(&mut self, rules: &Rules, scratch: &mut Scratch, counts: bool, draws: Draws) {
        let params = &rules.params;
        let classes = rules.classes.len();
        scratch.trains.resize_with(classes + 1, PoissonTrain::default);
        let all: Vec<u32> = (0..params.inputs).collect();
        let neurons: Vec<u32> = (0..params.neurons).collect();
        let rates = params.input_hz.iter().map(|&hz| (&all, hz)).chain([(&neurons, params.output_hz)]);
        for (i, (train, (on, hz))) in scratch.trains.iter_mut().zip(rates).enumerate() {
            let own = draws.at_step(draws.step() * (classes as u64 + 1) + i as u64);
            train.draw(on, hz, GRID_S * 1e3, own);
        }
        if counts && self.tally.before.is_empty() {
            self.tally = Tally::start(&self.theta);
        }
        let mut next = vec![0; classes + 1];
        for round in 0..(GRID_S * 1e3 / NOISE_MS).round() as u64 {
            self.listen(rules, scratch, &mut next, round as f64 * NOISE_MS, draws);
            self.rounds += 1;
            self.diffuse(rules, scratch, draws.at_step(self.rounds));
            let window = (params.window_s * 1e3 / NOISE_MS).round().max(1.0) as u64;
            if self.rounds.is_multiple_of(window) {
                self.estimate(params);
            }
            if counts && self.rounds.is_multiple_of(LOOK_EVERY) {
                self.look(rules);
            }
        }
    }

    /// All spikes of a round that begins at `from_ms`.
    fn listen(
        &mut self,
        rules: &Rules,
        scratch: &mut Scratch,
        next: &mut [usize],
        from_ms: f64,
        draws: Draws,
    ) {
        let (params, classes) = (&rules.params, rules.classes.len());
        let epsp = rules.classes[0].epsp;
        let (inputs_of_class, to_ms) = (params.inputs as usize, from_ms + NOISE_MS);
        // Traces are kept as of the last spike of the circuit.
        let mut since = from_ms;
        loop {
            let circuit = &scratch.trains[classes];
            let fires = circuit.ms.get(next[classes]).copied().filter(|&ms| ms < to_ms);
            let until = fires.unwrap_or(to_ms);
            for (class, train) in scratch.trains[..classes].iter().enumerate() {
                while let Some(&ms) = train.ms.get(next[class]).filter(|&&ms| ms < until) {
                    let input = class * inputs_of_class + train.inputs[next[class]] as usize;
                    self.fall[input] += libm::exp((ms - since) / epsp.tau_fall_ms);
                    self.rise[input] += libm::exp((ms - since) / epsp.tau_rise_ms);
                    next[class] += 1;
                }
            }
            for (trace, tau) in [(&mut self.fall, epsp.tau_fall_ms), (&mut self.rise, epsp.tau_rise_ms)] {
                let kept = libm::exp((since - until) / tau);
                trace.iter_mut().for_each(|x| *x = if *x < 1e-30 { 0.0 } else { *x * kept });
            }
            since = until;
            if fires.is_none() {
                return;
            }
            let taught = circuit.inputs[next[classes]] as usize;
            let neuron = match params.winner {
                Winner::Taught => taught,
                Winner::Competing => self.winner(rules, &mut scratch.u, next[classes] as u64, draws),
            };
            self.kick(rules, neuron);
            next[classes] += 1;
        }
    }

    /// Draws a neuron by its potential, for spike `number` of the step; its excitability falls, that of all rises.
    fn winner(&mut self, rules: &Rules, u: &mut Vec<f64>, number: u64, draws: Draws) -> usize {
        let inputs = self.fall.len();
        u.clear();
        for (row, bias) in self.theta.chunks_exact(inputs).zip(&self.bias) {
            let class = &rules.classes[0];
            let traces = self.fall.iter().zip(&self.rise);
            u.push(
                row.iter()
                    .zip(traces)
                    .fold(*bias, |u, (&theta, (fall, rise))| u + class.weight(theta) * (fall - rise)),
            );
        }
        let most = u.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        u.iter_mut().for_each(|u| *u = libm::exp(*u - most));
        let neuron = numerics::distributions::categorical(draws, Stream::Winner, number, u);
        let share = rules.params.homeostasis / u.len() as f64;
        self.bias.iter_mut().for_each(|bias| *bias += share);
        self.bias[neuron] -= rules.params.homeostasis;
        neuron
    }

    /// A spike of a neuron moves its functional synapses.
    fn kick(&mut self, rules: &Rules, neuron: usize) {
        let (inputs, params) = (self.fall.len(), &rules.params);
        for i in 0..inputs {
            let s = neuron * inputs + i;
            let class = &rules.classes[rules.class_of(i)];
            let theta = self.theta[s];
            if theta > 0.0 {
                let delta = self.fall[i] - self.rise[i] - class.depression(theta);
                self.theta[s] = theta + params.b * params.data_points * class.slope(theta) * delta;
                self.window[s] += delta;
            }
        }
    }

    /// Prior and noise over [`NOISE_MS`].
    fn diffuse(&mut self, rules: &Rules, scratch: &mut Scratch, draws: Draws) {
        let params = &rules.params;
        scratch.z.resize(self.theta.len(), 0.0);
        draws.fill_normal(Stream::SpikeDiffusion, 0, &mut scratch.z);
        // Noise of temperature 1, to be scaled.
        let process = OrnsteinUhlenbeck { temperature: 1.0, ..rules.classes[0].prior };
        let step = process.exact(NOISE_MS * 1e-3);
        for s in 0..self.theta.len() {
            let theta = self.theta[s];
            let own = self.own_temperature(rules, s);
            let noise = step.sd * own.sqrt() * scratch.z[s];
            self.theta[s] = params.prior_mean + (theta - params.prior_mean) * step.decay + noise;
        }
    }

    /// Temperature of the rule's own noise at a synapse.
    fn own_temperature(&self, rules: &Rules, s: usize) -> f64 {
        let (params, theta) = (&rules.params, self.theta[s]);
        let added = match params.compensation {
            Compensation::None => 0.0,
            Compensation::Predicted => rules.of(s).added(theta),
            Compensation::Local => self.added_locally(rules, s),
        };
        (params.temperature - added).max(0.0)
    }

    /// T_add as the synapse has seen it.
    fn added_locally(&self, rules: &Rules, s: usize) -> f64 {
        rules.of(s).scale(self.theta[s]) * self.spread[s]
    }

    /// A window is over: the square of its sum enters the running mean, a plain one at first.
    fn estimate(&mut self, params: &Params) {
        self.windows += 1;
        let part = (1.0 / self.windows as f64).max(params.window_s / params.memory_s);
        for (spread, window) in self.spread.iter_mut().zip(&mut self.window) {
            *spread += part * (*window * *window / params.window_s - *spread);
            *window = 0.0;
        }
    }

    /// How far θ has moved since the last look, and how far it should have.
    fn look(&mut self, rules: &Rules) {
        let competing = rules.params.winner == Winner::Competing;
        let dt = LOOK_EVERY as f64 * NOISE_MS * 1e-3;
        for s in 0..self.theta.len() {
            let theta = self.theta[s];
            let class = rules.of(s);
            let own = self.own_temperature(rules, s);
            let (added, apart) = if competing {
                let local = self.added_locally(rules, s);
                (local, local)
            } else {
                (class.added(theta), class.added_apart(theta))
            };
            let tally = &mut self.tally;
            let drift = if competing { 0.0 } else { rules.params.b * class.drift(tally.before[s]) * dt };
            let way = theta - tally.before[s] - drift;
            tally.squares[s] += way * way;
            tally.predicted[s] += own + added;
            tally.apart[s] += own + apart;
            tally.before[s] = theta;
        }
        self.tally.looks += 1;
    }
}

impl Tally {
    fn start(theta: &[f64]) -> Self {
        let zeros = || vec![0.0; theta.len()];
        Self { before: theta.to_vec(), squares: zeros(), predicted: zeros(), apart: zeros(), looks: 0 }
    }

    /// The temperature at which a synapse moved.
    pub(super) fn effective(&self, s: usize, b: f64) -> f64 {
        let dt = LOOK_EVERY as f64 * NOISE_MS * 1e-3;
        self.squares[s] / (2.0 * b * dt * self.looks.max(1) as f64)
    }
}

impl Rules {
    pub(super) fn class_of(&self, input: usize) -> usize {
        input / self.params.inputs as usize
    }

    /// What is known of synapse `s`.
    pub(super) fn of(&self, s: usize) -> &SpikeNoise {
        &self.classes[self.class_of(s % self.params.all_inputs())]
    }
}
