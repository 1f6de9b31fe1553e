//! Experiments as users read them.

use std::collections::BTreeMap;

use experiments::{Cadence, Kind};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

/// The catalogue.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiments {
    pub(crate) experiments: Vec<ExperimentSummary>,
}

/// An experiment in a list.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExperimentSummary {
    name: &'static str,
    #[schema(minimum = 1)]
    version: u32,
    /// One sentence.
    summary: &'static str,
}

/// An experiment of the catalogue.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    pub(crate) name: &'static str,
    #[schema(minimum = 1)]
    pub(crate) version: u32,
    /// One sentence.
    pub(crate) summary: &'static str,
    /// JSON Schema of its params.
    #[schema(value_type = Object)]
    pub(crate) schema: Json,
    /// Its default params.
    #[schema(value_type = Object)]
    pub(crate) defaults: Json,
    /// Named params that differ from the defaults.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub(crate) presets: BTreeMap<&'static str, Json>,
    pub(crate) metrics: Vec<MetricSpec>,
    /// Params that a fork of a run may change.
    pub(crate) forkable: &'static [&'static str],
    /// Its page, as Markdown.
    pub(crate) readme: &'static str,
}

/// A metric that an experiment observes.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricSpec {
    name: &'static str,
    unit: &'static str,
    /// How it is drawn.
    kind: &'static str,
    /// How often it is observed: `every` observation point, every `tenth`, or the `final` one.
    cadence: &'static str,
    /// What it means.
    meaning: &'static str,
}

impl From<&'static dyn Kind> for ExperimentSummary {
    fn from(kind: &'static dyn Kind) -> Self {
        Self { name: kind.name(), version: kind.version(), summary: kind.summary() }
    }
}

impl From<&'static dyn Kind> for Experiment {
    fn from(kind: &'static dyn Kind) -> Self {
        let preset = |&(name, text): &(&'static str, &str)| {
            (name, toml::from_str(text).expect("presets are parsed by a test of the catalogue"))
        };
        Self {
            name: kind.name(),
            version: kind.version(),
            summary: kind.summary(),
            forkable: kind.forkable(),
            schema: kind.schema().clone(),
            defaults: kind.defaults(),
            presets: kind.presets().iter().map(preset).collect(),
            metrics: kind.metrics().iter().map(MetricSpec::from).collect(),
            readme: kind.readme(),
        }
    }
}

impl From<&experiments::MetricSpec> for MetricSpec {
    fn from(spec: &experiments::MetricSpec) -> Self {
        let cadence = match spec.cadence {
            Cadence::Every => "every",
            Cadence::Tenth => "tenth",
            Cadence::Final => "final",
        };
        Self { name: spec.name, unit: spec.unit, kind: spec.kind.name(), cadence, meaning: spec.meaning }
    }
}
