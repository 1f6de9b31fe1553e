//! Reports, outcomes and directives.

use jobs::{CheckpointRef, Class, Directive, Outcome, Report, Stop};

use super::{ConvertError, hash, id, required, unknown};
use crate::v1;

/// Most metric points of one report, unless the server says otherwise when a worker registers.
pub const POINTS_LIMIT: usize = 5_000;

impl From<Report> for v1::ReportRequest {
    fn from(report: Report) -> Self {
        Self {
            run_id: report.run.to_string(),
            attempt: report.attempt,
            seq: report.seq,
            step: report.step,
            metrics: report.metrics.into_iter().map(Into::into).collect(),
            checkpoint: report.checkpoint.map(Into::into),
            outcome: report.outcome.map(Into::into),
        }
    }
}

impl TryFrom<v1::ReportRequest> for Report {
    type Error = ConvertError;

    fn try_from(report: v1::ReportRequest) -> Result<Self, ConvertError> {
        let metrics = report.metrics.into_iter().enumerate();
        let metrics = metrics.map(|(n, point)| {
            point.try_into().map_err(|e: ConvertError| e.within(format_args!("metrics[{n}]")))
        });
        Ok(Self {
            run: id("run_id", &report.run_id)?,
            attempt: report.attempt,
            seq: report.seq,
            step: report.step,
            metrics: metrics.collect::<Result<_, _>>()?,
            checkpoint: report
                .checkpoint
                .map(TryInto::try_into)
                .transpose()
                .map_err(|e: ConvertError| e.within("checkpoint"))?,
            outcome: report
                .outcome
                .map(TryInto::try_into)
                .transpose()
                .map_err(|e: ConvertError| e.within("outcome"))?,
        })
    }
}

impl From<CheckpointRef> for v1::CheckpointRef {
    fn from(checkpoint: CheckpointRef) -> Self {
        let CheckpointRef { step, digest, bytes } = checkpoint;
        Self { step, digest: digest.to_vec(), bytes }
    }
}

impl TryFrom<v1::CheckpointRef> for CheckpointRef {
    type Error = ConvertError;

    fn try_from(checkpoint: v1::CheckpointRef) -> Result<Self, ConvertError> {
        Ok(Self {
            step: checkpoint.step,
            digest: hash("digest", &checkpoint.digest)?,
            bytes: checkpoint.bytes,
        })
    }
}

impl From<Outcome> for v1::Outcome {
    fn from(outcome: Outcome) -> Self {
        use v1::outcome::Outcome as Wire;
        let outcome = match outcome {
            Outcome::Succeeded { digest } => Wire::Succeeded(digest),
            Outcome::Failed { class, message } => {
                Wire::Failed(v1::Failure { class: v1::FailureClass::from(class).into(), message })
            }
            Outcome::Stopped(stop) => Wire::Stopped(v1::StopReason::from(stop).into()),
        };
        Self { outcome: Some(outcome) }
    }
}

impl TryFrom<v1::Outcome> for Outcome {
    type Error = ConvertError;

    fn try_from(outcome: v1::Outcome) -> Result<Self, ConvertError> {
        use v1::outcome::Outcome as Wire;
        Ok(match required("outcome", outcome.outcome)? {
            Wire::Succeeded(digest) if is_digest(&digest) => Self::Succeeded { digest },
            Wire::Succeeded(digest) => {
                return Err(ConvertError::new(
                    "succeeded",
                    format!("`{digest}`"),
                    "it must be 64 hex digits, small letters",
                ));
            }
            Wire::Failed(v1::Failure { class, message }) => {
                Self::Failed { class: self::class("failed.class", class)?, message }
            }
            Wire::Stopped(reason) => Self::Stopped(stop("stopped", reason)?),
        })
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl From<Class> for v1::FailureClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Crash => Self::Crash,
            Class::Timeout => Self::Timeout,
            Class::Oom => Self::Oom,
            Class::Lost => Self::Lost,
            Class::Drained => Self::Drained,
            Class::ServerRestart => Self::ServerRestart,
            Class::UserError => Self::UserError,
            Class::Diverged => Self::Diverged,
            Class::DivergedBits => Self::DivergedBits,
            Class::CrashLoop => Self::CrashLoop,
            Class::CheckpointRefused => Self::CheckpointRefused,
        }
    }
}

fn class(field: &str, number: i32) -> Result<Class, ConvertError> {
    use v1::FailureClass as Wire;
    Ok(match Wire::try_from(number) {
        Ok(Wire::Crash) => Class::Crash,
        Ok(Wire::Timeout) => Class::Timeout,
        Ok(Wire::Oom) => Class::Oom,
        Ok(Wire::Lost) => Class::Lost,
        Ok(Wire::Drained) => Class::Drained,
        Ok(Wire::ServerRestart) => Class::ServerRestart,
        Ok(Wire::UserError) => Class::UserError,
        Ok(Wire::Diverged) => Class::Diverged,
        Ok(Wire::DivergedBits) => Class::DivergedBits,
        Ok(Wire::CrashLoop) => Class::CrashLoop,
        Ok(Wire::CheckpointRefused) => Class::CheckpointRefused,
        Ok(Wire::Unspecified) | Err(_) => return Err(unknown(field, number)),
    })
}

