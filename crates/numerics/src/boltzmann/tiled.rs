//! The fast path: Bernoulli synapses, weights in panels, one core.
//!
//! The same learning as [`super::step()`] with the same draws of units (`Hidden` and `Visible`, at
//! [`super::unit_index()`]), in an order of additions that suits the caches; see [`kernels::tiled`]. Releases
//! of model B come from stream `Mask` at addresses of their own: 16 bits each, and their probability is p to the
//! nearest 65,536th.

mod apart;
mod gates;
mod images;
mod scratch;
mod shards;
mod state;
mod step;

pub use apart::{Turn, step_apart};
pub use images::{Batch, Images};
pub use scratch::Scratch;
pub use shards::{step_in_shards, step_in_shards_at};
pub use state::State;
pub use step::{Part, step, step_at, step_in_parts, step_rows};
