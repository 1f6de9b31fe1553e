//! What each step of a run does.

use super::{
    Origin, Params,
    edit::{Criterion, Edit},
};

/// A network that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// With its release probabilities changed.
    Edited(Edit),
    /// Without some of its synapses.
    Pruned {
        criterion: Criterion,
        /// Of all synapses.
        percent: u32,
    },
    /// The same after learning again.
    Relearned {
        criterion: Criterion,
        /// Of all synapses; 0 is the control that learns on with all.
        percent: u32,
    },
}

/// The work of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// One mini-batch for the whole network.
    Train,
    /// A mini-batch for a pruned network.
    Relearn {
        /// Place in [`Schedule::cases`].
        case: usize,
        /// From 0.
        batch: u64,
    },
    /// Errors and pseudo-likelihood.
    Fit {
        /// Place in [`Schedule::cases`].
        case: usize,
    },
    /// Some members of an ensemble.
    Likelihood {
        /// Place in [`Schedule::cases`].
        case: usize,
        /// The first.
        member: u32,
    },
    /// A copy of the test images' features; kept in memory only.
    Encode {
        /// Place in [`Schedule::cases`].
        case: usize,
        /// From 0.
        copy: u32,
    },
    /// A classifier on one draw of labelled images.
    Accuracy {
        /// Place in [`Schedule::cases`].
        case: usize,
        /// From 0.
        draw: u32,
    },
}

/// Training, then case by case.
#[derive(Debug)]
pub(super) struct Schedule {
    training: u64,
    pub(super) cases: Vec<Case>,
    relearning: u64,
    /// Steps of each likelihood, and members of each of these.
    likelihood: u64,
    pub(super) members_per_step: u32,
    copies: u64,
    draws: u64,
}

/// Softpluses that fit into a step: some 30 ms.
const STEP_WORK: u64 = 1 << 25;

impl Schedule {
    /// `training` steps would train the network; `units` are those of the smaller and the larger side.
    pub(super) fn new(params: &Params, training: u64, units: (u64, u64)) -> Self {
        let exact = units.0 <= u64::from(MOST_EXACT_UNITS);
        let members = if exact { params.likelihood_members } else { 0 };
        let work = if exact { (1 << units.0) * units.1 } else { 1 };
        let members_per_step = (STEP_WORK / work).clamp(1, u64::from(members.max(1))) as u32;
        let relearning = params.relearn_batches();
        Self {
            training: if params.network == Origin::Given { 0 } else { training },
            cases: cases(params),
            relearning,
            likelihood: u64::from(members.div_ceil(members_per_step)),
            members_per_step,
            copies: if params.draws > 0 { u64::from(params.test_copies) } else { 0 },
            draws: u64::from(params.draws),
        }
    }

    /// Steps of the whole run.
    pub(super) fn steps(&self) -> u64 {
        self.training + self.cases.iter().map(|case| self.steps_of(*case)).sum::<u64>()
    }

    fn steps_of(&self, case: Case) -> u64 {
        self.relearning_of(case) + 1 + self.likelihood + self.copies + self.draws
    }

    fn relearning_of(&self, case: Case) -> u64 {
        if matches!(case, Case::Relearned { .. }) { self.relearning } else { 0 }
    }

    /// What a step does.
    ///
    /// # Panics
    /// If the run has no such step.
    pub(super) fn task(&self, step: u64) -> Task {
        let Some(mut left) = step.checked_sub(self.training) else { return Task::Train };
        for (place, &case) in self.cases.iter().enumerate() {
            let steps = self.steps_of(case);
            if left >= steps {
                left -= steps;
                continue;
            }
            return self.part(place, left, self.relearning_of(case));
        }
        panic!("step {step} is beyond the run's {}", self.steps());
    }

    /// Step `left` of a case that begins with `batches` of learning.
    fn part(&self, case: usize, left: u64, batches: u64) -> Task {
        let Some(part) = left.checked_sub(batches) else { return Task::Relearn { case, batch: left } };
        let Some(part) = part.checked_sub(1) else { return Task::Fit { case } };
        let Some(copy) = part.checked_sub(self.likelihood) else {
            return Task::Likelihood { case, member: part as u32 * self.members_per_step };
        };
        match copy.checked_sub(self.copies) {
            None => Task::Encode { case, copy: copy as u32 },
            Some(draw) => Task::Accuracy { case, draw: draw as u32 },
        }
    }

