//! The whole program as its users run it: processes, sockets, signals, and a checker that trusts none of them.
#![forbid(unsafe_code)]

mod api;
mod audio;
mod bad_input;
mod browser;
mod checker;
mod contract;
mod damage;
mod datasets;
mod faults;
mod fence;
mod forks;
mod gang;
mod kills;
mod lifecycle;
mod load;
mod powercut;
mod replicas;
mod reproduce;
mod retention;
mod sources;
mod streams;
mod submissions;
mod support;
mod tables;
mod tidy;
