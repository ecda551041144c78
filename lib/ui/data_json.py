"""Parts of an example as JSON, checked as it is typed: the whole, the tools it declares, the fields for a grader.

Nothing is saved before Save is pressed, and nothing can be saved that is no JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.dataset.editing import fields, tools, typed
from lib.dataset.editing.typed import Mistake
from lib.dataset.editing.where import Data, is_pair
from lib.ui import as_typed, data_conflict, data_message, data_unsaved, trouble
from lib.ui.data_measure import change_in_tokens
from lib.ui.data_unsaved import Draft, What
from lib.ui.data_work import Work

LONGEST = 200_000
TITLES: dict[What, str] = {
    "whole": "The example as JSON",
    "tools": "The tools that the example declares, as a JSON list",
    "fields": "The fields for the grader, as a JSON object",
}
SAVED: dict[What, str] = {
    "whole": "Edited example {} as JSON",
    "tools": "Edited the tools of example {}",
    "fields": "Edited the fields of example {}",
}


def show(work: Work, draft: Draft) -> None:
    """The text of the part that is edited, what is wrong with it so far, and Save and Cancel."""
    what, data = draft["what"], data_unsaved.base(draft)
    before = written(data, what)
    if len(before) > LONGEST:
        st.markdown(f"This has {len(before):,} characters of JSON, too many to edit on a screen.")
        st.button("Close", on_click=data_unsaved.drop, args=(work, draft["place"]))
        return
    with st.container(border=True, gap="small"):
        text = data_unsaved.field(draft, "json", before, st.text_area, TITLES[what], height="content")
        made = edited(data, what, text)
        if isinstance(made, Mistake):
            data_message.wrong(made)
        missing = "Correct the JSON first." if isinstance(made, Mistake) else None
        if not draft["typed"]:
            missing = "Nothing was changed."
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Save", type="primary", disabled=bool(missing), help=missing, on_click=_save, args=(work, draft))
            st.button("Cancel", on_click=data_unsaved.drop, args=(work, draft["place"]))
            if draft["typed"]:
                counted = "" if isinstance(made, Mistake) else f" · {change_in_tokens(work, data, made)}"
                st.caption(f"Not saved yet{counted}")
    as_typed.read()


def written(data: Mapping[str, Any], what: What) -> str:
    """The part of an example that is edited, as JSON over several lines; empty where it declares no tools."""
    part: Any = data
    if what == "tools":
        holder = data.get("input") if is_pair(data) else data
        part = holder.get("tools") if isinstance(holder, Mapping) else None
        if part is None:
            return ""
    elif what == "fields":
        part = fields.extra_fields(data)
    return json.dumps(part, ensure_ascii=False, indent=2)


def edited(data: Mapping[str, Any], what: What, text: str) -> Data | Mistake:
    """The example with this text in the place of that part, or the first mistake in the text."""
    if what == "tools":
        if text.strip() and isinstance(mistake := typed.read_list(text), Mistake):
            return mistake
        return tools.set_tools(data, text)
    made = typed.read_object(text)
    if isinstance(made, Mistake) or what == "whole":
        return made
    kept = {name: value for name, value in data.items() if name in fields.OF_THE_FORMAT}
    for name, value in made.items():
        if name in fields.OF_THE_FORMAT or not name.strip():
            return _no_field(text, name)
        kept = fields.set_field(kept, name, value)
    return kept


def _no_field(text: str, name: str) -> Mistake:
    at = text.find(f'"{name}"')
    before = text[: max(at, 0)]
    sentence = f"“{name}” belongs to the format of an example" if name.strip() else "a field needs a name"
    return Mistake(
        before.count("\n") + 1, len(before) - before.rfind("\n"), sentence, "Choose another name for the field."
    )


@trouble.told()
def _save(work: Work, draft: Draft) -> None:
    made = edited(data_unsaved.base(draft), draft["what"], draft["typed"]["json"])
    if isinstance(made, Mistake):
        raise typed.refused(made)
    label = SAVED[draft["what"]].format(draft["place"] + 1)
    data_conflict.save(work, draft["place"], made, draft["revision"], label)
