//! Phases: what was reached between two changes of the task.

use numerics::stats;
use serde::{Deserialize, Serialize};

use super::{GRID_S, Params, State, task::Ended};
use crate::timeline::Entry;
use numerics::policy::STEP_S;

/// Steps of the run, from the first to before the end; the last three tenths begin at the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) mark: u64,
    pub(super) end: u64,
}

/// The phases of a run: a change of what is rewarded, a lesion and a record begin one.
pub(super) fn spans(params: &Params) -> Vec<Span> {
    let begins = |entry: &&Entry| !matches!(entry, Entry::Set { .. } | Entry::Clamp { .. });
    let mut ends: Vec<u64> = params.timeline.iter().filter(begins).map(tick).collect();
    ends.push(params.ticks());
    ends.retain(|&end| end > 0);
    ends.dedup();
    let firsts = std::iter::once(0).chain(ends.iter().copied());
    firsts.zip(&ends).map(|(first, &end)| Span { first, mark: first + (end - first) * 7 / 10, end }).collect()
}

fn tick(entry: &Entry) -> u64 {
    (entry.at_s() / GRID_S).round() as u64
}

/// What happened in a step of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Slot {
    trials: u32,
    successes: u32,
    /// Sum of the durations of trials that ended, s.
    seconds: f64,
    /// Mean reward.
    reward: f64,
}

impl Slot {
    /// A simulation step.
    pub(super) fn add(&mut self, reward: f64, ended: Option<Ended>) {
        self.reward += reward * STEP_S / GRID_S;
        if let Some(Ended { success, seconds }) = ended {
            self.trials += 1;
            self.successes += u32::from(success);
            self.seconds += seconds;
        }
    }
}

/// What happened in several steps of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    /// Share of trials that succeeded.
    pub(super) success: f64,
    /// Mean reward.
    pub(super) reward: f64,
    /// Mean duration of a trial, s.
    pub(super) trial_s: f64,
}

impl Score {
    /// Of these steps; a score without trials is one of failures as long as the time.
    pub(super) fn of(slots: &[Slot]) -> Self {
        let trials: u32 = slots.iter().map(|slot| slot.trials).sum();
        let successes: u32 = slots.iter().map(|slot| slot.successes).sum();
        let seconds = slots.iter().fold(0.0, |sum, slot| sum + slot.seconds);
        let reward = slots.iter().fold(0.0, |sum, slot| sum + slot.reward);
        let trials_or_1 = f64::from(trials.max(1));
        Self {
            success: f64::from(successes) / trials_or_1,
            reward: reward / slots.len().max(1) as f64,
            trial_s: if trials == 0 { slots.len() as f64 * GRID_S } else { seconds / trials_or_1 },
        }
    }
}

/// A phase that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Phase {
    /// Share of successes in each tenth; fewer in short phases.
    pub(super) course: Vec<f64>,
    /// The first tenth.
    pub(super) begin: Score,
    /// The last three tenths.
    pub(super) end: Score,
    /// By how much the share of successes in the second half of the last three tenths differs from that in the first.
    pub(super) change: f64,
    /// Root of the mean square change of θ over the last three tenths.
    pub(super) drift: f64,
    /// Share of the synapses that were functional where the last three tenths began and still are.
    pub(super) kept: f64,
    /// Share of prior and noise in what moved functional synapses over the last three tenths, as squares.
    pub(super) spontaneous: f64,
    /// Share of functional synapses.
    pub(super) functional: f64,
}

impl Phase {
    /// The phase that ends now.
    pub(super) fn of(span: Span, state: &State) -> Self {
        let slots = |from: u64, to: u64| &state.slots[from as usize..to as usize];
        let Span { first, mark, end } = span;
        let tenth = ((end - first) / 10).max(1);
        let course = (first..end).step_by(tenth as usize).take(10);
        let middle = mark + (end - mark) / 2;
        let network = &state.network;
        let squares = |values: &[f32]| values.iter().fold(0.0, |sum, x| sum + f64::from(x * x));
        let [driven, free] = [squares(&network.moved[0]), squares(&network.moved[1])];
        let moved: Vec<f64> = network.theta.iter().zip(&state.mark).map(|(a, b)| (a - b) * (a - b)).collect();
        let (mut before, mut kept) = (0, 0);
        for (functional, theta) in network.functional().zip(&state.mark) {
            before += u32::from(*theta > 0.0);
            kept += u32::from(*theta > 0.0 && functional);
        }
        Self {
            course: course.map(|at| Score::of(slots(at, (at + tenth).min(end))).success).collect(),
            begin: Score::of(slots(first, first + tenth)),
            end: Score::of(slots(mark, end)),
            change: Score::of(slots(middle, end)).success - Score::of(slots(mark, middle)).success,
            drift: stats::mean(&moved).sqrt(),
            kept: f64::from(kept) / f64::from(before.max(1)),
            spontaneous: free / (free + driven).max(f64::MIN_POSITIVE),
            functional: network.functional_fraction(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Pairs;

    #[test]
    fn phases_begin_with_changes_of_the_task_and_marks_but_not_with_settings() {
        let set = Entry::Set { at_s: 100.0, temperature: Some(1.0), prior_mean: None, plasticity: None };
        let swap = Entry::Dataset { at_s: 200.0, pairs: Pairs::Swapped };
        let timeline = vec![Entry::Record { at_s: 0.0 }, set, swap, Entry::Record { at_s: 200.0 }];
        let params = Params { duration_s: 500.0, timeline, ..Params::default() };
        let expected = [Span { first: 0, mark: 14, end: 20 }, Span { first: 20, mark: 41, end: 50 }];
        assert_eq!(spans(&params), expected);
        let plain = Params { duration_s: 100.0, timeline: Vec::new(), ..Params::default() };
        assert_eq!(spans(&plain), [Span { first: 0, mark: 7, end: 10 }]);
    }

    #[test]
    fn a_score_counts_trials_and_not_steps() {
        let mut slots = [Slot::default(); 2];
        for (slot, success, seconds) in [(0, true, 0.5), (0, true, 0.7), (1, false, 0.9)] {
            slots[slot].add(0.0, Some(Ended { success, seconds }));
        }
        (0..2500).for_each(|_| slots[1].add(1.0, None));
        let score = Score::of(&slots);
        assert!((score.success - 2.0 / 3.0).abs() < 1e-12 && (score.trial_s - 0.7).abs() < 1e-12);
        // 5 s of 20.
        assert!((score.reward - 0.25).abs() < 1e-9);
        assert_eq!(Score::of(&slots[..0]), Score { success: 0.0, reward: 0.0, trial_s: 0.0 });
    }
}
