//! From tests to metrics.

use ndarray::Array2;
use numerics::{areas::Synapses, stats};

use super::{
    SelfRepair, State,
    recovery::{Recovery, end, first, place, recovery, regained_after_s},
    schedule::GRID_S,
    test::{MEASURES, Test},
    track,
};
use crate::{Metrics, timeline::Entry};

/// What is reported of a measure around a lesion.
#[derive(Clone, Copy)]
enum Of {
    After,
    End,
    Regained,
}

/// Lesion, measure, what of it, and the name of the metric.
const AROUND: [(usize, &str, Of, &str); 19] = [
    (0, "auc", Of::After, "lesion1_auc_after"),
    (0, "auc", Of::End, "lesion1_auc_end"),
    (0, "auc", Of::Regained, "lesion1_auc_regained"),
    (0, "accuracy", Of::After, "lesion1_accuracy_after"),
    (0, "accuracy", Of::Regained, "lesion1_accuracy_regained"),
    (0, "bits_per_spike", Of::After, "lesion1_bits_per_spike_after"),
    (0, "bits_per_spike", Of::End, "lesion1_bits_per_spike_end"),
    (0, "bits_per_spike", Of::Regained, "lesion1_bits_per_spike_regained"),
    (1, "auc", Of::After, "lesion2_auc_after"),
    (1, "auc", Of::End, "lesion2_auc_end"),
    (1, "auc", Of::Regained, "lesion2_auc_regained"),
    (1, "accuracy", Of::After, "lesion2_accuracy_after"),
    (1, "accuracy", Of::Regained, "lesion2_accuracy_regained"),
    (1, "bits_per_spike", Of::After, "lesion2_bits_per_spike_after"),
    (1, "bits_per_spike", Of::End, "lesion2_bits_per_spike_end"),
    (1, "bits_per_spike", Of::Regained, "lesion2_bits_per_spike_regained"),
    (1, "image_accuracy", Of::After, "lesion2_image_accuracy_after"),
    (1, "reverse_auc", Of::After, "lesion2_reverse_auc_after"),
    (1, "reverse_auc", Of::Regained, "lesion2_reverse_auc_regained"),
];

/// Measures that only the matrix of all tests holds.
const IN_TESTS_ONLY: [&str; 3] = ["image_auc", "reverse_accuracy", "input_share"];

/// Names of other metrics of the first two lesions.
struct Names {
    removed: &'static str,
    bits_left: &'static str,
    times: &'static [(&'static str, f64, &'static str)],
}

const NAMES: [Names; 2] = [
    Names {
        removed: "lesion1_removed",
        bits_left: "lesion1_bits_left",
        times: &[("bits_per_spike", 0.75, "lesion1_bits_75_s")],
    },
    Names {
        removed: "lesion2_removed",
        bits_left: "lesion2_bits_left",
        times: &[
            ("auc", 0.9, "lesion2_auc_90_s"),
            ("accuracy", 0.9, "lesion2_accuracy_90_s"),
            ("bits_per_spike", 0.75, "lesion2_bits_75_s"),
        ],
    },
];

/// The last test, as it came.
pub(super) fn last_test(state: &State, out: &mut Metrics) {
    let Some(test) = state.tests.last() else { return };
    out.scalar("time_s", test.at_s);
    let reported = MEASURES.iter().zip(test.values).filter(|(name, _)| !IN_TESTS_ONLY.contains(name));
    reported.for_each(|(&name, value)| out.scalar(name, value));
}

/// Everything of the whole run.
pub(super) fn whole(model: &SelfRepair, state: &State, out: &mut Metrics) {
    let tests = &state.tests;
    if let Some(test) = tests.first() {
        out.scalar("before_auc", test.values[place("auc")]);
        out.scalar("before_bits_per_spike", test.values[place("bits_per_spike")]);
    }
    for (measure, name) in [
        ("auc", "learned_auc"),
        ("accuracy", "learned_accuracy"),
        ("bits_per_spike", "learned_bits_per_spike"),
        ("image_accuracy", "learned_image_accuracy"),
        ("reverse_auc", "learned_reverse_auc"),
    ] {
        if let Some(value) = end(tests, 0, measure) {
            out.scalar(name, value);
        }
    }
    if let Some(value) = selectivity(tests, 0) {
        out.scalar("learned_selectivity", value);
    }
    (1..).zip(0..NAMES.len()).for_each(|(phase, lesion)| around(model, state, (phase, lesion), out));
    let row = |test: &Test| {
        let head = [test.at_s, f64::from(test.phase), f64::from(u8::from(test.directly))];
        head.into_iter().chain(test.values).map(|x| x as f32).collect::<Vec<f32>>()
    };
    out.matrix("tests", 3 + MEASURES.len() as u32, &tests.iter().flat_map(row).collect::<Vec<_>>());
    courses(tests, out);
    way(model, state, out);
    images(model, state, out);
    out.scalar("spikes", state.activity.spikes as f64);
    out.scalar("input_spikes", state.activity.input_spikes as f64);
    out.scalar("synapse_updates", state.activity.updates as f64);
}

