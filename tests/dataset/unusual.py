"""Examples of every shape that JSON allows, for what must lose nothing whatever it is given."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["", " a ", "=1+1", "'=x", "'", "a\r\nb", "\ttab", "@you", "-5", "＝1", "a\0b", "\ud83d", "ünï"]
)
ANY_TEXT = TEXTS | st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "x"])
MESSAGE = st.fixed_dictionaries(
    {"role": ROLES},
    optional={
        "content": ANY_TEXT | VALUES,
        "name": ANY_TEXT | st.none(),
        "weight": st.sampled_from([0, 1, 2, True, 1.0, "1", None]),
        "tool_calls": VALUES,
        "tool_call_id": ANY_TEXT,
        "other": VALUES,
    },
)
MESSAGES = st.lists(MESSAGE, max_size=4)
PLAIN = st.builds(
    lambda system, question, answer: {
        "messages": [
            *([{"role": "system", "content": system}] if system is not None else []),
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    },
    st.none() | ANY_TEXT,
    ANY_TEXT,
    ANY_TEXT,
)
PAIR = st.fixed_dictionaries(
    {
        "input": st.fixed_dictionaries({}, optional={"messages": MESSAGES | VALUES, "tools": VALUES}) | VALUES,
        "preferred_output": MESSAGES | VALUES,
        "non_preferred_output": MESSAGES | VALUES,
    }
)
CHAT = st.fixed_dictionaries(
    {"messages": MESSAGES | VALUES}, optional={"tools": VALUES, "other": VALUES, "line": VALUES}
)

EXAMPLES: st.SearchStrategy[dict[str, Any]] = PLAIN | CHAT | PAIR | st.dictionaries(ANY_TEXT, VALUES, max_size=3)
