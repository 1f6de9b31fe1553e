//! A job on its way from document to runs: catalogue, points, params, plan.

use std::collections::BTreeMap;

use experiments::{
    Cadence, CanonicalParams, DataNeed, DataShape, Kind, MetricSpec, Offer, ParamError, Plan, SourceNeed,
    ValueKind, check_fork, check_fork_step, check_forked, find,
};
use jobs::{DatasetHash, JobSpec, Keep, Limits, MOST_KEPT, Point, RunId, RunSpec, Seeds, Sweep, expand};
use serde_json::{Map, Value as Json};

use super::{
    breaches::Breaches,
    document::{self, name},
};
use crate::{fault::Fault, json};

/// A spec whose params are resolved; what is wrong so far waits in `breaches`.
pub(super) struct Draft {
    spec: JobSpec,
    kind: &'static dyn Kind,
    points: Vec<Resolved>,
    fork: Option<Forked>,
    pub(super) breaches: Breaches,
}

/// The run that a job is forked from.
pub(super) struct Forked {
    /// Place among the sources.
    pub(super) at: usize,
    pub(super) params: CanonicalParams,
    pub(super) dataset: Option<DatasetHash>,
    /// Of the checkpoint.
    pub(super) step: u64,
}

/// One point of the sweep, or the only one.
struct Resolved {
    params: CanonicalParams,
    overrides: BTreeMap<String, Json>,
    runs: Vec<(u32, u64)>,
}

impl Draft {
    /// Reads a document as far as it can be checked without a store.
    pub(super) fn read(body: &[u8], limits: json::Limits) -> Result<Self, Fault> {
        let document = json::parse(body, limits)?;
        let mut breaches = Breaches::default();
        let Ok(mut spec) = serde_json::from_value::<JobSpec>(document.clone()) else {
            document::check(&document, &mut breaches);
            if breaches.is_empty() {
                breaches.add("", "the job does not have the form that the API's description gives");
            }
            return Err(breaches.into_fault());
        };
        let expanded = expand(&spec).unwrap_or_else(|errors| {
            for error in errors {
                breaches.add(error.field.clone(), format!("`{}` {}", name(&error.field), error.rule));
            }
            without_limits(&spec)
        });
        document::check(&document, &mut breaches);
        let Some(kind) = find_kind(&spec, &mut breaches) else { return Err(breaches.into_fault()) };
        spec.version = Some(kind.version());

        let mut draft = Self { spec, kind, points: Vec::new(), fork: None, breaches };
        draft.resolve(expanded);
        Ok(draft)
    }

    pub(super) fn spec(&self) -> &JobSpec {
        &self.spec
    }

    pub(super) fn into_spec(self) -> JobSpec {
        self.spec
    }

    /// What data the experiment takes with the first point's params, or with its defaults.
    pub(super) fn data_need(&self) -> DataNeed {
        let defaults = || self.kind.resolve(None, &Map::new()).ok();
        let params = self.points.first().map(|point| point.params.clone()).or_else(defaults);
        params.map_or(DataNeed::None, |params| self.kind.data_need(&params))
    }

    /// What the experiment can build on, for each point whose params are right; the same twice is left out.
    pub(super) fn source_needs(&self) -> Vec<&'static [SourceNeed]> {
        let mut needs = Vec::new();
        for point in &self.points {
            let need = self.kind.source_needs(&point.params);
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        needs
    }

    /// Holds the run that is forked from against the experiment.
    pub(super) fn check_forked(&mut self, at: usize, offer: &Offer<'_>) {
        if let Err(detail) = check_forked(self.kind, offer) {
            self.fork = None; // its params would mean nothing here
            self.breaches.add_if_new(&format!("/from/{at}/run"), detail);
        }
    }

    /// Makes the job a fork: its params are held against those of the run it goes on from.
    pub(super) fn set_fork(&mut self, fork: Forked) {
        self.fork = Some(fork);
    }

