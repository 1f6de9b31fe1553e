#![doc = include_str!("README.md")]

mod material;
mod metrics;
mod observe;
mod params;
mod recovery;
mod schedule;
mod test;
mod track;
mod trials;

use numerics::{
    Draws, Stream,
    areas::{Activity, Area, Coded, Learning, Rule, Streams, Synapses, Wiring, Work},
};
use serde::{Deserialize, Serialize};

use crate::{
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    timeline::{Entry, Pairs, Remove},
};
use material::{Material, pick};
use params::PATTERN_MS;
use schedule::{GRID_PATTERNS, GRID_S, Piece, Step, Trial, schedule};
use test::{Test, Tester};
use track::{Place, followed};
use trials::Trials;

pub use params::{Params, Sounds, Unseen};

/// Patterns between two steps of prior and noise: one second.
const DIFFUSE_EVERY: u64 = 1000 / PATTERN_MS as u64;
/// Pixels of an image.
const PIXELS: u64 = 64;

/// Two areas that learn to predict each other, are injured and repair themselves.
pub struct SelfRepair {
    params: Params,
    material: Material,
    wiring: Wiring,
    schedule: Vec<Step>,
    followed: Vec<Place>,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    synapses: Synapses,
    settings: Settings,
    /// Patterns shown while learning.
    presented: u64,
    tests: Vec<Test>,
    /// What each phase began by removing, and of how many; (0, 0) without a lesion.
    removed: Vec<[u32; 2]>,
    /// Whether the next test is the first of its phase.
    begins: bool,
    /// θ of the synapses that are followed, row after row; see [`track::every`].
    track: Vec<f32>,
    /// Trials of a test that is under way, of each kind, and those of both senses before a lesion.
    trials: [Trials; 4],
    both: Trials,
    /// Mean predicted image of each digit in the last test.
    images: Vec<Vec<f32>>,
    activity: Activity,
}

/// What the timeline can change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Settings {
    temperature: f64,
    prior_mean: f64,
    plasticity: bool,
    shown: [bool; 2],
    pairs: Pairs,
}

/// What a step needs besides; made anew from the state at any step.
#[derive(Default)]
pub struct Scratch(Option<Work>);

const PRESETS: [(&str, &str); 10] = [
    ("frozen", include_str!("frozen.toml")),
    ("cold", include_str!("cold.toml")),
    ("all-connections", include_str!("all_connections.toml")),
    ("frozen-first", include_str!("frozen_first.toml")),
    ("cold-first", include_str!("cold_first.toml")),
    ("unlesioned", include_str!("unlesioned.toml")),
    ("quick", include_str!("quick.toml")),
    ("recordings", include_str!("recordings.toml")),
    ("new-speaker", include_str!("new_speaker.toml")),
    ("ten-digits", include_str!("ten_digits.toml")),
];

