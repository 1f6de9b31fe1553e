//! JSON against the schema of a job: types, unknown fields, limits of single fields.

use std::sync::OnceLock;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind as Rule};
use serde_json::Value as Json;

use super::{breaches::Breaches, schema::job_spec_schema};
use crate::app::cut;

/// Notes what the schema refuses and nothing else has named yet.
pub(super) fn check(document: &Json, breaches: &mut Breaches) {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let make = || jsonschema::validator_for(&job_spec_schema()).expect("the schema of a job is tested");
    for error in VALIDATOR.get_or_init(make).iter_errors(document) {
        note(&error, document, breaches);
    }
}

fn note(error: &ValidationError<'_>, document: &Json, breaches: &mut Breaches) {
    let pointer = error.instance_path().to_string();
    let rule = match error.kind() {
        Rule::AdditionalProperties { unexpected } => {
            for field in unexpected {
                let at = format!("{pointer}/{}", field.replace('~', "~0").replace('/', "~1"));
                let detail = format!("`{}` is not a field; it must be left out", name(&at));
                breaches.add_if_new(&at, detail);
            }
            return;
        }
        Rule::Required { property } => {
            let at = format!("{pointer}/{}", property.as_str().unwrap_or_default());
            return breaches.add_if_new(&at, format!("`{}` is absent; it must be given", name(&at)));
        }
        Rule::Type { kind } => format!("it must be of type {}", types(kind)),
        Rule::Minimum { limit } => format!("it must be at least {limit}"),
        Rule::Maximum { limit } => format!("it must be at most {limit}"),
        Rule::MinLength { limit } => format!("it must have at least {limit} characters"),
        Rule::MaxLength { limit } => format!("it must have at most {limit} characters"),
        Rule::MaxItems { limit } => format!("it must have at most {limit} items"),
        Rule::MinItems { limit } => format!("it must have at least {limit} items"),
        Rule::Enum { options } => format!("it must be one of {options}"),
        Rule::OneOfNotValid { .. } | Rule::AnyOf { .. } | Rule::OneOfMultipleValid { .. } => {
            "it must have one of the forms that the API's description gives".to_owned()
        }
        _ => cut(&error.to_string()),
    };
    let value = document.pointer(&pointer).map(Json::to_string).unwrap_or_default();
    let subject = if pointer.is_empty() { "the job".to_owned() } else { format!("`{}`", name(&pointer)) };
    breaches.add_if_new(&pointer, format!("{subject} is {}; {rule}", cut(&value)));
}

/// A pointer as people write a path.
pub(super) fn name(pointer: &str) -> String {
    cut(&pointer.trim_start_matches('/').replace('/', "."))
}

fn types(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(one) => one.to_string(),
        jsonschema::error::TypeKind::Multiple(set) => {
            let names: Vec<String> = set.iter().map(|one| one.to_string()).collect();
            names.join(" or ")
        }
    }
}
