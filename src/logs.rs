//! The log of server and worker: sentences on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

use crate::text::Paint;

/// How the log looks.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LogArgs {
    /// Form of the log on standard error; VESICLE_LOG sets its level (error, warn, info, debug, or a filter)
    #[arg(
        long,
        env = "VESICLE_LOG_FORMAT",
        value_name = "FORM",
        default_value = "text",
        help_heading = "Log"
    )]
    pub(crate) log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl LogFormat {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Starts the log; `level` counts unless `VESICLE_LOG` says otherwise.
pub(crate) fn start(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_env("VESICLE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .with_ansi(Paint::stderr().is_on());
    // Only a second start can fail, and then the first one serves.
    let _ = match format {
        LogFormat::Text => log.compact().try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
