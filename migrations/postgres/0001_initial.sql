-- The tables of migrations/sqlite under the same numbers and names. Times are milliseconds since 1970 on the clock of
-- the database, hashes the 32 bytes of BLAKE3.
-- No rules here: what may change is decided by `jobs::apply`. The triggers are trip wires for our own bugs.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITH (fillfactor = 50);                         -- one row is changed every second

CREATE TABLE job (
  id         UUID PRIMARY KEY,
  spec       TEXT NOT NULL,                       -- as submitted, version filled in, JSON
  -- Repeated from the spec for the choice of runs:
  experiment TEXT NOT NULL,
  version    BIGINT NOT NULL,
  requires   TEXT NOT NULL,                       -- {label: value}, JSON
  priority   BIGINT NOT NULL,
  wall_ms    BIGINT NOT NULL,
  dataset    BYTEA CHECK (length(dataset) = 32),
  created_at BIGINT NOT NULL,
  ended_at   BIGINT,
  last_seq   BIGINT NOT NULL,
  -- Runs in each state, kept with every change of a run:
  queued     BIGINT NOT NULL CHECK (queued >= 0),
  running    BIGINT NOT NULL CHECK (running >= 0),
  paused     BIGINT NOT NULL CHECK (paused >= 0),
  succeeded  BIGINT NOT NULL CHECK (succeeded >= 0),
  failed     BIGINT NOT NULL CHECK (failed >= 0),
  cancelled  BIGINT NOT NULL CHECK (cancelled >= 0)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX job_with_queued ON job (id) WHERE queued > 0;

CREATE TABLE run (
  id            UUID PRIMARY KEY,
  job_id        UUID NOT NULL REFERENCES job (id),
  idx           BIGINT NOT NULL,
  params        TEXT NOT NULL,                    -- canonical JSON, byte for byte
  seed          BIGINT NOT NULL,
  steps         BIGINT NOT NULL,
  memory_bytes  BIGINT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
  wish          TEXT NOT NULL CHECK (wish IN ('none', 'pause', 'cancel')),
  not_before    BIGINT,                           -- queued after a failure
  worker        UUID,                             -- from here on: running
  ttl_ms        BIGINT,
  expires_at    BIGINT,
  granted_at    BIGINT,
  progress_at   BIGINT,
  told_at       BIGINT,
  digest        TEXT,                             -- succeeded
  class         TEXT,                             -- failed
  message       TEXT,
  attempt       BIGINT NOT NULL,
  next_seq      BIGINT NOT NULL,
  step          BIGINT NOT NULL,
  checkpoint_step    BIGINT,
  counted_failures   BIGINT NOT NULL,
  uncounted_failures BIGINT NOT NULL,
  stalled_attempts   BIGINT NOT NULL,
  attempt_began_at   BIGINT,
  updated_at    BIGINT NOT NULL,
  UNIQUE (job_id, idx),
  CHECK ((state = 'running') = (worker IS NOT NULL)),
  CHECK ((state = 'running') = (expires_at IS NOT NULL)),
  CHECK ((state = 'succeeded') = (digest IS NOT NULL)),
  CHECK ((state = 'failed') = (class IS NOT NULL)),
  CHECK (state = 'running' OR wish = 'none')
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX run_queued ON run (job_id, idx) WHERE state = 'queued';
-- Not by the time of expiry: an index on what every report changes would cost every report.
CREATE INDEX run_running ON run (job_id, idx) WHERE state = 'running';

CREATE FUNCTION vesicle_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0];
END $$;

CREATE TRIGGER run_that_ended_stays BEFORE UPDATE ON run
FOR EACH ROW WHEN (OLD.state IN ('succeeded', 'failed', 'cancelled'))
EXECUTE FUNCTION vesicle_refuse('a run that has ended never changes');

CREATE TRIGGER run_attempt_only_rises BEFORE UPDATE OF attempt ON run
FOR EACH ROW WHEN (NEW.attempt < OLD.attempt)
EXECUTE FUNCTION vesicle_refuse('the attempt number of a run only rises');

CREATE TABLE event (
  job_id  UUID NOT NULL REFERENCES job (id),
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  kind    TEXT NOT NULL,
  payload TEXT NOT NULL CHECK (length(payload) <= 65536),
  PRIMARY KEY (job_id, seq)
);

CREATE FUNCTION vesicle_event_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <> 1 + coalesce((SELECT max(seq) FROM event WHERE job_id = NEW.job_id), 0) THEN
    RAISE EXCEPTION 'events of a job are numbered without gaps';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER event_seq_has_no_gaps BEFORE INSERT ON event
FOR EACH ROW EXECUTE FUNCTION vesicle_event_follows();

CREATE TRIGGER event_stays BEFORE UPDATE ON event
FOR EACH ROW EXECUTE FUNCTION vesicle_refuse('an event never changes');

CREATE TABLE series (
  id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id    UUID NOT NULL REFERENCES run (id),
  name      TEXT NOT NULL,
  kind      TEXT NOT NULL,
  points    BIGINT NOT NULL,
  last_step BIGINT NOT NULL,
  UNIQUE (run_id, name)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- Scalars. `value` holds the 64 bits of the double, flipped so that integers compare as the doubles do (IEEE total
-- order): same bits back, NaN payloads included, and min() and max() mean what they say.
CREATE TABLE metric (
  series_id BIGINT NOT NULL REFERENCES series (id),
  step      BIGINT NOT NULL,
  attempt   BIGINT NOT NULL,                      -- the one that first wrote it
  value     BIGINT NOT NULL,
  PRIMARY KEY (series_id, step)
);

-- Arrays: little-endian, C order.
CREATE TABLE metric_blob (
  series_id BIGINT NOT NULL REFERENCES series (id),
  step      BIGINT NOT NULL,
  attempt   BIGINT NOT NULL,
  dtype     TEXT NOT NULL,
  shape     TEXT NOT NULL,                        -- [n, …], JSON
  data      BYTEA NOT NULL CHECK (length(data) <= 1048576),
  PRIMARY KEY (series_id, step)
);

CREATE TRIGGER metric_stays BEFORE UPDATE ON metric
FOR EACH ROW EXECUTE FUNCTION vesicle_refuse('a metric never changes');

CREATE TRIGGER metric_blob_stays BEFORE UPDATE ON metric_blob
FOR EACH ROW EXECUTE FUNCTION vesicle_refuse('a metric never changes');

CREATE TABLE checkpoint (
  run_id  UUID NOT NULL REFERENCES run (id),
  step    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  digest  BYTEA NOT NULL CHECK (length(digest) = 32),
  bytes   BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  corrupt BOOLEAN NOT NULL,
  PRIMARY KEY (run_id, step)
);

CREATE INDEX checkpoint_by_digest ON checkpoint (digest) WHERE NOT corrupt;

CREATE TABLE checkpoint_chunk (
  digest BYTEA NOT NULL CHECK (length(digest) = 32),
  n      BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  length BIGINT NOT NULL CHECK (length = length(bytes)),
  bytes  BYTEA NOT NULL CHECK (length(bytes) <= 1048576),
  PRIMARY KEY (digest, n)
);

CREATE INDEX checkpoint_chunk_size ON checkpoint_chunk (digest, at, length);

CREATE TABLE dataset (
  hash        BYTEA PRIMARY KEY CHECK (length(hash) = 32),
  kind        TEXT NOT NULL,
  shape       TEXT NOT NULL,                      -- shape and meta, JSON
  attribution TEXT,
  bytes       BIGINT NOT NULL,                    -- decoded
  created_at  BIGINT NOT NULL
);

CREATE TABLE dataset_name (
  name TEXT PRIMARY KEY,
  hash BYTEA NOT NULL REFERENCES dataset (hash)
);

CREATE INDEX dataset_name_by_hash ON dataset_name (hash);

-- Written before their data set, so that no transaction is large; without it they are collected.
CREATE TABLE dataset_chunk (
  hash   BYTEA NOT NULL CHECK (length(hash) = 32),
  n      BIGINT NOT NULL,
  at     BIGINT NOT NULL,
  length BIGINT NOT NULL,                         -- decoded
  zstd   BYTEA NOT NULL,
  PRIMARY KEY (hash, n)
);

CREATE INDEX dataset_chunk_size ON dataset_chunk (hash, at, length);

-- What is compressed already is not compressed again.
ALTER TABLE checkpoint_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE dataset_chunk ALTER COLUMN zstd SET STORAGE EXTERNAL;

CREATE TABLE worker (
  id           UUID PRIMARY KEY,
  name         TEXT NOT NULL,
  build        TEXT NOT NULL,
  catalogue    TEXT NOT NULL,                     -- [[experiment, version], …], JSON
  slots        BIGINT NOT NULL,
  memory_bytes BIGINT NOT NULL,
  labels       TEXT NOT NULL,                     -- {label: value}, JSON
  seen_at      BIGINT NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX worker_seen ON worker (seen_at);

CREATE TABLE idempotency (
  key    TEXT PRIMARY KEY,
  body   BYTEA NOT NULL CHECK (length(body) = 32),
  job_id UUID NOT NULL REFERENCES job (id),
  at     BIGINT NOT NULL
);

CREATE INDEX idempotency_age ON idempotency (at);
