from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset import labels, likeness
from lib.dataset.assessment import NEAR_DUPLICATE, NEAR_LEAK
from lib.dataset.examine import SHAPE_RULES, TEXT_RULES
from lib.dataset.example import Method
from lib.dataset.rules.case import Case, TextRule
from lib.dataset.rules.kinds import FIX_LABELS, KINDS
from lib.dataset.rules.secret_kinds import KINDS as SECRET_KINDS
from tests.dataset.rules.corpus import BAD, GOOD, Bad, findings

Data = dict[str, Any]
DATASET = Path(__file__).parents[3] / "lib" / "dataset"


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_what_is_wrong_is_found_where_it_is(bad: Bad) -> None:
    found = [one for one in findings(bad.data, bad.method) if one.code == bad.code]
    assert found, f"nothing said of {bad.data}"
    assert {(one.severity, one.line, one.message_index) for one in found} == {(bad.severity, 1, bad.message)}
    for one in found:
        assert one.text.startswith("Example 1, message" if bad.message is not None else ("Example 1 ", "Example 1, "))
        assert one.text.endswith("."), one.text
        assert one.why.endswith((".", "?")), one.why
        assert "\n" not in one.text
        assert len(one.text) < 300


@pytest.mark.parametrize(("data", "method"), GOOD)
def test_what_is_good_has_no_finding(data: Data, method: Method) -> None:
    assert findings(data, method) == []


# Where a code is chosen before it is written, and which there are.
CHOSEN: dict[str, tuple[str, ...]] = {
    "assessment.py": (NEAR_LEAK, NEAR_DUPLICATE),
    "labels.py": (labels.RARE, labels.SINGLE),
    "likeness.py": likeness.CODES,
    "secrets.py": tuple(kind.code for kind in SECRET_KINDS),
}
# Whoever passes on what others have written.
PASSED_ON = ("case.py", "entry.py", "intake.py", "jsonl.py", "parse.py", "sheets.py", "kept.py")
FEWEST_ARGUMENTS = 3
MAKES = {"Finding": 1, "finding": 1, "note": 0, "problem": 0, "Unparsable": 0, "_at": 2}
SAYS = {"note": "info", "problem": "error", "Unparsable": "error", "_at": "error"}
SEVERITIES = ("error", "warning", "info")


def written(*paths: Path) -> dict[str, str]:
    """The codes that these files write, each with its severity. Fails on one that cannot be told from the text."""
    found: dict[str, str] = {}
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = texts_named(tree)
        for node in ast.walk(tree):
            name = called(node)
            if not isinstance(node, ast.Call) or name not in MAKES or len(node.args) < FEWEST_ARGUMENTS:
                continue
            given = [constants.get(one.id) if isinstance(one, ast.Name) else constant(one) for one in node.args]
            severity = SAYS.get(name) or (given[0] if given else None)
            code = given[MAKES[name]] if len(given) > MAKES[name] else None
            if name in SAYS or severity in SEVERITIES:
                if code is None:
                    assert path.name in (*CHOSEN, *PASSED_ON), f"{path}, line {node.lineno}: which code?"
                    continue
                assert severity is not None
                assert found.setdefault(code, severity) == severity, f"{code} has two severities"
    return found


def called(node: ast.AST) -> str:
    """The last name of what is called; "" for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def constant(node: ast.AST) -> str | None:
    """The text that is written here."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts_named(tree: ast.Module) -> dict[str, str]:
    """The texts that a module gives a name, one by one or several at once."""
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        [target], value = node.targets, node.value
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = value.elts if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple) else [value]
        for name, held in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and (text := constant(held)) is not None:
                found[name.id] = text
    return found


def test_every_kind_of_finding_is_known_with_its_severity() -> None:
    found = written(*sorted(DATASET.rglob("*.py")))
    assert len(found) > 100
    for code, severity in found.items():
        assert code in KINDS, code
        assert KINDS[code].severity == severity, code
    chosen = {code for codes in CHOSEN.values() for code in codes}
    assert chosen <= KINDS.keys()
    # And no kind is known that nobody writes.
    assert found.keys() | chosen == KINDS.keys()


