//! The object-safe face of an experiment: what server, worker and command line use.

use std::{marker::PhantomData, sync::OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    CanonicalParams, CheckpointError, Data, DataError, DataNeed, DataShape, Experiment, MetricSpec,
    ParamError, Plan, Simulation, Source, SourceError, SourceNeed, check_fork, check_sources, default_every,
    fork,
    params::{overlay, schema_errors},
    simulation::{Fixed, Running},
    source::Offer,
};

/// An entry of the catalogue.
pub trait Kind: Send + Sync {
    /// Name in the catalogue.
    fn name(&self) -> &'static str;
    /// Raised with every change of its numbers.
    fn version(&self) -> u32;
    /// One sentence.
    fn summary(&self) -> &'static str;
    /// Its page, as Markdown.
    fn readme(&self) -> &'static str;
    /// Claims it tests, as TOML.
    fn findings_toml(&self) -> &'static str;
    /// Figures that a report draws, as TOML.
    fn figures_toml(&self) -> &'static str {
        ""
    }
    /// What it observes.
    fn metrics(&self) -> &'static [MetricSpec];
    /// Name and TOML of each preset.
    fn presets(&self) -> &'static [(&'static str, &'static str)];
    /// Params that a fork of a run may change.
    fn forkable(&self) -> &'static [&'static str] {
        &[]
    }
    /// JSON Schema of its params.
    fn schema(&self) -> &Json;
    /// Its default params.
    fn defaults(&self) -> Json;

    /// Defaults, preset and overrides as checked, canonical params.
    ///
    /// # Errors
    /// Every breach, not only the first.
    fn resolve(
        &self,
        preset: Option<&str>,
        overrides: &Map<String, Json>,
    ) -> Result<CanonicalParams, Vec<ParamError>>;

    /// The data that these params need.
    fn data_need(&self, params: &CanonicalParams) -> DataNeed;

    /// The finished runs that it builds on with these params.
    fn source_needs(&self, params: &CanonicalParams) -> &'static [SourceNeed] {
        let _ = params;
        &[]
    }

    /// Steps and memory with data of this shape; [`Source::memory_bytes`] of each source comes on top.
    ///
    /// # Errors
    /// If these params cannot be used with such data.
    fn plan(&self, params: &CanonicalParams, data: &DataShape) -> Result<Plan, ParamError>;

    /// A run before its first step, or with a source called [`FORK`](crate::FORK) in the state and at the step of that.
    ///
    /// # Errors
    /// If params, data or sources do not fit.
    fn start(&self, setup: Setup) -> Result<Box<dyn Simulation>, StartError>;

    /// A run from a checkpoint.
    ///
    /// # Errors
    /// If params or data do not fit, or the checkpoint is damaged or somebody else's.
    fn resume(&self, setup: Setup, checkpoint: &[u8]) -> Result<Box<dyn Simulation>, StartError>;
}

/// Everything that decides the bits of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Canonical params.
    pub params: CanonicalParams,
    /// Randomness key.
    pub seed: u64,
    /// The data set.
    pub data: Data,
    /// Finished runs that it builds on, in any order.
    pub sources: Vec<Source>,
    /// Steps between observation points; a hundredth of the run when absent.
    pub every: Option<u64>,
}

/// Why a run could not start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StartError {
    /// A parameter breaks a rule.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// The data does not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A run that it should build on does not serve, or is missing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A model with what is fixed during a run, and the run that it is forked from.
struct Built<E> {
    model: E,
    fixed: Fixed,
    fork: Option<Source>,
}

/// Makes a [`Kind`] of an [`Experiment`].
pub(crate) struct Of<E> {
    schema: OnceLock<Json>,
    validator: OnceLock<jsonschema::Validator>,
    experiment: PhantomData<fn() -> E>,
}

impl<E: Experiment> Of<E> {
    pub(crate) const fn new() -> Self {
        Self { schema: OnceLock::new(), validator: OnceLock::new(), experiment: PhantomData }
    }

    fn parse(&self, params: &CanonicalParams) -> Result<E::Params, ParamError> {
        let whole = |rule: String| ParamError { pointer: String::new(), value: String::new(), rule };
        let parsed = serde_json::from_str(params.as_str()).map_err(|e| whole(e.to_string()))?;
        E::check(&parsed)?;
        Ok(parsed)
    }