/// Measures over time, each test in turn.
fn courses(tests: &[Test], out: &mut Metrics) {
    let times: Vec<f32> = tests.iter().map(|test| test.at_s as f32).collect();
    out.vector("course_s", &times);
    for (measure, name) in [
        ("auc", "course_auc"),
        ("accuracy", "course_accuracy"),
        ("bits_per_spike", "course_bits_per_spike"),
        ("reverse_auc", "course_reverse_auc"),
    ] {
        let at = place(measure);
        out.vector(name, &tests.iter().map(|test| test.values[at] as f32).collect::<Vec<f32>>());
    }
}

/// What happened around the beginning of a phase.
fn around(model: &SelfRepair, state: &State, (phase, lesion): (u32, usize), out: &mut Metrics) {
    let tests = &state.tests;
    let classes = model.params.classes();
    let Some(bits) = recovery(tests, phase, ("bits_per_spike", classes)) else { return };
    out.scalar(NAMES[lesion].bits_left, bits.after / bits.before.max(0.01));
    for (_, measure, of, name) in AROUND.into_iter().filter(|(of_lesion, ..)| *of_lesion == lesion) {
        let Some(Recovery { after, end, regained, .. }) = recovery(tests, phase, (measure, classes)) else {
            return;
        };
        let value = match of {
            Of::After => after,
            Of::End => end,
            Of::Regained => regained,
        };
        out.scalar(name, value);
    }
    let began = first(tests, phase).map_or(0.0, |test| test.at_s);
    let length = ends(model).get(phase as usize).map_or(0.0, |end| end - began);
    for &(measure, part, name) in NAMES[lesion].times {
        out.scalar(name, regained_after_s(tests, phase, (measure, classes), part).unwrap_or(length));
    }
    let removed = state.removed.get(lesion).map_or(0.0, |cut| f64::from(cut[0]) / f64::from(cut[1].max(1)));
    out.scalar(NAMES[lesion].removed, removed);
    if let Some(value) = selectivity(tests, phase).filter(|_| lesion == 1) {
        out.scalar("lesion2_selectivity", value);
    }
}

/// Same-digit share over other-digit share in the last test of a phase.
fn selectivity(tests: &[Test], phase: u32) -> Option<f64> {
    let test = tests.iter().rfind(|test| test.phase == phase)?;
    // A share of less than a thousandth is none.
    Some(test.values[place("same_digit_share")] / test.values[place("other_digit_share")].max(1e-3))
}

/// When each phase ends, in s.
fn ends(model: &SelfRepair) -> Vec<f64> {
    let begins = model.params.timeline.iter().filter(|entry| entry.begins_a_phase()).map(Entry::at_s);
    begins.chain([model.params.duration_s]).collect()
}

/// The way of θ, of synapses that no lesion took.
fn way(model: &SelfRepair, state: &State, out: &mut Metrics) {
    let kept: Vec<usize> =
        (0..model.followed.len()).filter(|&i| is_there(model, &state.synapses, i)).collect();
    let apart_s = GRID_S * track::every(model.params.duration_s) as f64;
    let ends: Vec<usize> = ends(model).iter().map(|end| (end / apart_s).floor() as usize).collect();
    // Learning counts from its half on.
    let skip = ends[0] / 2;
    let points = state.track.len() / model.followed.len().max(1);
    let thetas = Array2::from_shape_fn((points.saturating_sub(skip), kept.len()), |(i, j)| {
        f64::from(state.track[(skip + i) * model.followed.len() + kept[j]])
    });
    let ends: Vec<usize> = ends.iter().map(|end| end - skip).collect();
    let Some(way) = track::way(&thetas, &ends) else { return };
    for (component, name) in ["way_1", "way_2", "way_3"].into_iter().enumerate() {
        let places: Vec<f32> = way.points.iter().map(|point| point[component] as f32).collect();
        out.vector(name, &places);
    }
    let singles = |xs: &[f64]| xs.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    out.vector("way_explained", &singles(&way.explained));
    out.vector("way_shift", &singles(&way.shifts));
    out.vector("way_shift_theta", &singles(&way.shifts_theta));
}

fn is_there(model: &SelfRepair, synapses: &Synapses, followed: usize) -> bool {
    let (area, i) = model.followed[followed];
    synapses.may_be(area)[i]
}

/// Predicted images beside the real ones.
fn images(model: &SelfRepair, state: &State, out: &mut Metrics) {
    let [rows, cols] = model.material.shape;
    let real = model.material.means.concat();
    let predicted: Vec<f64> = state.images.iter().flatten().map(|&x| f64::from(x)).collect();
    if predicted.len() != real.len() {
        return;
    }
    let tiles: Vec<f32> = predicted.iter().chain(&real).map(|&x| x as f32).collect();
    out.tiles("predicted_images", rows, cols, &tiles);
    out.scalar("image_correlation", correlation(&predicted, &real));
}

/// Pearson's correlation; 0 if one side is constant.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (stats::mean(x), stats::mean(y));
    let products: Vec<f64> = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).collect();
    let norm = (x.len() as f64 - 1.0) * stats::sd(x) * stats::sd(y);
    if norm > 0.0 { stats::sum(&products) / norm } else { 0.0 }
}