impl Experiment for SelfRepair {
    const NAME: &'static str = "self-repair";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Two areas of spiking circuits, one that sees and one that hears, repair themselves after lesions";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &metrics::METRICS;
    const FORKABLE: &'static [&'static str] = &["b", "data_points", "homeostasis", "prior_sd"];
    const PRESETS: &'static [(&'static str, &'static str)] = &PRESETS;

    type Params = Params;
    type State = State;
    type Scratch = Scratch;

    fn data(params: &Params) -> DataNeed {
        match params.sounds {
            Sounds::Tones => DataNeed::None,
            Sounds::Recordings => DataNeed::Audio,
        }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let wiring = params.wiring(PIXELS as usize);
        let synapses: usize = Area::ALL.iter().map(|&area| wiring.neurons * wiring.width(area)).sum();
        let points = (params.duration_s / GRID_S) as u64 / track::every(params.duration_s);
        // θ, weight, depression and the mask, with copies for a test and a checkpoint; draws of the start in double precision.
        let network = 40 * synapses as u64;
        let steps = schedule(params);
        let tests = steps.iter().filter(|step| step.piece == Piece::Test).count() as u64;
        // Counts of five kinds of trials, with a copy for a checkpoint.
        let trials = u64::from(params.test_trials) * 100 * u64::from(params.neurons);
        let track = points * 600 * 40 + 40 * points * points;
        Ok(Plan {
            steps: steps.len() as u64,
            memory_bytes: (24 << 20)
                + network
                + tests * 400
                + trials
                + track
                + 32 * steps.len() as u64
                + Material::bytes(params, data, PIXELS),
        })
    }

    fn new(params: Params, data: Data, _: u64) -> Result<Self, DataError> {
        let material = Material::new(&params, &data)?;
        let wiring = params.wiring(material.means[0].len());
        let rule = params.rule(params.temperature, params.prior_mean);
        let followed =
            followed(&Synapses::new(&wiring, &rule, Draws::at(0, 0)), wiring.inputs, wiring.neurons);
        let schedule = schedule(&params);
        Ok(Self { params, material, wiring, schedule, followed })
    }

    fn init(&self, draws: Draws) -> State {
        let Params { temperature, prior_mean, .. } = self.params;
        let settings =
            Settings { temperature, prior_mean, plasticity: true, shown: [true; 2], pairs: Pairs::Same };
        State {
            synapses: Synapses::new(&self.wiring, &self.rule(&settings), draws),
            settings,
            presented: 0,
            tests: Vec::new(),
            removed: Vec::new(),
            begins: false,
            track: Vec::new(),
            trials: Default::default(),
            both: Trials::default(),
            images: Vec::new(),
            activity: Activity::default(),
        }
    }

    fn step(&self, state: &mut State, Scratch(work): &mut Scratch, draws: Draws) {
        let rule = self.rule(&state.settings);
        let work = work.get_or_insert_with(|| Work::new(self.wiring, rule, self.params.sight()));
        work.follow(rule);
        work.settle(&mut state.synapses);
        work.take_activity();
        let Step { piece, event } = self.schedule[draws.step() as usize];
        let draws = draws.at_step(event);
        match piece {
            Piece::Train(patterns) => self.train(patterns, state, work, draws),
            Piece::Show(kind, n) => self.show((kind, n), state, work, draws),
            Piece::Test => self.test(state, work, draws),
            Piece::Act(entry) => self.act(&self.params.timeline[entry], state, work, draws),
        }
        let Activity { input_spikes, spikes, updates } = work.take_activity();
        state.activity.input_spikes += input_spikes;
        state.activity.spikes += spikes;
        state.activity.updates += updates;
    }

    fn observe(&self, state: &State, _: Draws, out: &mut Metrics) {
        observe::last_test(state, out);
        if out.is_last() {
            observe::whole(self, state, out);
        }
    }
}

impl SelfRepair {
    fn rule(&self, settings: &Settings) -> Rule {
        self.params.rule(settings.temperature, settings.prior_mean)
    }

    /// Learns from so many patterns.
    fn train(&self, patterns: u32, state: &mut State, work: &mut Work, draws: Draws) {
        let learning = if state.settings.plasticity { Learning::On } else { Learning::Frozen };
        for _ in 0..patterns {
            let draws = draws.at_step(state.presented);
            let shown = self.shown(&state.settings, draws);
            work.present(&mut state.synapses, shown, learning, (draws, Streams::LEARNING));
            state.presented += 1;
            if learning == Learning::On && state.presented.is_multiple_of(DIFFUSE_EVERY) {
                let seconds = state.presented / DIFFUSE_EVERY;
                work.diffuse(&mut state.synapses, 1.0, draws.at_step(seconds));
            }
        }
        let apart = u64::from(GRID_PATTERNS) * track::every(self.params.duration_s);
        if state.presented.is_multiple_of(apart) {
            let theta = |&(area, i): &Place| state.synapses.theta(area)[i];
            state.track.extend(self.followed.iter().map(theta));
        }
    }

    /// More trials of a kind.
    fn show(&self, (kind, n): (Trial, u32), state: &mut State, work: &mut Work, draws: Draws) {
        let trials = match kind {
            Trial::Both => &mut state.both,
            _ => &mut state.trials[kind as usize],
        };
        self.tester(&mut state.synapses, work, draws).show(kind, n, trials);
    }

