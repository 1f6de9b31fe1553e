//! Which requests write. Those that read are listed, so that a new one counts as a write until somebody says otherwise.

use axum::{extract::Request, http::Method};

/// Whether a request may leave something in the database. Collecting garbage does not count: it is how room is made.
pub(super) fn is_write(request: &Request, is_grpc: bool) -> bool {
    let path = request.uri().path();
    if is_grpc {
        // Health and reflection have no state.
        let Some(call) = path.strip_prefix("/vesicle.v1.") else { return false };
        let name = call.rsplit('/').next().unwrap_or_default();
        let reads = ["Get", "List", "Query", "Rank", "Watch"];
        return name != "CollectGarbage" && !reads.iter().any(|verb| name.starts_with(verb));
    }
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !path.ends_with("/gc")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn writes(method: Method, path: &str, is_grpc: bool) -> bool {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        is_write(&request, is_grpc)
    }

    #[test]
    fn what_leaves_something_behind_is_a_write() {
        for path in ["/api/v1/jobs", "/api/v1/jobs/0/cancel", "/api/v1/datasets", "/api/v1/what/is/next"] {
            assert!(writes(Method::POST, path, false), "POST {path}");
            assert!(!writes(Method::GET, path, false), "GET {path}");
        }
        assert!(!writes(Method::POST, "/api/v1/gc", false));
        assert!(writes(Method::PUT, "/", false));
    }

    #[test]
    fn calls_that_read_are_known_by_their_names() {
        for call in ["Register", "Acquire", "Report", "PutChunk", "Next"] {
            assert!(writes(Method::POST, &format!("/vesicle.v1.WorkerService/{call}"), true), "{call}");
        }
        for call in ["SubmitJob", "CancelJob", "PinRunCheckpoint", "PutDataset"] {
            assert!(writes(Method::POST, &format!("/vesicle.v1.JobService/{call}"), true), "{call}");
        }
        for call in ["GetJob", "ListRuns", "QueryMetrics", "RankRuns", "WatchJob", "CollectGarbage"] {
            assert!(!writes(Method::POST, &format!("/vesicle.v1.JobService/{call}"), true), "{call}");
        }
        assert!(!writes(Method::POST, "/grpc.health.v1.Health/Check", true));
    }
}
