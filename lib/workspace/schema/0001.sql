-- Times are seconds since 1970 (REAL, UTC). JSON columns hold one JSON value as text. Ids are random and carry their kind.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL             -- JSON
) STRICT;

-- A dataset is a name over versions; a version is an immutable file of lines, known by its hash, and a split.
CREATE TABLE datasets (
    id          TEXT PRIMARY KEY,   -- ds_…
    name        TEXT NOT NULL,
    source_name TEXT NOT NULL,      -- the file's own name, only ever shown
    created_at  REAL NOT NULL,
    deleted_at  REAL                -- deleted softly: an undo brings it back
) STRICT;

CREATE TABLE versions (
    id         TEXT PRIMARY KEY,    -- ver_…
    dataset_id TEXT NOT NULL REFERENCES datasets (id),
    number     INTEGER NOT NULL,    -- 1, 2, 3 … within the dataset
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL,       -- the kept file
    examples   INTEGER NOT NULL,
    method     TEXT NOT NULL,       -- supervised | dpo | reinforcement
    validation TEXT NOT NULL,       -- JSON: positions (from 0) held out for validation
    changes    TEXT NOT NULL,       -- JSON: {"added": n, "removed": n, "changed": n} against the parent
    parent_id  TEXT REFERENCES versions (id),
    created_at REAL NOT NULL,
    UNIQUE (dataset_id, number)
) STRICT;

-- Edits that are saved but not yet a version. `revision` makes two tabs notice each other.
CREATE TABLE drafts (
    version_id TEXT NOT NULL REFERENCES versions (id),
    position   INTEGER NOT NULL,    -- from 0; at or past the version's number of examples: an added example
    revision   INTEGER NOT NULL,
    line       BLOB,                -- the example as one line of JSON; NULL: removed
    saved_at   REAL NOT NULL,
    PRIMARY KEY (version_id, position)
) STRICT;

CREATE TABLE services (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,       -- embedded | openai | azure | nebius | other
    name       TEXT NOT NULL,
    base_url   TEXT NOT NULL,
    key_source TEXT NOT NULL,       -- "session" or "env:NAME"; never the key itself
    created_at REAL NOT NULL
) STRICT;

-- Content that a service already holds, so that the same bytes are not sent twice.
CREATE TABLE uploads (
    service_id  TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    file_id     TEXT NOT NULL,
    uploaded_at REAL NOT NULL,
    PRIMARY KEY (service_id, sha256)
) STRICT;

-- The intent to start a job, written before anything is sent: it is what makes launching happen once.
CREATE TABLE launches (
    id                 TEXT PRIMARY KEY,    -- launch_…; travels in the job's metadata
    service_id         TEXT NOT NULL,
    version_id         TEXT REFERENCES versions (id),
    plan               TEXT NOT NULL,       -- JSON
    state              TEXT NOT NULL,       -- prepared | uploading | sending | unknown | linked | not_created
    training_file_id   TEXT,
    validation_file_id TEXT,
    run_id             TEXT,
    problem            TEXT,                -- JSON: {"what", "todo", "raw"}
    created_at         REAL NOT NULL,
    updated_at         REAL NOT NULL
) STRICT;

CREATE TABLE runs (
    id               TEXT PRIMARY KEY,      -- run_…
    service_id       TEXT NOT NULL,
    job_id           TEXT NOT NULL,
    version_id       TEXT REFERENCES versions (id),
    model            TEXT NOT NULL,
    status           TEXT NOT NULL,         -- the service's own word, even an unknown one
    job              TEXT NOT NULL,         -- JSON: the job object as last heard
    fine_tuned_model TEXT,
    created_at       REAL NOT NULL,
    finished_at      REAL,
    heard_at         REAL NOT NULL,         -- when the service last answered about it
    problem          TEXT,                  -- JSON: why the last attempt to hear failed
    deleted_at       REAL,
    UNIQUE (service_id, job_id)
) STRICT;

CREATE TABLE run_events (
    run_id     TEXT NOT NULL REFERENCES runs (id),
    event_id   TEXT NOT NULL,
    created_at REAL NOT NULL,
    level      TEXT NOT NULL,
    type       TEXT NOT NULL,               -- message | metrics | whatever the service says
    message    TEXT NOT NULL,
    data       TEXT NOT NULL,               -- JSON
    PRIMARY KEY (run_id, event_id)
) STRICT;

CREATE TABLE run_checkpoints (
    run_id        TEXT NOT NULL REFERENCES runs (id),
    checkpoint_id TEXT NOT NULL,
    step          INTEGER NOT NULL,
    model         TEXT NOT NULL,
    created_at    REAL NOT NULL,
    metrics       TEXT NOT NULL,            -- JSON
    PRIMARY KEY (run_id, checkpoint_id)
) STRICT;

CREATE TABLE conversations (
    id         TEXT PRIMARY KEY,            -- conv_…
    title      TEXT NOT NULL,
    settings   TEXT NOT NULL,               -- JSON: columns (service, model), system message, temperature …
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    deleted_at REAL
) STRICT;

-- One row for each message: a question belongs to all columns (column_number NULL), an answer to one.
CREATE TABLE turns (
    id              TEXT PRIMARY KEY,       -- turn_…
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    position        INTEGER NOT NULL,
    column_number   INTEGER,
    role            TEXT NOT NULL,
    model           TEXT,
    content         TEXT NOT NULL,
    state           TEXT NOT NULL,          -- complete | streaming | incomplete | failed
    facts           TEXT NOT NULL,          -- JSON: tokens, seconds, finish reason, problem
    created_at      REAL NOT NULL
) STRICT;

CREATE INDEX versions_of_dataset ON versions (dataset_id, number);
CREATE INDEX turns_of_conversation ON turns (conversation_id, position);
