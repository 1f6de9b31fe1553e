//! What can go wrong between client and server, in words that say what to do next.

use std::fmt;

use serde::Deserialize;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientError {
    /// The address cannot be one.
    BadAddress {
        /// As given.
        server: String,
        /// What it must be.
        rule: String,
    },
    /// Nobody answers.
    Unreachable {
        /// Its address.
        server: String,
        /// The last cause, such as "connection refused".
        cause: String,
    },
    /// The server says what is wrong.
    Problem(Problem),
    /// Whoever answers does not speak our language.
    Unexpected {
        /// Its address.
        server: String,
        /// What it did.
        what: String,
    },
    /// An id that names nothing, or too much.
    NoSuchId(String),
}

/// The server's problem document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Problem {
    title: String,
    pub(crate) status: u16,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct FieldError {
    pointer: String,
    detail: String,
}

impl ClientError {
    /// From an answer that is not a success.
    pub(super) fn of_answer(server: &str, status: u16, body: &str) -> Self {
        match serde_json::from_str(body) {
            Ok(problem) => Self::Problem(problem),
            Err(_) => {
                Self::Unexpected { server: server.to_owned(), what: format!("answered with status {status}") }
            }
        }
    }

    /// Whether the server says that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Problem(Problem { status: 404, .. }))
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAddress { server, rule } => {
                write!(f, "server address `{server}` cannot be used; {rule}")
            }
            Self::Unreachable { server, cause } => {
                write!(f, "cannot reach the server at {server} ({cause}); is `vesicle serve` running there?")
            }
            Self::Problem(problem) => problem.fmt(f),
            Self::Unexpected { server, what } => write!(f, "{server} {what}; is it a Vesicle server?"),
            Self::NoSuchId(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ClientError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str(self.detail.as_deref().unwrap_or(&self.title))?,
            [error] => error.fmt(f)?,
            errors => {
                write!(f, "the request breaks {} rules", errors.len())?;
                errors.iter().try_for_each(|error| write!(f, "\n  {error}"))?;
            }
        }
        match &self.request_id {
            Some(id) if self.status >= 500 => write!(f, "\n  the server's log has more under request {id}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.pointer.trim_start_matches('/').replace('/', ".");
        // A detail that names its field already needs no second naming.
        let named = field.rsplit('.').next().is_some_and(|name| self.detail.contains(&format!("`{name}`")));
        match named || field.is_empty() {
            true => f.write_str(&self.detail),
            false => write!(f, "{field}: {}", self.detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_job_is_told_field_by_field() {
        let body = r#"{"type":"about:blank","title":"Unprocessable","status":422,"detail":"the job has 2 errors",
            "code":"invalid","errors":[{"pointer":"/params/r","detail":"parameter `r` is -1; it must be at least 0"},
            {"pointer":"/seeds/0","detail":"it must be at most 9007199254740991"}],"request_id":"x"}"#;
        let text = ClientError::of_answer("http://x", 422, body).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "the request breaks 2 rules");
        assert_eq!(lines[1], "  parameter `r` is -1; it must be at least 0");
        assert_eq!(lines[2], "  seeds.0: it must be at most 9007199254740991");
        assert_eq!(lines.len(), 3, "a user's mistake needs no request id");
    }

    #[test]
    fn a_stranger_on_the_port_is_called_one() {
        let text = ClientError::of_answer("http://127.0.0.1:1", 404, "<html>").to_string();
        assert_eq!(text, "http://127.0.0.1:1 answered with status 404; is it a Vesicle server?");
    }
}
