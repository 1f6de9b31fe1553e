//! What a network is rewarded for.

use numerics::{Draws, Stream, policy::STEP_S};
use serde::{Deserialize, Serialize};

use super::{Params, params::Task};
use crate::timeline::Pairs;

/// Window over which the rate of an assembly is taken, s, and what a step leaves of it: e^−0.004.
const WINDOW_S: f64 = 0.5;
const WINDOW_KEEP: f64 = 0.996_007_989_343_991_5;
/// Steepness of the reward by rates, s.
const STEEPNESS: f64 = 0.2;
/// Way of the lever or cursor by one spike of every neuron of an assembly.
const LEVER_STEP: f64 = 1.0;
const CURSOR_STEP: f64 = 0.1;
/// What a step leaves of the lever's height, which is forgotten within 0.3 s: e^(−1/150).
const LEVER_KEEP: f64 = 0.993_355_506_255_034_3;
/// How long a lever that was pressed pays, s.
const PAY_S: f64 = 0.2;
/// Longest trial with lever and cursor, s.
const LEVER_LIMIT_S: f64 = 10.0;
const REACH_LIMIT_S: f64 = 2.0;
/// Cosine of 45°, within which a target is reached.
const COS_45: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// The surroundings of the network: the trial that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct World {
    trial: u64,
    pattern: u32,
    /// The assembly that is rewarded.
    target: u32,
    /// Steps so far, and at most.
    age: u32,
    limit: u32,
    /// Rates of assemblies per neuron, Hz.
    rates: Vec<f64>,
    /// Height of the lever, or where the cursor is.
    place: [f64; 2],
    /// Steps for which a lever that was pressed still pays; 0 if it does not.
    paying: u32,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ended {
    pub(super) success: bool,
    pub(super) seconds: f64,
}

fn steps(seconds: f64) -> u32 {
    (seconds / STEP_S).round() as u32
}

impl World {
    pub(super) fn new(params: &Params, pairs: Pairs, draws: Draws) -> Self {
        let mut world = Self {
            trial: 0,
            pattern: 0,
            target: 0,
            age: 0,
            limit: 0,
            rates: vec![0.0; params.assemblies() * params.groups()],
            place: [0.0; 2],
            paying: 0,
        };
        world.begin(params, pairs, draws);
        world
    }

    /// The next trial, which has draws of its own.
    fn begin(&mut self, params: &Params, pairs: Pairs, draws: Draws) {
        let draws = draws.at_step(self.trial);
        let (stream, n) = (Stream::RewardTrial, params.patterns() as u32);
        // A lever is shown where it is: each trial begins with it at rest.
        self.pattern = if params.task == Task::Lever { 0 } else { draws.below(stream, 0, n) };
        self.target = match pairs {
            Pairs::Same => self.pattern,
            Pairs::Swapped => (self.pattern + 1) % n,
            Pairs::Random => draws.below(stream, 2, n),
        };
        self.limit = match params.task {
            Task::Patterns | Task::Deceptive => {
                let half = steps(0.5);
                half + draws.below(stream, 1, half + 1)
            }
            Task::Lever => steps(LEVER_LIMIT_S),
            Task::Reach => steps(REACH_LIMIT_S),
        };
        self.trial += 1;
        self.age = 0;
        self.rates.fill(0.0);
        self.place = [0.0; 2];
        self.paying = 0;
    }

    /// What the inputs show.
    pub(super) fn pattern(&self) -> usize {
        self.pattern as usize
    }

    /// A step in which `spikes` were fired: its reward, and the trial's end if it ends.
    pub(super) fn act(
        &mut self,
        params: &Params,
        pairs: Pairs,
        spikes: &[bool],
        draws: Draws,
    ) -> (f64, Option<Ended>) {
        let size = spikes.len() / self.rates.len();
        let mut fired = [0.0; MOST_ASSEMBLIES];
        for ((rate, fired), spikes) in self.rates.iter_mut().zip(&mut fired).zip(spikes.chunks_exact(size)) {
            *fired = spikes.iter().filter(|&&spike| spike).count() as f64 / size as f64;
            *rate = *rate * WINDOW_KEEP + *fired / WINDOW_S;
        }
        self.age += 1;
        let timeout = self.age >= self.limit;
        let (reward, end) = match params.task {
            Task::Patterns => {
                let margin = self.margin();
                (paid(margin, params), timeout.then_some(margin > 0.0))
            }
            Task::Deceptive => {
                let reward = self.agreement(params);
                (reward, timeout.then_some(reward == 1.0))
            }
            Task::Lever => self.press(fired[0] - fired[1], timeout),
            Task::Reach => self.reach(&fired, params, timeout),
        };
        let ended = end.map(|success| Ended { success, seconds: f64::from(self.age) * STEP_S });
        if ended.is_some() {
            self.begin(params, pairs, draws);
        }
        (reward, ended)
    }

