//! How the program ends, as scripts see it.

use crate::client::ClientError;

/// Exit codes; part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went well.
    Ok = 0,
    /// Something failed.
    Failure = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// No server answers.
    Unreachable = 3,
    /// The run or job that was waited for failed.
    Failed = 4,
    /// The run or job that was waited for was cancelled.
    Cancelled = 5,
    /// Ctrl-C while waiting; 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

/// What a command answers.
pub(crate) type Ended = anyhow::Result<Exit>;

/// A command line that makes no sense although it parses.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl Exit {
    /// By the state that a job or run ended in.
    pub(crate) fn of_state(state: &str) -> Self {
        match state {
            "succeeded" => Self::Ok,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// By the error that ended a command.
    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        if error.downcast_ref::<Usage>().is_some() {
            return Self::Usage;
        }
        match error.downcast_ref::<ClientError>() {
            Some(ClientError::Unreachable { .. }) => Self::Unreachable,
            Some(ClientError::BadAddress { .. }) => Self::Usage,
            _ => Self::Failure,
        }
    }
}

/// Whether the reader of our output went away, as `head` does: no reason to complain.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_map_to_the_exit_codes_of_the_contract() {
        let unreachable = ClientError::Unreachable { server: "http://x".into(), cause: "refused".into() };
        assert_eq!(Exit::of_error(&unreachable.into()) as u8, 3);
        assert_eq!(Exit::of_error(&Usage("no".into()).into()) as u8, 2);
        assert_eq!(Exit::of_error(&anyhow::anyhow!("other")) as u8, 1);
        let deep = anyhow::Error::from(Usage("no".into())).context("while reading the command line");
        assert_eq!(Exit::of_error(&deep) as u8, 2);
        assert_eq!(["succeeded", "failed", "cancelled"].map(|state| Exit::of_state(state) as u8), [0, 4, 5]);
    }
}
