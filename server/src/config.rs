//! Settings of the server. The binary fills them from file, environment and flags; the server only reads them.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jobs::Policy;
use serde::{Deserialize, Serialize};

/// Settings of the server; all have defaults, times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Allows an address other than loopback and any Host header: there are no tokens and no TLS yet.
    pub insecure_listen: bool,
    /// Time to live of a lease.
    pub lease_ms: u64,
    /// What running leases get on top of their time to live when the server starts.
    pub restart_grace_ms: u64,
    /// Shortest time between two reports of a run.
    pub report_min_ms: u64,
    /// Longest time between two reports of a run.
    pub report_max_ms: u64,
    /// Time between two checkpoints, unless a job says otherwise.
    pub checkpoint_ms: u64,
    /// Largest checkpoint, as stored.
    pub max_checkpoint_bytes: u64,
    /// Most metric values of one report; workers are told when they register.
    pub max_report_points: u32,
    /// How long `Acquire` waits for work.
    pub acquire_wait_ms: u64,
    /// How often a waiting `Acquire` looks even if nothing rang: back-offs end silently.
    pub acquire_poll_ms: u64,
    /// How often lost leases are looked for.
    pub reap_ms: u64,
    /// How often chunks that no checkpoint names are looked for.
    pub collect_ms: u64,
    /// Age from which such chunks are removed.
    pub orphan_chunk_ms: u64,
    /// How often a stream looks for new events even if nothing rang.
    pub event_poll_ms: u64,
    /// Silence after which an event stream sends a comment.
    pub keep_alive_ms: u64,
    /// Age at which an event stream ends politely; the client resumes by its cursor.
    pub stream_age_ms: u64,
    /// Events that a stream holds for its client; it reads the next ones when the client has taken these.
    pub stream_buffer_events: u32,
    /// Event streams at once, SSE and gRPC.
    pub max_event_streams: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections of one address at once. Behind a proxy all of them have its address.
    pub max_connections_per_address: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_http2_streams: u32,
    /// Largest JSON body.
    pub max_json_bytes: usize,
    /// Deepest nesting of a JSON body.
    pub max_json_depth: usize,
    /// Longest string of a JSON body, as it is written.
    pub max_json_string_bytes: usize,
    /// Most items of a list, or members of an object, of a JSON body.
    pub max_json_items: usize,
    /// Entries of a page of a list when the caller does not say how many.
    pub page_size: u32,
    /// Most entries of a page; a caller that asks for more gets as many. 1,000 is the most there can be.
    pub max_page_size: u32,
    /// Largest gRPC message.
    pub max_message_bytes: usize,
    /// Most runs of a job; 1,000 is the most there can be.
    pub max_runs_per_job: usize,
    /// Jobs with runs that wait for a worker; more are refused until some have begun.
    pub max_queued_jobs: u64,
    /// Below so many percent free disk, where the database is a file, the log and `/readyz` warn.
    pub warn_free_percent: u64,
    /// Below so much free disk no jobs and data sets are taken. What runs goes on.
    pub min_free_bytes: u64,
    /// Below so much free disk nothing is written, and no lease runs out. Reading goes on.
    pub min_free_write_bytes: u64,
    /// Largest data set, decoded; also the most that is read of an upload.
    pub max_dataset_bytes: u64,
    /// Uploads of data sets at once: each may hold a whole data set.
    pub max_uploads: usize,
    /// Time for the headers of a request.
    pub header_timeout_ms: u64,
    /// Longest pause within the body of a request.
    pub body_idle_ms: u64,
    /// Time for the answer to a REST request.
    pub request_timeout_ms: u64,
    /// A client that takes nothing for that long is cut off.
    pub write_timeout_ms: u64,
    /// Time that open requests get after a drain began.
    pub drain_ms: u64,
    /// Folder of the database, where it is a file: its disk is what the limits of free room are about.
    #[serde(skip)]
    pub disk: Option<PathBuf>,
    /// The numbers behind the rules. The store applies them: give it the same ones.
    #[serde(skip)]
    pub policy: Policy,
}

impl Default for Config {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7717)),
            insecure_listen: false,
            lease_ms: policy.lease_ms,
            restart_grace_ms: 30_000,
            report_min_ms: 200,
            report_max_ms: 10_000,
            checkpoint_ms: 30_000,
            max_checkpoint_bytes: 512 << 20,
            max_report_points: proto::POINTS_LIMIT as u32,
            acquire_wait_ms: 20_000,
            acquire_poll_ms: 1_000,
            reap_ms: 1_000,
            collect_ms: 600_000,
            orphan_chunk_ms: 3_600_000,
            event_poll_ms: 2_000,
            keep_alive_ms: 15_000,
            stream_age_ms: 3_600_000,
            stream_buffer_events: 8,
            max_event_streams: 1_000,
            max_connections: 2_048,
            max_connections_per_address: 512,
            max_http2_streams: 100,
            max_json_bytes: 1 << 20,
            max_json_depth: 32,
            max_json_string_bytes: 64 << 10,
            max_json_items: 10_000,
            page_size: 100,
            max_page_size: 1_000,
            max_message_bytes: 4 << 20,
            max_runs_per_job: 1_000,
            max_queued_jobs: 10_000,
            warn_free_percent: 10,
            min_free_bytes: 1 << 30,
            min_free_write_bytes: 256 << 20,
            max_dataset_bytes: experiments::Data::LIMIT_BYTES,
            max_uploads: 2,
            header_timeout_ms: 10_000,
            body_idle_ms: 15_000,
            request_timeout_ms: 30_000,
            // Seen a little later, and still within the 30 s that are promised.
            write_timeout_ms: 25_000,
            drain_ms: 20_000,
            disk: None,
            policy,
        }
    }
}

impl Config {
    /// How long a silent worker still counts as alive: two rounds of its longest silence.
    pub(crate) fn worker_live_ms(&self) -> u64 {
        2 * self.acquire_wait_ms.max(self.report_max_ms).max(self.lease_ms)
    }
}

/// A setting in milliseconds as a duration.
pub(crate) fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_left_out_have_their_defaults() {
        let config: Config =
            serde_json::from_str(r#"{"listen":"127.0.0.1:0","lease_ms":2000}"#).expect("is JSON");
        let expected =
            Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), lease_ms: 2000, ..Config::default() };
        assert_eq!(config, expected);
    }

    #[test]
    fn an_unknown_setting_is_refused_by_name() {
        let error = serde_json::from_str::<Config>(r#"{"lease":1}"#).expect_err("there is no such setting");
        assert!(error.to_string().contains("`lease`"), "{error}");
    }
}
