-- What the runs of a job build on. As long as a row is there, so is its checkpoint: the foreign key is a trip wire.
CREATE TABLE job_source (
  job_id BLOB NOT NULL REFERENCES job (id),
  place  INTEGER NOT NULL,                        -- in the spec, from 0
  name   TEXT NOT NULL,
  run_id BLOB NOT NULL REFERENCES run (id),
  step   INTEGER NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  bytes  INTEGER NOT NULL,
  PRIMARY KEY (job_id, place),
  UNIQUE (job_id, name),
  FOREIGN KEY (run_id, step) REFERENCES checkpoint (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_source_by_checkpoint ON job_source (run_id, step);
