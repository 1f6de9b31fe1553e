//! Faults against real processes: one kind at a time, and in a storm all of them.

mod big;
mod cancels;
mod clocks;
mod disk;
mod format;
mod room;
mod rot;
mod slow;
mod stops;
mod storm;

use storm::logs;
