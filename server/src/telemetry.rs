//! Operational values of the service, as Prometheus scrapes them at `/metrics`. No ids in labels: they are unbounded.

use std::time::Duration;

use jobs::Counts;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

use crate::{app::BUILD, disk::Space};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServedLabel {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeasesLabel {
    outcome: &'static str,
}

/// All of them.
pub(crate) struct Telemetry {
    registry: Registry,
    runs: Family<StateLabel, Gauge>,
    workers: Gauge,
    streams: Gauge,
    acquires: Family<LeasesLabel, Counter>,
    lease_expired: Counter,
    reports_refused: Family<ReasonLabel, Counter>,
    determinism_violations: Counter,
    steps: Counter,
    points: Counter,
    checkpoint_bytes: Counter,
    corrupt_checkpoints: Counter,
    jobs_submitted: Counter,
    disk_free: Gauge,
    disk_total: Gauge,
    connections: Counter,
    panics: Counter,
    served: Family<ServedLabel, Histogram>,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        // 1 ms to 33 s, which is a long poll.
        let served = Family::<ServedLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 16))
        });
        let mut all = Self {
            registry: Registry::with_prefix("vesicle"),
            runs: Family::default(),
            workers: Gauge::default(),
            streams: Gauge::default(),
            acquires: Family::default(),
            lease_expired: Counter::default(),
            reports_refused: Family::default(),
            determinism_violations: Counter::default(),
            steps: Counter::default(),
            points: Counter::default(),
            checkpoint_bytes: Counter::default(),
            corrupt_checkpoints: Counter::default(),
            jobs_submitted: Counter::default(),
            disk_free: Gauge::default(),
            disk_total: Gauge::default(),
            connections: Counter::default(),
            panics: Counter::default(),
            served,
        };
        all.register();
        all
    }

    /// Names without the prefix; the encoder appends `_total` to counters.
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("build", "Version of the program", Info::new(vec![("version", BUILD)]));
        registry.register("runs", "Runs by state, over all jobs", self.runs.clone());
        registry.register("workers", "Workers heard of lately", self.workers.clone());
        registry.register("event_streams", "Open event streams, SSE and gRPC", self.streams.clone());
        registry.register("acquires", "Calls for work by outcome", self.acquires.clone());
        registry.register(
            "lease_expired",
            "Jobs in which a lease was found run out",
            self.lease_expired.clone(),
        );
        registry.register("reports_refused", "Reports refused, by reason", self.reports_refused.clone());
        let help = "Metrics that came again with other bits";
        registry.register("determinism_violations", help, self.determinism_violations.clone());
        registry.register("steps", "Steps reported", self.steps.clone());
        registry.register("metric_points_ingested", "Metric values taken", self.points.clone());
        registry.register("checkpoint_bytes", "Bytes of checkpoints taken", self.checkpoint_bytes.clone());
        let help = "Checkpoints given up: found damaged, or refused by a worker";
        registry.register("checkpoints_corrupt", help, self.corrupt_checkpoints.clone());
        registry.register("jobs_submitted", "Jobs accepted", self.jobs_submitted.clone());
        let help = "Free bytes of the disk of the database; 0 where it is not one of this machine";
        registry.register("disk_free_bytes", help, self.disk_free.clone());
        registry.register("disk_bytes", "All bytes of that disk", self.disk_total.clone());
        registry.register("connections", "Connections taken", self.connections.clone());
        registry.register("panics", "Requests that panicked", self.panics.clone());
        let help = "Time to the answer, by route, method and status";
        registry.register("http_request_duration_seconds", help, self.served.clone());
    }

    /// A call for work got a lease, or waited in vain.
    pub(crate) fn acquired(&self, granted: bool) {
        let outcome = if granted { "granted" } else { "none" };
        self.acquires.get_or_create(&LeasesLabel { outcome }).inc();
    }

    pub(crate) fn lease_expired(&self) {
        self.lease_expired.inc();
    }

    pub(crate) fn report_refused(&self, reason: &'static str) {
        self.reports_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn determinism_violated(&self) {
        self.determinism_violations.inc();
    }

    /// A report was taken for the first time.
    pub(crate) fn reported(&self, steps: u64, points: usize) {
        self.steps.inc_by(steps);
        self.points.inc_by(points as u64);
    }

    pub(crate) fn checkpoint_stored(&self, bytes: u64) {
        self.checkpoint_bytes.inc_by(bytes);
    }

    pub(crate) fn checkpoint_corrupt(&self) {
        self.corrupt_checkpoints.inc();
    }

    pub(crate) fn job_submitted(&self) {
        self.jobs_submitted.inc();
    }

    /// How much room the disk has.
    pub(crate) fn disk(&self, Space { free, total }: Space) {
        self.disk_free.set(free.try_into().unwrap_or(i64::MAX));
        self.disk_total.set(total.try_into().unwrap_or(i64::MAX));
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    /// A request was answered. `route` is the pattern, never the path.
    pub(crate) fn served(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let label = ServedLabel { route: route.to_owned(), method, status };
        self.served.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// Counts an event stream until the answer is dropped.
    pub(crate) fn stream_opened(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// Everything as text, with the state of the store now.
    pub(crate) fn render(&self, runs: Counts, workers: usize) -> Result<String, std::fmt::Error> {
        let Counts { queued, running, paused, succeeded, failed, cancelled } = runs;
        let states = [
            ("queued", queued),
            ("running", running),
            ("paused", paused),
            ("succeeded", succeeded),
            ("failed", failed),
            ("cancelled", cancelled),
        ];
        for (state, count) in states {
            self.runs.get_or_create(&StateLabel { state }).set(i64::from(count));
        }
        self.workers.set(workers as i64);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// An event stream that is open; closed when dropped.
pub(crate) struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_that_dashboards_expect() {
        let telemetry = Telemetry::new();
        telemetry.report_refused("STALE_ATTEMPT");
        telemetry.served("/api/v1/jobs", "GET", 200, Duration::from_millis(3));
        let text =
            telemetry.render(Counts { queued: 2, ..Counts::default() }, 1).expect("writes to a string");
        for line in [
            "vesicle_runs{state=\"queued\"} 2",
            "vesicle_workers 1",
            "vesicle_steps_total 0",
            "vesicle_metric_points_ingested_total 0",
            "vesicle_lease_expired_total 0",
            "vesicle_reports_refused_total{reason=\"STALE_ATTEMPT\"} 1",
            "vesicle_determinism_violations_total 0",
            "vesicle_build_info{version=",
            "vesicle_http_request_duration_seconds_count{",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_stream_is_counted_while_it_is_open() {
        let telemetry = Telemetry::new();
        let open = telemetry.stream_opened();
        assert_eq!(telemetry.streams.get(), 1);
        drop(open);
        assert_eq!(telemetry.streams.get(), 0);
    }
}
