-- The scalar at the last step of a series, as `metric.value`: runs are ranked by it without reading their metrics.
ALTER TABLE series ADD COLUMN last_value BIGINT;
UPDATE series SET last_value = (SELECT value FROM metric WHERE series_id = series.id AND step = series.last_step)
  WHERE kind = 'scalar';
CREATE INDEX series_by_last_value ON series (name, last_value, run_id) WHERE last_value IS NOT NULL;

-- Metrics are written by one statement that has just read or made their series; looking each one up again took as long
-- as writing it.
ALTER TABLE metric DROP CONSTRAINT metric_series_id_fkey;
