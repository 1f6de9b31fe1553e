//! What is observed of a rewarded network.

use numerics::stats;

use super::{
    Reward, State,
    phase::{Phase, Score},
};
use crate::{
    Cadence::{Every, Final},
    MetricSpec, Metrics,
    ValueKind::{Histogram, Scalar, Vector},
    metric::spec,
    sampling::singles,
};

pub(super) static METRICS: [MetricSpec; 18] = [
    spec("success", "1", Scalar, Every, "share of trials that succeeded in the last 100 s"),
    spec("reward", "1", Scalar, Every, "mean reward in the last 100 s"),
    spec("trial_s", "s", Scalar, Every, "mean duration of a trial in the last 100 s"),
    spec("temperature", "1", Scalar, Every, "T"),
    spec("functional_fraction", "1", Scalar, Every, "share of functional synapses"),
    spec("course", "1", Vector, Final, "share of successes in each tenth of each phase"),
    spec("learned", "1", Scalar, Final, "share of successes in the last three tenths of the first phase"),
    spec("after_change", "1", Scalar, Final, "share of successes in the first tenth of the last phase"),
    spec("relearned", "1", Scalar, Final, "share of successes in the last three tenths of the last phase"),
    spec("relearned_reward", "1", Scalar, Final, "mean reward in the last three tenths of the last phase"),
    spec("begin_s", "s", Scalar, Final, "mean duration of a trial in the first tenth of the first phase"),
    spec(
        "learned_s",
        "s",
        Scalar,
        Final,
        "mean duration of a trial in the last three tenths of the first phase",
    ),
    spec(
        "relearned_s",
        "s",
        Scalar,
        Final,
        "mean duration of a trial in the last three tenths of the last phase",
    ),
    spec(
        "unsteadiness",
        "1",
        Scalar,
        Final,
        "difference of the share of successes between both halves of the last three tenths",
    ),
    spec(
        "drift",
        "1",
        Scalar,
        Final,
        "root mean square change of θ over the last three tenths of the last phase",
    ),
    spec(
        "kept",
        "1",
        Scalar,
        Final,
        "share of functional synapses that still are after the last three tenths of the last phase",
    ),
    spec(
        "spontaneous_share",
        "1",
        Scalar,
        Final,
        "share of prior and noise, against rewards, in the squares of what moved θ meanwhile",
    ),
    spec("theta", "1", Histogram, Final, "θ of all potential synapses"),
];

/// Steps of the run that a current value is taken over.
const RECENT: usize = 10;
/// Bins of θ.
const BINS: usize = 70;

pub(super) fn observe(model: &Reward, state: &State, tick: u64, out: &mut Metrics) {
    let recent = Score::of(&state.slots[state.slots.len().saturating_sub(RECENT)..]);
    out.scalar("success", recent.success);
    out.scalar("reward", recent.reward);
    out.scalar("trial_s", recent.trial_s);
    out.scalar("temperature", model.temperature(&state.settings, tick));
    out.scalar("functional_fraction", state.network.functional_fraction());
    let (Some(first), Some(last)) = (state.phases.first(), state.phases.last()) else { return };
    let course = state.phases.iter().flat_map(|phase| phase.course.iter().copied());
    out.vector("course", &singles(course));
    out.scalar("learned", first.end.success);
    out.scalar("begin_s", first.begin.trial_s);
    out.scalar("learned_s", first.end.trial_s);
    of_last(last, out);
    let (least, most) = (model.params.theta_min, model.params.theta_max);
    let edges: Vec<f64> = (0..=BINS).map(|k| least + (most - least) * k as f64 / BINS as f64).collect();
    let counts = stats::histogram(state.network.theta.iter().copied(), &edges);
    out.histogram("theta", &edges, &counts);
}

fn of_last(last: &Phase, out: &mut Metrics) {
    out.scalar("after_change", last.begin.success);
    out.scalar("relearned", last.end.success);
    out.scalar("relearned_reward", last.end.reward);
    out.scalar("relearned_s", last.end.trial_s);
    out.scalar("unsteadiness", last.change.abs());
    out.scalar("drift", last.drift);
    out.scalar("kept", last.kept);
    out.scalar("spontaneous_share", last.spontaneous);
}