    /// By how much the assembly that is rewarded leads, Hz.
    fn margin(&self) -> f64 {
        let target = self.target as usize;
        let others = self.rates.iter().enumerate().filter(|&(a, _)| a != target);
        self.rates[target] - others.fold(0.0, |most: f64, (_, &rate)| most.max(rate))
    }

    /// 1 if in both groups the assembly that is rewarded leads, less if in both the other does, 0 if the groups disagree.
    fn agreement(&self, params: &Params) -> f64 {
        let right = self.rates.chunks_exact(params.assemblies()).map(|rates| {
            let most = rates.iter().copied().fold(0.0, f64::max);
            (most > 0.0).then(|| rates[self.target as usize] == most)
        });
        let right: Vec<Option<bool>> = right.collect();
        match right[..] {
            [Some(true), Some(true)] => 1.0,
            [Some(false), Some(false)] => params.local_reward,
            _ => 0.0,
        }
    }

    /// Down and then up, or the reverse: the first half done, the other pattern is shown; the second done, it pays.
    fn press(&mut self, push: f64, timeout: bool) -> (f64, Option<bool>) {
        if self.paying > 0 {
            self.paying -= 1;
            return (1.0, (self.paying == 0).then_some(true));
        }
        let height = &mut self.place[0];
        *height = *height * LEVER_KEEP + LEVER_STEP * push;
        // Assembly 0 pushes up, 1 pulls down; the target is the assembly to follow now.
        let along = if self.target == 0 { *height } else { -*height };
        if along >= 1.0 && self.pattern == 0 {
            self.pattern = 1;
            self.target = 1 - self.target;
        } else if along >= 1.0 {
            self.paying = steps(PAY_S);
        }
        (0.0, timeout.then_some(false))
    }

    /// Each assembly pulls the cursor its way; the trial ends where it crosses the circle of the targets.
    fn reach(&mut self, fired: &[f64], params: &Params, timeout: bool) -> (f64, Option<bool>) {
        let n = self.rates.len();
        let direction = |a: usize| {
            let angle = std::f64::consts::TAU * a as f64 / n as f64;
            [libm::cos(angle), libm::sin(angle)]
        };
        let goal = direction(self.target as usize);
        let towards = |[x, y]: [f64; 2]| x * goal[0] + y * goal[1];
        let mut speed = 0.0;
        for (a, (fired, rate)) in fired.iter().zip(&self.rates).enumerate() {
            let [x, y] = direction(a);
            self.place[0] += CURSOR_STEP * fired * x;
            self.place[1] += CURSOR_STEP * fired * y;
            speed += rate * towards([x, y]);
        }
        let [x, y] = self.place;
        let radius = (x * x + y * y).sqrt();
        let end = (radius >= 1.0 || timeout).then(|| radius >= 1.0 && towards(self.place) >= COS_45 * radius);
        (paid(speed, params), end)
    }
}

/// Most assemblies of a network.
pub(super) const MOST_ASSEMBLIES: usize = 16;

