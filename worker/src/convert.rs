//! From the words of `experiments` and of the wire to those of `jobs`.

use experiments::{Metric, ValueKind};
use jobs::{Array, CheckpointRef, Dtype, MetricKind, MetricPoint, NonFinite, Value};
use proto::{ConvertError, required, v1};

use crate::coordinator::{Lease, Terms};

/// An observed value as it travels.
pub fn metric_point(metric: Metric) -> MetricPoint {
    let value = match metric.value {
        experiments::Value::Scalar(x) => Value::Scalar(x),
        experiments::Value::Array(array) => Value::Array(Array {
            kind: kind(array.kind),
            dtype: dtype(array.dtype),
            shape: array.shape,
            data: array.data,
        }),
    };
    MetricPoint { name: metric.name.to_owned(), step: metric.step, value }
}

fn kind(kind: ValueKind) -> MetricKind {
    match kind {
        ValueKind::Scalar => MetricKind::Scalar,
        ValueKind::Vector => MetricKind::Vector,
        ValueKind::Histogram => MetricKind::Histogram,
        ValueKind::Matrix => MetricKind::Matrix,
        ValueKind::Tiles => MetricKind::Tiles,
        ValueKind::Raster => MetricKind::Raster,
        ValueKind::Bars => MetricKind::Bars,
    }
}

fn dtype(dtype: experiments::Dtype) -> Dtype {
    match dtype {
        experiments::Dtype::F32 => Dtype::F32,
        experiments::Dtype::F64 => Dtype::F64,
        experiments::Dtype::U8 => Dtype::U8,
        experiments::Dtype::U32 => Dtype::U32,
    }
}

impl TryFrom<v1::RegisterResponse> for Terms {
    type Error = ConvertError;

    fn try_from(response: v1::RegisterResponse) -> Result<Self, ConvertError> {
        Ok(Self {
            report_min_ms: response.report_min_ms,
            report_max_ms: positive("report_max_ms", response.report_max_ms)?,
            checkpoint_ms: positive("checkpoint_ms", response.checkpoint_ms)?,
            max_checkpoint_bytes: positive("max_checkpoint_bytes", response.max_checkpoint_bytes)?,
            max_report_points: match response.max_report_points {
                0 => proto::POINTS_LIMIT,
                points => points as usize,
            },
        })
    }
}

impl TryFrom<v1::Lease> for Lease {
    type Error = ConvertError;

    fn try_from(lease: v1::Lease) -> Result<Self, ConvertError> {
        let given = |steps| (steps != 0).then_some(steps);
        let checkpoint = lease.checkpoint.map(TryInto::try_into).transpose();
        Ok(Self {
            run: proto::id("run_id", &lease.run_id)?,
            job: proto::id("job_id", &lease.job_id)?,
            attempt: required("attempt", (lease.attempt != 0).then_some(lease.attempt))?,
            experiment: lease.experiment,
            version: lease.version,
            params: lease.params,
            seed: lease.seed,
            dataset: proto::dataset("dataset", &lease.dataset)?,
            every: given(lease.every),
            checkpoint_every_steps: given(lease.checkpoint_every_steps),
            checkpoint: checkpoint.map_err(|e: ConvertError| e.within("checkpoint"))?,
            sources: sources(lease.sources)?,
            lease_ms: positive("lease_ms", lease.lease_ms)?,
            on_nonfinite: if lease.fail_on_nonfinite { NonFinite::Fail } else { NonFinite::Record },
            wall_s: positive("wall_s", lease.wall_s)?,
        })
    }
}

fn sources(sources: Vec<v1::LeaseSource>) -> Result<Vec<(String, CheckpointRef)>, ConvertError> {
    let source = |(n, source): (usize, v1::LeaseSource)| {
        let checkpoint = required("checkpoint", source.checkpoint).and_then(TryInto::try_into);
        Ok((source.name, checkpoint.map_err(|e| e.within(format_args!("sources[{n}]")))?))
    };
    sources.into_iter().enumerate().map(source).collect()
}

fn positive(field: &str, number: u64) -> Result<u64, ConvertError> {
    if number == 0 { Err(ConvertError::new(field, 0, "it must be at least 1")) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observed_value_keeps_its_bits_and_its_shape() {
        let nan = f64::from_bits(0x7ff8_0000_0000_0042);
        let scalar = Metric { name: "free_energy", step: 7, value: experiments::Value::Scalar(nan) };
        let expected = MetricPoint { name: "free_energy".into(), step: 7, value: Value::Scalar(nan) };
        assert!(metric_point(scalar).value.same_bits(&expected.value));

        let array = experiments::Array {
            kind: ValueKind::Tiles,
            dtype: experiments::Dtype::F32,
            shape: vec![1, 2, 2],
            data: (0..16).collect(),
        };
        let tiles =
            metric_point(Metric { name: "weights", step: 8, value: experiments::Value::Array(array) });
        let Value::Array(array) = tiles.value else { panic!("an array stays one") };
        assert_eq!((array.kind, array.dtype), (MetricKind::Tiles, Dtype::F32));
        assert_eq!((array.shape, array.data), (vec![1, 2, 2], (0..16).collect()));
    }

    fn lease() -> v1::Lease {
        v1::Lease {
            run_id: uuid::Uuid::from_u128(1).to_string(),
            job_id: uuid::Uuid::from_u128(2).to_string(),
            attempt: 3,
            experiment: "rbm".into(),
            version: 1,
            params: "{}".into(),
            seed: 9,
            lease_ms: 30_000,
            wall_s: 60,
            ..v1::Lease::default()
        }
    }

    #[test]
    fn a_lease_says_what_is_absent() {
        let lease = Lease::try_from(lease()).expect("a good lease");
        assert_eq!((lease.every, lease.checkpoint_every_steps, lease.dataset), (None, None, None));
        assert_eq!((lease.on_nonfinite, lease.checkpoint), (NonFinite::Record, None));
    }

    #[test]
    fn a_lease_that_cannot_be_is_refused_by_field() {
        let refused = |change: fn(&mut v1::Lease)| {
            let mut wire = lease();
            change(&mut wire);
            Lease::try_from(wire).expect_err("no such lease").field
        };
        assert_eq!(refused(|lease| lease.attempt = 0), "attempt");
        assert_eq!(refused(|lease| lease.lease_ms = 0), "lease_ms");
        assert_eq!(refused(|lease| lease.dataset = "digits".into()), "dataset");
        assert_eq!(
            refused(|lease| lease.checkpoint = Some(v1::CheckpointRef::default())),
            "checkpoint.digest"
        );
        assert_eq!(
            refused(|lease| lease.sources = vec![v1::LeaseSource::default()]),
            "sources[0].checkpoint"
        );
    }
}
