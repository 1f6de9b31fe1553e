-- What the metric was by which the job keeps its best checkpoints, as `metric.value`; and whether a user said to keep it.
ALTER TABLE checkpoint ADD COLUMN score INTEGER;
ALTER TABLE checkpoint ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));

-- Checkpoints whose row went, and when: whoever reads their chunks at that time is given a while. Gone with the chunks.
CREATE TABLE forgotten (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
