//! Metric points: raw bits on both sides.

use jobs::{Array, Dtype, MetricKind, MetricPoint, Value};

use super::{ConvertError, required, unknown};
use crate::v1;

/// Longest name of a metric, in bytes.
pub const NAME_LIMIT: usize = 64;

/// Largest array, in bytes.
pub const VALUE_LIMIT_BYTES: usize = 1 << 20;

impl From<MetricKind> for v1::MetricKind {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Scalar => Self::Scalar,
            MetricKind::Vector => Self::Vector,
            MetricKind::Histogram => Self::Histogram,
            MetricKind::Matrix => Self::Matrix,
            MetricKind::Tiles => Self::Tiles,
            MetricKind::Raster => Self::Raster,
            MetricKind::Bars => Self::Bars,
        }
    }
}

fn kind(number: i32) -> Result<MetricKind, ConvertError> {
    Ok(match v1::MetricKind::try_from(number) {
        Ok(v1::MetricKind::Scalar) => MetricKind::Scalar,
        Ok(v1::MetricKind::Vector) => MetricKind::Vector,
        Ok(v1::MetricKind::Histogram) => MetricKind::Histogram,
        Ok(v1::MetricKind::Matrix) => MetricKind::Matrix,
        Ok(v1::MetricKind::Tiles) => MetricKind::Tiles,
        Ok(v1::MetricKind::Raster) => MetricKind::Raster,
        Ok(v1::MetricKind::Bars) => MetricKind::Bars,
        Ok(v1::MetricKind::Unspecified) | Err(_) => return Err(unknown("kind", number)),
    })
}

impl From<Dtype> for v1::Dtype {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F64 => Self::F64,
            Dtype::U8 => Self::U8,
            Dtype::U32 => Self::U32,
        }
    }
}

fn dtype(number: i32) -> Result<Dtype, ConvertError> {
    Ok(match v1::Dtype::try_from(number) {
        Ok(v1::Dtype::F32) => Dtype::F32,
        Ok(v1::Dtype::F64) => Dtype::F64,
        Ok(v1::Dtype::U8) => Dtype::U8,
        Ok(v1::Dtype::U32) => Dtype::U32,
        Ok(v1::Dtype::Unspecified) | Err(_) => return Err(unknown("dtype", number)),
    })
}

impl From<Array> for v1::Array {
    fn from(array: Array) -> Self {
        let (kind, dtype) = (v1::MetricKind::from(array.kind), v1::Dtype::from(array.dtype));
        Self { kind: kind.into(), dtype: dtype.into(), shape: array.shape, data: array.data }
    }
}

impl TryFrom<v1::Array> for Array {
    type Error = ConvertError;

    fn try_from(array: v1::Array) -> Result<Self, ConvertError> {
        let (kind, dtype) = (kind(array.kind)?, dtype(array.dtype)?);
        let bytes = array.data.len();
        if kind == MetricKind::Scalar {
            return Err(ConvertError::new("kind", "scalar", "it must be a kind of array"));
        }
        if bytes > VALUE_LIMIT_BYTES {
            let rule = format!("it must be at most {VALUE_LIMIT_BYTES}");
            return Err(ConvertError::new("data", format!("{bytes} bytes"), rule));
        }
        let size = array.shape.iter().try_fold(dtype.size(), |size, &n| size.checked_mul(n as usize));
        if array.shape.is_empty() || size != Some(bytes) {
            let rule = format!("it must multiply up to the {} numbers of `data`", bytes / dtype.size());
            return Err(ConvertError::new("shape", format!("{:?}", array.shape), rule));
        }
        Ok(Self { kind, dtype, shape: array.shape, data: array.data })
    }
}

impl From<MetricPoint> for v1::MetricPoint {
    fn from(point: MetricPoint) -> Self {
        let value = match point.value {
            Value::Scalar(x) => v1::metric_point::Value::Scalar(x),
            Value::Array(array) => v1::metric_point::Value::Array(array.into()),
        };
        Self { name: point.name, step: point.step, value: Some(value) }
    }
}

impl TryFrom<v1::MetricPoint> for MetricPoint {
    type Error = ConvertError;

    fn try_from(point: v1::MetricPoint) -> Result<Self, ConvertError> {
        check_name(&point.name)?;
        let value = match required("value", point.value)? {
            v1::metric_point::Value::Scalar(x) => Value::Scalar(x),
            v1::metric_point::Value::Array(array) => {
                Value::Array(array.try_into().map_err(|e: ConvertError| e.within("array"))?)
            }
        };
        Ok(Self { name: point.name, step: point.step, value })
    }
}

