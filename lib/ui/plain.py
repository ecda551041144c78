"""Untrusted text where Streamlit reads markdown (alerts, captions, labels): escaped, so that it stays text.

For text of any length in the page itself use st.text or st.code, which read nothing into it.
"""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")
# What becomes a link by itself, after the escapes are read: https://…, www.…, somebody@somewhere.…
_LINK = re.compile(r"(?i)(?<=http)(?=s?\\:)|(?<=www)(?=\\\.)|(?<=@)(?=[\\\w])")
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """`text` on one line, with every character that markdown could act on escaped."""
    # Streamlit looks for icons and links after the escapes are read, so a word joiner parts what would make one.
    escaped = _MARKDOWN.sub(r"\\\1", _SPACE.sub(" ", text)).replace(r"\:material/", "\\:\u2060material/")
    return _LINK.sub("\u2060", escaped)


def shortened(text: str, limit: int = 80) -> str:
    """`text` on one line, cut at `limit` characters with an ellipsis."""
    line = _SPACE.sub(" ", text).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
