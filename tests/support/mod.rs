//! What the end-to-end tests stand on: real processes, a client, a proxy that breaks connections, patience.

mod asked;
mod cgroup;
mod child;
mod client;
mod clock;
mod disk;
mod figures;
mod frames;
mod loss;
mod memory;
mod proxy;
mod puppet;
mod random;
mod reference;
mod service;
mod tamper;
mod wait;

pub(crate) use asked::{Database, OnSqlite, asked, asked_for_all, times};
pub(crate) use cgroup::MemoryCgroup;
pub(crate) use child::{Child, command, command_by, succeed};
pub(crate) use client::{Client, Seen, json, text};
pub(crate) use clock::FakeClock;
pub(crate) use disk::SmallDisk;
pub(crate) use figures::Times;
pub(crate) use loss::Loss;
pub(crate) use memory::resident_kib;
pub(crate) use proxy::Proxy;
pub(crate) use puppet::{Attempt, Puppet};
pub(crate) use random::Random;
pub(crate) use reference::{Bits, Reference, undisturbed, undisturbed_from};
pub(crate) use service::{LEASE, PROMPT, Service, digits_job};
pub(crate) use tamper::Tamper;
pub(crate) use wait::until;