impl From<Stop> for v1::StopReason {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            Stop::Paused => Self::Paused,
            Stop::Drain => Self::Drain,
            Stop::LeaseLost => Self::LeaseLost,
        }
    }
}

fn stop(field: &str, number: i32) -> Result<Stop, ConvertError> {
    Ok(match v1::StopReason::try_from(number) {
        Ok(v1::StopReason::Cancelled) => Stop::Cancelled,
        Ok(v1::StopReason::Paused) => Stop::Paused,
        Ok(v1::StopReason::Drain) => Stop::Drain,
        Ok(v1::StopReason::LeaseLost) => Stop::LeaseLost,
        Ok(v1::StopReason::Unspecified) | Err(_) => return Err(unknown(field, number)),
    })
}

impl From<Directive> for v1::ReportResponse {
    fn from(directive: Directive) -> Self {
        use v1::report_response::Directive as Wire;
        let directive = match directive {
            Directive::Continue { lease_ms } => Wire::ContinueMs(lease_ms),
            Directive::Stop(stop) => Wire::Stop(v1::StopReason::from(stop).into()),
        };
        Self { directive: Some(directive) }
    }
}

impl TryFrom<v1::ReportResponse> for Directive {
    type Error = ConvertError;

    fn try_from(response: v1::ReportResponse) -> Result<Self, ConvertError> {
        use v1::report_response::Directive as Wire;
        Ok(match required("directive", response.directive)? {
            Wire::ContinueMs(lease_ms) => Self::Continue { lease_ms },
            Wire::Stop(reason) => Self::Stop(stop("stop", reason)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use jobs::{MetricPoint, RunId, Value};

    use super::*;

    const CLASSES: [Class; 11] = [
        Class::Crash,
        Class::Timeout,
        Class::Oom,
        Class::Lost,
        Class::Drained,
        Class::ServerRestart,
        Class::UserError,
        Class::Diverged,
        Class::DivergedBits,
        Class::CrashLoop,
        Class::CheckpointRefused,
    ];
    const STOPS: [Stop; 4] = [Stop::Cancelled, Stop::Paused, Stop::Drain, Stop::LeaseLost];

    fn report() -> Report {
        Report {
            run: RunId(uuid::Uuid::from_u128(7)),
            attempt: 3,
            seq: 12,
            step: 400,
            metrics: vec![MetricPoint { name: "loss".into(), step: 400, value: Value::Scalar(0.1) }],
            checkpoint: Some(CheckpointRef { step: 400, digest: [9; 32], bytes: 1 << 33 }),
            outcome: None,
        }
    }

    #[test]
    fn a_report_and_every_outcome_survive_the_wire() {
        let outcomes = CLASSES
            .map(|class| Outcome::Failed { class, message: "w is nan at step 3".into() })
            .into_iter()
            .chain(STOPS.map(Outcome::Stopped))
            .chain([Outcome::Succeeded { digest: "0f".repeat(32) }])
            .map(Some)
            .chain([None]);
        for outcome in outcomes {
            let report = Report { outcome, ..report() };
            assert_eq!(Report::try_from(v1::ReportRequest::from(report.clone())), Ok(report));
        }
    }

    #[test]
    fn every_directive_survives_the_wire() {
        for directive in
            STOPS.map(Directive::Stop).into_iter().chain([Directive::Continue { lease_ms: 30_000 }])
        {
            assert_eq!(Directive::try_from(v1::ReportResponse::from(directive)), Ok(directive));
        }
        let empty = Directive::try_from(v1::ReportResponse { directive: None });
        assert_eq!(empty.expect_err("must be refused").field, "directive");
    }

    #[test]
    fn what_a_report_cannot_mean_is_refused_by_field() {
        let refused = |change: &dyn Fn(&mut v1::ReportRequest)| {
            let mut wire = v1::ReportRequest::from(report());
            change(&mut wire);
            Report::try_from(wire).expect_err("this report means nothing").field
        };
        let outcome = |outcome| Some(v1::Outcome { outcome: Some(outcome) });
        assert_eq!(refused(&|wire| wire.run_id = "run".into()), "run_id");
        assert_eq!(refused(&|wire| wire.metrics[0].name.clear()), "metrics[0].name");
        assert_eq!(
            refused(&|wire| wire.checkpoint = Some(v1::CheckpointRef::default())),
            "checkpoint.digest"
        );
        assert_eq!(refused(&|wire| wire.outcome = Some(v1::Outcome { outcome: None })), "outcome.outcome");
        assert_eq!(
            refused(&|wire| wire.outcome = outcome(v1::outcome::Outcome::Succeeded("0F".repeat(32)))),
            "outcome.succeeded"
        );
        assert_eq!(
            refused(&|wire| wire.outcome = outcome(v1::outcome::Outcome::Stopped(0))),
            "outcome.stopped"
        );
        assert_eq!(
            refused(&|wire| wire.outcome = outcome(v1::outcome::Outcome::Failed(v1::Failure::default()))),
            "outcome.failed.class"
        );
    }
}
