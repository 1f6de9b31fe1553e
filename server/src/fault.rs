//! What can go wrong for a caller, and how REST and gRPC say it: the one table of both.

use proto::ConvertError;
use store::StoreError;
use tonic::Code;

/// An answer that is not the one asked for. Rendered by `rest::error` and `grpc::status`.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// For people: what it is, what it must be, what to do.
    pub(crate) detail: String,
    /// What is wrong with which field, when a whole document was checked.
    pub(crate) fields: Vec<Breach>,
    /// For programs: the numbers inside the message.
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// A field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// JSON pointer of the field.
    pub(crate) pointer: String,
    /// Name, value and rule.
    pub(crate) detail: String,
}

/// How a caller can react.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    NotFound,
    NoSuchMethod,
    Conflict,
    NameTaken,
    TooLarge,
    UnsupportedMedia,
    Misdirected,
    Invalid,
    KeyReused,
    Stale,
    Gap,
    NotRegistered,
    Busy,
    Draining,
    TooSlow,
    Full,
    Internal,
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) status: u16,
    pub(crate) grpc: Code,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    /// Seconds after which the same request may succeed.
    pub(crate) retry_after_s: Option<u32>,
}

impl Kind {
    /// The table: HTTP status, gRPC code, stable code, title.
    pub(crate) fn row(self) -> Row {
        let row = |status, grpc, code, title| Row { status, grpc, code, title, retry_after_s: None };
        let again = |status, grpc, code, title| Row { status, grpc, code, title, retry_after_s: Some(1) };
        match self {
            Self::Malformed => row(400, Code::InvalidArgument, "malformed", "The request cannot be read"),
            Self::NotFound => row(404, Code::NotFound, "not_found", "There is no such thing"),
            Self::NoSuchMethod => row(405, Code::Unimplemented, "method_not_allowed", "Method not allowed"),
            Self::Conflict => row(409, Code::FailedPrecondition, "wrong_state", "Not possible in this state"),
            Self::NameTaken => row(409, Code::AlreadyExists, "name_taken", "The name is taken"),
            Self::TooLarge => row(413, Code::ResourceExhausted, "too_large", "The request is too large"),
            Self::UnsupportedMedia => {
                row(415, Code::InvalidArgument, "unsupported_media_type", "Unsupported media type")
            }
            Self::Misdirected => {
                row(421, Code::PermissionDenied, "misdirected", "Not addressed to this server")
            }
            Self::Invalid => row(422, Code::InvalidArgument, "invalid", "The request breaks rules"),
            Self::KeyReused => {
                row(422, Code::InvalidArgument, "idempotency_key_reused", "The key was used before")
            }
            Self::Stale => row(409, Code::FailedPrecondition, "STALE_ATTEMPT", "The attempt is over"),
            Self::Gap => row(409, Code::OutOfRange, "REPORT_GAP", "Reports were left out"),
            Self::NotRegistered => row(409, Code::FailedPrecondition, "NOT_REGISTERED", "Register first"),
            Self::Busy => again(503, Code::Unavailable, "busy", "Too much to do"),
            Self::Draining => again(503, Code::Unavailable, "draining", "The server is going away"),
            Self::TooSlow => again(503, Code::DeadlineExceeded, "too_slow", "It took too long"),
            Self::Full => row(507, Code::ResourceExhausted, "disk_full", "No space left"),
            Self::Internal => row(500, Code::Internal, "internal", "Internal error"),
        }
    }
}

impl Fault {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fields: Vec::new(), facts: Vec::new() }
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    pub(crate) fn draining() -> Self {
        Self::new(Kind::Draining, "the server is going away; try again in a second")
    }

    /// Everything that is wrong with a document; `breaches` is not empty.
    pub(crate) fn invalid(breaches: Vec<Breach>) -> Self {
        let first = breaches.first().map(|breach| breach.detail.clone()).unwrap_or_default();
        let detail = match breaches.len() {
            0 | 1 => first,
            n => format!("{first} (and {} more)", n - 1),
        };
        Self { fields: breaches, ..Self::new(Kind::Invalid, detail) }
    }

    /// One wrong field.
    pub(crate) fn invalid_field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Breach { pointer: pointer.into(), detail: detail.into() }])
    }

    /// A bug or a broken disk: the log gets the cause, the caller an id to find it by.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let id = format!("{:016x}", rand_id());
        tracing::error!(error.id = %id, error = %cause, "internal error {id}: {cause}");
        Self::new(Kind::Internal, format!("internal error {id}; the server's log has the cause"))
    }

    fn fact(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }
}

/// A number that no other error of this process has, hard to confuse with one of another process.
fn rand_id() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("error")
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Refused(refused) => refused.into(),
            StoreError::NoJob(_) | StoreError::NoRun(_) => Self::not_found(detail),
            StoreError::Ambiguous(_) => Self::new(Kind::Conflict, detail),
            StoreError::NotAPrefix(_) => Self::not_found(detail),
            StoreError::IncompleteCheckpoint { .. } | StoreError::NoCheckpoint { .. } => {
                Self::new(Kind::Conflict, detail)
            }
            StoreError::KeyReused(_) => Self::new(Kind::KeyReused, detail),
            StoreError::NameTaken { .. } => Self::new(Kind::NameTaken, detail),
            StoreError::Limit(_) | StoreError::WrongHash { .. } => Self::invalid_field("", detail),
            StoreError::Busy | StoreError::Away => Self::new(Kind::Busy, detail),
            StoreError::Full => Self::new(Kind::Full, detail),
            StoreError::Unusable(_) | StoreError::Internal(_) => Self::internal(detail),
        }
    }
}

impl From<jobs::Refused> for Fault {
    fn from(refused: jobs::Refused) -> Self {
        use jobs::Refused;
        let detail = refused.to_string();
        match refused {
            Refused::Stale { current, state, .. } => {
                Self::new(Kind::Stale, detail).fact("current", current).fact("state", state)
            }
            Refused::OutOfRange { expected, .. } => Self::new(Kind::Gap, detail).fact("expected", expected),
            Refused::BadStep { .. } => Self::invalid_field("step", detail),
            Refused::Terminal { .. } | Refused::WrongState { .. } | Refused::NotYet { .. } => {
                Self::new(Kind::Conflict, detail)
            }
        }
    }
}

impl From<ConvertError> for Fault {
    fn from(error: ConvertError) -> Self {
        Self::invalid_field(error.field.clone(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_attempt_carries_the_current_one() {
        let refused = jobs::Refused::Stale { attempt: 1, current: 3, state: "running" };
        let fault = Fault::from(StoreError::Refused(refused));
        assert_eq!(fault.kind, Kind::Stale);
        assert_eq!(fault.facts[0], ("current", "3".to_owned()));
    }

    #[test]
    fn an_internal_error_tells_an_id_and_not_the_cause() {
        let fault = Fault::from(StoreError::Internal("disk /dev/sda is on fire".into()));
        assert!(!fault.detail.contains("fire"), "{}", fault.detail);
        assert!(fault.detail.starts_with("internal error "), "{}", fault.detail);
    }

    #[test]
    fn several_breaches_are_summed_up_in_one_line() {
        let breach = |n: u32| Breach { pointer: format!("/{n}"), detail: format!("field {n} is wrong") };
        assert_eq!(
            Fault::invalid(vec![breach(1), breach(2), breach(3)]).detail,
            "field 1 is wrong (and 2 more)"
        );
    }
}
