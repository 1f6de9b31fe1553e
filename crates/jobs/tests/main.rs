//! The rules from outside: single transitions, random histories, sweeps.

mod fixture;
mod histories;
mod sweeps;
mod transitions;
