//! Statements about many rows, which come as a JSON document (`sql::bulk`).

/// Sets everything of runs that changes.
pub(super) const SAVE_RUNS: &str = "
    UPDATE run SET
      state = change.state, wish = change.wish, not_before = change.not_before, worker = change.worker,
      ttl_ms = change.ttl_ms, expires_at = change.expires_at, granted_at = change.granted_at,
      progress_at = change.progress_at, told_at = change.told_at, digest = change.digest, class = change.class,
      message = change.message, attempt = change.attempt, next_seq = change.next_seq, step = change.step,
      checkpoint_step = change.checkpoint_step, counted_failures = change.counted_failures,
      uncounted_failures = change.uncounted_failures, stalled_attempts = change.stalled_attempts,
      attempt_began_at = change.attempt_began_at, updated_at = change.updated_at,
      server_was_away = change.server_was_away
    FROM json_to_recordset($1::json) AS change (
      id uuid, state text, wish text, not_before bigint, worker uuid, ttl_ms bigint, expires_at bigint,
      granted_at bigint, progress_at bigint, told_at bigint, digest text, class text, message text, attempt bigint,
      next_seq bigint, step bigint, checkpoint_step bigint, counted_failures bigint, uncounted_failures bigint,
      stalled_attempts bigint, attempt_began_at bigint, updated_at bigint, server_was_away boolean)
    WHERE run.id = change.id";

/// Jobs none of whose runs began, with one event in their log.
pub(super) const INSERT_JOBS: &str = "
    INSERT INTO job (
      id, spec, experiment, version, requires, priority, wall_ms, dataset, created_at, queued, last_seq, running,
      paused, succeeded, failed, cancelled)
    SELECT
      id, spec, experiment, version, requires, priority, wall_ms, decode(dataset, 'hex'), created_at, queued, 1, 0,
      0, 0, 0, 0
    FROM json_to_recordset($1::json) AS sent (
      id uuid, spec text, experiment text, version bigint, requires text, priority bigint, wall_ms bigint,
      dataset text, created_at bigint, queued bigint)";

/// Runs that wait for their first attempt.
pub(super) const INSERT_RUNS: &str = "
    INSERT INTO run (
      id, job_id, idx, params, seed, steps, memory_bytes, updated_at, state, wish, attempt, next_seq, step,
      counted_failures, uncounted_failures, stalled_attempts)
    SELECT
      id, job_id, idx, params, seed, steps, memory_bytes, updated_at, 'queued', 'none', 0, 0, 0, 0, 0, 0
    FROM json_to_recordset($1::json) AS sent (
      id uuid, job_id uuid, idx bigint, params text, seed bigint, steps bigint, memory_bytes bigint,
      updated_at bigint)";

/// Idempotency keys.
pub(super) const INSERT_KEYS: &str = "
    INSERT INTO idempotency (
      key, body, job_id, at)
    SELECT
      key, decode(body, 'hex'), job_id, at
    FROM json_to_recordset($1::json) AS sent (
      key text, body text, job_id uuid, at bigint)";

/// Events, those of a job in order.
pub(super) const INSERT_EVENTS: &str = "
    INSERT INTO event (
      job_id, seq, at, kind, payload)
    SELECT
      job_id, seq, at, kind, payload
    FROM json_to_recordset($1::json) AS sent (
      job_id uuid, seq bigint, at bigint, kind text, payload text)";
