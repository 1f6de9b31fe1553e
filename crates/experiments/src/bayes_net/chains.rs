//! The running network: chains that answer queries, beside an ideal Gibbs sampler with the true conditionals.

use numerics::{
    Draws, Stream,
    bayes::{
        Network, Posterior, States,
        module::Module,
        running::{Epsp, FamilyOccupancy, Occupancy, PotentialChain, run_hold},
    },
};
use serde::{Deserialize, Serialize};

use super::{outline::Asked, params::Params};

/// Steps of a second in which the answer so far is held against the truth.
const LOOKS: u32 = 10;
/// An answer is there once it stays within this of the truth.
pub(super) const NEAR: f64 = 0.05;

/// One chain of one sampler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Runner {
    state: Vec<u8>,
    /// After the burn-in.
    pub(super) read: Occupancy,
    /// For each second after the burn-in the share of every value of every variable; only for the free run.
    pub(super) seconds: Vec<f32>,
    pub(super) events: u64,
}

/// A chain of the learned network and one of the ideal sampler, from the same state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Chain {
    pub(super) learned: Runner,
    pub(super) ideal: Runner,
    /// All that the learned chain has read, burn-in included.
    whole: Occupancy,
    /// When the answer so far was last further from the truth than [`NEAR`], in seconds.
    pub(super) late_s: f64,
    /// Families that the learned chain of the free run has read.
    pub(super) families: Option<FamilyOccupancy>,
}

/// All chains: query by query, the free run first, and the read-outs by potentials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Chains {
    /// (queries + 1) · chains.
    pub(super) chains: Vec<Chain>,
    /// Without and with reset; none for a network of more than 65,536 states.
    pub(super) potentials: Vec<PotentialChain>,
}

/// What the chains run on.
pub(super) struct Setting<'a> {
    pub(super) params: &'a Params,
    pub(super) network: &'a Network,
    pub(super) states: Option<&'a States>,
    /// The free run, then the queries, with the truth.
    pub(super) asked: &'a [(Asked, Posterior)],
    pub(super) modules: &'a [Module],
}

/// First draw of a slot: chain, or read-out by potentials; slots are 2³² apart.
fn first(slot: usize) -> u64 {
    (slot as u64) << 32
}

impl Chains {
    /// Every chain in a uniformly random state that agrees with its evidence.
    pub(super) fn new(setting: &Setting<'_>, draws: Draws) -> Self {
        let Setting { params, network, states, asked, .. } = setting;
        let mut chains = Vec::new();
        for (query, (asked, _)) in asked.iter().enumerate() {
            for chain in 0..params.chains as usize {
                let slot = query * params.chains as usize + chain;
                let state = random_state(network, &asked.evidence, draws, first(slot) + (1 << 31));
                let joint = states.filter(|_| query == 0).map_or(0, States::count);
                let values = || (0..network.len()).map(|at| network.values(at));
                let runner = |joint| Runner {
                    state: state.clone(),
                    read: Occupancy::new(values(), joint),
                    seconds: Vec::new(),
                    events: 0,
                };
                chains.push(Chain {
                    learned: runner(joint),
                    ideal: runner(0),
                    whole: Occupancy::new(values(), 0),
                    late_s: 0.0,
                    families: (query == 0).then(|| FamilyOccupancy::new(network)),
                });
            }
        }
        let potentials = match states {
            Some(_) => vec![PotentialChain::new(network, &chains[0].learned.state); 2],
            None => Vec::new(),
        };
        Self { chains, potentials }
    }

