#![doc = include_str!("README.md")]

mod inputs;
mod observe;
mod params;
mod phase;
mod task;

use numerics::{
    Draws, Stream,
    policy::{self, Network, STEP_S, Work},
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    timeline::{Entry, Pairs, Remove},
};
use phase::{Phase, Slot, Span, spans};
use task::World;

pub use params::{Params, Task};

pub use crate::sampling::schedule::Schedule;

/// Simulated time of a step of the run, s; everything happens at multiples of it.
const GRID_S: f64 = 10.0;
/// Simulation steps between two steps of prior and noise: half a second.
const LEARN_EVERY: u64 = 250;

/// Spiking neurons that are rewarded.
pub struct Reward {
    params: Params,
    /// Probability that each input fires in a simulation step, (patterns, inputs).
    chances: Vec<f32>,
    spans: Vec<Span>,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    network: policy::State,
    world: World,
    settings: Settings,
    /// One for each step of the run.
    slots: Vec<Slot>,
    /// Phases that are over.
    phases: Vec<Phase>,
    /// θ where the last three tenths of the phase began.
    mark: Vec<f64>,
}

/// What the timeline can change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Settings {
    /// Instead of the schedule.
    temperature: Option<f64>,
    prior_mean: f64,
    plasticity: bool,
    pairs: Pairs,
}

/// Reusable buffers.
#[derive(Default)]
pub struct Scratch {
    work: Work,
    uniforms: Vec<f32>,
}

impl Experiment for Reward {
    const NAME: &'static str = "reward";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Spiking neurons that learn from rewards by sampling wirings, change with the task and keep drifting";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &observe::METRICS;
    const FORKABLE: &'static [&'static str] =
        &["b", "gain", "limit", "tau_eligibility_s", "tau_gradient_s", "temperature"];
    const PRESETS: &'static [(&'static str, &'static str)] = &[
        ("lever", include_str!("lever.toml")),
        ("reach", include_str!("reach.toml")),
        ("deceptive", include_str!("deceptive.toml")),
    ];

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(_: &Params) -> DataNeed {
        DataNeed::None
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, _: &DataShape) -> Result<Plan, ParamError> {
        let synapses = u64::from(params.inputs) * u64::from(params.neurons);
        let memory_bytes = (16 << 20) + 160 * synapses + 200 * params.ticks();
        Ok(Plan { steps: params.ticks(), memory_bytes })
    }

    fn new(params: Params, _: Data, seed: u64) -> Result<Self, DataError> {
        let chances = inputs::rates(params.patterns(), params.inputs as usize, Draws::at(seed, 0));
        let chances = chances.into_iter().map(|hz| (hz * STEP_S) as f32).collect();
        Ok(Self { spans: spans(&params), chances, params })
    }

    fn init(&self, draws: Draws) -> State {
        let params = &self.params;
        let settings = Settings {
            temperature: None,
            prior_mean: params.prior_mean,
            plasticity: true,
            pairs: Pairs::Same,
        };
        let network = params.network(params.prior_mean).start(params.start_mean, params.start_sd, draws);
        let world = World::new(params, settings.pairs, draws);
        State { network, world, settings, slots: Vec::new(), phases: Vec::new(), mark: Vec::new() }
    }

    fn step(&self, state: &mut State, scratch: &mut Scratch, draws: Draws) {
        let tick = draws.step();
        for entry in &self.params.timeline {
            if (entry.at_s() / GRID_S).round() as u64 == tick {
                act(entry, state, draws);
            }
        }
        let span = self.spans[state.phases.len().min(self.spans.len() - 1)];
        if tick == span.mark {
            state.mark.clone_from(&state.network.theta);
            state.network.forget_moves();
        }
        let network = self.params.network(state.settings.prior_mean);
        let slot = self.simulate(&network, state, scratch, draws);
        state.slots.push(slot);
        if tick + 1 == span.end {
            state.phases.push(Phase::of(span, state));
        }
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        observe::observe(self, state, draws.step(), out);
    }
}

impl Reward {
    /// T of a step of the run.
    fn temperature(&self, settings: &Settings, tick: u64) -> f64 {
        settings.temperature.unwrap_or_else(|| self.params.temperature(tick))
    }

    /// A step of the run.
    fn simulate(&self, network: &Network, state: &mut State, scratch: &mut Scratch, draws: Draws) -> Slot {
        let Scratch { work, uniforms } = scratch;
        let (inputs, outputs) = (network.layer().inputs, network.layer().outputs());
        let numbers = inputs + outputs;
        let temperature = self.temperature(&state.settings, draws.step());
        let rounds = (GRID_S / STEP_S).round() as u64 / LEARN_EVERY;
        let mut slot = Slot::default();
        network.settle(&mut state.network, work);
        uniforms.resize(LEARN_EVERY as usize * numbers, 0.0);
        for round in 0..rounds {
            draws.fill_uniform(Stream::RewardSpike, round * uniforms.len() as u64, uniforms);
            for uniforms in uniforms.chunks_exact(numbers) {
                let pattern = state.world.pattern();
                let chances = &self.chances[pattern * inputs..(pattern + 1) * inputs];
                network.advance(&mut state.network, work, chances, uniforms);
                let pairs = state.settings.pairs;
                let (reward, ended) = state.world.act(&self.params, pairs, &work.spikes, draws);
                network.reward(&mut state.network, work, reward);
                slot.add(reward, ended);
            }
            if state.settings.plasticity {
                let draws = draws.at_step(draws.step() * rounds + round);
                network.learn(&mut state.network, LEARN_EVERY as f64 * STEP_S, temperature, draws);
                network.settle(&mut state.network, work);
            }
        }
        slot
    }
}

/// Does an entry of the timeline.
fn act(entry: &Entry, state: &mut State, draws: Draws) {
    let settings = &mut state.settings;
    match *entry {
        Entry::Set { temperature, prior_mean, plasticity, .. } => {
            settings.temperature = temperature.or(settings.temperature);
            settings.prior_mean = prior_mean.unwrap_or(settings.prior_mean);
            settings.plasticity = plasticity.unwrap_or(settings.plasticity);
        }
        Entry::Dataset { pairs, .. } => settings.pairs = pairs,
        Entry::Lesion { remove, share, .. } => {
            let functional: Vec<bool> = state.network.functional().collect();
            for (s, removed) in state.network.removed.iter_mut().enumerate() {
                let concerned = functional[s] || remove == Remove::AllConnections;
                // Of all connections those below `share` of 2²⁰.
                let drawn = f64::from(draws.below(Stream::RewardLesion, s as u64, 1 << 20));
                *removed = *removed || (concerned && drawn < share * f64::from(1 << 20));
            }
        }
        Entry::Record { .. } | Entry::Clamp { .. } => {}
    }
}