    /// What a fork must leave as it was: data, and the params that shape the state.
    pub(super) fn check_fork(&mut self, dataset: Option<DatasetHash>) {
        let Some(fork) = self.fork.take() else { return };
        if fork.dataset != dataset {
            let is = dataset.map_or("none".to_owned(), |hash| hash.to_string());
            let was = fork.dataset.map_or("none".to_owned(), |hash| hash.to_string());
            let detail = format!("`dataset` is {is}; a fork must use that of its run, {was}");
            self.breaches.add_if_new("/dataset", detail);
        }
        for at in 0..self.points.len() {
            let checked = check_fork(self.kind, &self.points[at].params, &fork.params);
            let overrides = self.points[at].overrides.clone();
            checked.err().into_iter().flatten().for_each(|error| self.note(&error, &overrides, at));
        }
        self.fork = Some(fork);
    }

    /// Writes the whole id of a source into the spec.
    pub(super) fn set_source(&mut self, at: usize, run: RunId) {
        self.spec.from[at].run = run.to_string();
    }

    /// The runs, once the data is known; or everything that is wrong. What they build on takes `extra` bytes.
    pub(super) fn plan(&mut self, shape: &DataShape, extra: u64) -> Result<Vec<RunSpec>, Fault> {
        let mut runs = Vec::new();
        for at in 0..self.points.len() {
            match self.kind.plan(&self.points[at].params, shape) {
                Ok(plan) => {
                    let plan = Plan { memory_bytes: plan.memory_bytes.saturating_add(extra), ..plan };
                    self.check_memory(&plan);
                    self.check_steps(&plan);
                    self.check_keep(&plan);
                    let point = &self.points[at];
                    runs.extend(
                        point.runs.iter().map(|&(index, seed)| run_spec(index, seed, &point.params, plan)),
                    );
                }
                Err(error) => {
                    let overrides = self.points[at].overrides.clone();
                    self.note(&error, &overrides, at);
                }
            }
        }
        let breaches = std::mem::take(&mut self.breaches);
        if breaches.is_empty() { Ok(runs) } else { Err(breaches.into_fault()) }
    }

    /// Params of each point; points come with their seeds in a row.
    fn resolve(&mut self, expanded: Vec<Point>) {
        // An unknown preset has been noted; the rest is checked over the defaults.
        let known = |preset: &&str| self.kind.presets().iter().any(|(name, _)| name == preset);
        let preset = self.spec.preset.as_deref().filter(known).map(str::to_owned);
        let preset = preset.as_deref();
        for (at, group) in expanded.chunk_by(|a, b| a.overrides == b.overrides).enumerate() {
            let runs = group.iter().map(|point| (point.index, point.seed)).collect();
            match self.kind.resolve(preset, &group[0].params) {
                Ok(params) => {
                    self.points.push(Resolved { params, overrides: group[0].overrides.clone(), runs });
                }
                Err(errors) => errors.iter().for_each(|error| self.note(error, &group[0].overrides, at)),
            }
        }
    }

    /// Notes a wrong parameter where the user wrote it: in the sweep or in the params.
    fn note(&mut self, error: &ParamError, overrides: &BTreeMap<String, Json>, at: usize) {
        let path = error.pointer.trim_start_matches('/').replace('/', ".");
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let swept =
            overrides.keys().find(|key| inside(key, &path) || (!path.is_empty() && inside(&path, key)));
        let pointer = match (swept, &self.spec.sweep) {
            (Some(key), Some(Sweep::List(_))) => format!("/sweep/list/{at}/{}", escape(key)),
            (Some(key), Some(Sweep::Random(_))) => format!("/sweep/random/ranges/{}", escape(key)),
            (Some(key), _) => format!("/sweep/grid/{}", escape(key)),
            (None, _) => format!("/params{}", error.pointer),
        };
        self.breaches.add(pointer, error.to_string());
    }

