//! The runs of a job: points of a sweep times seeds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::limits::{self, Errors};
use crate::random;
use crate::{JobSpec, RandomSweep, SeedRange, Seeds, SpecError};

/// Points of params. Exactly one form; others are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// Every combination of the values of dotted paths, in the order of the paths; the last path changes fastest.
    Grid(BTreeMap<String, Vec<Json>>),
    /// These points, in this order.
    List(Vec<BTreeMap<String, Json>>),
    /// Points drawn at random.
    Random(RandomSweep),
}

/// One run that a job asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Place in the job: point · number of seeds + place of the seed.
    pub index: u32,
    /// Dotted path → value: what the sweep sets at this point.
    pub overrides: BTreeMap<String, Json>,
    /// The job's params with the overrides set; still without defaults and preset.
    pub params: Map<String, Json>,
    /// Randomness key.
    pub seed: u64,
}

/// Checks everything that can be checked of a spec without the catalogue, and lists its runs.
///
/// # Errors
/// All that is wrong, in one answer.
pub fn expand(spec: &JobSpec) -> Result<Vec<Point>, Vec<SpecError>> {
    let mut errors = Errors::default();
    limits::check(spec, &mut errors);
    let seeds = seeds(&spec.seeds, &mut errors);
    let points = points(spec.sweep.as_ref(), &mut errors);
    let runs = points.len().saturating_mul(seeds.len());
    if runs > limits::RUNS {
        let what = format!("{} points × {} seeds = {runs} runs", points.len(), seeds.len());
        errors.add("/sweep", what, format!("at most {} runs", limits::RUNS));
    }
    let mut expanded = Vec::new();
    for (at, (pointer, overrides)) in points.into_iter().enumerate() {
        let mut params = spec.params.clone();
        for (path, value) in &overrides {
            set(&mut params, path, value, &pointer, &mut errors);
        }
        expanded.push((at, overrides, params));
    }
    errors.into_result()?;
    let run =
        |(at, overrides, params): &(usize, BTreeMap<String, Json>, Map<String, Json>), place, seed| Point {
            index: u32::try_from(at * seeds.len() + place).expect("at most 1,000 runs"),
            overrides: overrides.clone(),
            params: params.clone(),
            seed,
        };
    Ok(expanded
        .iter()
        .flat_map(|point| seeds.iter().enumerate().map(move |(place, seed)| run(point, place, *seed)))
        .collect())
}

/// Largest seed: JSON numbers are exact up to here in every language.
const MAX_SEED: u64 = (1 << 53) - 1;

fn seeds(seeds: &Seeds, errors: &mut Errors) -> Vec<u64> {
    let seeds = match seeds {
        Seeds::List(list) => {
            if list.is_empty() {
                errors.add("/seeds", "empty", "one seed or more");
            }
            errors.most("/seeds", "seeds", list.len(), limits::RUNS);
            for (at, seed) in list.iter().enumerate().filter(|(_, seed)| **seed > MAX_SEED) {
                errors.add(format!("/seeds/{at}"), seed, format!("at most {MAX_SEED} (2^53 − 1)"));
            }
            return no_duplicates(list, errors);
        }
        Seeds::Range(range) => range,
    };
    let SeedRange { from, count } = *seeds;
    if count == 0 || count as usize > limits::RUNS {
        errors.add("/seeds/count", count, format!("1 to {}", limits::RUNS));
    } else if from.checked_add(u64::from(count) - 1).is_none_or(|last| last > MAX_SEED) {
        errors.add(
            "/seeds/from",
            from,
            format!("at most {} with this count", MAX_SEED + 1 - u64::from(count)),
        );
    } else {
        return (from..from + u64::from(count)).collect();
    }
    Vec::new()
}

fn no_duplicates(list: &[u64], errors: &mut Errors) -> Vec<u64> {
    if list.len() > limits::RUNS {
        return Vec::new();
    }
    let mut first = BTreeMap::new();
    for (at, seed) in list.iter().enumerate() {
        if let Some(before) = first.insert(*seed, at) {
            errors.add(format!("/seeds/{at}"), seed, format!("different from /seeds/{before}"));
            break;
        }
    }
    list.to_vec()
}

type Placed = (String, BTreeMap<String, Json>);

/// The points, each with the JSON pointer of what it came from. Empty when there are too many.
fn points(sweep: Option<&Sweep>, errors: &mut Errors) -> Vec<Placed> {
    match sweep {
        None => vec![(String::from("/params"), BTreeMap::new())],
        Some(Sweep::List(points)) => {
            if points.is_empty() {
                errors.add("/sweep/list", "empty", "one point or more");
            }
            errors.most("/sweep/list", "points", points.len(), limits::RUNS);
            let placed = points.iter().take(limits::RUNS).enumerate();
            placed.map(|(at, point)| (format!("/sweep/list/{at}"), point.clone())).collect()
        }
        Some(Sweep::Grid(axes)) => grid(axes, errors),
        Some(Sweep::Random(random)) => {
            let points = random::points(random, errors).into_iter();
            points.map(|point| ("/sweep/random/ranges".into(), point)).collect()
        }
    }
}

fn grid(axes: &BTreeMap<String, Vec<Json>>, errors: &mut Errors) -> Vec<Placed> {
    if axes.is_empty() {
        errors.add("/sweep/grid", "empty", "one path or more");
    }
    for path in axes.iter().filter(|(_, values)| values.is_empty()).map(|(path, _)| path) {
        errors.add(format!("/sweep/grid/{}", limits::escape(path)), "empty", "one value or more");
    }
    let size = axes.values().fold(1_usize, |size, values| size.saturating_mul(values.len()));
    if !errors.most("/sweep/grid", "points", size, limits::RUNS) || axes.is_empty() {
        return Vec::new();
    }
    let mut points = vec![BTreeMap::new()];
    for (path, values) in axes {
        let with = |point: &BTreeMap<String, Json>, value: &Json| {
            let mut point = point.clone();
            point.insert(path.clone(), value.clone());
            point
        };
        points = points.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect();
    }
    points.into_iter().map(|point| (String::from("/sweep/grid"), point)).collect()
}

/// Sets a dotted path, making the objects on the way.
fn set(params: &mut Map<String, Json>, path: &str, value: &Json, pointer: &str, errors: &mut Errors) {
    let field = || format!("{pointer}/{}", limits::escape(path));
    if path.len() > limits::NAME || path.split('.').any(str::is_empty) {
        return errors.add(
            field(),
            "not a path",
            format!("names with dots between, at most {} bytes", limits::NAME),
        );
    }
    let (parents, last) = path.rsplit_once('.').map_or((None, path), |(parents, last)| (Some(parents), last));
    let mut object = params;
    for name in parents.into_iter().flat_map(|parents| parents.split('.')) {
        let inner = object.entry(name).or_insert_with(|| Json::Object(Map::new()));
        let shown = limits::shown(inner.clone());
        match inner {
            Json::Object(inner) => object = inner,
            _ => {
                let what = format!("a path through `{name}`, which is {shown}");
                return errors.add(field(), what, "a path through objects");
            }
        }
    }
    object.insert(last.to_owned(), value.clone());
}
