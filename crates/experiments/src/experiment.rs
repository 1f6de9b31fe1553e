//! What the author of an experiment writes.

use numerics::{Draws, collective::Collective};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Data, DataError, DataNeed, DataShape, MetricSpec, Metrics, ParamError, Source, SourceNeed};

/// A kind of simulation: model, protocol, and what is observed.
///
/// `&self` is the checked, immutable model with its data; `State` is everything that changes. A step is a pure
/// function of (model, state, draws), so a run is a pure function of (version, params, seed, data).
pub trait Experiment: Sized + Send + Sync + 'static {
    /// Name in the catalogue, `[a-z][a-z0-9-]*`.
    const NAME: &'static str;
    /// Raised with every change of its numbers.
    const VERSION: u32;
    /// One sentence for lists.
    const SUMMARY: &'static str;
    /// Its page: paper, equations, table of parameters, deviations.
    const README: &'static str;
    /// Claims that it tests, as TOML.
    const FINDINGS: &'static str;
    /// Figures that a report draws, as TOML; none by default.
    const FIGURES: &'static str = "";
    /// What it observes, in the order it is printed.
    const METRICS: &'static [MetricSpec];
    /// Name and TOML of params that differ from the defaults.
    const PRESETS: &'static [(&'static str, &'static str)];

    /// Params that a fork of a run may change: those that leave the shape of its state alone. None by default.
    const FORKABLE: &'static [&'static str] = &[];

    /// Settings; ranges, units and symbols are schemars attributes.
    type Params: Serialize + DeserializeOwned + JsonSchema + Default;
    /// Everything that changes.
    type State: Serialize + DeserializeOwned + Send;
    /// Reusable buffers; a fresh one at each step gives the same bits.
    type Scratch: Default + Send;

    /// The data it needs.
    fn data(params: &Self::Params) -> DataNeed;

    /// Rules across fields; ranges of single fields are in the schema.
    ///
    /// # Errors
    /// The field, its value and the rule it breaks.
    fn check(params: &Self::Params) -> Result<(), ParamError>;

    /// Steps and memory of a run, from the shape of its data. Server and worker call it.
    ///
    /// # Errors
    /// If these params cannot be used with data of this shape.
    fn plan(params: &Self::Params, data: &DataShape) -> Result<Plan, ParamError>;

    /// Builds the model; `seed` is there for the parts of the protocol that are drawn once, such as the split.
    ///
    /// # Errors
    /// If the data is not what [`Experiment::data`] asked for.
    fn new(params: Self::Params, data: Data, seed: u64) -> Result<Self, DataError>;

    /// Finished runs that it builds on with these params; none by default.
    fn sources(params: &Self::Params) -> &'static [SourceNeed] {
        let _ = params;
        &[]
    }

    /// As [`Experiment::new`], with the runs that it builds on: those that [`Experiment::sources`] names, each at most
    /// once, sorted by name, of an experiment that it accepts. Ignored by default.
    ///
    /// # Errors
    /// If data or sources are not what was asked for or do not fit together.
    fn new_from(
        params: Self::Params,
        data: Data,
        sources: Vec<Source>,
        seed: u64,
    ) -> Result<Self, DataError> {
        let _ = sources;
        Self::new(params, data, seed)
    }

    /// The state before the first step.
    fn init(&self, draws: Draws) -> Self::State;

    /// One step: work a person would not wait for (≤ 100 ms).
    fn step(&self, state: &mut Self::State, scratch: &mut Self::Scratch, draws: Draws);

    /// Fixed parts of a step that several threads or processes can compute; 1, as by default, if it is one piece.
    fn shards(&self) -> u32 {
        1
    }

    /// [`Experiment::step`] together with a team: each member calls it with the same state and draws, and must end with
    /// the same state, which is that of a team of one. Called only where there are [`Experiment::shards`].
    fn step_with(
        &self,
        state: &mut Self::State,
        scratch: &mut Self::Scratch,
        draws: Draws,
        team: &mut dyn Collective,
    ) {
        let _ = team;
        self.step(state, scratch, draws);
    }

    /// Observes; uses its own streams, so that observing changes nothing.
    fn observe(&self, state: &Self::State, draws: Draws, out: &mut Metrics);
}

/// What a run will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Steps.
    pub steps: u64,
    /// Peak memory, in bytes.
    pub memory_bytes: u64,
}
