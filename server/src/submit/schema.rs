//! The schema of a job: what submissions are checked against and what the API's description says are one text.

use experiments::CATALOGUE;
use jobs::MOST_KEPT;
use serde_json::{Value as Json, json};

/// Largest seed: JSON numbers are exact up to here in every language.
const MAX_SEED: u64 = (1 << 53) - 1;
pub(super) const RUNS: u64 = 1_000;

/// JSON Schema of a job.
pub(super) fn job_spec_schema() -> Json {
    let names: Vec<&str> = CATALOGUE.iter().map(|kind| kind.name()).collect();
    json!({
        "type": "object",
        "description": "A job as a user writes it. Unknown fields are refused.",
        "additionalProperties": false,
        "required": ["experiment"],
        "properties": {
            "name": {
                "type": ["string", "null"], "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9._ -]+$",
                "description": "A name to find it by; need not be unique."
            },
            "experiment": {"type": "string", "enum": names, "description": "Experiment of the catalogue."},
            "version": {
                "type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX,
                "description": "Version of the experiment; the one that the server has when absent."
            },
            "preset": {
                "type": ["string", "null"], "minLength": 1, "maxLength": 128,
                "description": "Named set of params to start from instead of the defaults."
            },
            "params": {
                "type": "object", "additionalProperties": true,
                "description": "Params that differ from the defaults or the preset; the experiment's schema applies."
            },
            "sweep": sweep(),
            "seeds": seeds(),
            "dataset": {
                "type": ["string", "null"], "minLength": 1, "maxLength": 128,
                "description": "Data set by name or `blake3:…`; the experiment's built-in one when absent."
            },
            "from": from(),
            "labels": labels("Free labels of the job."),
            "requires": labels("Labels that a worker must carry to get its runs."),
            "priority": {
                "type": "integer", "minimum": -100, "maximum": 100, "default": 0,
                "description": "Higher goes first."
            },
            "every": {
                "type": ["integer", "null"], "minimum": 1, "maximum": MAX_SEED,
                "description": "Steps between two observations; a hundredth of the run when absent."
            },
            "checkpoint_every_steps": {
                "type": ["integer", "null"], "minimum": 1, "maximum": MAX_SEED,
                "description": "Steps between two checkpoints; by wall time when absent."
            },
            "keep": keep(),
            "limits": limits(),
            "on_nonfinite": {
                "type": "string", "enum": ["fail", "record"], "default": "fail",
                "description": "What a metric that is not finite does to a run."
            }
        },
        "examples": [{
            "name": "demo", "experiment": names.first(), "sweep": {"grid": {"hidden_units": [32, 64]}},
            "seeds": {"from": 1, "count": 3}, "labels": {"who": "ann"}
        }]
    })
}

fn keep() -> Json {
    let count = |description: &str, default: u32| json!({"type": "integer", "minimum": 1, "maximum": MOST_KEPT, "default": default, "description": description});
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "last": count("The newest so many; the final one is the newest of them.", 2),
            "every_steps": {
                "type": ["integer", "null"], "minimum": 1, "maximum": MAX_SEED,
                "description": "The first one of every so many steps, at least a thousandth of the run."
            },
            "best": {
                "type": ["object", "null"], "additionalProperties": false, "required": ["metric"],
                "properties": {
                    "metric": {
                        "type": "string", "minLength": 1, "maxLength": 64,
                        "description": "A number that the experiment reports as it goes; its last value up to the checkpoint counts."
                    },
                    "goal": {"type": "string", "enum": ["max", "min"], "default": "max", "description": "Which value is best."},
                    "count": count("How many.", 1)
                },
                "description": "Those at which a metric was best."
            }
        },
        "description": "Which checkpoints of a run are kept, besides pinned ones and those that jobs build on. Each rule adds."
    })
}

fn sweep() -> Json {
    let form = |name: &str, content: Json| json!({"type": "object", "additionalProperties": false, "required": [name], "properties": {name: content}});
    let path = json!({"minLength": 1, "maxLength": 128, "pattern": "^[^.]+(\\.[^.]+)*$"});
    let grid = json!({
        "type": "object", "minProperties": 1, "propertyNames": path,
        "additionalProperties": {"type": "array", "minItems": 1, "maxItems": RUNS}
    });
    let list = json!({
        "type": "array", "minItems": 1, "maxItems": RUNS,
        "items": {"type": "object", "propertyNames": path, "additionalProperties": true}
    });
    json!({
        "oneOf": [{"type": "null"}, form("grid", grid), form("list", list), form("random", random(&path))],
        "description": "Points of params by dotted path: every combination of a grid, a list, or drawn at random. \
                        Points times seeds are at most 1,000 runs."
    })
}

