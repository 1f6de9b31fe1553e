//! Sweeps, seeds and the limits of a spec.

use jobs::{JobSpec, Point, SpecError, expand};
use serde_json::{Value as Json, json};

fn spec(fields: Json) -> JobSpec {
    let mut all = json!({ "experiment": "rbse" });
    all.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    serde_json::from_value(all).expect("a spec")
}

fn points(fields: Json) -> Vec<Point> {
    expand(&spec(fields)).expect("good")
}

fn errors(fields: Json) -> Vec<SpecError> {
    expand(&spec(fields)).expect_err("bad")
}

fn unreadable(sweep: Json) -> bool {
    serde_json::from_value::<JobSpec>(json!({ "experiment": "rbse", "sweep": sweep })).is_err()
}

#[test]
fn no_sweep_is_one_point_with_seed_1() {
    let points = points(json!({ "params": { "a": 1 } }));
    assert_eq!(points.len(), 1);
    assert_eq!(
        (points[0].index, points[0].seed, Json::Object(points[0].params.clone())),
        (0, 1, json!({ "a": 1 }))
    );
}

#[test]
fn a_grid_is_every_combination_in_key_order_times_seeds() {
    let points = points(json!({
        "params": { "rule": { "eta": 9, "kind": "x" } },
        "sweep": { "grid": { "rule.eta": [1, 2], "a": [true, false] } },
        "seeds": { "from": 7, "count": 2 },
    }));
    let seen: Vec<_> =
        points.iter().map(|p| (p.index, p.params["a"].clone(), p.params["rule"].clone(), p.seed)).collect();
    let eta = |eta: i32| json!({ "eta": eta, "kind": "x" });
    let expected = [
        (0, json!(true), eta(1), 7),
        (1, json!(true), eta(1), 8),
        (2, json!(true), eta(2), 7),
        (3, json!(true), eta(2), 8),
        (4, json!(false), eta(1), 7),
        (5, json!(false), eta(1), 8),
        (6, json!(false), eta(2), 7),
        (7, json!(false), eta(2), 8),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        points[2].overrides,
        [("a".to_owned(), json!(true)), ("rule.eta".to_owned(), json!(2))].into()
    );
}

#[test]
fn a_list_keeps_its_order_and_makes_objects_on_the_way() {
    let points = points(json!({ "sweep": { "list": [{ "b.c.d": 2 }, {}] }, "seeds": [3, 2] }));
    let seen: Vec<_> = points.iter().map(|p| (Json::Object(p.params.clone()), p.seed)).collect();
    let deep = json!({ "b": { "c": { "d": 2 } } });
    assert_eq!(seen, [(deep.clone(), 3), (deep, 2), (json!({}), 3), (json!({}), 2)]);
}

#[test]
fn a_sweep_has_exactly_one_known_form() {
    assert!(unreadable(json!({})));
    assert!(unreadable(json!({ "grid": {}, "list": [] })));
    assert!(unreadable(json!({ "rows": [] })));
    assert!(serde_json::from_value::<JobSpec>(json!({ "experiment": "rbse", "sweeps": {} })).is_err());
}

#[test]
fn a_spec_comes_back_from_json_as_it_was() {
    let spec = spec(json!({ "sweep": { "grid": { "a": [1, 2.5, "x"] } }, "seeds": [1, 9] }));
    let text = serde_json::to_string(&spec).expect("JSON");
    assert_eq!(serde_json::from_str::<JobSpec>(&text).expect("a spec"), spec);
}

