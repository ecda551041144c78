-- Version 4: which kept response an item came with, so that a later request may name it instead of repeating it.

CREATE TABLE response_items (
    id       TEXT PRIMARY KEY,          -- msg_…, fc_…, fco_…
    response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX items_of_response ON response_items (response);

INSERT OR IGNORE INTO response_items
    SELECT json_extract(item.value, '$.id'), responses.number FROM responses, json_each(responses.input) AS item;
INSERT OR IGNORE INTO response_items
    SELECT json_extract(item.value, '$.id'), responses.number
    FROM responses, json_each(responses.response, '$.output') AS item;
