//! Finished runs that a run builds on.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{CheckpointError, DataError, Experiment, checkpoint, digest};

/// A finished run that a run builds on: who it was, and its state at one step.
///
/// It says everything that decided its bits, so a run that builds on it is a pure function of these too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What the run that builds on it calls it, such as `network`.
    pub name: String,
    /// Its experiment.
    pub experiment: String,
    /// Version of its experiment.
    pub version: u32,
    /// Its canonical params.
    pub params: String,
    /// Its randomness key.
    pub seed: u64,
    /// Hash of its data set; zeros when it had none.
    pub data_hash: [u8; 32],
    /// Steps it had taken.
    pub step: u64,
    /// Its state: postcard of the experiment's `State`.
    pub body: Vec<u8>,
}

/// A run that an experiment can build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceNeed {
    /// Name of the source, `[a-z][a-z0-9_]*`.
    pub name: &'static str,
    /// Experiments that serve, by name; each in the version of the catalogue.
    pub experiments: &'static [&'static str],
    /// Whether there is no run without it.
    pub required: bool,
}

/// What stands for a source in a digest and in a header: its name and the hash of all that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMark {
    /// Its name.
    pub name: String,
    /// [`Source::identity`].
    pub identity: [u8; 32],
}

/// Which run is offered as a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Under which name.
    pub name: &'a str,
    /// Its experiment.
    pub experiment: &'a str,
    /// Version of its experiment.
    pub version: u32,
}

/// A source that does not serve, or one that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SourceError {
    /// Place of the source among those offered; `None` when one is missing.
    pub at: Option<usize>,
    /// What is wrong with it: its name (`as`) or its `run`.
    pub field: &'static str,
    /// Name, value and rule.
    pub detail: String,
}

impl Source {
    /// Largest state, uncompressed.
    pub const LIMIT_BYTES: u64 = 1 << 30;

    /// Reads a checkpoint as a source with this name.
    ///
    /// # Errors
    /// If it is damaged, or its state is larger than [`Source::LIMIT_BYTES`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (header, body) = checkpoint::read(bytes, Self::LIMIT_BYTES)?;
        Ok(Self {
            name: name.to_owned(),
            experiment: header.experiment,
            version: header.version,
            params: header.params,
            seed: header.seed,
            data_hash: header.data_hash,
            step: header.step,
            body,
        })
    }

    /// Its params, as the experiment that made it reads them.
    ///
    /// # Errors
    /// If it is not a run of `E` in this version, or its params cannot be read.
    pub fn params_of<E: Experiment>(&self) -> Result<E::Params, DataError> {
        self.check_is::<E>()?;
        serde_json::from_str(&self.params).map_err(|error| self.unreadable(&error))
    }

    /// Its state, as the experiment that made it reads it.
    ///
    /// # Errors
    /// If it is not a run of `E` in this version, or its state cannot be read.
    pub fn state_of<E: Experiment>(&self) -> Result<E::State, DataError> {
        self.check_is::<E>()?;
        self.state()
    }

    /// Its state as a `T`; every byte must be used. A length inside that lies does not make it allocate more than
    /// the bytes that are there.
    ///
    /// # Errors
    /// If the bytes are not those of a `T`.
    pub fn state<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        checkpoint::decode_state(&self.body).map_err(|error| self.unreadable(&error))
    }

    /// Hash of all that decides what a run can learn from it: experiment, version, params, seed, data, step and state.
    /// Neither compression nor the cadence of observations enters, for they change nothing of the state.
    pub fn identity(&self) -> [u8; 32] {
        let mut hash = blake3::Hasher::new();
        digest::text(&mut hash, &self.experiment);
        hash.update(&self.version.to_le_bytes());
        digest::text(&mut hash, &self.params);
        hash.update(&self.seed.to_le_bytes());
        hash.update(&self.data_hash);
        hash.update(&self.step.to_le_bytes());
        hash.update(blake3::hash(&self.body).as_bytes());
        *hash.finalize().as_bytes()
    }

    /// What it is, for [`check_sources`].
    pub fn offer(&self) -> Offer<'_> {
        Offer { name: &self.name, experiment: &self.experiment, version: self.version }
    }

    /// Name and identity.
    pub fn mark(&self) -> SourceMark {
        SourceMark { name: self.name.clone(), identity: self.identity() }
    }

    /// Memory that a source with a state of `body_bytes` is planned to need, in bytes: the checkpoint as it came, the
    /// state in bytes and decoded, and as much again for what is made of it.
    pub fn memory_bytes(body_bytes: u64) -> u64 {
        body_bytes.saturating_mul(4)
    }

    fn check_is<E: Experiment>(&self) -> Result<(), DataError> {
        if self.experiment == E::NAME && self.version == E::VERSION {
            return Ok(());
        }
        let (name, found) = (&self.name, format!("{} v{}", self.experiment, self.version));
        Err(DataError(format!("source `{name}` is of {found}; it must be of {} v{}", E::NAME, E::VERSION)))
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> DataError {
        DataError(format!("source `{}` of {} v{}: {why}", self.name, self.experiment, self.version))
    }
}

/// Holds the sources that are offered against those that an experiment can build on.
///
/// # Errors
/// Every source that does not serve, and every one that is missing.
pub fn check_sources(needs: &[SourceNeed], offers: &[Offer<'_>]) -> Result<(), Vec<SourceError>> {
    let mut errors = Vec::new();
    for (at, offer) in offers.iter().enumerate() {
        let mut add = |field, detail| errors.push(SourceError { at: Some(at), field, detail });
        if offers[..at].iter().any(|before| before.name == offer.name) {
            add("as", format!("source `{}` comes twice; it must come once", offer.name));
            continue;
        }
        match needs.iter().find(|need| need.name == offer.name) {
            None => add("as", unknown(needs, offer.name)),
            Some(need) => unfit(need, offer).into_iter().for_each(|detail| add("run", detail)),
        }
    }
    for need in needs.iter().filter(|need| need.required) {
        if !offers.iter().any(|offer| offer.name == need.name) {
            let detail = format!(
                "source `{}` is absent; it must be a finished run of {}",
                need.name,
                need.experiments.join(" or ")
            );
            errors.push(SourceError { at: None, field: "as", detail });
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn unknown(needs: &[SourceNeed], name: &str) -> String {
    let known: Vec<&str> = needs.iter().map(|need| need.name).collect();
    let rule = match known.as_slice() {
        [] => "it must be left out, for with these params the experiment builds on no run".to_owned(),
        known => format!("it must be called {}", known.join(" or ")),
    };
    let name: String = name.chars().take(80).collect();
    format!("source `{name}` is not known; {rule}")
}

fn unfit(need: &SourceNeed, offer: &Offer<'_>) -> Option<String> {
    let Offer { name, experiment, version } = offer;
    if !need.experiments.contains(experiment) {
        let rule = format!("it must be of {}", need.experiments.join(" or "));
        return Some(format!("source `{name}` is of {experiment} v{version}; {rule}"));
    }
    let here = crate::find(experiment).map(|kind| kind.version()).filter(|here| here != version)?;
    Some(format!(
        "source `{name}` is of {experiment} v{version}; it must be of v{here}, which this program has"
    ))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
