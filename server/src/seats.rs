//! Places of event streams, from 0 without gaps for long: who comes back when after all streams were cut.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// What a client waits before it connects again, wherever it sits.
const FIRST: Duration = Duration::from_secs(1);
/// Between one place and the next: 33 a second come back, and of 500 streams the last one after 16 s.
const APART: Duration = Duration::from_millis(30);

/// The places of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Free>>);

#[derive(Debug, Default)]
struct Free {
    /// Places that were left.
    left: BTreeSet<u32>,
    /// No stream ever had this one.
    next: u32,
}

/// A place, as long as this lives.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    number: u32,
}

impl Seats {
    /// The first place that is free.
    pub(crate) fn take(&self) -> Seat {
        let mut free = self.lock();
        let number = free.left.pop_first().unwrap_or_else(|| {
            free.next += 1;
            free.next - 1
        });
        Seat { seats: self.clone(), number }
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        self.0.lock().expect("nothing panics while the lock is held")
    }
}

impl Seat {
    /// How long the client is to wait when the stream is cut: no two clients wait equally long.
    pub(crate) fn retry(&self) -> Duration {
        FIRST + APART * self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().left.insert(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_streams_come_back_at_once_and_few_need_not_wait_long() {
        let seats = Seats::default();
        let taken: Vec<_> = (0..500).map(|_| seats.take()).collect();
        let waits: BTreeSet<_> = taken.iter().map(Seat::retry).collect();
        assert_eq!(waits.len(), 500);
        assert_eq!(waits.first(), Some(&FIRST));
        assert_eq!(waits.last(), Some(&Duration::from_millis(15_970)));
        drop(taken);
        let (one, two) = (seats.take(), seats.take());
        assert_eq!((one.retry(), two.retry()), (FIRST, FIRST + APART));
    }

    #[test]
    fn a_place_that_was_left_is_the_next_to_be_taken() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..5).map(|_| seats.take()).collect();
        taken.remove(1);
        assert_eq!(seats.take().number, 1);
    }
}
