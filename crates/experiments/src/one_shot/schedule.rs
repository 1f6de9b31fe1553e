//! What each step of a run does.

use super::{
    Machine, Params,
    code::{CODES, Reading},
    spread::SYSTEMS,
};

/// Labelled images of every class.
pub(super) const SHOTS: [u32; 4] = [1, 2, 5, 10];

/// The work of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// One mini-batch for a machine.
    Train {
        /// Place in [`Machine::ALL`].
        machine: usize,
        /// Step of its training.
        step: u64,
        /// Whether it is the last.
        last: bool,
    },
    /// One copy of the test images' features; kept in memory only.
    Encode {
        /// Place in [`CODES`].
        code: usize,
        /// Number of the copy.
        copy: u32,
    },
    /// One classifier: fit and test.
    Judge {
        /// Place in [`CODES`].
        code: usize,
        /// Place in [`SHOTS`].
        shots: usize,
        /// Number of the draw of labelled images.
        draw: u32,
    },
    /// One code of every image whose codes are looked at; kept in memory only.
    Cloud {
        /// Place in [`SYSTEMS`].
        system: usize,
        /// Number of the copy.
        copy: u32,
    },
    /// How the codes of a system scatter.
    Spread {
        /// Place in [`SYSTEMS`].
        system: usize,
    },
}

/// Who is trained how long, then who is judged, then how codes scatter.
#[derive(Debug)]
pub(super) struct Schedule {
    training: [u64; Machine::ALL.len()],
    draws: u64,
    test_copies: u64,
    cloud_codes: u64,
}

impl Schedule {
    pub(super) fn new(params: &Params, training: [u64; Machine::ALL.len()]) -> Self {
        Self {
            training,
            draws: u64::from(params.draws),
            test_copies: u64::from(params.test_copies),
            cloud_codes: u64::from(params.cloud_codes),
        }
    }

    /// Copies of the test images that a code needs.
    pub(super) fn test_copies(&self, reading: Reading) -> u64 {
        if reading.is_stochastic() { self.test_copies } else { 1 }
    }

    /// Steps of the whole run.
    pub(super) fn steps(&self) -> u64 {
        let judging: u64 = CODES.iter().map(|code| self.steps_of(code.reading)).sum();
        self.training.iter().sum::<u64>() + judging + SYSTEMS.len() as u64 * (self.cloud_codes + 1)
    }

    fn steps_of(&self, reading: Reading) -> u64 {
        self.test_copies(reading) + SHOTS.len() as u64 * self.draws
    }

    /// What a step does.
    ///
    /// # Panics
    /// If the run has no such step.
    pub(super) fn task(&self, step: u64) -> Task {
        let mut left = step;
        for (machine, &steps) in self.training.iter().enumerate() {
            if left < steps {
                return Task::Train { machine, step: left, last: left + 1 == steps };
            }
            left -= steps;
        }
        for (code, reading) in CODES.iter().map(|code| code.reading).enumerate() {
            let (copies, steps) = (self.test_copies(reading), self.steps_of(reading));
            if left < copies {
                return Task::Encode { code, copy: left as u32 };
            }
            if left < steps {
                let place = left - copies;
                let (shots, draw) = ((place / self.draws) as usize, (place % self.draws) as u32);
                return Task::Judge { code, shots, draw };
            }
            left -= steps;
        }
        let (system, copy) = ((left / (self.cloud_codes + 1)) as usize, left % (self.cloud_codes + 1));
        if system < SYSTEMS.len() {
            return if copy < self.cloud_codes {
                Task::Cloud { system, copy: copy as u32 }
            } else {
                Task::Spread { system }
            };
        }
        panic!("step {step} is beyond the run's {}", self.steps());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_task_and_every_classifier_is_judged_once_after_its_test_images_are_encoded() {
        let params = Params { draws: 3, test_copies: 2, cloud_codes: 3, ..Params::default() };
        let schedule = Schedule::new(&params, [4, 5, 1, 2, 1, 2]);
        let tasks: Vec<Task> = (0..schedule.steps()).map(|step| schedule.task(step)).collect();
        assert_eq!(tasks[3], Task::Train { machine: 0, step: 3, last: true });
        assert_eq!(tasks[4], Task::Train { machine: 1, step: 0, last: false });
        let mut judged = Vec::new();
        let mut encoded = None;
        let mut clouds = Vec::new();
        for task in &tasks[15..] {
            match *task {
                Task::Train { .. } => panic!("training is over"),
                Task::Encode { code, copy } => encoded = Some((code, copy)),
                Task::Judge { code, shots, draw } => {
                    let last = schedule.test_copies(CODES[code].reading) as u32 - 1;
                    assert_eq!(encoded, Some((code, last)));
                    judged.push((code, shots, draw));
                }
                Task::Cloud { system, copy } => clouds.push((system, copy)),
                Task::Spread { system } => clouds.push((system, 3)),
            }
        }
        let all = |code| (0..SHOTS.len()).flat_map(move |shots| (0..3).map(move |draw| (code, shots, draw)));
        assert_eq!(judged, (0..CODES.len()).flat_map(all).collect::<Vec<_>>());
        let all = |system| (0..4).map(move |copy| (system, copy));
        assert_eq!(clouds, (0..SYSTEMS.len()).flat_map(all).collect::<Vec<_>>());
    }
}
