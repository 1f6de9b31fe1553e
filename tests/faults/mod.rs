//! Faults against real processes: one kind at a time, and in a storm all of them.

mod backlog;
mod backups;
mod big;
mod cancels;
mod clocks;
mod deaths;
mod disk;
mod format;
mod links;
mod memory;
mod poison;
mod room;
mod rot;
mod slow;
mod stalled;
mod stops;
mod storm;

pub(crate) use storm::logs;
