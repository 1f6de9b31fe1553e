//! Forks: a run that begins in the state of another one, at its step, with some settings changed.
//!
//! Draws are functions of (seed, stream, step, index), so a fork with the seed of its run meets the same random numbers
//! as the run did: what differs between the two comes from the change alone.

use serde_json::Value as Json;

use crate::{CanonicalParams, Kind, Offer, ParamError, Source, SourceError};

/// What a job calls the run that it is forked from; no experiment gives this name to a source of its own.
pub const FORK: &str = "fork";

/// Holds params against those of the run that is forked: those may differ that leave the shape of the state alone.
///
/// # Errors
/// Every param that differs and must not.
pub fn check_fork(
    kind: &dyn Kind,
    params: &CanonicalParams,
    from: &CanonicalParams,
) -> Result<(), Vec<ParamError>> {
    let read = |params: &CanonicalParams| match serde_json::from_str(params.as_str()) {
        Ok(Json::Object(params)) => params,
        _ => serde_json::Map::new(),
    };
    let (params, from) = (read(params), read(from));
    let fixed =
        |key: &&String| !kind.forkable().contains(&key.as_str()) && params.get(*key) != from.get(*key);
    let rule = |key: &String| {
        let was = from.get(key).unwrap_or(&Json::Null);
        match kind.forkable() {
            [] => format!("a fork must leave it at {was}: it can change no params of {}", kind.name()),
            forkable => format!("a fork must leave it at {was}; it can change {}", forkable.join(", ")),
        }
    };
    let errors: Vec<ParamError> =
        params.keys().filter(fixed).map(|key| ParamError::new(key, &params[key], rule(key))).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// What is wrong with the run that is forked from, whatever its params.
///
/// # Errors
/// If it is of another experiment or another version.
pub fn check_forked(kind: &dyn Kind, offer: &Offer<'_>) -> Result<(), String> {
    if (offer.experiment, offer.version) == (kind.name(), kind.version()) {
        return Ok(());
    }
    let Offer { experiment, version, .. } = offer;
    Err(format!(
        "source `{FORK}` is of {experiment} v{version}; it must be of {} v{}, which is to go on",
        kind.name(),
        kind.version()
    ))
}

/// Takes the run that is forked from out of the sources.
pub(crate) fn take(sources: &mut Vec<Source>) -> Option<Source> {
    let at = sources.iter().position(|source| source.name == FORK)?;
    Some(sources.remove(at))
}

/// Everything about a fork that needs no params: kind, data and step.
pub(crate) fn check_source(
    kind: &dyn Kind,
    fork: &Source,
    data_hash: [u8; 32],
    steps: u64,
) -> Result<(), SourceError> {
    let error = |detail| SourceError { at: None, field: "run", detail };
    check_forked(kind, &fork.offer()).map_err(error)?;
    if fork.data_hash != data_hash {
        return Err(error(format!("source `{FORK}` has learned from other data; a fork must use the same")));
    }
    check_fork_step(fork.step, steps).map_err(error)
}

/// Whether a run of `steps` steps has some left after `step`.
///
/// # Errors
/// If it has none.
pub fn check_fork_step(step: u64, steps: u64) -> Result<(), String> {
    if step < steps {
        return Ok(());
    }
    Err(format!(
        "source `{FORK}` is at step {step}; it must be before step {steps}, where the fork would end"
    ))
}
