-- Ids are the 16 bytes of a UUID, hashes the 32 bytes of BLAKE3, times milliseconds since 1970 on the server's clock.
-- No rules here: what may change is decided by `jobs::apply`. The triggers are trip wires for our own bugs.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  spec       TEXT NOT NULL,                       -- as submitted, version filled in, JSON
  -- Repeated from the spec for the choice of runs:
  experiment TEXT NOT NULL,
  version    INTEGER NOT NULL,
  requires   TEXT NOT NULL,                       -- {label: value}, JSON
  priority   INTEGER NOT NULL,
  wall_ms    INTEGER NOT NULL,
  dataset    BLOB CHECK (length(dataset) = 32),
  created_at INTEGER NOT NULL,
  ended_at   INTEGER,
  last_seq   INTEGER NOT NULL,
  -- Runs in each state, kept with every change of a run:
  queued     INTEGER NOT NULL CHECK (queued >= 0),
  running    INTEGER NOT NULL CHECK (running >= 0),
  paused     INTEGER NOT NULL CHECK (paused >= 0),
  succeeded  INTEGER NOT NULL CHECK (succeeded >= 0),
  failed     INTEGER NOT NULL CHECK (failed >= 0),
  cancelled  INTEGER NOT NULL CHECK (cancelled >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_with_queued ON job (id) WHERE queued > 0;

CREATE TABLE run (
  id            BLOB PRIMARY KEY CHECK (length(id) = 16),
  job_id        BLOB NOT NULL REFERENCES job (id),
  idx           INTEGER NOT NULL,
  params        TEXT NOT NULL,                    -- canonical JSON, byte for byte
  seed          INTEGER NOT NULL,
  steps         INTEGER NOT NULL,
  memory_bytes  INTEGER NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
  wish          TEXT NOT NULL CHECK (wish IN ('none', 'pause', 'cancel')),
  not_before    INTEGER,                          -- queued after a failure
  worker        BLOB CHECK (length(worker) = 16), -- from here on: running
  ttl_ms        INTEGER,
  expires_at    INTEGER,
  granted_at    INTEGER,
  progress_at   INTEGER,
  told_at       INTEGER,
  digest        TEXT,                             -- succeeded
  class         TEXT,                             -- failed
  message       TEXT,
  attempt       INTEGER NOT NULL,
  next_seq      INTEGER NOT NULL,
  step          INTEGER NOT NULL,
  checkpoint_step    INTEGER,
  counted_failures   INTEGER NOT NULL,
  uncounted_failures INTEGER NOT NULL,
  stalled_attempts   INTEGER NOT NULL,
  attempt_began_at   INTEGER,
  updated_at    INTEGER NOT NULL,
  UNIQUE (job_id, idx),
  CHECK ((state = 'running') = (worker IS NOT NULL)),
  CHECK ((state = 'running') = (expires_at IS NOT NULL)),
  CHECK ((state = 'succeeded') = (digest IS NOT NULL)),
  CHECK ((state = 'failed') = (class IS NOT NULL)),
  CHECK (state = 'running' OR wish = 'none')
) STRICT;

CREATE INDEX run_queued ON run (job_id, idx) WHERE state = 'queued';
CREATE INDEX run_running ON run (expires_at) WHERE state = 'running';

CREATE TRIGGER run_that_ended_stays
BEFORE UPDATE ON run
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
BEGIN
  SELECT RAISE(ABORT, 'a run that has ended never changes');
END;

CREATE TRIGGER run_attempt_only_rises
BEFORE UPDATE OF attempt ON run
WHEN NEW.attempt < OLD.attempt
BEGIN
  SELECT RAISE(ABORT, 'the attempt number of a run only rises');
END;

CREATE TABLE event (
  job_id  BLOB NOT NULL REFERENCES job (id),
  seq     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  payload TEXT NOT NULL CHECK (length(payload) <= 65536),
  PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_seq_has_no_gaps
BEFORE INSERT ON event
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM event WHERE job_id = NEW.job_id), 0)
BEGIN
  SELECT RAISE(ABORT, 'events of a job are numbered without gaps');
