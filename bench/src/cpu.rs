//! The clock: processor seconds of this thread, which other work on the machine hardly moves.

use nix::time::ClockId;

/// Processor seconds that `work` takes on this thread, and what it returns.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = now();
    let result = work();
    (now() - began, result)
}

/// Processor seconds of this thread so far.
pub(crate) fn now() -> f64 {
    let time = ClockId::CLOCK_THREAD_CPUTIME_ID.now().expect("every Linux has the clock of a thread");
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}
