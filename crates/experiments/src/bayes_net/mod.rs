#![doc = include_str!("README.md")]

mod answers;
mod chains;
mod metrics;
mod observe;
mod outline;
mod params;
mod parts;
mod reference;

use numerics::{
    Draws, Stream,
    bayes::{
        Network, Posterior, States, infer,
        module::{Learning, Module, Target, hidden_neurons},
        stationary::{Stationary, stationary},
        structure::input_information,
    },
    stdp::Annealed,
    wta::Levels,
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan, Source,
    SourceNeed,
};
use chains::{Chains, Setting};
use metrics::METRICS;
use outline::{Asked, Outline};
use params::Mode;

pub use params::{Params, Query, Source as NetworkSource, Training};

/// States that are presented in a second: one for 100 ms.
const PRESENTATIONS: u64 = 10;
/// Held-out states over which it is measured what inputs tell.
const TELLING: usize = 2000;

/// Modules that learn a network from samples, and then run as a network.
pub struct BayesNet {
    params: Params,
    network: Network,
    /// Numbering and probability of the states, where they are few.
    joint: Option<(States, Vec<f64>)>,
    /// Places of the variables whose modules learn here.
    learners: Vec<usize>,
    /// The free run and the queries, each with the truth.
    asked: Vec<(Asked, Posterior)>,
    /// (held_out, variables).
    held_out: Vec<u8>,
    given: Vec<Module>,
}

/// What was learned, and what the running network has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Ascending by variable.
    pub(crate) modules: Vec<Module>,
    /// KL of the network before inputs were cut off.
    kl_before_pruning: Option<f64>,
    chains: Chains,
}

impl BayesNet {
    fn build(params: Params, data: Data, sources: &[Source], seed: u64) -> Result<Self, DataError> {
        let network = outline::network(&params, &data, seed)?;
        let joint = network.states().zip(network.joint());
        let shape = data.shape();
        let outline = Outline::new(&params, &shape).map_err(|error| DataError(error.to_string()))?;
        let refuse = |error: ParamError| DataError(error.to_string());
        let learners = outline.learners(&params).map_err(refuse)?;
        let mut asked = Vec::new();
        for query in [Query::default()].iter().chain(&params.queries) {
            let query = outline.query(query).map_err(refuse)?;
            let truth = infer(&network, &query.evidence).map_err(|error| DataError(error.to_string()))?;
            asked.push((query, truth));
        }
        let mut held_out = vec![0; params.held_out as usize * network.len()];
        for (i, state) in held_out.chunks_exact_mut(network.len()).enumerate() {
            network.sample(Draws::at(seed, 0), Stream::BayesHeldOut, (i * network.len()) as u64, state);
        }
        let given = if params.training == Training::Given {
            let data_hash = if data == Data::None { [0; 32] } else { data.hash() };
            parts::join(&params, &network, (data_hash, seed), sources)?
        } else {
            Vec::new()
        };
        Ok(Self { params, network, joint, learners, asked, held_out, given })
    }

    /// A module that has not learned.
    fn fresh(&self, at: usize, inputs: &[usize], draws: Draws) -> Module {
        let hidden = hidden_neurons(&self.network, inputs, u64::from(self.params.hidden)) as usize;
        Module::new(&self.network, at, inputs, hidden, draws).with_mismatch(self.params.mismatch_sd, draws)
    }

    fn inputs(&self, at: usize) -> Vec<usize> {
        match self.params.mode {
            Mode::Exact => self.network.blanket(at).to_vec(),
            Mode::Mixture => (0..self.network.len()).filter(|&input| input != at).collect(),
        }
    }

    /// The state that is presented as number `k` of a second: a sample, or now and then a uniformly random state.
    fn presented(&self, k: u64, draws: Draws, state: &mut [u8]) {
        let n = self.network.len() as u64;
        self.network.sample(draws, Stream::BayesSample, k * n, state);
        if self.params.presentation_noise == 0.0 {
            return;
        }
        let mut uniform = vec![0.0; self.network.len() + 1];
        draws.fill_uniform_f64(Stream::BayesNoise, k * (n + 1), &mut uniform);
        if uniform[0] < self.params.presentation_noise {
            for (at, (value, u)) in state.iter_mut().zip(&uniform[1..]).enumerate() {
                let values = self.network.values(at);
                *value = ((u * values as f64) as usize).min(values - 1) as u8;
            }
        }
    }

    fn rule(&self) -> Learning {
        let Params { anneal, eta_max, weight_floor, weight_bits, .. } = self.params;
        let rate = Annealed { numerator: anneal, offset: 0.0, floor: 0.0, ceiling: eta_max };
        let levels = (weight_bits > 0).then_some(Levels { bits: weight_bits, low: weight_floor, high: 0.0 });
        Learning { rate, levels, ..Learning::standard(weight_floor) }
    }

