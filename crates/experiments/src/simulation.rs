//! A run in memory: what a worker drives, derived once for every experiment.

use numerics::{
    Draws,
    collective::{Alone, Collective},
};
use serde_json::Value as Json;

use crate::{
    CanonicalParams, CheckpointError, DataError, Digest, Experiment, Header, Metric, Metrics, Plan, Source,
    SourceMark, Trace, checkpoint, digest::Identity,
};

/// What one call of [`Simulation::advance`] did.
#[derive(Debug)]
pub enum Advance {
    /// One step was taken.
    Stepped,
    /// The state was observed; observing changes nothing.
    Observed(Vec<Metric>),
    /// All steps are taken and observed.
    Done(Digest),
}

/// A run in memory. Between any two calls it can be checkpointed, and a copy resumed from there goes on alike.
pub trait Simulation: Send {
    /// Steps taken.
    fn step(&self) -> u64;

    /// Steps to take.
    fn steps(&self) -> u64;

    /// Does the next piece of work: a step, or an observation that is due.
    fn advance(&mut self) -> Advance;

    /// Its steps as a team takes them; `None`, as by default, if a step is one piece.
    fn shared(&mut self) -> Option<&mut dyn Shared> {
        None
    }

    /// The whole state with its header.
    fn checkpoint(&self) -> Vec<u8>;

    /// Every metric of the state as it is, whether an observation is due or not; those of the last step are left to that.
    /// This changes nothing.
    fn look(&self) -> Vec<Metric>;

    /// The state as JSON: its fields by name. Numbers that are not finite become null.
    fn state(&self) -> Json;
}

/// A run whose steps have shards, which the members of a team can compute.
pub trait Shared {
    /// Whether the next piece of work is a step.
    fn is_step_next(&self) -> bool;

    /// Takes a step together with a team, whatever is left unobserved: that is for the one that reports.
    fn step_with(&mut self, team: &mut dyn Collective);
}

/// Steps between observation points unless a job says otherwise: a hundredth of the run.
pub fn default_every(steps: u64) -> u64 {
    steps.div_ceil(100).max(1)
}

/// What is fixed during a run.
pub(crate) struct Fixed {
    pub(crate) params: CanonicalParams,
    pub(crate) seed: u64,
    pub(crate) data_hash: [u8; 32],
    /// By name.
    pub(crate) sources: Vec<SourceMark>,
    pub(crate) every: u64,
    pub(crate) plan: Plan,
}

/// The one implementation of [`Simulation`].
pub(crate) struct Running<E: Experiment> {
    model: E,
    fixed: Fixed,
    state: E::State,
    scratch: E::Scratch,
    step: u64,
    observed: bool,
    trace: Trace,
}

impl<E: Experiment> Running<E> {
    pub(crate) fn start(model: E, fixed: Fixed) -> Self {
        let state = model.init(Draws::at(fixed.seed, 0));
        let trace = Trace::start(&identity::<E>(&fixed));
        Self { model, fixed, state, scratch: E::Scratch::default(), step: 0, observed: false, trace }
    }

    /// In the state and at the step of another run of `E`; the chain of metrics begins anew.
    pub(crate) fn fork(model: E, fixed: Fixed, from: &Source) -> Result<Self, DataError> {
        let state = from.state_of::<E>()?;
        let trace = Trace::start(&identity::<E>(&fixed));
        Ok(Self {
            model,
            fixed,
            state,
            scratch: E::Scratch::default(),
            step: from.step,
            observed: false,
            trace,
        })
    }

    pub(crate) fn resume(model: E, fixed: Fixed, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (header, body) = checkpoint::read(bytes, fixed.plan.memory_bytes)?;
        let expected = Header {
            step: header.step,
            observed: header.observed,
            trace: header.trace,
            body_bytes: header.body_bytes,
            body_hash: header.body_hash,
            compressed: header.compressed,
            ..empty_header::<E>(&fixed)
        };
        if header != expected || header.step > fixed.plan.steps {
            return Err(CheckpointError::Foreign { found: describe(&header), expected: describe(&expected) });
        }
        let state = checkpoint::decode_state(&body)?;
        let Header { step, observed, trace, .. } = header;
        Ok(Self { model, fixed, state, scratch: E::Scratch::default(), step, observed, trace })
    }

