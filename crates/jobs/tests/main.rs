//! The rules from outside: single transitions, random histories, sweeps.

mod events;
mod fixture;
mod histories;
mod sources;
mod sweeps;
mod transitions;
