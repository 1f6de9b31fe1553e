//! Statements about many rows, which come as a JSON document (`sql::bulk`).

/// Sets everything of runs that changes.
pub(super) const SAVE_RUNS: &str = "
    UPDATE run SET
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
    FROM jsonb_each($1) AS change WHERE run.id = unhex(change.value ->> 'id')";

/// Jobs none of whose runs began, with one event in their log.
pub(super) const INSERT_JOBS: &str = "
    INSERT INTO job (
      id, spec, experiment, version, requires, priority, wall_ms, dataset, created_at, queued, last_seq, running,
      paused, succeeded, failed, cancelled)
    SELECT
      unhex(value ->> 'id'), value ->> 'spec', value ->> 'experiment', value ->> 'version', value ->> 'requires',
      value ->> 'priority', value ->> 'wall_ms', unhex(value ->> 'dataset'), value ->> 'created_at',
      value ->> 'queued', 1, 0, 0, 0, 0, 0
    FROM jsonb_each($1)";

/// Runs that wait for their first attempt.
pub(super) const INSERT_RUNS: &str = "
    INSERT INTO run (
      id, job_id, idx, params, seed, steps, memory_bytes, updated_at, state, wish, attempt, next_seq, step,
      counted_failures, uncounted_failures, stalled_attempts)
    SELECT
      unhex(value ->> 'id'), unhex(value ->> 'job_id'), value ->> 'idx', value ->> 'params', value ->> 'seed',
      value ->> 'steps', value ->> 'memory_bytes', value ->> 'updated_at', 'queued', 'none', 0, 0, 0, 0, 0, 0
    FROM jsonb_each($1)";

/// Idempotency keys.
pub(super) const INSERT_KEYS: &str = "
    INSERT INTO idempotency (
      key, body, job_id, at)
    SELECT
      value ->> 'key', unhex(value ->> 'body'), unhex(value ->> 'job_id'), value ->> 'at'
    FROM jsonb_each($1)";

/// Events, those of a job in order.
pub(super) const INSERT_EVENTS: &str = "
    INSERT INTO event (
      job_id, seq, at, kind, payload)
    SELECT
      unhex(value ->> 'job_id'), value ->> 'seq', value ->> 'at', value ->> 'kind', value ->> 'payload'
    FROM jsonb_each($1)";
