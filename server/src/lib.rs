//! The server: REST and gRPC on one port, leases, streams, the page.
//!
//! Every rule lives behind [`store::Store`]; the server checks what comes in, keeps time, wakes those who wait
//! and turns words into messages. It never steps a simulation.
#![forbid(unsafe_code)]

mod act;
mod app;
mod attempts;
mod backlog;
mod builtin;
mod checkpoints;
mod clock;
mod config;
mod datasets;
mod disk;
mod doorbell;
mod events;
mod fault;
mod grpc;
mod json;
mod listener;
mod neighbours;
mod reaper;
mod rest;
mod running;
mod seats;
mod socket;
mod submit;
mod telemetry;
mod upload;
mod waiting;

pub use config::Config;
pub use disk::{Room, Space};
pub use rest::openapi_json;
pub use running::{Drain, Running, StartError, start};

#[cfg(test)]
mod tests;
