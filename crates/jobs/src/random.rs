//! Points of a sweep that are drawn at random.

use std::collections::BTreeMap;

use numerics::{Draws, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::limits::{self, Errors};

/// Largest size of a bound of whole numbers: JSON numbers are exact up to here in every language.
const WHOLE: f64 = ((1_u64 << 53) - 1) as f64;

/// `count` points, each with one value drawn from every range.
///
/// The value of path j at point i is draw i of stream `Sweep` of (`seed`, step j), paths in their order: more points
/// leave the first ones as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomSweep {
    /// How many points.
    pub count: u32,
    /// Randomness key of the sweep, 0 … 2^53 − 1; 1 when absent.
    #[serde(default = "one")]
    pub seed: u64,
    /// Dotted path → what it is drawn from.
    pub ranges: BTreeMap<String, Range>,
}

fn one() -> u64 {
    1
}

/// What a value is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Range {
    /// A list.
    Choices(Choices),
    /// An interval.
    Interval(Interval),
}

/// These values, each equally likely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// The values.
    pub choices: Vec<Json>,
}

/// Numbers from `min` to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Least number.
    pub min: f64,
    /// Greatest number.
    pub max: f64,
    /// What is equally likely: equal differences or equal ratios.
    #[serde(default)]
    pub scale: Scale,
    /// Whole numbers or any.
    #[serde(default)]
    pub kind: Number,
}

/// What is equally likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// Which numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Any.
    #[default]
    Float,
    /// Whole ones.
    Int,
}

/// The points; none when something is wrong, which is noted.
pub(crate) fn points(random: &RandomSweep, errors: &mut Errors) -> Vec<BTreeMap<String, Json>> {
    if !check(random, errors) {
        return Vec::new();
    }
    let mut points = vec![BTreeMap::new(); random.count as usize];
    for (place, (path, range)) in (0..).zip(&random.ranges) {
        let mut draws = vec![0.0; points.len()];
        Draws::at(random.seed, place).fill_uniform_f64(Stream::Sweep, 0, &mut draws);
        for (point, u) in points.iter_mut().zip(draws) {
            point.insert(path.clone(), value(range, u));
        }
    }
    points
}

/// Answers whether nothing is wrong.
fn check(random: &RandomSweep, errors: &mut Errors) -> bool {
    let mut good = true;
    let mut wrong = |field: String, value: &dyn std::fmt::Display, rule: &str| {
        errors.add(field, value, rule);
        good = false;
    };
    if random.count == 0 || random.count as usize > limits::RUNS {
        wrong("/sweep/random/count".into(), &random.count, &format!("1 to {}", limits::RUNS));
    }
    if random.seed >= 1 << 53 {
        wrong("/sweep/random/seed".into(), &random.seed, "at most 9007199254740991 (2^53 − 1)");
    }
    if random.ranges.is_empty() || random.ranges.len() > limits::RANGES {
        let what = format!("{} paths", random.ranges.len());
        wrong("/sweep/random/ranges".into(), &what, &format!("1 to {}", limits::RANGES));
    }
    for (path, range) in &random.ranges {
        let field = |inner: &str| format!("/sweep/random/ranges/{}/{inner}", limits::escape(path));
        match range {
            Range::Choices(Choices { choices }) if choices.is_empty() => {
                wrong(field("choices"), &"empty", "one value or more");
            }
            Range::Choices(_) => {}
            Range::Interval(interval) => {
                if let Some((inner, value, rule)) = broken(interval) {
                    wrong(field(inner), &value, &rule);
                }
            }
        }
    }
    good
}

/// The first rule that an interval breaks: field, value and rule.
fn broken(interval: &Interval) -> Option<(&'static str, f64, String)> {
    let Interval { min, max, scale, kind } = *interval;
    let is_whole = |x: f64| libm::trunc(x) == x && libm::fabs(x) <= WHOLE;
    match kind {
        Number::Int if !is_whole(min) => return Some(("min", min, "a whole number".into())),
        Number::Int if !is_whole(max) => return Some(("max", max, "a whole number".into())),
        _ => {}
    }
    if max <= min {
        return Some(("max", max, format!("greater than min, {min}")));
    }
    let least = if kind == Number::Int { 1.0 } else { 0.0 };
    match scale {
        Scale::Log if kind == Number::Int && min < least => {
            Some(("min", min, "at least 1 on a log scale".into()))
        }
        Scale::Log if min <= 0.0 => Some(("min", min, "greater than 0 on a log scale".into())),
        _ if max - min > f64::MAX => Some(("max", max, "closer to min".into())),
        _ => None,
    }
}

/// The value at `u` in [0, 1).
fn value(range: &Range, u: f64) -> Json {
    let interval = match range {
        Range::Choices(Choices { choices }) => {
            let place = (u * choices.len() as f64) as usize;
            return choices[place.min(choices.len() - 1)].clone();
        }
        Range::Interval(interval) => interval,
    };
    let Interval { min, max, scale, kind } = *interval;
    // Whole numbers are what lies below the next one, so that both ends are as likely as the others.
    let end = if kind == Number::Int { max + 1.0 } else { max };
    let x = match scale {
        Scale::Linear => min + u * (end - min),
        Scale::Log => libm::exp(libm::log(min) + u * (libm::log(end) - libm::log(min))),
    };
    match kind {
        Number::Float => Json::from(x.clamp(min, max)),
        Number::Int => Json::from(libm::floor(x).clamp(min, max) as i64),
    }
}
