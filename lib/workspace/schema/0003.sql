-- Which positions a large split holds out. A version names it by hash in `validation`, so that lists of versions do not
-- read it and versions with the same split share it; a small split stands in `validation` itself, as a JSON list.
CREATE TABLE splits (
    sha256 TEXT PRIMARY KEY,        -- of places
    places TEXT NOT NULL            -- packed, see lib/dataset/places.py
) STRICT;
