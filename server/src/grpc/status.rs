//! Faults as gRPC status with details that programs read.

use std::time::Duration;

use axum::http::HeaderValue;
use tonic::{Code, Response, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::fault::{Fault, Kind};

/// Whose error reasons these are.
const DOMAIN: &str = "vesicle";

/// The status that a fault is.
pub(crate) fn status(fault: Fault) -> Status {
    let row = fault.kind.row();
    let facts = fault.facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    let mut details =
        ErrorDetails::with_error_info(row.code, DOMAIN, facts.collect::<std::collections::HashMap<_, _>>());
    if !fault.fields.is_empty() {
        let violations =
            fault.fields.into_iter().map(|breach| FieldViolation::new(breach.pointer, breach.detail));
        details.set_bad_request(violations.collect::<Vec<_>>());
    }
    if let Some(seconds) = row.retry_after_s {
        details.set_retry_info(Some(Duration::from_secs(seconds.into())));
    }
    Status::with_error_details(row.grpc, fault.detail, details)
}

/// What a handler gives back.
pub(super) fn reply<T>(answer: Result<T, Fault>) -> Result<Response<T>, Status> {
    answer.map(Response::new).map_err(status)
}

/// A client's stream that cannot be read on.
pub(super) fn broken_off(status: Status) -> Fault {
    let kind = if status.code() == Code::OutOfRange { Kind::TooLarge } else { Kind::Malformed };
    Fault::new(kind, format!("the stream broke off: {}", status.message()))
}

/// A message over the limit, which tonic calls OUT_OF_RANGE: that code means a gap in reports here.
pub(super) fn too_large_is_exhausted(response: &mut axum::response::Response) {
    let headers = response.headers_mut();
    let code = headers.get(Status::GRPC_STATUS).map(HeaderValue::as_bytes);
    if code == Some(b"11") && !headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        headers.insert(Status::GRPC_STATUS, HeaderValue::from_static("8"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Breach;

    #[test]
    fn a_stale_attempt_is_a_failed_precondition_with_the_current_attempt() {
        let refused = jobs::Refused::Stale { attempt: 2, current: 5, state: "running" };
        let status = status(refused.into());
        assert_eq!(status.code(), Code::FailedPrecondition);
        let info = status.get_details_error_info().expect("has a reason");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STALE_ATTEMPT", "vesicle"));
        assert_eq!(info.metadata["current"], "5");
    }

    #[test]
    fn a_gap_is_out_of_range_with_the_expected_number() {
        let status = status(jobs::Refused::OutOfRange { seq: 7, expected: 3 }.into());
        assert_eq!(status.code(), Code::OutOfRange);
        assert_eq!(status.get_details_error_info().expect("has a reason").metadata["expected"], "3");
    }

    #[test]
    fn every_field_that_breaks_a_rule_is_a_violation() {
        let breach = |pointer: &str| Breach { pointer: pointer.into(), detail: "is wrong".into() };
        let status = status(Fault::invalid(vec![breach("/a"), breach("/b")]));
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = status.get_details_bad_request().expect("has violations").field_violations;
        assert_eq!(violations.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["/a", "/b"]);
    }
}
