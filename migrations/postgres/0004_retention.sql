-- What the metric was by which the job keeps its best checkpoints, as `metric.value`; and whether a user said to keep it.
ALTER TABLE checkpoint ADD COLUMN score BIGINT;
ALTER TABLE checkpoint ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;

-- Checkpoints whose row went, and when: whoever reads their chunks at that time is given a while. Gone with the chunks.
CREATE TABLE forgotten (
  digest BYTEA PRIMARY KEY CHECK (length(digest) = 32),
  at     BIGINT NOT NULL
);
