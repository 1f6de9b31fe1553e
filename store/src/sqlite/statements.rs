//! Statements about many rows, which come as a JSON document (`sql::bulk`).

/// Sets everything of runs that changes.
macro_rules! save_runs {
    ($runs:literal) => {
        concat!(
            "UPDATE run SET
              state = change.value ->> 'state', wish = change.value ->> 'wish', not_before = change.value ->> 'not_before',
              worker = unhex(change.value ->> 'worker'), ttl_ms = change.value ->> 'ttl_ms',
              expires_at = change.value ->> 'expires_at', granted_at = change.value ->> 'granted_at',
              progress_at = change.value ->> 'progress_at', told_at = change.value ->> 'told_at',
              digest = change.value ->> 'digest', class = change.value ->> 'class', message = change.value ->> 'message',
              attempt = change.value ->> 'attempt', next_seq = change.value ->> 'next_seq', step = change.value ->> 'step',
              checkpoint_step = change.value ->> 'checkpoint_step', counted_failures = change.value ->> 'counted_failures',
              uncounted_failures = change.value ->> 'uncounted_failures',
              stalled_attempts = change.value ->> 'stalled_attempts',
              attempt_began_at = change.value ->> 'attempt_began_at', updated_at = change.value ->> 'updated_at',
              server_was_away = change.value ->> 'server_was_away'
             FROM jsonb_each(",
            $runs,
            ") AS change WHERE run.id = unhex(change.value ->> 'id')"
        )
    };
}

/// Sets points, last step and last scalar of series.
macro_rules! save_series {
    ($series:literal) => {
        concat!(
            "UPDATE series SET
               points = change.value ->> 1, last_step = change.value ->> 2, last_value = change.value ->> 3
             FROM jsonb_each(",
            $series,
            ") AS change WHERE series.id = change.value ->> 0"
        )
    };
}

pub(super) const SAVE_RUNS: &str = save_runs!("$1");
pub(super) const SAVE_SERIES: &str = save_series!("$1");

/// Scalars that are not there, series, runs.
pub(super) const SAVE_REPORTS: &str = concat!(
    "INSERT INTO metric (series_id, step, attempt, value)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each($1) WHERE true
     ON CONFLICT DO NOTHING; ",
    save_series!("$2"),
    "; ",
    save_runs!("$3")
);

/// Events, those of a job in order.
macro_rules! insert_events {
    ($events:literal) => {
        concat!(
            "INSERT INTO event (job_id, seq, at, kind, payload)
             SELECT unhex(value ->> 'job_id'), value ->> 'seq', value ->> 'at', value ->> 'kind', value ->> 'payload'
             FROM jsonb_each(",
            $events,
            ")"
        )
    };
}

pub(super) const INSERT_EVENTS: &str = insert_events!("$1");

/// Jobs none of whose runs began, with one event in their log; their runs, which wait for their first attempt; their
/// idempotency keys, unless somebody else has one that is younger than `$5`; their events.
pub(super) const INSERT_JOBS: &str = concat!(
    "INSERT INTO job (
       id, spec, experiment, version, requires, priority, wall_ms, dataset, created_at, queued, last_seq, running,
       paused, succeeded, failed, cancelled)
     SELECT
       unhex(value ->> 'id'), value ->> 'spec', value ->> 'experiment', value ->> 'version', value ->> 'requires',
       value ->> 'priority', value ->> 'wall_ms', unhex(value ->> 'dataset'), value ->> 'created_at',
       value ->> 'queued', 1, 0, 0, 0, 0, 0
     FROM jsonb_each($1);
     INSERT INTO run (
       id, job_id, idx, params, seed, steps, memory_bytes, updated_at, state, wish, attempt, next_seq, step,
       counted_failures, uncounted_failures, stalled_attempts)
     SELECT
       unhex(value ->> 'id'), unhex(value ->> 'job_id'), value ->> 'idx', value ->> 'params', value ->> 'seed',
       value ->> 'steps', value ->> 'memory_bytes', value ->> 'updated_at', 'queued', 'none', 0, 0, 0, 0, 0, 0
     FROM jsonb_each($2);
     INSERT INTO idempotency (key, body, job_id, at)
     SELECT value ->> 'key', unhex(value ->> 'body'), unhex(value ->> 'job_id'), value ->> 'at'
     FROM jsonb_each($3) WHERE true
     ON CONFLICT (key) DO UPDATE SET body = excluded.body, job_id = excluded.job_id, at = excluded.at
       WHERE idempotency.at <= $5; ",
    insert_events!("$4")
);