    /// Whether a step is the last of its case.
    pub(super) fn ends_case(&self, step: u64) -> bool {
        let case = |task| match task {
            Task::Train => None,
            Task::Relearn { case, .. }
            | Task::Fit { case }
            | Task::Likelihood { case, .. }
            | Task::Encode { case, .. }
            | Task::Accuracy { case, .. } => Some(case),
        };
        let own = case(self.task(step));
        own.is_some() && (step + 1 == self.steps() || case(self.task(step + 1)) != own)
    }
}

/// Most units of the smaller side whose states are enumerated for every member.
pub(super) const MOST_EXACT_UNITS: u32 = 14;

fn cases(params: &Params) -> Vec<Case> {
    let mut cases: Vec<Case> = Edit::ALL.map(Case::Edited).to_vec();
    let pruned = |percent: u32| Criterion::ALL.into_iter().map(move |criterion| (criterion, percent));
    let all: Vec<(Criterion, u32)> = params.prune_percent.iter().copied().flat_map(pruned).collect();
    cases.extend(all.iter().map(|&(criterion, percent)| Case::Pruned { criterion, percent }));
    if params.relearn_batches() > 0 {
        cases.push(Case::Relearned { criterion: Criterion::Random, percent: 0 });
        cases.extend(all.iter().map(|&(criterion, percent)| Case::Relearned { criterion, percent }));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(schedule: &Schedule) -> Vec<Task> {
        (0..schedule.steps()).map(|step| schedule.task(step)).collect()
    }

    #[test]
    fn a_case_is_learned_again_then_measured_in_all_ways_and_ends_once() {
        let params = Params {
            prune_percent: vec![50],
            relearn_epochs: 0.04,
            likelihood_members: 100,
            test_copies: 2,
            draws: 2,
            ..Params::default()
        };
        let schedule = Schedule::new(&params, 5, (10, 1 << 10));
        assert_eq!(schedule.members_per_step, 32);
        let tasks = tasks(&schedule);
        assert!(tasks[..5].iter().all(|task| *task == Task::Train));
        assert_eq!(tasks[5], Task::Fit { case: 0 });
        assert_eq!(tasks[6], Task::Likelihood { case: 0, member: 0 });
        assert_eq!(tasks[9], Task::Likelihood { case: 0, member: 96 });
        assert_eq!(tasks[10..12], [0, 1].map(|copy| Task::Encode { case: 0, copy }));
        assert_eq!(tasks[12..14], [0, 1].map(|draw| Task::Accuracy { case: 0, draw }));
        assert_eq!(tasks[14], Task::Fit { case: 1 });
        let last = schedule.cases.len() - 1;
        assert_eq!(schedule.cases[last], Case::Relearned { criterion: Criterion::Random, percent: 50 });
        let first = tasks.iter().position(|task| *task == Task::Relearn { case: last, batch: 0 });
        assert_eq!(first, Some(tasks.len() - 11), "2 batches, then 9 measurements");
        let ends = (0..schedule.steps()).filter(|&step| schedule.ends_case(step)).count();
        assert_eq!(ends, schedule.cases.len());
    }

    #[test]
    fn what_is_switched_off_takes_no_steps() {
        let off = Params { relearn_epochs: 0.0, draws: 0, likelihood_members: 0, ..Params::default() };
        let schedule = Schedule::new(&off, 0, (10, 64));
        assert_eq!(schedule.steps(), 6 + 30);
        let large =
            Schedule::new(&Params { relearn_epochs: 0.0, draws: 0, ..Params::default() }, 0, (64, 64));
        assert_eq!(large.steps(), 6 + 30, "likelihoods of many units are not exact");
        let given = Params { network: Origin::Given, ..off };
        assert_eq!(Schedule::new(&given, 100, (64, 64)).task(0), Task::Fit { case: 0 });
    }
}