    fn is_observation_point(&self) -> bool {
        self.step.is_multiple_of(self.fixed.every) || self.step == self.fixed.plan.steps
    }

    /// As the observation point with this number.
    fn observe(&self, point: u64) -> Vec<Metric> {
        let last = self.step == self.fixed.plan.steps;
        let mut out = Metrics::new(E::METRICS, self.step, point, last);
        self.model.observe(&self.state, Draws::at(self.fixed.seed, self.step), &mut out);
        out.finish()
    }
}

impl<E: Experiment> Simulation for Running<E> {
    fn step(&self) -> u64 {
        self.step
    }

    fn steps(&self) -> u64 {
        self.fixed.plan.steps
    }

    fn advance(&mut self) -> Advance {
        if self.is_observation_point() && !self.observed {
            let metrics = self.observe(self.step.div_ceil(self.fixed.every));
            self.trace = self.trace.observed(&metrics);
            self.observed = true;
            return Advance::Observed(metrics);
        }
        if self.step == self.fixed.plan.steps {
            return Advance::Done(self.trace.finish(&checkpoint::encode_state(&self.state)));
        }
        self.step_with(&mut Alone);
        Advance::Stepped
    }

    fn shared(&mut self) -> Option<&mut dyn Shared> {
        if self.model.shards() > 1 { Some(self) } else { None }
    }

    fn checkpoint(&self) -> Vec<u8> {
        let header = Header {
            step: self.step,
            observed: self.observed,
            trace: self.trace,
            ..empty_header::<E>(&self.fixed)
        };
        checkpoint::write(header, &checkpoint::encode_state(&self.state))
    }

    fn look(&self) -> Vec<Metric> {
        self.observe(0) // at which no cadence leaves anything out
    }

    fn state(&self) -> Json {
        serde_json::to_value(&self.state).expect("a state is plain data and always encodes")
    }
}

impl<E: Experiment> Shared for Running<E> {
    fn is_step_next(&self) -> bool {
        self.step < self.fixed.plan.steps && (self.observed || !self.is_observation_point())
    }

    fn step_with(&mut self, team: &mut dyn Collective) {
        let draws = Draws::at(self.fixed.seed, self.step);
        self.model.step_with(&mut self.state, &mut self.scratch, draws, team);
        self.step += 1;
        self.observed = false;
    }
}

fn identity<E: Experiment>(fixed: &Fixed) -> Identity<'_> {
    Identity {
        experiment: E::NAME,
        version: E::VERSION,
        params: fixed.params.as_str(),
        seed: fixed.seed,
        data_hash: fixed.data_hash,
        every: fixed.every,
        sources: &fixed.sources,
    }
}

fn empty_header<E: Experiment>(fixed: &Fixed) -> Header {
    Header {
        format: checkpoint::FORMAT,
        experiment: E::NAME.to_owned(),
        version: E::VERSION,
        params: fixed.params.as_str().to_owned(),
        data_hash: fixed.data_hash,
        seed: fixed.seed,
        every: fixed.every,
        sources: fixed.sources.clone(),
        step: 0,
        observed: false,
        trace: Trace([0; 32]),
        body_bytes: 0,
        body_hash: [0; 32],
        compressed: false,
    }
}

fn describe(header: &Header) -> String {
    let hex = |hash: &[u8; 32]| format!("{:02x}{:02x}{:02x}{:02x}…", hash[0], hash[1], hash[2], hash[3]);
    let (params, data) = (hex(blake3::hash(header.params.as_bytes()).as_bytes()), hex(&header.data_hash));
    let Header { experiment, version, seed, every, step, .. } = header;
    let from: String =
        header.sources.iter().map(|mark| format!(", {} {}", mark.name, hex(&mark.identity))).collect();
    format!(
        "{experiment} v{version}, params {params}, data {data}{from}, seed {seed}, every {every}, step {step}"
    )
}
