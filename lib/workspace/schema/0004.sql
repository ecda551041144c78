-- The files of a job that was started elsewhere, by the names that its service has for them.
CREATE TABLE run_files (
    run_id  TEXT NOT NULL REFERENCES runs (id),
    file_id TEXT NOT NULL,
    name    TEXT,                   -- NULL: the service does not tell
    PRIMARY KEY (run_id, file_id)
) STRICT;
