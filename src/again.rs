//! A run of a server once more, in this process: what `verify` and `replay` share.

use anyhow::{Context, bail};
use experiments::{
    Advance, CanonicalParams, Data, Header, Kind, Metric, Setup, Simulation, Source, default_every,
};
use jobs::DatasetHash;
use serde_json::Value as Json;

use crate::{
    client::{Client, Job, Run},
    from,
    run_bar::RunBar,
};

/// Everything that decides the bits of a run, and what the server says of it.
pub(crate) struct Again {
    pub(crate) run: Run,
    kind: &'static dyn Kind,
    setup: Setup,
}

impl Again {
    /// Reads a run with its data set and what it builds on.
    ///
    /// # Errors
    /// If the server does not have it, or this program cannot compute it.
    pub(crate) async fn load(client: &Client, run: &str) -> anyhow::Result<Self> {
        let run = client.run(run).await?;
        let whole: Json = client.get(&format!("/jobs/{}", run.job_id)).await?;
        let job: Job = serde_json::from_value(whole.clone())?;
        let (name, version) = (&job.experiment, job.version);
        let kind = experiments::find(name).with_context(|| {
            format!("this program has no experiment `{name}`; take the one of the server")
        })?;
        if kind.version() != version {
            let here = kind.version();
            bail!("the run is of {name} v{version}; this program has v{here}, which gives other bits");
        }
        let data = match &job.dataset {
            None => Data::None,
            Some(hash) => {
                let hash: DatasetHash = hash.parse().context("the server names a data set by no hash")?;
                worker::fetch_dataset(client.server(), hash).await?
            }
        };
        let mut sources = Vec::with_capacity(job.from.len());
        for source in &job.from {
            let bytes = from::fetch(client, &source.run, Some(source.step)).await?;
            let named = format!("the run builds on run {}, which cannot be read", source.run);
            sources.push(Source::read(&source.name, &bytes).context(named)?);
        }
        let params = CanonicalParams::from_stored(Json::Object(run.params.clone()).to_string());
        let every = whole["spec"]["every"].as_u64().unwrap_or_else(|| default_every(run.steps));
        let setup = Setup { params, seed: run.seed, data, sources, every: Some(every) };
        Ok(Self { run, kind, setup })
    }

    /// Name of the experiment.
    pub(crate) fn experiment(&self) -> &'static str {
        self.kind.name()
    }

    /// Names of all metrics.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.kind.metrics().iter().map(|spec| spec.name)
    }

    /// Steps between two observations.
    pub(crate) fn every(&self) -> u64 {
        self.setup.every.unwrap_or(1)
    }

    /// The run at its beginning, or at a checkpoint of it.
    ///
    /// # Errors
    /// If the checkpoint is not of this run.
    pub(crate) fn begin(&self, checkpoint: Option<&[u8]>) -> anyhow::Result<Box<dyn Simulation>> {
        Ok(match checkpoint {
            None => self.kind.start(self.setup.clone())?,
            Some(bytes) => self.kind.resume(self.setup.clone(), bytes)?,
        })
    }

    /// A bar over all steps.
    pub(crate) fn bar(&self) -> RunBar {
        RunBar::new(self.kind.name(), self.run.seed, self.run.steps)
    }
}

/// Goes on to where a checkpoint was taken: its step, observed or not. `look` sees the simulation after each step.
/// Answers what was observed on the way.
pub(crate) fn advance_to(
    simulation: &mut dyn Simulation,
    header: &Header,
    mut look: impl FnMut(&dyn Simulation) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Metric>> {
    let mut observed = Vec::new();
    while simulation.step() < header.step {
        match simulation.advance() {
            Advance::Stepped => look(simulation)?,
            Advance::Observed(metrics) => observed.extend(metrics),
            Advance::Done(_) => bail!("the run ends at step {}", simulation.step()),
        }
    }
    let here = Header::peek(&simulation.checkpoint()).context("its own checkpoint cannot be read")?;
    if header.observed && !here.observed {
        match simulation.advance() {
            Advance::Observed(metrics) => observed.extend(metrics),
            Advance::Stepped | Advance::Done(_) => bail!("step {} is no observation point", header.step),
        }
    }
    Ok(observed)
}

/// What differs between a checkpoint and the same point computed again: nothing, or words.
pub(crate) fn difference(simulation: &dyn Simulation, header: &Header) -> anyhow::Result<Option<String>> {
    let here = Header::peek(&simulation.checkpoint()).context("its own checkpoint cannot be read")?;
    let step = header.step;
    Ok(match () {
        () if (here.body_bytes, here.body_hash) != (header.body_bytes, header.body_hash) => {
            Some(format!("the state at step {step} has other bits"))
        }
        () if here.trace != header.trace => {
            Some(format!("what was observed up to step {step} has other bits"))
        }
        () => None,
    })
}
