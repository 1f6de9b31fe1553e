//! A metric's value as JSON: the one place that says how `vesicle run` writes it, as the REST API does.

use base64::{Engine, prelude::BASE64_STANDARD};
use experiments::{Array, Dtype, Value, ValueKind};
use serde_json::{Value as Json, json};

/// A number, `{"nonfinite": "nan|inf|-inf"}`, or `{"kind", "dtype", "shape", "data"}` with the bytes in base64.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Scalar(x) => scalar(*x),
        Value::Array(Array { kind, dtype, shape, data }) => json!({
            "kind": kind_name(*kind),
            "dtype": dtype_name(*dtype),
            "shape": shape,
            "data": BASE64_STANDARD.encode(data),
        }),
    }
}

fn scalar(x: f64) -> Json {
    match x {
        _ if x.is_nan() => json!({"nonfinite": "nan"}),
        f64::INFINITY => json!({"nonfinite": "inf"}),
        f64::NEG_INFINITY => json!({"nonfinite": "-inf"}),
        _ => json!(x),
    }
}

/// As the API names it.
pub(crate) fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Scalar => "scalar",
        ValueKind::Vector => "vector",
        ValueKind::Histogram => "histogram",
        ValueKind::Matrix => "matrix",
        ValueKind::Tiles => "tiles",
    }
}

fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "f32",
        Dtype::F64 => "f64",
        Dtype::U8 => "u8",
        Dtype::U32 => "u32",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_bits_and_others_go_by_name() {
        assert_eq!(to_json(&Value::Scalar(0.1)).to_string(), "0.1");
        assert_eq!(to_json(&Value::Scalar(-0.0)).to_string(), "-0.0");
        assert_eq!(to_json(&Value::Scalar(f64::NAN)).to_string(), r#"{"nonfinite":"nan"}"#);
        assert_eq!(to_json(&Value::Scalar(f64::INFINITY)).to_string(), r#"{"nonfinite":"inf"}"#);
        assert_eq!(to_json(&Value::Scalar(f64::NEG_INFINITY)).to_string(), r#"{"nonfinite":"-inf"}"#);
    }

    #[test]
    fn arrays_travel_as_little_endian_base64() {
        let data = [1.0_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let array = Array { kind: ValueKind::Vector, dtype: Dtype::F32, shape: vec![2], data };
        let expected = json!({"kind": "vector", "dtype": "f32", "shape": [2], "data": "AACAPwAAAMA="});
        assert_eq!(to_json(&Value::Array(array)), expected);
    }
}
