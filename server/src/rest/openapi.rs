//! The API's description (OpenAPI 3.1), derived from the handlers.

use std::sync::OnceLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Value as Json, json};
use utoipa::OpenApi;

use super::{
    body::{event_schemas, metric_schemas},
    error::{FieldProblem, PROBLEM_JSON, Problem},
};
use crate::submit::described_jobs;

/// What stands at the top.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vesicle",
        description = "A networked simulation service for learning with stochastic synapses.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact()
    ),
    servers((url = "/")),
    components(schemas(Problem, FieldProblem)),
    tags(
        (name = "jobs", description = "What users submit"),
        (name = "runs", description = "One setting and one seed of a job"),
        (name = "metrics", description = "What a run observes"),
        (name = "events", description = "What happens to a job"),
        (name = "experiments", description = "The catalogue"),
        (name = "datasets", description = "What experiments learn from"),
        (name = "workers", description = "Who computes"),
        (name = "service", description = "About the server"),
    )
)]
struct About;

pub(super) fn about() -> utoipa::openapi::OpenApi {
    About::openapi()
}

/// Describes this API.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "get_openapi", tag = "service",
    responses((status = 200, body = Object, description = "OpenAPI 3.1")),
)]
pub(super) async fn get_openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

/// The description as it is served.
pub fn openapi_json() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        serde_json::to_string_pretty(&describe()).expect("a description is plain data") + "\n"
    })
}

fn describe() -> Json {
    let mut api = serde_json::to_value(super::api().into_openapi()).expect("a description is plain data");
    let schemas = api["components"]["schemas"].as_object_mut().expect("schemas are an object");
    for more in [event_schemas(), metric_schemas(), described_jobs()] {
        schemas.extend(more.as_object().expect("schemas by name").clone());
    }
    api["paths"]["/api/v1/jobs"]["post"]["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/JobSpec"}}}
    });
    let events = &mut api["paths"]["/api/v1/jobs/{id}/events"]["get"]["responses"]["200"]["content"];
    events["text/event-stream"]["schema"] = json!({"$ref": "#/components/schemas/StreamedEvent"});
    let checkpoint = &mut api["paths"]["/api/v1/runs/{id}/checkpoint"]["get"]["responses"]["200"]["content"];
    checkpoint["application/octet-stream"] = json!({}); // bytes have no schema
    for (path, item) in api["paths"].as_object_mut().expect("paths are an object") {
        for operation in item.as_object_mut().expect("an item is an object").values_mut() {
            complete(path, operation);
        }
    }
    api
}

/// What every operation can answer is said once, here.
fn complete(path: &str, operation: &mut Json) {
    if let Some(parameters) = operation.get_mut("parameters").and_then(Json::as_array_mut) {
        once(parameters);
    }
    let responses = operation["responses"].as_object_mut().expect("responses are an object");
    for (status, description) in [("400", "It cannot be read"), ("421", "Host is not this server")] {
        responses.entry(status).or_insert_with(|| json!({"description": description}));
    }
    if !path.ends_with("/version") && !path.ends_with("/openapi.json") {
        responses.entry("503").or_insert_with(|| json!({"description": "Busy or going away; try again"}));
    }
    responses.entry("500").or_insert_with(|| json!({"description": "A fault of the server"}));
    for (status, response) in responses.iter_mut().filter(|(status, _)| status.as_str() >= "400") {
        response["description"] = json!(title(status));
        response["content"] = json!({PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}});
    }
    for (status, headers) in [("202", "retry-after"), ("503", "retry-after"), ("304", "etag")] {
        if let Some(response) = responses.get_mut(status) {
            response["headers"] = json!({headers: {"schema": {"type": "string"}}});
        }
    }
    if let Some(response) = responses.get_mut("304") {
        response["description"] = json!("Nothing moved since the ETag of If-None-Match");
        let parameters = operation.as_object_mut().expect("an operation is an object").entry("parameters");
        let parameters =
            parameters.or_insert_with(|| json!([])).as_array_mut().expect("parameters are an array");
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "ETag of the answer that the client has"
        }));
    }
}

/// Drops the parameters that were derived from a handler's arguments and are described by hand already.
fn once(parameters: &mut Vec<Json>) {
    let mut seen = Vec::new();
    parameters.retain(|parameter| {
        let key = (parameter["name"].clone(), parameter["in"].clone());
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
}

fn title(status: &str) -> &'static str {
    match status {
        "400" => "The request cannot be read",
        "404" => "There is no such thing",
        "409" => "Not possible in this state",
        "413" => "The request is too large",
        "415" => "Unsupported media type",
        "421" => "Not addressed to this server",
        "422" => "The request breaks rules; `errors` names each field",
        "503" => "Busy or going away; try again",
        "507" => "No space left",
        _ => "A fault of the server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

    #[test]
    fn the_copy_in_the_repository_is_the_description_that_is_served() {
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(COPY, openapi_json()).expect("the folder can be written");
        }
        let copy = std::fs::read_to_string(COPY).unwrap_or_default();
        assert!(
            copy == openapi_json(),
            "{COPY} is out of date; run the tests with UPDATE_OPENAPI=1 and review it"
        );
    }

    #[test]
    fn every_operation_has_an_id_a_tag_and_a_summary() {
        let api = describe();
        for (path, item) in api["paths"].as_object().expect("an object") {
            for (method, operation) in item.as_object().expect("an object") {
                for field in ["operationId", "tags", "summary"] {
                    assert!(!operation[field].is_null(), "{method} {path} has no {field}");
                }
            }
        }
    }
}