    fn build(&self, setup: Setup) -> Result<Built<E>, StartError> {
        let params = self.parse(&setup.params)?;
        let plan = E::plan(&params, &setup.data.shape())?;
        let every = setup.every.unwrap_or_else(|| default_every(plan.steps)).max(1);
        let data_hash = if setup.data == Data::None { [0; 32] } else { setup.data.hash() };
        let Setup { params: canonical, seed, data, mut sources, .. } = setup;
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        let marks = sources.iter().map(Source::mark).collect();
        let fork = fork::take(&mut sources);
        if let Some(fork) = &fork {
            fork::check_source(self, fork, data_hash, plan.steps)?;
            check_fork(self, &canonical, &CanonicalParams::from_stored(fork.params.clone()))
                .map_err(|mut errors| errors.swap_remove(0))?;
        }
        check(E::sources(&params), &sources)?;
        let fixed = Fixed { params: canonical, seed, data_hash, sources: marks, every, plan };
        Ok(Built { model: E::new_from(params, data, sources, seed)?, fixed, fork })
    }

    fn base(&self, preset: Option<&str>) -> Result<Json, ParamError> {
        let mut params = self.defaults();
        let Some(name) = preset else { return Ok(params) };
        let known: Vec<&str> = E::PRESETS.iter().map(|(name, _)| *name).collect();
        let found = E::PRESETS.iter().find(|(known, _)| *known == name);
        let unknown = || ParamError {
            pointer: "/preset".into(),
            value: format!("`{name}`"),
            rule: format!("{} has the presets {known:?}", E::NAME),
        };
        let (_, text) = found.ok_or_else(unknown)?;
        let preset: Json = toml::from_str(text).expect("presets are parsed by a test");
        overlay(&mut params, &preset);
        Ok(params)
    }
}

/// The first thing that is wrong with the sources of a run.
fn check(needs: &[SourceNeed], sources: &[Source]) -> Result<(), SourceError> {
    let offers: Vec<Offer<'_>> = sources.iter().map(Source::offer).collect();
    check_sources(needs, &offers).map_err(|mut errors| errors.swap_remove(0))
}

impl<E: Experiment> Kind for Of<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn version(&self) -> u32 {
        E::VERSION
    }

    fn summary(&self) -> &'static str {
        E::SUMMARY
    }

    fn readme(&self) -> &'static str {
        E::README
    }

    fn findings_toml(&self) -> &'static str {
        E::FINDINGS
    }

    fn figures_toml(&self) -> &'static str {
        E::FIGURES
    }

    fn metrics(&self) -> &'static [MetricSpec] {
        E::METRICS
    }

    fn presets(&self) -> &'static [(&'static str, &'static str)] {
        E::PRESETS
    }

    fn forkable(&self) -> &'static [&'static str] {
        E::FORKABLE
    }

    fn schema(&self) -> &Json {
        self.schema.get_or_init(|| schemars::schema_for!(E::Params).to_value())
    }

    fn defaults(&self) -> Json {
        serde_json::to_value(E::Params::default()).expect("default params are plain data")
    }

    fn resolve(
        &self,
        preset: Option<&str>,
        overrides: &Map<String, Json>,
    ) -> Result<CanonicalParams, Vec<ParamError>> {
        let mut params = self.base(preset).map_err(|error| vec![error])?;
        overlay(&mut params, &Json::Object(overrides.clone()));
        let make = || jsonschema::validator_for(self.schema()).expect("a derived schema is a schema");
        let errors = schema_errors(self.validator.get_or_init(make), &params);
        if !errors.is_empty() {
            return Err(errors);
        }
        let whole = |rule: String| vec![ParamError { pointer: String::new(), value: String::new(), rule }];
        let typed: E::Params = serde_json::from_value(params).map_err(|e| whole(e.to_string()))?;
        E::check(&typed).map_err(|error| vec![error])?;
        // Written from the typed value: 1 and 1.0 for the same number become the same text.
        Ok(CanonicalParams::write(&serde_json::to_value(&typed).map_err(|e| whole(e.to_string()))?))
    }

    fn data_need(&self, params: &CanonicalParams) -> DataNeed {
        self.parse(params).map_or(DataNeed::None, |params| E::data(&params))
    }

    fn source_needs(&self, params: &CanonicalParams) -> &'static [SourceNeed] {
        self.parse(params).map_or(&[], |params| E::sources(&params))
    }

    fn plan(&self, params: &CanonicalParams, data: &DataShape) -> Result<Plan, ParamError> {
        E::plan(&self.parse(params)?, data)
    }

    fn start(&self, setup: Setup) -> Result<Box<dyn Simulation>, StartError> {
        let Built { model, fixed, fork } = self.build(setup)?;
        Ok(Box::new(match fork {
            None => Running::start(model, fixed),
            Some(fork) => Running::fork(model, fixed, &fork)?,
        }))
    }

    fn resume(&self, setup: Setup, checkpoint: &[u8]) -> Result<Box<dyn Simulation>, StartError> {
        let Built { model, fixed, .. } = self.build(setup)?;
        Ok(Box::new(Running::resume(model, fixed, checkpoint)?))
    }
}