    /// Every chain goes on for a second; it is read if `reads`.
    pub(super) fn step(&mut self, setting: &Setting<'_>, second: u64, reads: bool, draws: Draws) {
        let Setting { params, network, asked, modules, .. } = setting;
        let per_query = params.chains as usize;
        for (slot, chain) in self.chains.iter_mut().enumerate() {
            let (asked, truth) = &asked[slot / per_query];
            chain.step(setting, (asked, truth), (second, reads), (draws, first(slot)));
        }
        for (at, potential) in self.potentials.iter_mut().enumerate() {
            let epsp = Epsp { rate: params.rate_hz, tau: params.tau_ms / 1000.0, resets: at == 1 };
            let first = first(self.chains.len() + at);
            potential.run(network, modules, epsp, 1.0, (draws, Stream::BayesEvent, first));
        }
    }
}

impl Chain {
    fn step(
        &mut self,
        setting: &Setting<'_>,
        (asked, truth): (&Asked, &Posterior),
        (second, reads): (u64, bool),
        (draws, first): (Draws, u64),
    ) {
        let Setting { params, network, states, modules, .. } = setting;
        let free: Vec<usize> =
            (0..network.len()).filter(|at| asked.evidence.iter().all(|(given, _)| given != at)).collect();
        let values = || (0..network.len()).map(|at| network.values(at));
        let mut potentials = Vec::new();
        let mut this_second = Occupancy::new(values(), 0);
        let length = 1.0 / f64::from(LOOKS);
        for look in 0..LOOKS {
            let Runner { state, read, events, .. } = &mut self.learned;
            let (part, families) = (&mut this_second, &mut self.families);
            let mut now = Occupancy::new(values(), 0);
            *events += run_hold(
                (state, &free),
                (length, params.rate_hz),
                (draws, Stream::BayesEvent, first + (u64::from(look) << 24)),
                |at, state, p| {
                    let n = modules[at].values;
                    modules[at].law(state, &mut potentials, &mut p[..n]);
                    n
                },
                |held, state| {
                    now.hold(held, state, None);
                    if reads {
                        read.hold(held, state, *states);
                        if let Some(families) = families {
                            families.hold(held, state, network);
                        }
                    }
                },
            );
            part.add(&now);
            self.whole.add(&now);
            let time = second as f64 + f64::from(look + 1) * length;
            if worst(&self.whole, asked, truth) > NEAR {
                self.late_s = time;
            }
        }
        let mut ideal = Occupancy::new(values(), 0);
        self.ideal.events += run_hold(
            (&mut self.ideal.state, &free),
            (1.0, params.rate_hz),
            (draws, Stream::BayesIdeal, first),
            |at, state, p| {
                let n = network.values(at);
                network.conditional(at, state, &mut p[..n]);
                n
            },
            |held, state| ideal.hold(held, state, None),
        );
        if reads {
            self.ideal.read.add(&ideal);
            if self.families.is_some() {
                self.learned.seconds.extend(shares(&this_second));
                self.ideal.seconds.extend(shares(&ideal));
            }
        }
    }
}

/// Greatest distance of an answer from the truth.
pub(super) fn worst(read: &Occupancy, asked: &Asked, truth: &Posterior) -> f64 {
    let error = |at: &usize| {
        truth.marginals[*at]
            .iter()
            .enumerate()
            .map(|(value, p)| (read.share(*at, value) - p).abs())
            .fold(0.0, f64::max)
    };
    asked.of.iter().map(error).fold(0.0, f64::max)
}

fn shares(read: &Occupancy) -> impl Iterator<Item = f32> {
    read.values.iter().flatten().map(|seconds| (seconds / read.seconds) as f32)
}

fn random_state(network: &Network, evidence: &[(usize, u8)], draws: Draws, first: u64) -> Vec<u8> {
    let mut uniform = vec![0.0; network.len()];
    draws.fill_uniform_f64(Stream::BayesIdeal, first, &mut uniform);
    let value = |(at, u): (usize, f64)| {
        let n = network.values(at);
        ((u * n as f64) as usize).min(n - 1) as u8
    };
    let mut state: Vec<u8> = uniform.into_iter().enumerate().map(value).collect();
    evidence.iter().for_each(|&(at, value)| state[at] = value);
    state
}