    fn check_steps(&mut self, plan: &Plan) {
        let Some(fork) = &self.fork else { return };
        if let Err(detail) = check_fork_step(fork.step, plan.steps) {
            self.breaches.add_if_new(&format!("/from/{}/step", fork.at), detail);
        }
    }

    /// What is kept must be few, and the best of something.
    fn check_keep(&mut self, plan: &Plan) {
        let keep = &self.spec.keep;
        let (least, steps) = (plan.steps.div_ceil(MOST_KEPT), plan.steps);
        if let Some(every) = keep.every_steps.filter(|every| *every < least) {
            let detail = format!(
                "`keep.every_steps` is {every}; it must be at least {least}, as at most {MOST_KEPT} are kept of {steps} steps"
            );
            self.breaches.add_if_new("/keep/every_steps", detail);
        }
        let Some(best) = &keep.best else { return };
        let is_one = |spec: &&MetricSpec| spec.kind == ValueKind::Scalar && spec.cadence == Cadence::Every;
        let known: Vec<&str> = self.kind.metrics().iter().filter(is_one).map(|spec| spec.name).collect();
        if !known.contains(&best.metric.as_str()) {
            let (name, known) = (crate::app::cut(&best.metric), known.join(", "));
            let detail = format!("`keep.best.metric` is `{name}`; it must be one of {known}");
            self.breaches.add_if_new("/keep/best/metric", detail);
        }
    }

    fn check_memory(&mut self, plan: &Plan) {
        let limit = self.spec.limits.memory_bytes;
        if plan.memory_bytes > limit {
            let needed = plan.memory_bytes;
            let detail =
                format!("`limits.memory_bytes` is {limit}; it must be at least {needed}, which a run needs");
            self.breaches.add("/limits/memory_bytes", detail);
        }
    }
}

fn run_spec(index: u32, seed: u64, params: &CanonicalParams, plan: Plan) -> RunSpec {
    let Plan { steps, memory_bytes } = plan;
    RunSpec { index, params: params.as_str().to_owned(), seed, steps, memory_bytes }
}

/// The points of a spec that breaks rules elsewhere: params are checked all the same.
fn without_limits(spec: &JobSpec) -> Vec<Point> {
    let plain = JobSpec {
        name: None,
        preset: None,
        dataset: None,
        from: Vec::new(),
        seeds: Seeds::default(),
        labels: BTreeMap::new(),
        requires: BTreeMap::new(),
        priority: 0,
        every: None,
        checkpoint_every_steps: None,
        keep: Keep::default(),
        limits: Limits::default(),
        ..spec.clone()
    };
    let unswept = || expand(&JobSpec { sweep: None, ..plain.clone() });
    expand(&plain).or_else(|_| unswept()).unwrap_or_default()
}

/// The experiment that a spec names, if it is in the catalogue; version and preset are checked on the way.
fn find_kind(spec: &JobSpec, breaches: &mut Breaches) -> Option<&'static dyn Kind> {
    let Some(kind) = find(&spec.experiment) else {
        let known: Vec<&str> = experiments::CATALOGUE.iter().map(|kind| kind.name()).collect();
        let name = crate::app::cut(&spec.experiment);
        let detail = format!("`experiment` is `{name}`; it must be one of {}", known.join(", "));
        breaches.add_if_new("/experiment", detail);
        return None;
    };
    if let Some(version) = spec.version.filter(|version| *version != kind.version()) {
        let detail =
            format!("`version` is {version}; it must be {}, the one that this server has", kind.version());
        breaches.add_if_new("/version", detail);
    }
    let Some(preset) = spec.preset.as_deref() else { return Some(kind) };
    let known: Vec<&str> = kind.presets().iter().map(|(name, _)| *name).collect();
    if known.contains(&preset) {
        return Some(kind);
    }
    let rule = if known.is_empty() { "left out".to_owned() } else { format!("one of {}", known.join(", ")) };
    breaches.add_if_new("/preset", format!("`preset` is `{}`; it must be {rule}", crate::app::cut(preset)));
    None
}

/// A key as part of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
