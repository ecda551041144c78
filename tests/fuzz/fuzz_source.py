"""Feeds bytes to the way in of files: whatever they are, they become lines or one sentence, and nothing else.

Lines are checked and counted as they stand, and again after they were converted.

With atheris installed, `python -m tests.fuzz.fuzz_source [its options]` searches for inputs that break it; the ordinary
test run mutates the same beginnings at random (test_fuzz_source.py).
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType
from typing import Any

from lib.dataset.check import check
from lib.dataset.convert.conversion import preview
from lib.dataset.convert.line import lines_left
from lib.dataset.example import encode
from lib.dataset.finding import Findings
from lib.dataset.jsonl import Lines, lines_of, value_of
from lib.dataset.reading import conversion_of, converted
from lib.dataset.source.intake import Limits
from lib.dataset.source.source import open_source
from lib.errors import UnreadableFile
from lib.tokens.batch import batch_counter

# Small, so that a bomb is one early. Sheets and Parquet are read by a process, which is too slow to fuzz: see below.
LIMITS = replace(Limits(), expanded=4 << 20, ratio=50, ratio_from=1 << 16, line=1 << 16, cell=1 << 14)
ENCODING, FEW_TOKENS = "o200k_base", 20
NAMES = ("a.jsonl", "a.csv", "a.tsv", "../a.json", "a")
NATIVE = (b"PAR1", b"\xd0\xcf\x11\xe0")
LINES = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
BEGINNINGS: tuple[bytes, ...] = (
    LINES * 3,
    b'[{"a": {"b": [1, "]"]}},\n {"c": "\\ud83d"}, 3]',
    b'{"data": [{"instruction": "a", "input": "", "output": "b"}], "n": 1}',
    b'{\n "a": 1\n}\n{\n "b": [\n1]}\n',
    b'question,answer\n"a ""b"" c",d\n"e\nf",g\nh,i,j\n',
    "sep=;\nFrage;Antwort\nGrüße;ä\n".encode("cp1252"),
    b"text\tlabel\na\tx\nb\ty\n",
    "[{\"conversations\": \"[{'from': 'human', 'value': 'a'}]\"}]".encode("utf-16"),
    (LINES * 2).decode().encode("utf-32-be"),
    gzip.compress(LINES * 20, mtime=0),
)
PIECES = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b";",
    b"\t",
    b"'",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
)
PIECES += (b"NaN", b"1e999", b"9" * 5000, b"[" * 3000, b'"\\ud800"', b"\xe9", b"\x1f\x8b", b"PK\x03\x04", b'"data":[{')


def try_one(content: bytes) -> None:
    """Bring these bytes in, as a person would, check and convert what came. Raises what nobody expects."""
    if any(content.startswith(mark) for mark in NATIVE) or b"xl/" in content:
        return
    name = NAMES[len(content) % len(NAMES)]
    with TemporaryDirectory() as home:
        given, folder = Path(home) / "given", Path(home) / "folder"
        given.write_bytes(content)
        folder.mkdir()
        try:
            source = open_source(given, name, folder, limits=LIMITS)
        except UnreadableFile as error:
            said = error.what
        else:
            said = ""
        if said:
            assert said.endswith(".")
            assert list(folder.iterdir()) == []
            return
        lines = lines_of(source.path, source.numbers)
        assert source.numbers is None or len(source.numbers) == len(lines)
        _check(lines)
        conversion = conversion_of(source, lines)
        if conversion is not None:
            for one in preview(_examples(lines), conversion, 20):
                assert (one.after is None) == bool(one.why)
            found = Findings()
            made = converted(lines, conversion, folder / "converted", found)
            assert len(made) + lines_left(found.totals()) == len(lines)
            _check(made)


def _check(lines: Lines) -> None:
    report = check(lines, counter=batch_counter(ENCODING), limit=FEW_TOKENS, near=True)
    assert report.examples <= len(lines)
    assert json.dumps(report.as_json())
    assert all(finding.text and finding.why for finding in report.findings)


def _examples(lines: Lines) -> Iterator[dict[str, Any]]:
    for position, raw in enumerate(lines.raws()):
        value, found = value_of(raw, position + 1)
        assert value is not None or found
        if value is not None:
            yield value


def mutated(source: random.Random) -> bytes:
    """One of the beginnings with a few bytes, pieces and cuts that do not belong there."""
    content = bytearray(source.choice(BEGINNINGS))
    for _ in range(source.randint(1, 6)):
        at = source.randint(0, len(content))
        kind = source.random()
        if kind < 0.4:
            content[at:at] = source.choice(PIECES)
        elif kind < 0.6:
            del content[at : at + source.randint(1, 20)]
        elif kind < 0.8 and at < len(content):
            content[at] = source.randrange(256)
        else:
            begun = source.randint(0, len(content))
            content[at:at] = content[begun : begun + source.randint(1, 60)]
    return bytes(content)


def _ours() -> Iterator[FunctionType]:
    """The functions that the search is to find ways through."""
    modules = [module for name, module in sys.modules.items() if name.startswith("lib.dataset.")]
    for held in (held for module in modules for held in vars(module).values()):
        if str(getattr(held, "__module__", "")).startswith("lib.dataset."):
            inner = vars(held).values() if isinstance(held, type) else [held]
            yield from (one for one in inner if isinstance(one, FunctionType))


def main(arguments: Sequence[str]) -> None:
    """Search with atheris, from the beginnings on, and from an example of everything that a rule finds."""
    import atheris  # type: ignore[import-not-found]

    from tests.dataset.rules.corpus import BAD

    with TemporaryDirectory() as corpus:
        for number, content in enumerate([*BEGINNINGS, b"[{}]", *(encode(bad.data) + b"\n" for bad in BAD)]):
            (Path(corpus) / str(number)).write_bytes(content)
        for function in _ours():
            atheris.instrument_func(function)
        atheris.Setup([arguments[0], *arguments[1:], corpus], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