END;

CREATE TRIGGER event_stays
BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'an event never changes');
END;

CREATE TABLE series (
  id        INTEGER PRIMARY KEY,
  run_id    BLOB NOT NULL REFERENCES run (id),
  name      TEXT NOT NULL,
  kind      TEXT NOT NULL,
  points    INTEGER NOT NULL,
  last_step INTEGER NOT NULL,
  UNIQUE (run_id, name)
) STRICT;

-- Scalars. `value` holds the 64 bits of the double, flipped so that integers compare as the doubles do (IEEE total
-- order): same bits back, NaN payloads included, and min() and max() mean what they say.
CREATE TABLE metric (
  series_id INTEGER NOT NULL REFERENCES series (id),
  step      INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,                     -- the one that first wrote it
  value     INTEGER NOT NULL,
  PRIMARY KEY (series_id, step)
) STRICT, WITHOUT ROWID;

-- Arrays: little-endian, C order.
CREATE TABLE metric_blob (
  series_id INTEGER NOT NULL REFERENCES series (id),
  step      INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,
  dtype     TEXT NOT NULL,
  shape     TEXT NOT NULL,                        -- [n, …], JSON
  data      BLOB NOT NULL CHECK (length(data) <= 1048576),
  PRIMARY KEY (series_id, step)
) STRICT;

CREATE TRIGGER metric_stays
BEFORE UPDATE ON metric
BEGIN
  SELECT RAISE(ABORT, 'a metric never changes');
END;

CREATE TRIGGER metric_blob_stays
BEFORE UPDATE ON metric_blob
BEGIN
  SELECT RAISE(ABORT, 'a metric never changes');
END;

CREATE TABLE checkpoint (
  run_id  BLOB NOT NULL REFERENCES run (id),
  step    INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  digest  BLOB NOT NULL CHECK (length(digest) = 32),
  bytes   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  corrupt INTEGER NOT NULL CHECK (corrupt IN (0, 1)),
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX checkpoint_by_digest ON checkpoint (digest) WHERE NOT corrupt;

CREATE TABLE checkpoint_chunk (
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  n      INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  length INTEGER NOT NULL CHECK (length = length(bytes)),
  bytes  BLOB NOT NULL CHECK (length(bytes) <= 1048576),
  PRIMARY KEY (digest, n)
) STRICT;

CREATE INDEX checkpoint_chunk_size ON checkpoint_chunk (digest, at, length);

CREATE TABLE dataset (
  hash        BLOB PRIMARY KEY CHECK (length(hash) = 32),
  kind        TEXT NOT NULL,
  shape       TEXT NOT NULL,                      -- shape and meta, JSON
  attribution TEXT,
  bytes       INTEGER NOT NULL,                   -- decoded
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset_name (
  name TEXT PRIMARY KEY,
  hash BLOB NOT NULL REFERENCES dataset (hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX dataset_name_by_hash ON dataset_name (hash);

-- Written before their data set, so that no transaction is large; without it they are collected.
CREATE TABLE dataset_chunk (
  hash   BLOB NOT NULL CHECK (length(hash) = 32),
  n      INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  length INTEGER NOT NULL,                        -- decoded
  zstd   BLOB NOT NULL,
  PRIMARY KEY (hash, n)
) STRICT;

CREATE INDEX dataset_chunk_size ON dataset_chunk (hash, at, length);

CREATE TABLE worker (
  id           BLOB PRIMARY KEY CHECK (length(id) = 16),
  name         TEXT NOT NULL,
  build        TEXT NOT NULL,
  catalogue    TEXT NOT NULL,                     -- [[experiment, version], …], JSON
  slots        INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  labels       TEXT NOT NULL,                     -- {label: value}, JSON
  seen_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX worker_seen ON worker (seen_at);

CREATE TABLE idempotency (
  key    TEXT PRIMARY KEY,
  body   BLOB NOT NULL CHECK (length(body) = 32),
  job_id BLOB NOT NULL REFERENCES job (id),
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (at);
