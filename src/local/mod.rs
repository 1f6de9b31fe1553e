//! A service on this machine: the server in this process, workers as child processes of the same binary.

mod backoff;
mod crew;
mod service;
mod signals;

pub(crate) use crew::{Crew, Members, Voice};
pub(crate) use service::{Service, place};
pub(crate) use signals::{asked_to_stop, exit_on_second_signal};