/// Reward for leading by `margin` Hz.
fn paid(margin: f64, params: &Params) -> f64 {
    if margin > 0.0 { numerics::logistic::sigmoid(STEEPNESS * (margin - params.threshold_hz)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acts for `seconds` while the assemblies `leading` fire one spike of each neuron every 20 ms, each trial seeing
    /// `at` before; rewards and ends.
    fn act(
        params: &Params,
        pairs: Pairs,
        seconds: f64,
        leading: impl Fn(&World) -> Vec<usize>,
    ) -> (f64, Vec<Ended>) {
        let draws = Draws::at(7, 0);
        let mut world = World::new(params, pairs, draws);
        let size = params.neurons as usize / world.rates.len();
        let (mut rewards, mut ends) = (0.0, Vec::new());
        for step in 0..steps(seconds) {
            let mut spikes = vec![false; params.neurons as usize];
            if step % 10 == 0 {
                for a in leading(&world) {
                    spikes[a * size..(a + 1) * size].fill(true);
                }
            }
            let (reward, end) = world.act(params, pairs, &spikes, draws);
            rewards += reward;
            ends.extend(end);
        }
        (rewards / f64::from(steps(seconds)), ends)
    }

    fn of(task: Task) -> Params {
        Params { task, ..Params::default() }
    }

    fn successes(ends: &[Ended]) -> usize {
        ends.iter().filter(|end| end.success).count()
    }

    #[test]
    fn what_a_step_leaves_is_the_exponential() {
        assert_eq!(WINDOW_KEEP, libm::exp(-STEP_S / WINDOW_S));
        assert!((LEVER_KEEP - libm::exp(-STEP_S / 0.3)).abs() < 1e-15);
    }

    #[test]
    fn the_assembly_of_the_pattern_is_rewarded_and_after_a_change_the_other() {
        let right = |world: &World| vec![world.pattern as usize];
        let (reward, ends) = act(&of(Task::Patterns), Pairs::Same, 60.0, right);
        // 60 s are 80 patterns of ½ to 1 s, 4.5 standard deviations of a mean of 80 are 0.07.
        assert!(ends.len() > 70 && ends.len() < 90, "{}", ends.len());
        assert_eq!(successes(&ends), ends.len());
        assert!(reward > 0.5, "{reward}");
        assert!(ends.iter().all(|end| (0.5..=1.0).contains(&end.seconds)));
        let (reward, ends) = act(&of(Task::Patterns), Pairs::Swapped, 60.0, right);
        assert_eq!((reward, successes(&ends)), (0.0, 0));
        let (_, ends) = act(&of(Task::Patterns), Pairs::Random, 60.0, right);
        assert!(successes(&ends) > 20 && successes(&ends) < ends.len() - 20);
    }

    #[test]
    fn groups_that_disagree_earn_nothing() {
        let params = of(Task::Deceptive);
        let both = |a: usize, b: usize| {
            move |world: &World| {
                let right = world.target as usize;
                vec![if a == 1 { right } else { 1 - right }, 2 + if b == 1 { right } else { 1 - right }]
            }
        };
        for (answers, pay) in [((1, 1), 1.0), ((0, 0), 0.6), ((0, 1), 0.0), ((1, 0), 0.0)] {
            let (reward, ends) = act(&params, Pairs::Same, 30.0, both(answers.0, answers.1));
            // Nobody leads before the first spike of a trial; it comes within 20 ms of half a second at least.
            assert!((reward - pay).abs() <= 0.05 * pay, "{answers:?}: {reward}");
            assert_eq!(successes(&ends) > 0, pay == 1.0);
        }
    }

    #[test]
    fn a_lever_pays_when_both_halves_are_done_in_order() {
        let follow = |world: &World| vec![world.target as usize];
        let params = of(Task::Lever);
        for pairs in [Pairs::Same, Pairs::Swapped] {
            let (reward, ends) = act(&params, pairs, 30.0, follow);
            assert!(ends.len() > 20 && successes(&ends) == ends.len(), "{}", ends.len());
            let paid = ends.len() as f64 * PAY_S / 30.0;
            assert!((reward - paid).abs() < 0.02, "{reward} against {paid}");
        }
        // Up alone is half of it, and takes until the limit.
        let (reward, ends) = act(&params, Pairs::Same, 30.0, |_| vec![0]);
        assert_eq!((reward, ends.len(), successes(&ends)), (0.0, 3, 0));
        assert_eq!(ends[0].seconds, LEVER_LIMIT_S);
    }

    #[test]
    fn a_cursor_arrives_where_it_is_pulled() {
        let params = of(Task::Reach);
        let (reward, ends) = act(&params, Pairs::Same, 30.0, |world| vec![world.target as usize]);
        assert!(!ends.is_empty() && successes(&ends) == ends.len() && reward > 0.3, "{reward}");
        // The neighbour's target is 90° away; two opposite assemblies go nowhere.
        let (_, ends) = act(&params, Pairs::Swapped, 30.0, |world| vec![world.pattern as usize]);
        assert!(!ends.is_empty() && successes(&ends) == 0);
        let (_, ends) = act(&params, Pairs::Same, 30.0, |_| vec![0, 2]);
        assert!(successes(&ends) == 0 && ends.iter().all(|end| end.seconds == REACH_LIMIT_S));
    }
}
