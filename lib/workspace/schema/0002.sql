-- Every call that edits is one step that can be undone and redone. A draft says how it stands to its version, so that
-- an example that is again as it was needs no copy of its line.

ALTER TABLE drafts RENAME TO drafts_of_1;

CREATE TABLE drafts (
    version_id TEXT NOT NULL REFERENCES versions (id),
    position   INTEGER NOT NULL,    -- from 0; at or past the version's number of examples: an added example
    revision   INTEGER NOT NULL,    -- grows with every change, over the whole workspace
    state      TEXT NOT NULL CHECK (state IN ('edited', 'removed', 'untouched', 'discarded')),
                                    -- untouched: as in the version again (past its end: no example)
                                    -- discarded: the same, and an edit of it names the revision 0
    saved_at   REAL NOT NULL,
    line       BLOB CHECK ((line IS NOT NULL) = (state = 'edited')),
                                    -- the example as one line of JSON
    PRIMARY KEY (version_id, position)
) STRICT;

INSERT INTO drafts
    SELECT version_id, position, revision, CASE WHEN line IS NULL THEN 'removed' ELSE 'edited' END, saved_at, line
    FROM drafts_of_1;

DROP TABLE drafts_of_1;

-- What was saved after a revision, without going through the lines of everything saved before.
CREATE INDEX drafts_by_revision ON drafts (version_id, revision);

-- What differs from the version, without going through the lines.
CREATE INDEX drafts_that_differ ON drafts (version_id, position, state) WHERE state IN ('edited', 'removed');

-- One call that edits. Its id is the first of its revisions, so that no id ever comes back.
CREATE TABLE draft_steps (
    id         INTEGER PRIMARY KEY,
    version_id TEXT NOT NULL REFERENCES versions (id),
    label      TEXT NOT NULL,       -- what a person did: “Edited example 7”
    edits      INTEGER NOT NULL,    -- how many examples it changed
    first      INTEGER NOT NULL,    -- the first position that it changed
    held_bytes INTEGER NOT NULL,    -- what draft_befores holds for it, about
    undone     INTEGER NOT NULL,    -- 0 or 1
    made_at    REAL NOT NULL
) STRICT;

CREATE INDEX draft_steps_of_version ON draft_steps (version_id, undone, id);

-- What the examples were before a step that is done: what undoing it brings back.
CREATE TABLE draft_befores (
    step_id  INTEGER NOT NULL REFERENCES draft_steps (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('edited', 'removed', 'untouched')),
    line     BLOB CHECK ((line IS NOT NULL) = (state = 'edited')),
    PRIMARY KEY (step_id, position)
) STRICT;

-- What the examples were after a step that is undone: what redoing it brings back.
CREATE TABLE draft_afters (
    step_id  INTEGER NOT NULL REFERENCES draft_steps (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('edited', 'removed', 'untouched')),
    line     BLOB CHECK ((line IS NOT NULL) = (state = 'edited')),
    PRIMARY KEY (step_id, position)
) STRICT;
