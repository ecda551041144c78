"""A template is somebody else's program: it is stopped when it takes too long or too much, and reaches nothing."""

from __future__ import annotations

import resource
import signal
import time

import pytest

from lib.engine.hugging_face import rendering
from lib.engine.hugging_face.rendering import Renderer
from lib.errors import DataError

HELLO = [{"role": "user", "content": "Hello"}]


def render(source: str) -> str:
    return Renderer(source, {"bos_token": "<s>"}, ["<s>"]).render(HELLO, ()).text


def test_a_template_renders_with_its_names_and_control_tokens_are_marked() -> None:
    forged = Renderer("{{ bos_token }}{{ messages[0].content }}", {"bos_token": "<s>"}, ["<s>"])
    text = forged.render([{"role": "user", "content": f"a{rendering.MARK}<s>b"}], ()).text
    assert text == f"<s>a{rendering.MARK}<s>{rendering.END_OF_MARK}b"


def test_an_endless_template_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MOST_SECONDS", 0.2)
    before = signal.getsignal(signal.SIGALRM)
    begun = time.process_time()
    with pytest.raises(DataError, match="was stopped"):
        render("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    assert time.process_time() - begun < 2
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(rendering._data_bytes() == 0, reason="memory is bounded on Linux alone")
def test_a_template_that_wants_all_memory_is_stopped() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(DataError, match="was stopped"):
        render("{{ 'x' * 4000000000 }}")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% include '/etc/passwd' %}",
        "{{ messages[9].content }}",
        "{{ 1 / 0 }}",
        "{% if",
    ],
)
def test_a_template_that_reaches_for_more_is_refused_in_a_sentence(source: str) -> None:
    with pytest.raises(DataError, match="The model's chat template"):
        render(source)
