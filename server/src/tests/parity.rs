//! gRPC and REST offer the same.

use std::collections::BTreeMap;

use serde_json::Value as Json;

const PROTO: &str = include_str!("../../../proto/vesicle/v1/jobs.proto");

/// Operations of REST that gRPC need not have: they are about REST, or gRPC has its own.
const REST_ONLY: [&str; 2] = ["GET /api/v1/version", "GET /api/v1/openapi.json"];

/// `GET /api/v1/jobs/{}` for each call, from the comment above it.
fn calls() -> BTreeMap<String, String> {
    let mut calls = BTreeMap::new();
    let mut operation = None;
    for line in PROTO.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("// ") {
            let words: Vec<&str> = comment.split(' ').collect();
            if let [method @ ("GET" | "POST"), path, ..] = words.as_slice() {
                operation = Some(format!("{method} {}", anonymous(path.trim_end_matches('.'))));
            }
        } else if let Some(call) = line.strip_prefix("rpc ") {
            let name = call.split('(').next().expect("split gives one").to_owned();
            let operation =
                operation.take().unwrap_or_else(|| panic!("the comment of {name} names no operation"));
            calls.insert(operation, name);
        }
    }
    calls
}

/// Names of parameters do not matter.
fn anonymous(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_call_is_an_operation_of_rest_and_the_reverse() {
    let api: Json = serde_json::from_str(crate::openapi_json()).expect("a description");
    let mut operations: Vec<String> = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("methods").keys();
        operations.extend(methods.map(|method| format!("{} {}", method.to_uppercase(), anonymous(path))));
    }
    operations.retain(|operation| !REST_ONLY.contains(&operation.as_str()));
    operations.sort();
    assert_eq!(operations, calls().into_keys().collect::<Vec<_>>());
}
