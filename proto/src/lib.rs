//! The wire: protobuf messages and their conversion from and to the words of [`jobs`].
//!
//! Messages stop here and at the services that answer them; everything behind speaks `jobs`.
#![forbid(unsafe_code)]

pub mod codec;
mod convert;

pub use convert::{
    ConvertError, NAME_LIMIT, POINTS_LIMIT, VALUE_LIMIT_BYTES, dataset, hash, id, required, worker_info,
};

/// Generated from `vesicle/v1/*.proto`.
#[expect(
    missing_docs,
    clippy::all,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the .proto files are its documentation"
)]
pub mod v1 {
    tonic::include_proto!("vesicle.v1");
}

/// The descriptors of all messages and services, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
