-- The scalar at the last step of a series, as `metric.value`: runs are ranked by it without reading their metrics.
ALTER TABLE series ADD COLUMN last_value INTEGER;
UPDATE series SET last_value = (SELECT value FROM metric WHERE series_id = series.id AND step = series.last_step)
  WHERE kind = 'scalar';
CREATE INDEX series_by_last_value ON series (name, last_value, run_id) WHERE last_value IS NOT NULL;
