//! Metrics as they travel and are stored: a name, a step and raw bits.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

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
    /// As the API and `vesicle run` write it: a number, `{"nonfinite": "nan|inf|-inf"}`, or
    /// `{"kind", "dtype", "shape", "data"}` with the bytes in base64.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Scalar(x) => scalar_json(*x),
            Self::Array(Array { kind, dtype, shape, data }) => {
                json!({"kind": kind, "dtype": dtype, "shape": shape, "data": BASE64_STANDARD.encode(data)})
            }
        }
    }

    /// Whether both hold the same bits.
    pub fn same_bits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(a), Self::Scalar(b)) => a.to_bits() == b.to_bits(),
            (Self::Array(a), Self::Array(b)) => a == b,
            _ => false,
        }
    }
}

/// A number as JSON; those that JSON has not are named.
pub fn scalar_json(x: f64) -> Json {
    match x {
        _ if x.is_finite() => json!(x),
        _ if x.is_nan() => json!({"nonfinite": "nan"}),
        _ if x > 0.0 => json!({"nonfinite": "inf"}),
        _ => json!({"nonfinite": "-inf"}),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_bits_and_those_that_json_has_not_are_named() {
        let text = |x| Value::Scalar(x).to_json().to_string();
        assert_eq!((text(0.1), text(-0.0)), ("0.1".into(), "-0.0".into()));
        assert_eq!(text(f64::NAN), r#"{"nonfinite":"nan"}"#);
        assert_eq!(text(f64::INFINITY), r#"{"nonfinite":"inf"}"#);
        assert_eq!(text(f64::NEG_INFINITY), r#"{"nonfinite":"-inf"}"#);
    }

    #[test]
    fn arrays_travel_as_base64_of_their_little_endian_bytes() {
        let data = [1.0_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let array = Array { kind: MetricKind::Vector, dtype: Dtype::F32, shape: vec![2], data };
        let expected = json!({"kind": "vector", "dtype": "f32", "shape": [2], "data": "AACAPwAAAMA="});
        assert_eq!(Value::Array(array).to_json(), expected);
    }
}
