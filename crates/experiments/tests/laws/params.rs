//! Laws about params, presets, pages and findings.

use experiments::{DataNeed, DataShape, digits8x8};
use serde_json::{Map, Value as Json};

#[test]
fn defaults_and_presets_are_valid() {
    for kind in experiments::CATALOGUE {
        let defaults = kind.resolve(None, &Map::new()).expect("defaults are valid");
        kind.plan(&defaults, &digits8x8().shape()).expect("defaults fit the built-in data");
        for (preset, _) in kind.presets() {
            kind.resolve(Some(preset), &Map::new()).expect("presets are valid");
        }
        let unknown = kind.resolve(Some("no-such"), &Map::new()).expect_err("an unknown preset is refused");
        assert!(unknown[0].to_string().contains("no-such"), "{unknown:?}");
    }
}

#[test]
fn every_number_has_unit_and_range_and_a_value_beyond_either_end_is_refused_by_name_value_and_rule() {
    for kind in experiments::CATALOGUE {
        let properties = kind.schema()["properties"].as_object().expect("params are an object").clone();
        for (name, schema) in properties {
            let is_number = matches!(schema["type"].as_str(), Some("integer" | "number"));
            if !is_number {
                continue;
            }
            assert!(schema["unit"].is_string() && schema["symbol"].is_string(), "{name} has unit and symbol");
            for (bound, step, word) in [("minimum", -1.0, "at least"), ("maximum", 1.0, "at most")] {
                let limit = schema[bound].as_f64().unwrap_or_else(|| panic!("{name} has a {bound}"));
                let beyond = limit + step;
                let value =
                    if schema["type"] == "integer" { Json::from(beyond as i64) } else { Json::from(beyond) };
                let overrides = Map::from_iter([(name.clone(), value.clone())]);
                let errors = kind.resolve(None, &overrides).expect_err("a value out of range is refused");
                let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let whole = text.contains(&format!("`{name}` is {value}")) && text.contains(word);
                assert!(whole, "{}: {text}", kind.name());
            }
        }
    }
}

#[test]
fn unknown_fields_and_wrong_types_are_refused_all_in_one_answer() {
    for kind in experiments::CATALOGUE {
        let properties = kind.schema()["properties"].as_object().expect("params are an object").clone();
        let (number, _) =
            properties.iter().find(|(_, schema)| schema["type"] == "integer").expect("there is an integer");
        let overrides = Map::from_iter([
            ("no_such_name".to_owned(), Json::from(3)),
            (number.clone(), Json::from("many")),
        ]);
        let errors = kind.resolve(None, &overrides).expect_err("both are wrong");
        assert_eq!(errors.len(), 2, "{errors:?}");
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        let both = pointers.contains(&"/no_such_name") && pointers.contains(&&*format!("/{number}"));
        assert!(both, "{errors:?}");
    }
}

#[test]
fn equal_settings_have_equal_canonical_text_however_they_are_written() {
    for kind in experiments::CATALOGUE {
        let written = |text: &str| {
            let overrides: Json = serde_json::from_str(text).expect("valid JSON");
            kind.resolve(None, overrides.as_object().expect("an object")).expect("valid params")
        };
        // Some number that may be 0, as every experiment has.
        let properties = kind.schema()["properties"].as_object().expect("params are an object").clone();
        let may_be_0 = |schema: &Json| schema["type"] == "number" && schema["minimum"] == 0.0;
        let (name, _) = properties.iter().find(|(_, schema)| may_be_0(schema)).expect("there is one");
        let plain = written(&format!(r#"{{"{name}": 0.0}}"#));
        assert_eq!(plain, written(&format!(r#"{{"{name}": -0.0}}"#)));
        assert_eq!(plain.hash(), written(&format!(r#"{{"{name}": 0}}"#)).hash());
        assert!(plain.as_str().contains(&format!(r#""{name}":0.0"#)), "{}", plain.as_str());
    }
}

#[test]
fn data_of_another_shape_is_refused_with_the_field() {
    for kind in experiments::CATALOGUE {
        let params = kind.resolve(None, &Map::new()).expect("defaults are valid");
        if kind.data_need(&params) == DataNeed::None {
            continue;
        }
        let few = DataShape::Images { count: 100, rows: 8, cols: 8, max: 16, test_count: 0, labelled: false };
        let error = kind.plan(&params, &few).expect_err("100 images are too few");
        assert!(error.to_string().contains("train_images"), "{error}");
    }
}

#[test]
fn pages_name_their_sources_and_every_param() {
    for kind in experiments::CATALOGUE {
        let page = kind.readme();
        for section in ["# ", "## Source", "## Equations", "## Parameters", "## Deviations"] {
            assert!(page.contains(section), "{}: the page lacks `{section}`", kind.name());
        }
        let properties = kind.schema()["properties"].as_object().expect("params are an object").clone();
        for name in properties.keys() {
            assert!(page.contains(&format!("`{name}`")), "{}: the page lacks `{name}`", kind.name());
        }
    }
}