fn random(path: &Json) -> Json {
    let choices = json!({
        "type": "object", "additionalProperties": false, "required": ["choices"],
        "properties": {"choices": {"type": "array", "minItems": 1, "maxItems": RUNS}}
    });
    let interval = json!({
        "type": "object", "additionalProperties": false, "required": ["min", "max"],
        "properties": {
            "min": {"type": "number", "description": "Least number."},
            "max": {"type": "number", "description": "Greatest number, greater than min."},
            "scale": {
                "type": "string", "enum": ["linear", "log"], "default": "linear",
                "description": "Whether equal differences or equal ratios are equally likely."
            },
            "kind": {
                "type": "string", "enum": ["float", "int"], "default": "float", "description": "Which numbers."
            }
        }
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["count", "ranges"],
        "properties": {
            "count": {"type": "integer", "minimum": 1, "maximum": RUNS, "description": "How many points."},
            "seed": {
                "type": "integer", "minimum": 0, "maximum": MAX_SEED, "default": 1,
                "description": "Randomness key of the sweep; more points leave the first ones as they are."
            },
            "ranges": {
                "type": "object", "minProperties": 1, "maxProperties": 64, "propertyNames": path,
                "additionalProperties": {"oneOf": [choices, interval]},
                "description": "What each path is drawn from."
            }
        }
    })
}

fn from() -> Json {
    json!({
        "type": "array", "maxItems": 8, "default": [],
        "items": {
            "type": "object", "additionalProperties": false, "required": ["as", "run"],
            "properties": {
                "as": {
                    "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$",
                    "description": "What the experiment calls it, such as `network`."
                },
                "run": {
                    "type": "string", "pattern": "^[0-9a-fA-F-]{6,36}$",
                    "description": "Id of a run that has succeeded, or its first 6 or more digits."
                },
                "step": {
                    "oneOf": [
                        {"type": "integer", "minimum": 0, "maximum": MAX_SEED},
                        {"type": "string", "enum": ["last"]}
                    ],
                    "default": "last",
                    "description": "Step of one of its checkpoints, or the newest."
                }
            }
        },
        "description": "Finished runs that the runs of this job build on; the page of the experiment says which."
    })
}

fn seeds() -> Json {
    let seed = |most: u64| json!({"type": "integer", "minimum": 0, "maximum": most});
    json!({
        "oneOf": [
            {"type": "array", "minItems": 1, "maxItems": RUNS, "uniqueItems": true, "items": seed(MAX_SEED)},
            {
                "type": "object", "additionalProperties": false, "required": ["from", "count"],
                "properties": {
                    "from": seed(MAX_SEED + 1 - RUNS),
                    "count": {"type": "integer", "minimum": 1, "maximum": RUNS}
                }
            }
        ],
        "default": [1],
        "description": "A list of seeds, or so many from one on."
    })
}

fn labels(description: &str) -> Json {
    json!({
        "type": "object", "maxProperties": 32, "propertyNames": {"minLength": 1, "maxLength": 256},
        "additionalProperties": {"type": "string", "maxLength": 256}, "description": description
    })
}

fn limits() -> Json {
    let defaults = jobs::Limits::default();
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "wall_s": {
                "type": "integer", "minimum": 1, "maximum": 604_800, "default": defaults.wall_s,
                "description": "Wall time of one attempt, in seconds."
            },
            "memory_bytes": {
                "type": "integer", "minimum": 1 << 20, "maximum": 1_u64 << 40, "default": defaults.memory_bytes,
                "description": "Planned memory, in bytes."
            }
        },
        "description": "What a run may use."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_job_is_described_and_nothing_else() {
        let spec = json!({"experiment": "rbm", "sweep": {"list": [{}]}});
        let spec: jobs::JobSpec = serde_json::from_value(spec).expect("a job");
        let written = serde_json::to_value(spec).expect("plain data");
        let fields: Vec<&String> = written.as_object().expect("an object").keys().collect();
        let schema = job_spec_schema();
        let described: Vec<&String> = schema["properties"].as_object().expect("an object").keys().collect();
        assert_eq!(fields, described);
        assert!(jsonschema::is_valid(&schema, &written), "the defaults are valid");
    }

    #[test]
    fn the_example_is_valid() {
        let schema = job_spec_schema();
        assert!(jsonschema::is_valid(&schema, &schema["examples"][0]));
    }
}
