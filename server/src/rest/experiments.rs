//! `/experiments`.

use axum::{http::HeaderMap, response::Response};
use experiments::{CATALOGUE, find};

use super::{
    answer::tagged,
    body::{Experiment, ExperimentSummary, Experiments},
    extract::Path,
};
use crate::{app::cut, fault::Fault};

/// Lists the catalogue.
#[utoipa::path(
    get, path = "/experiments", operation_id = "list_experiments", tag = "experiments",
    responses((status = 200, body = Experiments, description = "The catalogue"), (status = 304)),
)]
pub(super) async fn list_experiments(headers: HeaderMap) -> Result<Response, Fault> {
    let experiments = CATALOGUE.iter().copied().map(ExperimentSummary::from).collect();
    tagged(&headers, &Experiments { experiments })
}

/// Reads an experiment: params, presets, metrics and its page.
#[utoipa::path(
    get, path = "/experiments/{name}", operation_id = "get_experiment", tag = "experiments",
    params(("name" = String, Path, description = "Name in the catalogue", pattern = "^[a-z][a-z0-9-]{0,63}$")),
    responses((status = 200, body = Experiment, description = "The experiment"), (status = 304), (status = 404)),
)]
pub(super) async fn get_experiment(headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Fault> {
    tagged(&headers, &experiment(&name)?)
}

/// An experiment of the catalogue by name.
pub(crate) fn experiment(name: &str) -> Result<Experiment, Fault> {
    let kind =
        find(name).ok_or_else(|| Fault::not_found(format!("there is no experiment `{}`", cut(name))))?;
    Ok(Experiment::from(kind))
}
