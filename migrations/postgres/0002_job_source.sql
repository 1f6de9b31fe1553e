-- What the runs of a job build on. As long as a row is there, so is its checkpoint: the foreign key is a trip wire.
CREATE TABLE job_source (
  job_id UUID NOT NULL REFERENCES job (id),
  place  BIGINT NOT NULL,                         -- in the spec, from 0
  name   TEXT NOT NULL,
  run_id UUID NOT NULL REFERENCES run (id),
  step   BIGINT NOT NULL,
  digest BYTEA NOT NULL CHECK (length(digest) = 32),
  bytes  BIGINT NOT NULL,
  PRIMARY KEY (job_id, place),
  UNIQUE (job_id, name),
  FOREIGN KEY (run_id, step) REFERENCES checkpoint (run_id, step)
);

CREATE INDEX job_source_by_checkpoint ON job_source (run_id, step);
