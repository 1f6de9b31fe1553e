//! Metrics as users read them.

use jobs::{Array, Dtype, MetricKind, Value, scalar_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::{
    ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

/// The metrics of a run.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) metrics: Vec<Metric>,
}

/// A metric of a run without its values.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    pub(crate) name: String,
    /// How it is drawn: `scalar`, `vector`, `histogram`, `matrix`, `tiles`, `raster` or `bars`.
    #[schema(value_type = String)]
    pub(crate) kind: MetricKind,
    pub(crate) unit: String,
    pub(crate) meaning: String,
    /// How many steps have a value.
    pub(crate) count: u64,
    /// The last step that has one.
    pub(crate) last_step: u64,
    /// Its value there, if it is one number.
    #[schema(required, schema_with = last_schema)]
    pub(crate) last: Option<Json>,
}

/// Values of a metric by step.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rows {
    pub(crate) name: String,
    /// How it is drawn: `scalar`, `vector`, `histogram`, `matrix`, `tiles`, `raster` or `bars`.
    #[schema(value_type = String)]
    pub(crate) kind: MetricKind,
    /// Whether rows were left out; those given are real ones.
    pub(crate) sampled: bool,
    /// How many rows there are.
    pub(crate) total: u64,
    /// Step and value. A value is a number, `{"nonfinite": …}`, or an array; see `ArrayValue`.
    #[schema(schema_with = rows_schema)]
    pub(crate) rows: Vec<(u64, Json)>,
}

/// The schemas that macros cannot say: tuples, a choice of names, an array's fields.
pub(crate) fn schemas() -> Json {
    let kinds = ["scalar", "vector", "histogram", "matrix", "tiles", "raster", "bars"];
    json!({
        "Scalar": {
            "description": "One number; those that JSON has not are named.",
            "oneOf": [{"type": "number"}, {"$ref": "#/components/schemas/NonFinite"}]
        },
        "NonFinite": {
            "type": "object", "additionalProperties": false, "required": ["nonfinite"],
            "properties": {"nonfinite": {"type": "string", "enum": ["nan", "inf", "-inf"]}}
        },
        "Array": {
            "description": "Numbers in C order, little-endian.",
            "type": "object", "additionalProperties": false, "required": ["kind", "dtype", "shape", "data"],
            "properties": {
                "kind": {"type": "string", "enum": kinds},
                "dtype": {"type": "string", "enum": ["f32", "f64", "u8", "u32"]},
                "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                "data": {"type": "string", "contentEncoding": "base64"}
            }
        },
        "Row": {
            "description": "Step and value; with `format=json` an array is nested lists, a histogram edges and counts.",
            "type": "array", "minItems": 2, "maxItems": 2,
            "prefixItems": [{"type": "integer", "minimum": 0}, {"anyOf": [
                {"$ref": "#/components/schemas/Scalar"},
                {"$ref": "#/components/schemas/Array"},
                {"type": "array"},
                {"type": "object", "additionalProperties": false, "required": ["edges", "counts"],
                 "properties": {"edges": {"type": "array"}, "counts": {"type": "array"}}}
            ]}]
        }
    })
}

/// How arrays are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValueForm {
    /// Base64 of the little-endian numbers.
    #[default]
    Base64,
    /// Nested lists.
    Json,
}

fn rows_schema() -> RefOr<Schema> {
    ArrayBuilder::new().items(Ref::from_schema_name("Row")).into()
}

fn last_schema() -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(Ref::from_schema_name("Scalar")).item(null).into()
}

/// A value as JSON, arrays as base64.
pub(crate) fn value(value: &Value, form: ValueForm) -> Json {
    match value {
        Value::Array(array) if form == ValueForm::Json => nested(array),
        value => value.to_json(),
    }
}

/// An array as nested lists; a histogram as edges and counts.
pub(crate) fn nested(array: &Array) -> Json {
    let numbers: Vec<Json> = numbers(array);
    match (array.kind, array.shape.as_slice()) {
        // The counts close with a 0 that only fills the row.
        (MetricKind::Histogram, [2, edges]) if numbers.len() == 2 * *edges as usize && *edges > 0 => {
            let (edges, counts) = numbers.split_at(*edges as usize);
            json!({"edges": edges, "counts": counts[..counts.len() - 1]})
        }
        (_, shape) => fold(&numbers, shape),
    }
}

fn fold(numbers: &[Json], shape: &[u32]) -> Json {
    match shape {
        [] | [_] => Json::from(numbers.to_vec()),
        [_, inner @ ..] => {
            let size = inner.iter().map(|&n| n as usize).product::<usize>().max(1);
            numbers.chunks(size).map(|part| fold(part, inner)).collect()
        }
    }
}

fn numbers(array: &Array) -> Vec<Json> {
    let data = &array.data;
    match array.dtype {
        Dtype::U8 => data.iter().map(|&x| json!(x)).collect(),
        Dtype::U32 => data.as_chunks::<4>().0.iter().map(|x| json!(u32::from_le_bytes(*x))).collect(),
        // Through the shortest text of the single: 0.1 stays 0.1.
        Dtype::F32 => data.as_chunks::<4>().0.iter().map(|x| single(f32::from_le_bytes(*x))).collect(),
        Dtype::F64 => data.as_chunks::<8>().0.iter().map(|x| scalar_json(f64::from_le_bytes(*x))).collect(),
    }
}

fn single(x: f32) -> Json {
    if x.is_finite() { json!(x) } else { scalar_json(f64::from(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(kind: MetricKind, dtype: Dtype, shape: &[u32], data: Vec<u8>) -> Array {
        Array { kind, dtype, shape: shape.to_vec(), data }
    }

    #[test]
    fn a_matrix_becomes_rows() {
        let data = (1..=6_u32).flat_map(u32::to_le_bytes).collect();
        let matrix = array(MetricKind::Matrix, Dtype::U32, &[2, 3], data);
        assert_eq!(nested(&matrix), json!([[1, 2, 3], [4, 5, 6]]));
    }

    #[test]
    fn a_histogram_becomes_edges_and_counts() {
        let data = [0.0, 0.5, 1.0, 3.0, 4.0, 0.0].into_iter().flat_map(f64::to_le_bytes).collect();
        let histogram = array(MetricKind::Histogram, Dtype::F64, &[2, 3], data);
        assert_eq!(nested(&histogram), json!({"edges": [0.0, 0.5, 1.0], "counts": [3.0, 4.0]}));
    }

    #[test]
    fn numbers_that_json_has_not_are_named() {
        let data = [f32::NAN, f32::NEG_INFINITY, 0.5].into_iter().flat_map(f32::to_le_bytes).collect();
        let vector = array(MetricKind::Vector, Dtype::F32, &[3], data);
        assert_eq!(nested(&vector), json!([{"nonfinite": "nan"}, {"nonfinite": "-inf"}, 0.5]));
        assert_eq!(scalar_json(f64::INFINITY), json!({"nonfinite": "inf"}));
    }

    #[test]
    fn bytes_travel_as_base64_of_the_little_endian_numbers() {
        let vector = Value::Array(array(MetricKind::Vector, Dtype::U8, &[3], vec![1, 2, 3]));
        let expected = json!({"kind": "vector", "dtype": "u8", "shape": [3], "data": "AQID"});
        assert_eq!(value(&vector, ValueForm::Base64), expected);
        assert_eq!(value(&vector, ValueForm::Json), json!([1, 2, 3]));
    }
}