#[test]
fn a_thousand_runs_are_the_limit() {
    let hundred: Vec<_> = (0..100).collect();
    let grid = |b: &[i32]| json!({ "sweep": { "grid": { "a": hundred, "b": b } } });
    assert_eq!(points(grid(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).len(), 1_000);
    assert_eq!(errors(grid(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))[0].field, "/sweep/grid");
    let seeded = json!({ "sweep": { "grid": { "a": hundred } }, "seeds": { "from": 1, "count": 11 } });
    let found = errors(seeded);
    assert_eq!(
        found[0].to_string(),
        "`/sweep` is 100 points × 11 seeds = 1100 runs; it must be at most 1000 runs"
    );
    // 1,000^7 points: the product must neither be built nor overflow.
    let many: Vec<_> = (0..1_000).collect();
    let axes: serde_json::Map<_, _> = "abcdefg".chars().map(|c| (c.to_string(), json!(many))).collect();
    assert_eq!(errors(json!({ "sweep": { "grid": axes } })).len(), 1);
}

#[test]
fn seeds_are_exact_in_every_language_and_different() {
    let most = (1_u64 << 53) - 1;
    assert_eq!(points(json!({ "seeds": [most, 0] })).len(), 2);
    assert_eq!(points(json!({ "seeds": { "from": most - 1, "count": 2 } }))[1].seed, most);
    for (seeds, field) in [
        (json!([most + 1]), "/seeds/0"),
        (json!([1, 2, 1]), "/seeds/2"),
        (json!([]), "/seeds"),
        (json!({ "from": most, "count": 2 }), "/seeds/from"),
        (json!({ "from": u64::MAX, "count": 1 }), "/seeds/from"),
        (json!({ "from": 1, "count": 0 }), "/seeds/count"),
        (json!({ "from": 1, "count": u32::MAX }), "/seeds/count"),
    ] {
        assert_eq!(errors(json!({ "seeds": seeds }))[0].field, field, "{seeds}");
    }
}

#[test]
fn each_limit_is_refused_just_beyond_it_and_taken_at_it() {
    let name = |length: usize| "n".repeat(length);
    let labels =
        |count: usize| (0..count).map(|n| (format!("l{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    for (field, good, bad) in [
        ("/name", json!({ "name": name(128) }), json!({ "name": name(129) })),
        ("/name", json!({ "name": "A z0._-" }), json!({ "name": "a/b" })),
        ("/name", json!({ "name": "x" }), json!({ "name": "" })),
        ("/labels", json!({ "labels": labels(32) }), json!({ "labels": labels(33) })),
        ("/labels/k", json!({ "labels": { "k": name(256) } }), json!({ "labels": { "k": name(257) } })),
        ("/requires/a~1b", json!({ "requires": { "a/b": "" } }), json!({ "requires": { "a/b": name(257) } })),
        ("/priority", json!({ "priority": 100 }), json!({ "priority": 101 })),
        ("/priority", json!({ "priority": -100 }), json!({ "priority": -101 })),
        (
            "/limits/wall_s",
            json!({ "limits": { "wall_s": 604_800 } }),
            json!({ "limits": { "wall_s": 604_801 } }),
        ),
        ("/limits/wall_s", json!({ "limits": { "wall_s": 1 } }), json!({ "limits": { "wall_s": 0 } })),
        ("/every", json!({ "every": 1 }), json!({ "every": 0 })),
        (
            "/checkpoint_every_steps",
            json!({ "checkpoint_every_steps": 1 }),
            json!({ "checkpoint_every_steps": 0 }),
        ),
    ] {
        assert_eq!(points(good).len(), 1, "{field}");
        let found = errors(bad);
        assert!(found.len() == 1 && found[0].field == field, "{found:?}");
        assert!(found[0].rule.starts_with("is ") && found[0].rule.contains("; it must be "), "{found:?}");
    }
}

#[test]
fn all_errors_come_in_one_answer() {
    let found = errors(json!({ "name": "", "priority": 500, "seeds": [], "sweep": { "grid": { "a": [] } } }));
    let fields: Vec<_> = found.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["/name", "/priority", "/seeds", "/sweep/grid/a"]);
}

#[test]
fn a_path_must_lead_through_objects() {
    let through = errors(json!({ "params": { "a": 3 }, "sweep": { "grid": { "a.b": [1] } } }));
    assert_eq!(
        through[0].to_string(),
        "`/sweep/grid/a.b` is a path through `a`, which is 3; it must be a path through objects"
    );
    for path in ["", ".", "a.", ".a", "a..b"] {
        assert_eq!(
            errors(json!({ "sweep": { "list": [{ path: 1 }] } }))[0].field,
            format!("/sweep/list/0/{path}")
        );
    }
}

fn random(count: u32, ranges: &Json) -> Vec<Point> {
    points(json!({ "sweep": { "random": { "count": count, "seed": 3, "ranges": ranges } } }))
}

#[test]
fn random_points_lie_in_their_ranges_and_more_of_them_leave_the_first_ones_as_they_are() {
    let ranges = json!({
        "eta": { "min": 0.001, "max": 0.1, "scale": "log" }, "p0": { "min": 0.2, "max": 0.4 },
        "rule.k": { "min": 1, "max": 3, "kind": "int" }, "units": { "min": 8, "max": 512, "scale": "log", "kind": "int" },
        "model": { "choices": ["A", "B"] },
    });
    let points = random(1_000, &ranges);
    let numbers = |path: &str| -> Vec<f64> {
        points.iter().map(|point| point.overrides[path].as_f64().expect("a number")).collect()
    };
    for (path, low, high) in
        [("eta", 0.001, 0.1), ("p0", 0.2, 0.4), ("rule.k", 1.0, 3.0), ("units", 8.0, 512.0)]
    {
        assert!(numbers(path).iter().all(|x| (low..=high).contains(x)), "{path}");
    }
    assert!(points.iter().all(|point| point.params["units"].is_u64() && point.params["rule"]["k"].is_u64()));
    // Counts of 1,000 draws of probability p lie within 5 √(1000 p (1 − p)): fails by chance once in a million.
    let share =
        |count: usize, p: f64| (count as f64 - 1_000.0 * p).abs() < 5.0 * (1_000.0 * p * (1.0 - p)).sqrt();
    let count = |path: &str, holds: fn(f64) -> bool| numbers(path).iter().filter(|x| holds(**x)).count();
    assert!(share(count("eta", |x| x < 0.01), 0.5), "a decade of two");
    assert!(share(count("p0", |x| x < 0.3), 0.5));
    assert!(
        [1.0, 2.0, 3.0]
            .iter()
            .all(|k| share(numbers("rule.k").iter().filter(|x| *x == k).count(), 1.0 / 3.0))
    );
    assert!(share(count("units", |x| x < 64.0), (64.0_f64 / 8.0).ln() / (513.0_f64 / 8.0).ln()));
    assert!(share(points.iter().filter(|point| point.overrides["model"] == "A").count(), 0.5));
    assert_eq!(random(10, &ranges), points[..10]);
}

#[test]
fn what_is_drawn_never_changes() {
    let points =
        random(2, &json!({ "a": { "min": 0, "max": 1 }, "b": { "min": 0, "max": 999, "kind": "int" } }));
    let drawn: Vec<Json> = points.iter().map(|point| Json::Object(point.params.clone())).collect();
    assert_eq!(
        drawn,
        [json!({ "a": 0.14329967415253542, "b": 203 }), json!({ "a": 0.8489159335367884, "b": 380 })]
    );
    let index: Vec<_> = points.iter().map(|point| (point.index, point.seed)).collect();
    assert_eq!(index, [(0, 1), (1, 1)]);
}

#[test]
fn ranges_that_cannot_be_are_named_with_their_rule() {
    let wrong = |range: Json| {
        let sweep = json!({ "random": { "count": 2, "ranges": { "a.b": range } } });
        let error = errors(json!({ "sweep": sweep })).swap_remove(0);
        (error.field.replace("/sweep/random/ranges/a.b/", ""), error.rule)
    };
    let expected = [
        (json!({ "choices": [] }), "choices", "is empty; it must be one value or more"),
        (json!({ "min": 2, "max": 1 }), "max", "is 1; it must be greater than min, 2"),
        (json!({ "min": 1, "max": 1 }), "max", "is 1; it must be greater than min, 1"),
        (
            json!({ "min": 0, "max": 1, "scale": "log" }),
            "min",
            "is 0; it must be greater than 0 on a log scale",
        ),
        (
            json!({ "min": 0, "max": 9, "scale": "log", "kind": "int" }),
            "min",
            "is 0; it must be at least 1 on a log scale",
        ),
        (json!({ "min": 0.5, "max": 9, "kind": "int" }), "min", "is 0.5; it must be a whole number"),
        (json!({ "min": -1e308, "max": 1e308 }), "max", "is 1"),
    ];
    for (range, field, rule) in expected {
        let (found_field, found_rule) = wrong(range.clone());
        assert!(found_field == field && found_rule.starts_with(rule), "{range}: {found_field} {found_rule}");
    }
    for count in [0, 1_001] {
        let sweep = json!({ "random": { "count": count, "ranges": { "a": { "min": 0, "max": 1 } } } });
        assert_eq!(errors(json!({ "sweep": sweep }))[0].field, "/sweep/random/count");
    }
    let no_ranges = json!({ "random": { "count": 1, "ranges": {} } });
    assert_eq!(errors(json!({ "sweep": no_ranges }))[0].field, "/sweep/random/ranges");
    for sweep in [
        json!({ "random": { "ranges": {} } }),
        json!({ "random": { "count": 1, "ranges": { "a": { "min": 1 } } } }),
        json!({ "random": { "count": 1, "ranges": { "a": { "min": 1, "max": 2, "choices": [] } } } }),
        json!({ "random": { "count": 1, "ranges": { "a": { "min": 1, "max": 2, "scale": "cubic" } } } }),
    ] {
        assert!(unreadable(sweep.clone()), "{sweep}");
    }
}
