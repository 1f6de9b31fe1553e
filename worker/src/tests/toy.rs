//! An experiment that does as it is told: waits at a gate, panics, diverges, observes much.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, LazyLock, Mutex},
};

use experiments::{
    Advance, Array, CanonicalParams, CheckpointError, DataError, DataNeed, DataShape, Digest, Dtype, Kind,
    Metric, MetricSpec, ParamError, Plan, Setup, Simulation, Source, StartError, Trace, Value, ValueKind,
};
use serde_json::{Map, Value as Json, json};

/// Its entry in a catalogue.
pub(crate) static TOY: &[&dyn Kind] = &[&Toy];

/// What it says it needs.
pub(crate) const MEMORY: u64 = 1 << 20;

/// Lets a test watch and hold a toy.
#[derive(Default)]
pub(crate) struct Probe {
    state: Mutex<ProbeState>,
    opened: Condvar,
}

#[derive(Default, Clone, Copy)]
pub(crate) struct ProbeState {
    /// The toy does not go beyond this step.
    gate: Option<u64>,
    /// Toys that wait at the gate.
    pub(crate) held: u64,
    /// Step of the toy that ran last.
    pub(crate) step: u64,
    /// Observations made.
    pub(crate) observed: u64,
    /// Toys in memory.
    pub(crate) alive: u64,
}

static PROBES: LazyLock<Mutex<HashMap<String, Arc<Probe>>>> = LazyLock::new(Mutex::default);

impl Probe {
    /// The one of this name, which goes into the toy's params as `probe`.
    pub(crate) fn named(name: &str) -> Arc<Self> {
        let mut probes = PROBES.lock().expect("nobody panics while looking a probe up");
        probes.entry(name.to_owned()).or_default().clone()
    }

    pub(crate) fn get(&self) -> ProbeState {
        *self.state.lock().expect("nobody panics while holding a probe")
    }

    fn set(&self, change: impl FnOnce(&mut ProbeState)) {
        change(&mut self.state.lock().expect("nobody panics while holding a probe"));
        self.opened.notify_all();
    }

    /// Holds the toy at a step, or lets it go on.
    pub(crate) fn gate(&self, step: Option<u64>) {
        self.set(|state| state.gate = step);
    }

    fn wait(&self, step: u64) {
        let mut state = self.state.lock().expect("nobody panics while holding a probe");
        let held = |state: &mut ProbeState| state.gate.is_some_and(|gate| step >= gate);
        state.held += 1;
        state = self.opened.wait_while(state, held).expect("nobody panics while holding a probe");
        state.held -= 1;
    }
}

/// A walk of integers. Params: `steps`, `probe`, and at will `panic_at`, `nan_at`, `wide` (bytes of an array).
pub(crate) struct Toy;

struct Walk {
    params: Json,
    probe: Arc<Probe>,
    every: u64,
    step: u64,
    observed: bool,
    place: u64,
    trace: Trace,
}

impl Walk {
    fn new(setup: &Setup) -> Result<Self, StartError> {
        let params: Json = serde_json::from_str(setup.params.as_str()).expect("tests write JSON");
        if params["steps"].as_u64().is_none() {
            return Err(ParamError::new("steps", &params["steps"], "it must be a number").into());
        }
        if params["no_data"] == true {
            return Err(DataError("there is none".into()).into());
        }
        let probe = Probe::named(params["probe"].as_str().unwrap_or_default());
        probe.set(|state| state.alive += 1);
        let every = setup.every.unwrap_or(1);
        // It walks on from what it builds on.
        let from = |place: u64, source: &Source| {
            source.identity().into_iter().fold(place, |p, b| p.rotate_left(8) ^ u64::from(b))
        };
        let place = setup.sources.iter().fold(setup.seed, from);
        Ok(Self { params, probe, every, step: 0, observed: false, place, trace: Trace([0; 32]) })
    }

