//! Errors as `application/problem+json` (RFC 9457).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::Fault;

/// Media type of errors.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// This very problem in words.
    detail: String,
    /// Path of the request.
    instance: String,
    /// Stable name of the kind of problem.
    code: &'static str,
    /// What is wrong with which field.
    errors: Vec<FieldProblem>,
    /// Names the request in the server's log.
    request_id: String,
}

/// A field that breaks a rule.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldProblem {
    /// JSON pointer of the field.
    pointer: String,
    /// Its name, its value and the rule.
    detail: String,
}

impl IntoResponse for Fault {
    /// Without a body: `gate` knows the request and writes the problem.
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The problem that a fault is, for the request at `instance`; keeps the headers already set, such as `Allow`.
pub(super) fn problem(fault: Fault, headers: HeaderMap, instance: &str, request_id: &str) -> Response {
    let row = fault.kind.row();
    let errors = fault.fields.into_iter();
    let problem = Problem {
        kind: format!("urn:vesicle:problem:{}", row.code),
        title: row.title,
        status: row.status,
        detail: fault.detail,
        instance: instance.to_owned(),
        code: row.code,
        errors: errors
            .map(|breach| FieldProblem { pointer: breach.pointer, detail: breach.detail })
            .collect(),
        request_id: request_id.to_owned(),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = row.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
