//! Metrics as they travel and are stored: a name, a step and raw bits.

use serde::{Deserialize, Serialize};

/// One value of one metric of a run at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// `[a-z][a-z0-9_]{0,63}`.
    pub name: String,
    /// The step it was observed at.
    pub step: u64,
    /// The value.
    pub value: Value,
}

/// A value: one number, or an array. Compare bits with [`Value::same_bits`]: NaN differs from itself under `==`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// Many numbers and how to draw them.
    Array(Array),
}

impl Value {
    /// Whether both hold the same bits.
    pub fn same_bits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(a), Self::Scalar(b)) => a.to_bits() == b.to_bits(),
            (Self::Array(a), Self::Array(b)) => a == b,
            _ => false,
        }
    }
}

/// Numbers in C order, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// How to draw it.
    pub kind: MetricKind,
    /// What each number is.
    pub dtype: Dtype,
    /// Size along each dimension.
    pub shape: Vec<u32>,
    /// The numbers, little-endian, C order.
    pub data: Vec<u8>,
}

/// How a metric is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// One number per step.
    Scalar,
    /// A list of numbers per step.
    Vector,
    /// Row 0: bin edges (n + 1); row 1: counts (n) and a closing 0. Shape (2, n + 1).
    Histogram,
    /// Numbers in rows and columns.
    Matrix,
    /// Images: (n, rows, cols).
    Tiles,
    /// Events: rows of (time in ms, unit).
    Raster,
    /// Named values.
    Bars,
}

/// Type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Byte.
    U8,
    /// 32-bit unsigned.
    U32,
}

impl Dtype {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 | Self::U32 => 4,
            Self::U8 => 1,
        }
    }
}
