-- Version 2: uploads in parts, and the responses that are kept. Times and JSON as in schema.sql.

CREATE TABLE uploads (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- upload_…
    filename   TEXT NOT NULL,           -- the sender's own name: only ever shown, never a path
    purpose    TEXT NOT NULL,
    bytes      INTEGER NOT NULL,        -- as announced
    lives      INTEGER,                 -- seconds that the file will live for, NULL for ever
    status     TEXT NOT NULL,           -- pending | completed | cancelled
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE parts (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,    -- part_…; also the name under uploads/
    upload_id  TEXT NOT NULL REFERENCES uploads (id),
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX parts_of_upload ON parts (upload_id);

CREATE TABLE responses (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,   -- resp_…
    previous_id TEXT,                   -- the response that this one goes on from
    bytes       INTEGER NOT NULL,       -- of both texts, so that all of them together can be bounded
    created_at  INTEGER NOT NULL,
    input       TEXT NOT NULL,          -- JSON: the items that came with the request, each with its id
    response    TEXT NOT NULL           -- JSON: as it was answered
) STRICT;

-- What is kept is bounded each time one is added, without reading a text.
CREATE INDEX room_of_responses ON responses (created_at, bytes);
