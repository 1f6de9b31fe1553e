//! The schema of a job for the API's description: one form for each experiment, with its params, ranges and units.
//!
//! Submissions are checked against the plain schema and by the experiment itself, which names what is wrong; a
//! choice of forms could only say that none fits.

use experiments::{CATALOGUE, Kind};
use serde_json::{Map, Value as Json, json};

use super::schema::{RUNS, job_spec_schema};

/// `JobSpec`, and `JobSpec.rbm` and so on for each experiment.
pub(crate) fn described_jobs() -> Json {
    let name = |kind: &dyn Kind| format!("JobSpec.{}", kind.name());
    let forms: Vec<Json> = CATALOGUE
        .iter()
        .map(|kind| json!({"$ref": format!("#/components/schemas/{}", name(*kind))}))
        .collect();
    let mut schemas: Map<String, Json> = CATALOGUE.iter().map(|kind| (name(*kind), form(*kind))).collect();
    let description = job_spec_schema()["description"].clone();
    schemas.insert("JobSpec".into(), json!({"oneOf": forms, "description": description}));
    Json::Object(schemas)
}

/// The schema of a job of one experiment.
fn form(kind: &dyn Kind) -> Json {
    let params = params(kind);
    let mut job = job_spec_schema();
    let presets: Vec<Json> = kind.presets().iter().map(|(name, _)| json!(name)).chain([Json::Null]).collect();
    let fields = &mut job["properties"];
    fields["experiment"]["enum"] = json!([kind.name()]);
    fields["version"] =
        json!({"enum": [kind.version(), null], "description": fields["version"]["description"]});
    fields["preset"] = json!({"enum": presets, "description": fields["preset"]["description"]});

    let (mut values, mut lists) = (Map::new(), Map::new());
    for (path, schema) in paths("", &params) {
        lists
            .insert(path.clone(), json!({"type": "array", "minItems": 1, "maxItems": RUNS, "items": schema}));
        values.insert(path, schema);
    }
    let grid =
        json!({"type": "object", "minProperties": 1, "additionalProperties": false, "properties": lists});
    let point = json!({"type": "object", "additionalProperties": false, "properties": values});
    fields["sweep"]["oneOf"][1]["properties"]["grid"] = grid;
    fields["sweep"]["oneOf"][2]["properties"]["list"]["items"] = point;
    // What is drawn must be a parameter; whether its values are good is known once they are drawn.
    let names: Vec<String> = paths("", &params).into_iter().map(|(path, _)| path).collect();
    let ranges = &mut fields["sweep"]["oneOf"][3]["properties"]["random"]["properties"]["ranges"];
    ranges["propertyNames"] = json!({"enum": names});
    let description = fields["params"]["description"].clone();
    fields["params"] = params;
    fields["params"]["description"] = description;
    if let Some(example) = job["examples"].get_mut(0) {
        example["experiment"] = json!(kind.name());
        // Values of its own that are good for every experiment: those that it has anyway.
        let defaults = kind.defaults();
        let swept =
            defaults.as_object().and_then(|defaults| defaults.iter().find(|(_, value)| value.is_number()));
        let axis = swept.map(|(name, value)| (name.clone(), json!([value])));
        example["sweep"]["grid"] = Json::Object(axis.into_iter().collect());
    }
    job
}

/// The params of an experiment, none of them required, definitions in place.
fn params(kind: &dyn Kind) -> Json {
    let schema = kind.schema();
    let mut params = schema.clone();
    inline(&mut params, &schema["$defs"]);
    for field in ["$defs", "$schema", "title", "required"] {
        params.as_object_mut().expect("params are an object").remove(field);
    }
    params
}

/// Puts definitions where they are referred to.
fn inline(schema: &mut Json, definitions: &Json) {
    match schema {
        Json::Object(fields) => {
            if let Some(Json::String(pointer)) = fields.remove("$ref") {
                let name = pointer.trim_start_matches("#/$defs/");
                if let Some(definition) = definitions[name].as_object() {
                    for (key, value) in definition {
                        fields.entry(key.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
            fields.values_mut().for_each(|inner| inline(inner, definitions));
        }
        Json::Array(items) => items.iter_mut().for_each(|inner| inline(inner, definitions)),
        _ => {}
    }
}

/// Dotted path and schema of each parameter, those inside objects included.
fn paths(prefix: &str, schema: &Json) -> Vec<(String, Json)> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let inner = |(name, schema): (&String, &Json)| {
        let path = format!("{prefix}{name}");
        let mut all = paths(&format!("{path}."), schema);
        all.push((path, schema.clone()));
        all
    };
    properties.iter().flat_map(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_each_experiment_fits_its_form() {
        for kind in CATALOGUE {
            let form = form(*kind);
            assert!(jsonschema::is_valid(&form, &form["examples"][0]), "{}", kind.name());
            assert!(!form.to_string().contains("$defs"), "{} still refers elsewhere", kind.name());
        }
    }

    #[test]
    fn paths_lead_into_objects() {
        let schema = json!({"properties": {"a": {"properties": {"b": {"type": "number"}}}, "c": {}}});
        let found: Vec<String> = paths("", &schema).into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, ["a.b", "a", "c"]);
    }
}
