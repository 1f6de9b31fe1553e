//! Many at once: how long it takes when hundreds listen, report or come back together, and that nothing is lost by it.
//!
//! The small forms run with all other tests, so their bounds allow for a build that is not optimised and for neighbours;
//! the long ones are for a quiet machine and a release build: `make load`.

mod crowd;
mod flood;
mod herd;
mod listener;