def test_a_code_that_is_in_no_list_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text('CODE = "no_such_code"\nintake.note(CODE, "a", "b")\nFinding("error", "other", None)\n')
    assert written(path) == {"no_such_code": "info", "other": "error"}
    path.write_text("def say(code):\n    intake.note(code, 'a', 'b')\n")
    with pytest.raises(AssertionError, match="which code"):
        written(path)


def test_every_kind_about_one_example_is_in_the_corpus() -> None:
    # These say how an example stands to others, or to a limit that comes from outside.
    outside = ("repeats.py", "size.py", "kinds.py")
    rules = [path for path in sorted((DATASET / "rules").glob("*.py")) if path.name not in outside]
    assert {bad.code for bad in BAD} == written(*rules).keys() | set(CHOSEN["secrets.py"])


def test_kinds_have_titles_of_their_own_and_labels_for_their_repairs() -> None:
    titles = [kind.title for kind in KINDS.values()]
    assert len(set(titles)) == len(titles)
    assert all(title[0].isupper() and not title.endswith(".") for title in titles)
    assert {kind.fix for kind in KINDS.values() if kind.fix} == FIX_LABELS.keys()
    assert all(code == kind.code for code, kind in KINDS.items())


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_finding_has_the_repair_of_its_kind_or_takes_the_example_out(bad: Bad) -> None:
    for one in findings(bad.data, bad.method):
        assert one.severity == KINDS[one.code].severity
        assert one.fix in (None, "remove_example", KINDS[one.code].fix), one


# Pieces that rules look for, whole and cut, among letters, digits and signs.
PIECES = (
    *("ann@", "@", "a.io", "://", "a:b@c", "+49", "+(1", " 30 ", "1234567", "4111", " ", "-", "1111", "DE89", "3704"),
    *(
        "0044",
        "123-45-6789",
        "(212) ",
        "212-",
        "556-",
        "0199",
        "sk-",
        "AKIA",
        "a1B2c3D4e5F6g7H8i9J0",
        "ghp_",
        "key=",
        "key",
    ),
    *(
        " is ",
        "token",
        '": "',
        "eyJ",
        ".",
        "PRIVATE KEY",
        "-----",
        "BEGIN ",
        "SSN ",
        "<|",
        "|>",
        "endoftext",
        "[",
        "Your",
    ),
    *(
        "Name]",
        "{{",
        "x",
        "}}",
        "<",
        ">",
        "lorem ipsum",
        "As an AI",
        "I can't ",
        "help",
        "unable to ",
        "Ã",
        "¤",
        "â€",
        "™",
    ),
    *(
        "Ð",
        "\x90",
        "ï¼",
        "Œ",
        "Р°",
        "С‚",
        "\ufffd",
        "\x92",
        "\x00",
        "\u200b",
        "\ufeff",
        "ä¸",
        "­",
        "ä½",
        "å¥",
        "\n",
        "TO" + "DO:",
    ),
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.rule.__name__)
@given(texts)
@settings(max_examples=150, deadline=None)
def test_a_text_rule_finds_nothing_where_it_says_it_cannot(rule: TextRule, text: str) -> None:
    for role in ("user", "assistant"):
        case = Case.of({"messages": [{"role": role, "content": text}]}, "supervised", 0, 1)
        if not rule.may_find(text):
            assert list(rule.rule(case)) == []


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.rule.__name__)
def test_a_text_rule_keeps_its_promise_on_the_corpus(rule: TextRule) -> None:
    for bad in BAD:
        case = Case.of(bad.data, bad.method, 0, 1)
        if not rule.may_find("\n".join(text for _, text in case.texts)):
            assert list(rule.rule(case)) == []


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": texts}), max_size=4
    ),
    texts,
)
@settings(max_examples=200, deadline=None)
def test_a_rule_of_shape_says_nothing_about_a_plain_example(messages: list[Data], answer: str) -> None:
    data = {"messages": [*messages, {"role": "assistant", "content": answer}]}
    if all(message["content"].strip() for message in data["messages"]):
        case = Case.of(data, "supervised", 0, 1)
        assert [finding for rule in SHAPE_RULES["supervised"] for finding in rule(case)] == []
