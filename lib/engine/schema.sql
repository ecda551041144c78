-- Times are whole seconds since 1970 (UTC), as the protocol says them. JSON columns hold one JSON value as text.
-- `number` is the order in which rows were made: lists page by it, since many rows share a second.

CREATE TABLE files (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- file-…; also the name under files/
    filename   TEXT NOT NULL,           -- the sender's own name: only ever shown, never a path
    purpose    TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

CREATE TABLE jobs (
    number           INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,  -- ftjob-…; also the name under jobs/
    status           TEXT NOT NULL,     -- validating_files | queued | running | succeeded | failed | cancelled
    model            TEXT NOT NULL,     -- the resolved snapshot, or the fine-tune that training starts from
    base             TEXT NOT NULL,     -- the base model under it
    training_file    TEXT NOT NULL,
    validation_file  TEXT,
    method           TEXT NOT NULL,
    hyperparameters  TEXT NOT NULL,     -- JSON: as asked for ("auto"), numbers once the files are validated
    suffix           TEXT,
    seed             INTEGER NOT NULL,
    metadata         TEXT,              -- JSON
    tag              TEXT NOT NULL UNIQUE,  -- the eight characters that end the fine-tuned model's id
    created_at       INTEGER NOT NULL,
    finished_at      INTEGER,
    estimated_finish INTEGER,
    trained_tokens   INTEGER,
    fine_tuned_model TEXT,
    error            TEXT,              -- JSON: {"code", "message", "param"}
    result_file      TEXT,
    read_to          INTEGER NOT NULL DEFAULT 0,  -- bytes of the trainer's events that are in `events` already
    outcome          TEXT,              -- JSON: what the trainer said last, until the job is concluded
    request_key      TEXT UNIQUE,       -- Idempotency-Key
    request_hash     TEXT
) STRICT;

CREATE TABLE events (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- ftevent-…
    job_id     TEXT NOT NULL REFERENCES jobs (id),
    mark       TEXT NOT NULL,           -- what it tells ("step 50"): told once, however often the trainer repeats it
    created_at INTEGER NOT NULL,
    level      TEXT NOT NULL,
    type       TEXT NOT NULL,
    message    TEXT NOT NULL,
    data       TEXT NOT NULL,           -- JSON
    UNIQUE (job_id, mark)
) STRICT;

CREATE TABLE checkpoints (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- ftckpt_…
    job_id     TEXT NOT NULL REFERENCES jobs (id),
    step       INTEGER NOT NULL,
    model      TEXT NOT NULL UNIQUE,
    folder     TEXT NOT NULL,           -- within the job's folder
    metrics    TEXT NOT NULL,           -- JSON
    created_at INTEGER NOT NULL,
    UNIQUE (job_id, step)
) STRICT;

CREATE TABLE models (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- ft:…
    base       TEXT NOT NULL,
    folder     TEXT NOT NULL,           -- within models/
    created_at INTEGER NOT NULL
) STRICT;
