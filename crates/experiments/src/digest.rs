//! The digest of a run: one hash over what it is, everything it observed, and its final state.
//!
//! It is built as a chain, so that 32 bytes in a checkpoint carry it across a resume:
//! `t₀ = H(context ‖ identity)`, `tₖ = H(tₖ₋₁ ‖ metrics of observation point k, by name)`,
//! `digest = H(tₙ ‖ final state)`. Neither time, attempt, worker nor SIMD level enters.

use std::fmt;

use crate::{Array, Dtype, Metric, SourceMark, Value, ValueKind};

const CONTEXT: &[u8] = b"vesicle-digest-1";

/// Who a run is: everything that decides its bits.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// Name of the experiment.
    pub experiment: &'a str,
    /// Its version.
    pub version: u32,
    /// Canonical params.
    pub params: &'a str,
    /// Randomness key.
    pub seed: u64,
    /// Hash of the data set; zeros when there is none.
    pub data_hash: [u8; 32],
    /// Steps between observation points.
    pub every: u64,
    /// The runs that it builds on, by name.
    pub sources: &'a [SourceMark],
}

/// The chain value after some observation points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Trace(pub [u8; 32]);

/// The digest of a finished run; displays as 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Trace {
    /// Before the first observation.
    pub fn start(identity: &Identity<'_>) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(CONTEXT);
        text(&mut hash, identity.experiment);
        hash.update(&identity.version.to_le_bytes());
        text(&mut hash, identity.params);
        hash.update(&identity.seed.to_le_bytes());
        hash.update(&identity.data_hash);
        hash.update(&identity.every.to_le_bytes());
        // Nothing is added for a run that builds on none: every field before has its length or a fixed one.
        for SourceMark { name, identity } in identity.sources {
            text(&mut hash, name);
            hash.update(identity);
        }
        Self(*hash.finalize().as_bytes())
    }

    /// After one more observation point, whose metrics come in any order.
    #[must_use]
    pub fn observed(self, metrics: &[Metric]) -> Self {
        let mut metrics: Vec<&Metric> = metrics.iter().collect();
        metrics.sort_by_key(|metric| metric.name);
        let mut hash = blake3::Hasher::new();
        hash.update(&self.0);
        for metric in metrics {
            text(&mut hash, metric.name);
            hash.update(&metric.step.to_le_bytes());
            value(&mut hash, &metric.value);
        }
        Self(*hash.finalize().as_bytes())
    }

    /// The digest of a run that ended in this state.
    pub fn finish(self, state: &[u8]) -> Digest {
        let mut hash = blake3::Hasher::new();
        hash.update(&self.0).update(state);
        Digest(*hash.finalize().as_bytes())
    }
}

/// Lengths go first, so that no two sequences of fields read alike.
pub(crate) fn text(hash: &mut blake3::Hasher, text: &str) {
    hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}

fn value(hash: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Scalar(x) => {
            hash.update(&[0, 0, 0]).update(&x.to_le_bytes());
        }
        Value::Array(Array { kind, dtype, shape, data }) => {
            hash.update(&[kind_byte(*kind), dtype_byte(*dtype), shape.len() as u8]);
            shape.iter().for_each(|n| {
                hash.update(&n.to_le_bytes());
            });
            hash.update(data);
        }
    }
}

fn kind_byte(kind: ValueKind) -> u8 {
    match kind {
        ValueKind::Scalar => 0,
        ValueKind::Vector => 1,
        ValueKind::Histogram => 2,
        ValueKind::Matrix => 3,
        ValueKind::Tiles => 4,
        ValueKind::Raster => 5,
        ValueKind::Bars => 6,
    }
}

fn dtype_byte(dtype: Dtype) -> u8 {
    match dtype {
        Dtype::F64 => 0,
        Dtype::F32 => 1,
        Dtype::U8 => 2,
        Dtype::U32 => 3,
    }
}
