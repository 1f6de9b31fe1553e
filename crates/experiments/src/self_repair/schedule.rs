//! The protocol as a list of steps.

use super::Params;

/// Simulated time of a training step, in s; everything happens at multiples of it.
pub(super) const GRID_S: f64 = 10.0;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Learning for [`GRID_S`].
    Train,
    /// A test.
    Test,
    /// An entry of the timeline, by its number; one that begins a phase is followed by a test.
    Act(usize),
}

/// All steps: a test, training with tests every `test_every_s`; at one time first the regular test, then the entries in order.
pub(super) fn schedule(params: &Params) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let ticks = (params.duration_s / GRID_S).round() as u64;
    let every = (params.test_every_s / GRID_S).round() as u64;
    for tick in 0..=ticks {
        if tick.is_multiple_of(every) || tick == ticks {
            pieces.push(Piece::Test);
        }
        for (i, entry) in params.timeline.iter().enumerate() {
            if (entry.at_s() / GRID_S).round() as u64 == tick {
                pieces.push(Piece::Act(i));
                if entry.begins_a_phase() {
                    pieces.push(Piece::Test);
                }
            }
        }
        if tick < ticks {
            pieces.push(Piece::Train);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Entry, Remove};

    #[test]
    fn a_lesion_is_preceded_and_followed_by_tests() {
        let lesion = Entry::Lesion { at_s: 20.0, remove: Remove::AllConnections, share: 1.0 };
        let set = Entry::Set { at_s: 0.0, temperature: Some(0.0), prior_mean: None, plasticity: None };
        let params =
            Params { duration_s: 30.0, test_every_s: 20.0, timeline: vec![set, lesion], ..Params::default() };
        let expected = [
            Piece::Test,
            Piece::Act(0),
            Piece::Train,
            Piece::Train,
            Piece::Test,
            Piece::Act(1),
            Piece::Test,
            Piece::Train,
            Piece::Test,
        ];
        assert_eq!(schedule(&params), expected);
    }

    #[test]
    fn the_default_has_every_ten_seconds_and_47_tests() {
        let pieces = schedule(&Params::default());
        let count = |piece: Piece| pieces.iter().filter(|&&found| found == piece).count();
        assert_eq!((count(Piece::Train), count(Piece::Test), pieces.len()), (660, 47, 709));
    }
}
