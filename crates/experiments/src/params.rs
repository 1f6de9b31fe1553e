//! From what a user wrote to checked params: defaults ← preset ← overrides, then schema, serde, `check`.

use std::fmt;

use serde_json::{Map, Value as Json};

/// A parameter that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    /// JSON pointer inside the params, such as `/hidden_units`.
    pub pointer: String,
    /// The value as JSON text, cut to 80 characters.
    pub value: String,
    /// "it must be at least 1".
    pub rule: String,
}

impl ParamError {
    /// `field` by name, its value and the rule it breaks.
    pub fn new(field: &str, value: impl serde::Serialize, rule: impl Into<String>) -> Self {
        let value = serde_json::to_string(&value).unwrap_or_else(|_| "?".into());
        Self { pointer: format!("/{field}"), value: cut(value), rule: rule.into() }
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.pointer.trim_start_matches('/').replace('/', ".");
        if name.is_empty() {
            return write!(f, "parameters: {}", self.rule);
        }
        write!(f, "parameter `{name}` is {}; {}", self.value, self.rule)
    }
}

impl std::error::Error for ParamError {}

/// Lays `top` over `base`: objects field by field, everything else whole.
pub(crate) fn overlay(base: &mut Json, top: &Json) {
    match (base, top) {
        (Json::Object(base), Json::Object(top)) => {
            for (key, value) in top {
                overlay(base.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (base, top) => *base = top.clone(),
    }
}

/// Sets `a.b.c` inside an object, as sweeps write paths.
pub fn set_path(params: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => {
            params.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = params.entry(head.to_owned()).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                set_path(inner, rest, value);
            } else {
                *inner = Json::Null; // refused by the schema, which names the field
            }
        }
    }
}

/// All breaches of a JSON Schema, by field, value and rule.
pub(crate) fn schema_errors(validator: &jsonschema::Validator, params: &Json) -> Vec<ParamError> {
    validator.iter_errors(params).map(|error| breach(&error, params)).collect()
}

fn breach(error: &jsonschema::ValidationError<'_>, params: &Json) -> ParamError {
    use jsonschema::error::ValidationErrorKind as Kind;
    let pointer = error.instance_path().to_string();
    let at = params.pointer(&pointer).map(Json::to_string).unwrap_or_default();
    let rule = match error.kind() {
        Kind::Minimum { limit } => format!("it must be at least {limit}"),
        Kind::Maximum { limit } => format!("it must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("it must be greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("it must be less than {limit}"),
        Kind::AdditionalProperties { unexpected } => {
            let field = unexpected.first().map(String::as_str).unwrap_or_default();
            let value = params.pointer(&pointer).and_then(|object| object.get(field));
            let value = value.map(Json::to_string).unwrap_or_default();
            let rule = "there is no such parameter".to_owned();
            return ParamError { pointer: format!("{pointer}/{field}"), value: cut(value), rule };
        }
        Kind::Type { .. } | Kind::Enum { .. } | Kind::AnyOf { .. } => {
            format!("it must be as the schema says: {}", cut(error.to_string()))
        }
        _ => cut(error.to_string()),
    };
    ParamError { pointer, value: cut(at), rule }
}
