//! Statements about many rows, which come as a JSON document (`sql::bulk`).
//!
//! A plan guesses that a document has a hundred rows. If a table has fewer when the plan is made, it reads the whole table, and goes
//! on to do so when that has grown: `= ANY` says which rows are meant before anything is joined.

/// Sets everything of runs that changes.
macro_rules! save_runs {
    ($runs:literal) => {
        concat!(
            "UPDATE run SET
               state = change.state, wish = change.wish, not_before = change.not_before, worker = change.worker,
               ttl_ms = change.ttl_ms, expires_at = change.expires_at, granted_at = change.granted_at,
               progress_at = change.progress_at, told_at = change.told_at, digest = change.digest, class = change.class,
               message = change.message, attempt = change.attempt, next_seq = change.next_seq, step = change.step,
               checkpoint_step = change.checkpoint_step, counted_failures = change.counted_failures,
               uncounted_failures = change.uncounted_failures, stalled_attempts = change.stalled_attempts,
               attempt_began_at = change.attempt_began_at, updated_at = change.updated_at,
               server_was_away = change.server_was_away
             FROM json_to_recordset(",
            $runs,
            "::json) AS change (
               id uuid, state text, wish text, not_before bigint, worker uuid, ttl_ms bigint, expires_at bigint,
               granted_at bigint, progress_at bigint, told_at bigint, digest text, class text, message text, attempt bigint,
               next_seq bigint, step bigint, checkpoint_step bigint, counted_failures bigint, uncounted_failures bigint,
               stalled_attempts bigint, attempt_began_at bigint, updated_at bigint, server_was_away boolean)
             WHERE run.id = change.id
               AND run.id = ANY (ARRAY(SELECT (one ->> 'id')::uuid FROM json_array_elements(",
            $runs,
            "::json) AS one))"
        )
    };
}

/// Sets points, last step and last scalar of series.
macro_rules! save_series {
    ($ids:literal, $points:literal, $steps:literal, $values:literal) => {
        concat!(
            "UPDATE series SET points = change.points, last_step = change.last_step, last_value = change.last_value
             FROM unnest(", $ids, "::bigint[], ", $points, "::bigint[], ", $steps, "::bigint[], ", $values, "::bigint[])
               AS change (id, points, last_step, last_value)
             WHERE series.id = change.id"
        )
    };
}

pub(super) const SAVE_RUNS: &str = save_runs!("$1");
pub(super) const SAVE_SERIES: &str = save_series!("$1", "$2", "$3", "$4");

/// Scalars that are not there, series, runs: answers how many scalars were new and how many runs were there.
pub(super) const SAVE_REPORTS: &str = concat!(
    "WITH inserted AS (
       INSERT INTO metric (series_id, step, attempt, value)
       SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING RETURNING 1
     ), changed AS (",
    save_series!("$5", "$6", "$7", "$8"),
    "), saved AS (",
    save_runs!("$9"),
    " RETURNING 1)
     SELECT (SELECT count(*) FROM inserted) AS scalars, (SELECT count(*) FROM saved) AS runs"
);

/// Runs with their version and, as a document, their series.
pub(super) const RUNS_WITH_SERIES: &str = "
    SELECT run.*, run.xmin::text AS version,
           (SELECT coalesce(json_agg(json_build_array(name, id, kind, points, last_step)), '[]')::text
            FROM series WHERE run_id = run.id) AS series
    FROM run WHERE id = ANY($1)";

/// What plain reports change of runs that are still of the version that was read, and only of these their scalars and series;
/// answers which these are, and the version that they have now.
pub(super) const SAVE_PLAIN: &str = concat!(
    "WITH saved AS (
       UPDATE run SET
         next_seq = told.next_seq, step = told.step, expires_at = told.expires_at, progress_at = told.progress_at,
         updated_at = told.updated_at
       FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         AS told (id, version, next_seq, step, expires_at, progress_at, updated_at)
       WHERE run.id = told.id AND run.xmin::text = told.version
       RETURNING run.id
     ), inserted AS (
       INSERT INTO metric (series_id, step, attempt, value)
       SELECT series_id, step, attempt, value
       FROM unnest($8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
         AS sent (run_id, series_id, step, attempt, value)
       WHERE run_id IN (SELECT id FROM saved)
     ), changed AS (",
    save_series!("$13", "$14", "$15", "$16"),
    " AND series.run_id IN (SELECT id FROM saved))
     SELECT id, pg_current_xact_id()::xid::text AS version FROM saved"
);

/// Events, those of a job in order.
macro_rules! insert_events {
    ($events:literal) => {
        concat!(
            "INSERT INTO event (job_id, seq, at, kind, payload)
             SELECT job_id, seq, at, kind, payload FROM json_to_recordset(",
            $events,
            "::json) AS sent (job_id uuid, seq bigint, at bigint, kind text, payload text)"
        )
    };
}

pub(super) const INSERT_EVENTS: &str = insert_events!("$1");

/// Idempotency keys, unless somebody has one that is younger than `$5`, and what comes with a key that was free or without one:
/// jobs none of whose runs began, with one event in their log; their runs, which wait for their first attempt; their events.
/// Answers which jobs these are.
pub(super) const INSERT_JOBS: &str = concat!(
    "WITH keys AS (
       INSERT INTO idempotency (key, body, job_id, at)
       SELECT key, decode(body, 'hex'), job_id, at
       FROM json_to_recordset($3::json) AS sent (key text, body text, job_id uuid, at bigint)
       ON CONFLICT (key) DO UPDATE SET body = excluded.body, job_id = excluded.job_id, at = excluded.at
         WHERE idempotency.at <= $5
       RETURNING job_id
     ), jobs AS (
       INSERT INTO job (
         id, spec, experiment, version, requires, priority, wall_ms, dataset, created_at, queued, last_seq, running,
         paused, succeeded, failed, cancelled)
       SELECT
         id, spec, experiment, version, requires, priority, wall_ms, decode(dataset, 'hex'), created_at, queued, 1, 0,
         0, 0, 0, 0
       FROM json_to_recordset($1::json) AS sent (
         id uuid, spec text, experiment text, version bigint, requires text, priority bigint, wall_ms bigint,
         dataset text, created_at bigint, queued bigint, has_key boolean)
       WHERE NOT has_key OR id IN (SELECT job_id FROM keys)
       RETURNING id
     ), runs AS (
       INSERT INTO run (
         id, job_id, idx, params, seed, steps, memory_bytes, updated_at, state, wish, attempt, next_seq, step,
         counted_failures, uncounted_failures, stalled_attempts)
       SELECT
         id, job_id, idx, params, seed, steps, memory_bytes, updated_at, 'queued', 'none', 0, 0, 0, 0, 0, 0
       FROM json_to_recordset($2::json) AS sent (
         id uuid, job_id uuid, idx bigint, params text, seed bigint, steps bigint, memory_bytes bigint,
         updated_at bigint)
       WHERE job_id IN (SELECT id FROM jobs)
     ), events AS (",
    insert_events!("$4"),
    " WHERE job_id IN (SELECT id FROM jobs))
     SELECT id FROM jobs"
);
