"""How trouble looks: a sentence, what to do, the exact words; and no traceback, whatever happens."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

SECONDS = 20


def test_an_error_of_ours_is_its_sentences_and_the_exact_words() -> None:
    def script() -> None:
        from lib.errors import Rejected
        from lib.ui import trouble

        with trouble.told():
            raise Rejected("The file **was** refused.", "Look at line 3.", raw='{"error": {}}')

    page = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not page.exception
    [error] = page.error
    assert "refused" in error.value
    assert "Look at line 3" in error.value
    assert "**was**" not in error.value
    assert page.code[0].value == '{"error": {}}'


def test_what_nobody_foresaw_is_a_sentence_here_and_a_traceback_in_the_terminal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def script() -> None:
        from lib.ui import trouble

        @trouble.told()
        def broken() -> None:
            raise ZeroDivisionError("by zero")

        broken()

    page = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not page.exception
    assert "Nothing that was saved is lost" in page.error[0].value
    assert page.code[0].value == "ZeroDivisionError: by zero"
    assert "Traceback" not in page.error[0].value
    [record] = [one for one in caplog.records if one.name == "lib.ui.trouble"]
    assert record.exc_info is not None


def test_streamlit_s_own_way_out_is_let_through() -> None:
    def script() -> None:
        import streamlit as st

        from lib.ui import trouble

        with trouble.told():
            st.stop()
        st.text("never reached")

    page = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not page.error
    assert not page.text
