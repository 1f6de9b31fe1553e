-- The last scalar of a run that has ended: only these are kept in order. What a running run says changes with every
-- report; those few are sorted when somebody asks, and a report changes no index.
ALTER TABLE series ADD COLUMN final_value INTEGER;
UPDATE series SET final_value = last_value
  WHERE run_id IN (SELECT id FROM run WHERE state IN ('succeeded', 'failed', 'cancelled'));
DROP INDEX series_by_last_value;
CREATE INDEX series_by_final_value ON series (name, final_value, run_id) WHERE final_value IS NOT NULL;
CREATE INDEX series_that_go_on ON series (name, run_id) WHERE final_value IS NULL AND kind = 'scalar';

-- A report moves the end of its lease, which was the key here.
DROP INDEX run_running;
CREATE INDEX run_running ON run (job_id, idx) WHERE state = 'running';
