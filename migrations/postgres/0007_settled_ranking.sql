-- The last scalar of a run that has ended: only these are kept in order. What a running run says changes with every
-- report; those few are sorted when somebody asks, and a report changes no index.
ALTER TABLE series ADD COLUMN final_value BIGINT;
UPDATE series SET final_value = last_value FROM run
  WHERE run.id = series.run_id AND run.state IN ('succeeded', 'failed', 'cancelled');
DROP INDEX series_by_last_value;
CREATE INDEX series_by_final_value ON series (name, final_value, run_id) WHERE final_value IS NOT NULL;
CREATE INDEX series_that_go_on ON series (name, run_id) WHERE final_value IS NULL AND kind = 'scalar';
ALTER TABLE series SET (fillfactor = 50);
