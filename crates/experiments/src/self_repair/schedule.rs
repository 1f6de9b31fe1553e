//! The protocol as a list of steps.

use super::params::{PATTERN_MS, Params};
use crate::timeline::{Entry, Remove};

/// Everything happens at multiples of this, in s.
pub(super) const GRID_S: f64 = 10.0;
/// Patterns of that time.
pub(super) const GRID_PATTERNS: u32 = (GRID_S * 1000.0) as u32 / PATTERN_MS as u32;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Learning from so many patterns.
    Train(u32),
    /// Trials of a kind: how many, after those that were.
    Show(Trial, u32),
    /// A test: what the trials since the last step of another kind tell.
    Test,
    /// An entry of the timeline, by its number; one that begins a phase is followed by a test.
    Act(usize),
}

/// Kinds of trials, plasticity off. The number is part of the address of their draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    /// Examples to learn from are seen, nothing is heard.
    Seen = 0,
    /// They are heard, nothing is seen.
    Heard = 1,
    /// Others are heard.
    Hearing = 2,
    /// Others are seen.
    Seeing = 3,
    /// Examples to learn from are seen and heard.
    Both = 8,
}

impl Trial {
    /// Those of a test.
    pub(super) const TEST: [Self; 4] = [Self::Seen, Self::Heard, Self::Hearing, Self::Seeing];

    /// Whether images and sounds are shown.
    pub(super) fn shows(self) -> [bool; 2] {
        match self {
            Self::Seen | Self::Seeing => [true, false],
            Self::Heard | Self::Hearing => [false, true],
            Self::Both => [true, true],
        }
    }

    /// Whether examples are unseen in learning.
    pub(super) fn is_unseen(self) -> bool {
        matches!(self, Self::Hearing | Self::Seeing)
    }
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// What it does.
    pub(super) piece: Piece,
    /// Of which event of the protocol it is a part: [`GRID_S`] of learning, a test, or an entry. All of an event draw from there.
    pub(super) event: u64,
}

/// All steps: a test, training with tests every `test_every_s`; at one time first the regular test, then the entries in order.
pub(super) fn schedule(params: &Params) -> Vec<Step> {
    let most = patterns_of_a_step(params);
    let parts = |n: u32| (0..n.div_ceil(most)).map(move |part| most.min(n - part * most));
    let trials = |kind: Trial| parts(params.test_trials).map(move |n| Piece::Show(kind, n));
    let test = || Trial::TEST.into_iter().flat_map(trials).chain([Piece::Test]).collect::<Vec<_>>();
    let ticks = (params.duration_s / GRID_S).round() as u64;
    let every = (params.test_every_s / GRID_S).round() as u64;
    let mut events = Vec::new();
    for tick in 0..=ticks {
        if tick.is_multiple_of(every) || tick == ticks {
            events.push(test());
        }
        for (i, entry) in params.timeline.iter().enumerate() {
            if (entry.at_s() / GRID_S).round() as u64 == tick {
                let kinds = if needs_trials(entry) { &[Trial::Both][..] } else { &[] };
                events.push(kinds.iter().copied().flat_map(trials).chain([Piece::Act(i)]).collect());
                if entry.begins_a_phase() {
                    events.push(test());
                }
            }
        }
        if tick < ticks {
            events.push(parts(GRID_PATTERNS).map(Piece::Train).collect());
        }
    }
    let steps =
        |(event, pieces): (u64, Vec<Piece>)| pieces.into_iter().map(move |piece| Step { piece, event });
    (0..).zip(events).flat_map(steps).collect()
}

/// Whether an entry depends on which neurons prefer which digit.
fn needs_trials(entry: &Entry) -> bool {
    matches!(entry, Entry::Lesion { remove: Remove::VisionNeurons, .. })
}

/// Patterns that a step shows at most: [`GRID_S`] of them in the default network, fewer in larger ones, so that a step takes no
/// longer there.
fn patterns_of_a_step(params: &Params) -> u32 {
    let pairs = (params.bands * params.bins).max(64);
    let synapses = |neurons: u32, pairs: u32| f64::from(neurons) * f64::from(2 * (pairs + neurons));
    let longer = synapses(params.neurons, pairs) / synapses(64, 80) * params.circuit_hz / 100.0;
    ((f64::from(GRID_PATTERNS) / longer) as u32).clamp(1, GRID_PATTERNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(params: &Params) -> Vec<Piece> {
        schedule(params).into_iter().map(|step| step.piece).collect()
    }

    #[test]
    fn a_lesion_is_preceded_and_followed_by_tests() {
        let lesion = Entry::Lesion { at_s: 20.0, remove: Remove::AllConnections, share: 1.0 };
        let set = Entry::Set { at_s: 0.0, temperature: Some(0.0), prior_mean: None, plasticity: None };
        let params =
            Params { duration_s: 30.0, test_every_s: 20.0, timeline: vec![set, lesion], ..Params::default() };
        let expected = [
            Piece::Test,
            Piece::Act(0),
            Piece::Train(50),
            Piece::Train(50),
            Piece::Test,
            Piece::Act(1),
            Piece::Test,
            Piece::Train(50),
            Piece::Test,
        ];
        let found = pieces(&params);
        assert!(found.iter().filter(|piece| !matches!(piece, Piece::Show(..))).eq(&expected));
        let events: Vec<u64> = schedule(&params)
            .into_iter()
            .filter_map(|step| (!matches!(step.piece, Piece::Show(..))).then_some(step.event))
            .collect();
        assert_eq!(events, (0..9).collect::<Vec<u64>>());
    }

    #[test]
    fn a_test_shows_all_trials_of_each_kind_in_steps_as_long_as_those_of_learning() {
        let params = Params { test_trials: 120, ..Params::default() };
        let found = pieces(&params);
        let first = found.split(|piece| *piece == Piece::Test).next().expect("it begins with a test");
        let expected: Vec<Piece> =
            Trial::TEST.into_iter().flat_map(|kind| [50, 50, 20].map(|n| Piece::Show(kind, n))).collect();
        assert_eq!(first, expected);
    }

    #[test]
    fn neurons_are_chosen_for_a_lesion_by_trials_of_both_senses() {
        let found = pieces(&Params::default());
        let lesion = found.iter().position(|piece| *piece == Piece::Act(0)).expect("a lesion");
        assert_eq!(found[lesion - 4..lesion], [Piece::Show(Trial::Both, 50); 4]);
        let cut = found.iter().position(|piece| *piece == Piece::Act(1)).expect("another");
        assert_eq!(found[cut - 1], Piece::Test);
    }

    #[test]
    fn the_default_has_every_ten_seconds_and_47_tests() {
        let found = pieces(&Params::default());
        let count = |piece: Piece| found.iter().filter(|&&other| other == piece).count();
        // Every 150 s from 0 to 6,600 s, and after each lesion.
        assert_eq!((count(Piece::Train(50)), count(Piece::Test)), (660, 47));
        assert_eq!(found.len(), 660 + 47 * 17 + 2 + 4);
    }

    #[test]
    fn larger_networks_take_shorter_steps() {
        let large = Params { neurons: 500, circuits: 50, ..Params::default() };
        assert_eq!(patterns_of_a_step(&large), 1);
        assert!(pieces(&large).iter().filter(|piece| **piece == Piece::Train(1)).count() == 33_000);
    }
}