    fn learn(&self, modules: &mut [Module], draws: Draws) {
        let rule = self.rule();
        let (mut state, mut potentials) = (vec![0; self.network.len()], Vec::new());
        for k in 0..PRESENTATIONS {
            self.presented(k, draws, &mut state);
            for module in modules.iter_mut() {
                rule.present(module, &state, (draws, k), &mut potentials);
            }
        }
    }

    /// Fresh modules that see only what told enough.
    fn pruned(&self, modules: &[Module], draws: Draws) -> Vec<Module> {
        let prune = |module: &Module| {
            let told = self.told(module);
            let kept: Vec<usize> = (module.inputs.iter().zip(told))
                .filter(|(_, told)| *told >= self.params.prune_nats)
                .map(|(input, _)| input.variable)
                .collect();
            self.fresh(module.variable, &kept, draws)
        };
        modules.iter().map(prune).collect()
    }

    /// What each input of a module tells beyond the others, over some of the held-out states.
    fn told(&self, module: &Module) -> Vec<f64> {
        let n = self.network.len();
        input_information(module, &self.held_out[..self.held_out.len().min(TELLING * n)], n)
    }

    /// Whether every variable has a module.
    fn is_whole(&self, modules: &[Module]) -> bool {
        modules.len() == self.network.len()
    }

    /// The law in which the network comes to rest; none if there is a variable without a module, or too many states.
    fn rest(&self, modules: &[Module]) -> Option<Stationary> {
        if self.is_whole(modules) { stationary(&self.network, modules) } else { None }
    }

    fn target(&self, module: &Module) -> Option<Target> {
        let (_, joint) = self.joint.as_ref()?;
        Target::new(&self.network, joint, module)
    }

    fn setting<'a>(&'a self, modules: &'a [Module]) -> Setting<'a> {
        Setting {
            params: &self.params,
            network: &self.network,
            states: self.joint.as_ref().map(|(states, _)| states),
            asked: &self.asked,
            modules,
        }
    }
}

impl Experiment for BayesNet {
    const NAME: &'static str = "bayes-net";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str =
        "Spiking modules that learn a Bayesian network from samples by STDP, and then infer as a network";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] =
        &[("explaining-away", include_str!("explaining_away.toml"))];

    const FORKABLE: &'static [&'static str] =
        &["anneal", "eta_max", "learning_s", "mismatch_sd", "presentation_noise", "weight_bits"];

    type Params = Params;
    type State = State;
    type Scratch = ();

    fn data(params: &Params) -> DataNeed {
        if params.network == NetworkSource::Dataset { DataNeed::BayesNet } else { DataNeed::None }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let outline = Outline::new(params, data)?;
        outline.check(params)?;
        let steps = params.all_learning_steps() + params.sampling_steps();
        Ok(Plan { steps: steps.max(1), memory_bytes: outline.memory_bytes(params) })
    }

    fn sources(params: &Params) -> &'static [SourceNeed] {
        if params.training == Training::Given { &parts::NEEDS } else { &[] }
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        Self::build(params, data, &[], seed)
    }

    fn new_from(params: Params, data: Data, sources: Vec<Source>, seed: u64) -> Result<Self, DataError> {
        Self::build(params, data, &sources, seed)
    }

    fn init(&self, draws: Draws) -> State {
        let modules = match self.params.training {
            Training::Given => self.given.clone(),
            Training::Here => {
                self.learners.iter().map(|&at| self.fresh(at, &self.inputs(at), draws)).collect()
            }
        };
        State { modules, kl_before_pruning: None, chains: Chains::default() }
    }

    fn step(&self, state: &mut State, (): &mut (), draws: Draws) {
        let (step, learning) = (draws.step(), self.params.learning_steps());
        if step < self.params.all_learning_steps() {
            if step == learning {
                state.kl_before_pruning = self.network_divergence(&state.modules).map(|(kl, _, _)| kl);
                state.modules = self.pruned(&state.modules, draws);
            }
            self.learn(&mut state.modules, draws);
            return;
        }
        let second = step - self.params.all_learning_steps();
        if self.params.sampling_steps() == 0 {
            return;
        }
        let setting = self.setting(&state.modules);
        if second == 0 {
            state.chains = Chains::new(&setting, draws);
        }
        state.chains.step(&setting, second, second >= u64::from(self.params.burn_in_s), draws);
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        self.observe_modules(state, out);
        self.observe_network(state, out);
        self.observe_events(state, out);
        if out.is_last() {
            self.observe_held_out(state, out);
            self.observe_structure(state, draws, out);
            self.observe_reference(state, draws, out);
            self.observe_training_sample(state, draws, out);
            if !state.chains.chains.is_empty() {
                self.observe_read_outs(state, out);
                self.observe_answers(state, out);
            }
        }
    }
}
