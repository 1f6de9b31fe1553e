//! Which checkpoints of a run are kept.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::limits::{Errors, shown};

/// Most checkpoints that one of the rules may keep of a run.
pub const MOST_KEPT: u64 = 1_000;

/// What is kept of a run besides checkpoints that are pinned or that jobs build on. A rule adds; none takes away what
/// another one keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// The newest so many; 1 … 1,000. The final one is the newest of them.
    pub last: u32,
    /// The first one of every so many steps.
    pub every_steps: Option<u64>,
    /// Those at which a metric was best.
    pub best: Option<Best>,
}

impl Default for Keep {
    /// Two: if one is damaged, the run goes on from the one before.
    fn default() -> Self {
        Self { last: 2, every_steps: None, best: None }
    }
}

/// The checkpoints at which a metric was best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The metric, a number; its last value up to the step of the checkpoint counts.
    pub metric: String,
    /// Which value is best.
    #[serde(default)]
    pub goal: Goal,
    /// How many; 1 … 1,000.
    #[serde(default = "one")]
    pub count: u32,
}

/// Which of two values is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The greater.
    #[default]
    Max,
    /// The smaller.
    Min,
}

/// A checkpoint that may have to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Its step.
    pub step: u64,
    /// What the metric of [`Keep::best`] was.
    pub score: Option<f64>,
    /// Whether it must stay whatever the rules say: pinned, or a job builds on it.
    pub needed: bool,
    /// Whether it was found damaged.
    pub corrupt: bool,
}

impl Keep {
    /// The steps of the checkpoints that stay. Damaged ones count for nothing: they stay until all newer ones that
    /// [`Self::last`] keeps have come.
    pub fn kept(&self, held: &[Held]) -> BTreeSet<u64> {
        let mut good: Vec<&Held> = held.iter().filter(|one| !one.corrupt).collect();
        good.sort_by_key(|one| one.step);
        let newest = good.len().saturating_sub(self.last as usize);
        let from = good.get(newest).map_or(0, |one| one.step);
        let mut kept: BTreeSet<u64> =
            held.iter().filter(|one| one.needed || one.step >= from).map(|one| one.step).collect();
        if let Some(every) = self.every_steps {
            let nth = |one: &&Held| one.step / every;
            let firsts = good.chunk_by(|a, b| nth(a) == nth(b)).map(|group| group[0]);
            kept.extend(firsts.filter(|one| nth(one) > 0).map(|one| one.step));
        }
        if let Some(best) = &self.best {
            kept.extend(best.of(&good));
        }
        kept
    }
}

impl Best {
    /// Steps of the best ones; of equal ones the earlier.
    fn of(&self, good: &[&Held]) -> Vec<u64> {
        let finite = |one: &&Held| one.score.filter(|score| score.is_finite()).map(|score| (score, one.step));
        let mut scored: Vec<(f64, u64)> = good.iter().filter_map(finite).collect();
        scored.sort_by(|(a, earlier), (b, later)| {
            let better = match self.goal {
                Goal::Max => b.total_cmp(a),
                Goal::Min => a.total_cmp(b),
            };
            better.then(earlier.cmp(later))
        });
        scored.iter().take(self.count as usize).map(|(_, step)| *step).collect()
    }
}

fn one() -> u32 {
    1
}

/// Checks each number by itself.
pub(crate) fn check(keep: &Keep, errors: &mut Errors) {
    let rule = format!("1 to {MOST_KEPT}");
    let fits = |count: u32| (1..=MOST_KEPT).contains(&u64::from(count));
    if !fits(keep.last) {
        errors.add("/keep/last", keep.last, &rule);
    }
    if keep.every_steps == Some(0) {
        errors.add("/keep/every_steps", 0, "at least 1");
    }
    let Some(best) = &keep.best else { return };
    if !fits(best.count) {
        errors.add("/keep/best/count", best.count, &rule);
    }
    if best.metric.is_empty() || best.metric.len() > 64 {
        errors.add("/keep/best/metric", shown(best.metric.as_str()), "1 to 64 characters long");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(step: u64, score: f64) -> Held {
        Held { step, score: Some(score), needed: false, corrupt: false }
    }

    fn kept(keep: &Keep, held: &[Held]) -> Vec<u64> {
        keep.kept(held).into_iter().collect()
    }

    #[test]
    fn each_rule_adds_what_it_keeps() {
        let course: Vec<Held> = [(10, 0.5), (25, 0.9), (31, 0.2), (38, f64::NAN), (41, 0.9), (55, 0.6)]
            .map(|(s, v)| held(s, v))
            .into();
        assert_eq!(kept(&Keep::default(), &course), [41, 55]);
        assert_eq!(kept(&Keep { every_steps: Some(20), ..Keep::default() }, &course), [25, 41, 55]);
        let best = |goal, count| Keep {
            last: 1,
            best: Some(Best { metric: "score".into(), goal, count }),
            every_steps: None,
        };
        assert_eq!(kept(&best(Goal::Max, 1), &course), [25, 55], "of equal ones the earlier");
        assert_eq!(kept(&best(Goal::Max, 2), &course), [25, 41, 55]);
        assert_eq!(kept(&best(Goal::Min, 2), &course), [10, 31, 55], "what is not finite is not best");
    }

    #[test]
    fn what_is_needed_stays_and_what_is_damaged_does_not_count() {
        let mut course: Vec<Held> = [10, 20, 30, 40].map(|step| held(step, 0.0)).into();
        course[0].needed = true;
        course[2].corrupt = true;
        assert_eq!(
            kept(&Keep::default(), &course),
            [10, 20, 30, 40],
            "20 and 40 are the two newest good ones"
        );
        course.push(held(50, 0.0));
        assert_eq!(kept(&Keep::default(), &course), [10, 40, 50]);
    }

    proptest! {
        /// Whatever the rules, a run finds its newest good checkpoints again.
        #[test]
        fn the_newest_good_ones_are_never_taken(
            steps in prop::collection::btree_set(0_u64..500, 0..40),
            corrupt in prop::collection::vec(any::<bool>(), 40),
            last in 1_u32..5, every in prop::option::of(1_u64..100), count in 1_u32..4,
        ) {
            let held: Vec<Held> = steps.iter().zip(&corrupt)
                .map(|(&step, &corrupt)| Held { step, score: Some((step % 7) as f64), needed: false, corrupt })
                .collect();
            let best = Some(Best { metric: "score".into(), goal: Goal::Max, count });
            let rule = Keep { last, every_steps: every, best };
            let kept = rule.kept(&held);
            let good: Vec<u64> = held.iter().filter(|one| !one.corrupt).map(|one| one.step).collect();
            for step in good.iter().rev().take(last as usize) {
                prop_assert!(kept.contains(step));
            }
            // Applied again to what is left, nothing more goes.
            let left: Vec<Held> = held.iter().filter(|one| kept.contains(&one.step)).copied().collect();
            prop_assert_eq!(rule.kept(&left), kept);
        }
    }
}