    /// A pair of patterns to learn from.
    fn shown(&self, settings: &Settings, draws: Draws) -> [Option<&Coded>; 2] {
        let digits = self.params.classes();
        let any = |index: u64| draws.below(Stream::Pattern, index, digits as u32) as usize;
        let digit = any(0);
        let heard = match settings.pairs {
            Pairs::Same => digit,
            Pairs::Swapped => (digit + 1) % digits,
            Pairs::Random => any(1),
        };
        [(Area::Vision, digit), (Area::Sound, heard)].map(|(area, digit)| {
            let patterns = self.material.of(area).train(digit);
            let chosen = pick(patterns, draws, Stream::Pattern, 2 + area as u64);
            settings.shown[area as usize].then_some(chosen)
        })
    }

    fn test(&self, state: &mut State, work: &mut Work, draws: Draws) {
        let at_s = self.seconds(state);
        let trials = std::mem::take(&mut state.trials);
        let (values, images) = self.tester(&mut state.synapses, work, draws).measure(&trials);
        let phase = state.removed.len() as u32;
        state.tests.push(Test { at_s, phase, directly: std::mem::take(&mut state.begins), values });
        state.images = images;
    }

    fn tester<'a>(&'a self, synapses: &'a mut Synapses, work: &'a mut Work, draws: Draws) -> Tester<'a> {
        Tester { params: &self.params, material: &self.material, work, synapses, draws }
    }

    /// Does an entry of the timeline.
    fn act(&self, entry: &Entry, state: &mut State, work: &mut Work, draws: Draws) {
        if entry.begins_a_phase() {
            state.begins = true;
        }
        match *entry {
            Entry::Lesion { remove, share, .. } => {
                let removed = self.lesion((remove, share), state, work, draws);
                state.removed.push(removed);
            }
            Entry::Record { .. } => state.removed.push([0, 0]),
            Entry::Set { temperature, prior_mean, plasticity, .. } => {
                let settings = &mut state.settings;
                settings.temperature = temperature.unwrap_or(settings.temperature);
                settings.prior_mean = prior_mean.unwrap_or(settings.prior_mean);
                settings.plasticity = plasticity.unwrap_or(settings.plasticity);
            }
            Entry::Clamp { vision, sound, .. } => state.settings.shown = [vision, sound],
            Entry::Dataset { pairs, .. } => state.settings.pairs = pairs,
        }
    }

    /// Removes for ever; how many of how many.
    fn lesion(
        &self,
        (remove, share): (Remove, f64),
        state: &mut State,
        work: &mut Work,
        draws: Draws,
    ) -> [u32; 2] {
        let synapses = &mut state.synapses;
        let hits = |number: u64| {
            // Of all connections those below `share` of 2²⁰.
            f64::from(draws.below(Stream::Edit, number, 1 << 20)) < share * f64::from(1 << 20)
        };
        match remove {
            Remove::VisionNeurons => {
                let living = synapses.alive()[..self.wiring.neurons].iter().filter(|&&alive| alive).count();
                let trials = std::mem::take(&mut state.both);
                let mut chosen = self.tester(synapses, work, draws).prefer_second(&trials);
                chosen.truncate((chosen.len() as f64 * share).round() as usize);
                synapses.remove_neurons(&self.wiring, &chosen);
                [chosen.len() as u32, living as u32]
            }
            Remove::FunctionalConnections => {
                let cut = synapses.cut_between(&self.wiring, |functional, number| functional && hits(number));
                [cut.removed, cut.of]
            }
            Remove::AllConnections => {
                let cut = synapses.cut_between(&self.wiring, |_, number| hits(number));
                [cut.removed, cut.of]
            }
        }
    }

    /// Simulated time.
    fn seconds(&self, state: &State) -> f64 {
        (state.presented * PATTERN_MS as u64) as f64 / 1000.0
    }
}
