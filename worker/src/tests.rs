//! The worker against a puppet of the server, with real experiments and with a toy that does as it is told.

mod attempt;
mod client;
mod datasets;
mod endings;
mod outage;
mod outbox;
mod pool;
mod puppet;
mod reporter;
mod sources;
mod stage;
mod toy;
mod witness;