    fn observe(&self) -> Vec<Metric> {
        let nan = self.params["nan_at"] == self.step;
        let value = Value::Scalar(if nan { f64::NAN } else { (self.place >> 11) as f64 });
        let mut metrics = vec![Metric { name: "place", step: self.step, value }];
        if let Some(bytes) = self.params["wide"].as_u64() {
            let data = vec![self.step as u8; bytes as usize];
            let array = Array { kind: ValueKind::Vector, dtype: Dtype::U8, shape: vec![bytes as u32], data };
            metrics.push(Metric { name: "wide", step: self.step, value: Value::Array(array) });
        }
        metrics
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.probe.set(|state| state.alive -= 1);
    }
}

impl Simulation for Walk {
    fn step(&self) -> u64 {
        self.step
    }

    fn steps(&self) -> u64 {
        self.params["steps"].as_u64().expect("checked at the start")
    }

    fn advance(&mut self) -> Advance {
        if (self.step.is_multiple_of(self.every) || self.step == self.steps()) && !self.observed {
            let metrics = self.observe();
            self.trace = self.trace.observed(&metrics);
            self.observed = true;
            self.probe.set(|state| state.observed += 1);
            return Advance::Observed(metrics);
        }
        self.probe.wait(self.step);
        if self.step == self.steps() {
            return Advance::Done(self.trace.finish(&self.place.to_le_bytes()));
        }
        assert!(self.params["panic_at"] != self.step, "told to panic at step {}", self.step);
        self.place =
            self.place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.step, self.observed) = (self.step + 1, false);
        self.probe.set(|state| state.step = self.step);
        Advance::Stepped
    }

    fn checkpoint(&self) -> Vec<u8> {
        let state = json!([self.step, self.observed, self.place, self.trace]);
        serde_json::to_vec(&state).expect("plain data")
    }

    fn look(&self) -> Vec<Metric> {
        self.observe()
    }

    fn state(&self) -> Json {
        json!({"place": self.place})
    }
}

impl Kind for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }
    fn version(&self) -> u32 {
        1
    }
    fn summary(&self) -> &'static str {
        "A walk of integers"
    }
    fn readme(&self) -> &'static str {
        ""
    }
    fn findings_toml(&self) -> &'static str {
        ""
    }
    fn metrics(&self) -> &'static [MetricSpec] {
        &[]
    }
    fn presets(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    fn schema(&self) -> &Json {
        &Json::Null
    }
    fn defaults(&self) -> Json {
        Json::Null
    }

    fn resolve(
        &self,
        _: Option<&str>,
        overrides: &Map<String, Json>,
    ) -> Result<CanonicalParams, Vec<ParamError>> {
        Ok(CanonicalParams::from_stored(Json::Object(overrides.clone()).to_string()))
    }

    fn data_need(&self, _: &CanonicalParams) -> DataNeed {
        DataNeed::None
    }

    fn plan(&self, _: &CanonicalParams, _: &DataShape) -> Result<Plan, ParamError> {
        Ok(Plan { steps: 1, memory_bytes: MEMORY })
    }

    fn start(&self, setup: Setup) -> Result<Box<dyn Simulation>, StartError> {
        Ok(Box::new(Walk::new(&setup)?))
    }

    fn resume(&self, setup: Setup, checkpoint: &[u8]) -> Result<Box<dyn Simulation>, StartError> {
        let mut walk = Walk::new(&setup)?;
        let state =
            serde_json::from_slice(checkpoint).map_err(|e| CheckpointError::Damaged(e.to_string()))?;
        (walk.step, walk.observed, walk.place, walk.trace) = state;
        Ok(Box::new(walk))
    }
}

/// All metrics and the digest of a run that nothing disturbs.
pub(crate) fn undisturbed(mut simulation: Box<dyn Simulation>) -> (Vec<Metric>, Digest) {
    let mut all = Vec::new();
    loop {
        match simulation.advance() {
            Advance::Stepped => {}
            Advance::Observed(metrics) => all.extend(metrics),
            Advance::Done(digest) => return (all, digest),
        }
    }
}
