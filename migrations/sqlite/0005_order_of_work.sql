-- Jobs with queued runs in the order in which workers get them: the first that fit are found without reading the others.
DROP INDEX job_with_queued;
CREATE INDEX job_to_do ON job (priority DESC, running, created_at, id) WHERE queued > 0;
