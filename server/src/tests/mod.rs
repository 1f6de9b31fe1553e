//! The server as its clients see it, over the memory store.

mod datasets;
mod errors;
mod events;
mod gate;
mod grpc_jobs;
mod grpc_workers;
mod jobs;
mod limits;
mod parity;
mod reads;
mod room;
mod sources;
mod support;