fn check_name(name: &str) -> Result<(), ConvertError> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let goes_on = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if begins && goes_on && name.len() <= NAME_LIMIT {
        return Ok(());
    }
    let rule = format!("it must be at most {NAME_LIMIT} of a-z, 0-9 and _, beginning with a letter");
    Err(ConvertError::new("name", format!("`{name}`"), rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(kind: MetricKind, dtype: Dtype, shape: &[u32], data: &[u8]) -> Array {
        Array { kind, dtype, shape: shape.to_vec(), data: data.to_vec() }
    }

    fn refused(array: v1::Array) -> String {
        let value = Some(v1::metric_point::Value::Array(array));
        MetricPoint::try_from(v1::MetricPoint { name: "w".into(), step: 1, value })
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn every_bit_of_a_value_survives_the_wire() {
        // A quiet NaN with a payload, -0, the least subnormal and an infinity.
        for bits in [0x7ff8_0000_dead_beef, 1 << 63, 1, 0x7ff0_0000_0000_0000_u64] {
            let point = MetricPoint {
                name: "free_energy".into(),
                step: u64::MAX,
                value: Value::Scalar(f64::from_bits(bits)),
            };
            let back = MetricPoint::try_from(v1::MetricPoint::from(point.clone())).expect("a good point");
            assert!(back.value.same_bits(&point.value) && back.name == point.name && back.step == point.step);
        }
        let kinds = [
            MetricKind::Vector,
            MetricKind::Histogram,
            MetricKind::Matrix,
            MetricKind::Tiles,
            MetricKind::Raster,
            MetricKind::Bars,
        ];
        for (kind, dtype) in kinds
            .into_iter()
            .flat_map(|kind| [Dtype::F32, Dtype::F64, Dtype::U8, Dtype::U32].map(|dtype| (kind, dtype)))
        {
            let value = Value::Array(array(kind, dtype, &[2, 3], &vec![0xc3; 6 * dtype.size()]));
            let point = MetricPoint { name: "w".into(), step: 0, value };
            assert_eq!(MetricPoint::try_from(v1::MetricPoint::from(point.clone())), Ok(point));
        }
    }

    #[test]
    fn an_array_that_does_not_fit_its_shape_is_refused() {
        let good = v1::Array::from(array(MetricKind::Matrix, Dtype::F32, &[2, 2], &[0; 16]));
        assert_eq!(
            refused(v1::Array { shape: vec![2, 3], ..good.clone() }),
            "`array.shape` is [2, 3]; it must multiply up to the 4 numbers of `data`"
        );
        assert!(refused(v1::Array { shape: vec![], ..good.clone() }).contains("`array.shape` is []"));
        assert!(refused(v1::Array { shape: vec![u32::MAX; 3], ..good.clone() }).contains("array.shape"));
        assert!(
            refused(v1::Array { data: vec![0; VALUE_LIMIT_BYTES + 1], ..good.clone() })
                .contains("1048577 bytes")
        );
        assert!(refused(v1::Array { dtype: 0, ..good.clone() }).contains("`array.dtype` is 0"));
        assert!(refused(v1::Array { kind: 99, ..good.clone() }).contains("`array.kind` is 99"));
        assert!(refused(v1::Array { kind: v1::MetricKind::Scalar.into(), ..good }).contains("array.kind"));
    }

    #[test]
    fn a_name_that_would_not_do_as_a_column_is_refused() {
        let point = |name: &str| v1::MetricPoint {
            name: name.into(),
            step: 0,
            value: Some(v1::metric_point::Value::Scalar(0.0)),
        };
        for good in ["w", "reconstruction_error", "p0", &"a".repeat(64)] {
            assert!(MetricPoint::try_from(point(good)).is_ok(), "{good}");
        }
        for bad in ["", "W", "0p", "_w", "a-b", "é", &"a".repeat(65)] {
            assert_eq!(
                MetricPoint::try_from(point(bad)).expect_err("must be refused").field,
                "name",
                "{bad}"
            );
        }
        let empty = v1::MetricPoint { value: None, ..point("w") };
        assert_eq!(
            MetricPoint::try_from(empty).expect_err("must be refused").to_string(),
            "`value` is absent; it must be given"
        );
    }
}
