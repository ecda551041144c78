"""Text fields that are read a moment after the last key, without being left.

Streamlit reads a text area when it is left or on Ctrl+Enter; once mounted, this presses Ctrl+Enter in every text area
whose key begins with `typed_`. Without it they are read when they are left. Knows nothing of what is typed.
"""

from __future__ import annotations

import streamlit as st

PREFIX = "typed_"
QUIET_MILLISECONDS = 350

SCRIPT = """
export default function ({ data }) {
  const waiting = new Map()
  const typed = ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || !target.closest(`[class*="st-key-${data.prefix}"]`)) return
    clearTimeout(waiting.get(target))
    const press = () => {
      waiting.delete(target)
      const keys = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }
      if (target.isConnected) target.dispatchEvent(new KeyboardEvent("keydown", keys))
    }
    waiting.set(target, setTimeout(press, data.quiet))
  }
  document.addEventListener("input", typed, true)
  return () => document.removeEventListener("input", typed, true)
}
"""

_reader = st.components.v2.component("etude_as_typed", js=SCRIPT)


def read() -> None:
    """Read what is typed on this page as it is typed. Draws nothing."""
    _reader(key="as_typed", data={"prefix": PREFIX, "quiet": QUIET_MILLISECONDS}, height=1)
