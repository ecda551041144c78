"""What an answer is held to: JSON of a schema, calls of given tools in the model's own form, or either.

After each token llguidance says which ids may follow, so that an answer that ends by itself is never anything else. It
is imported when the first request asks for it. Knows ids and grammars, no weights and no sampling.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
import torch
from torch import Tensor

from lib.engine.answer.asking import Ask, CallRules
from lib.engine.answer.closing import closed
from lib.engine.model import ChatTemplate, Model
from lib.engine.template import CallForm
from lib.errors import Rejected

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
# Enough for JSON on one line and for JSON with a line for each member; an endless row of blanks is no answer.
BLANKS = r"\n? {0,12}"
# A schema that comes near these limits takes a second to prepare, while other answers wait.
MOST_SYMBOLS = 200_000
MOST_PREPARED = 16


class Constraint:
    """One answer's constraint. `bar` before each token is chosen, `hear` after it."""

    def __init__(self, matcher: LLMatcher, param: str) -> None:
        self._matcher = matcher
        self._param = param

    def bar(self, scores: Tensor) -> Tensor:
        """Scores (vocabulary,) with those of ids that may not follow at minus infinity.

        Raises Rejected when the schema turns out too complex, or when the model has no token for what must follow.
        """
        mask = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        if self._matcher.is_error():
            raise self._refusal(self._matcher.get_error())
        barred = scores.masked_fill(torch.from_numpy(mask[: len(scores)] == 0), -torch.inf)
        if not bool(torch.isfinite(barred).any()):
            raise self._refusal("the model has no token for what must come next")
        return barred

    def hear(self, token: int) -> None:
        """Take a token that `bar` left open."""
        if not self._matcher.consume_token(token):
            raise self._refusal(self._matcher.get_error())

    def _refusal(self, why: str) -> Rejected:
        return _refusal(self._param, "The answer cannot be held to the schema", why)


class Constraints:
    """Makes constraints. What is known of a model, and what was asked of it last, is kept as long as the model is."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[ChatTemplate, _Known] = WeakKeyDictionary()

    def of(self, ask: Ask, model: Model) -> Constraint | None:
        """What a request holds its answer to, None for nothing.

        Raises Rejected, with the name of the parameter, for a schema that cannot be kept to or calls that the model's
        template does not know.
        """
        if ask.format is None and ask.calls is None:
            return None
        known = self._known.get(model.template)
        if known is None:
            known = self._known[model.template] = _Known(model)
        return Constraint(known.matcher(ask, model.template.call_form), _param(ask))


class _Known:
    """A model's vocabulary as llguidance has it, and the grammars that were asked for last, ready to be begun."""

    def __init__(self, model: Model) -> None:
        from llguidance import LLTokenizer, TokenizerWrapper

        self._tokenizer: LLTokenizer = LLTokenizer(
            TokenizerWrapper(_Vocabulary(model)), n_vocab=model.vocabulary, eos_token=sorted(model.template.ends)
        )
        self._prepared: OrderedDict[bytes, LLMatcher] = OrderedDict()

    def matcher(self, ask: Ask, form: CallForm | None) -> LLMatcher:
        """A matcher at its beginning. Several answers to one request, and the next request, share the preparation."""
        from llguidance import LLMatcher, LLParserLimits

        asked = msgspec.json.encode((ask.format, ask.calls, ask.tools))
        prepared = self._prepared.pop(asked, None)
        if prepared is None:
            limits = LLParserLimits(max_grammar_size=MOST_SYMBOLS, verbose_errors=False)
            grammar = LLMatcher.grammar_from_lark(_grammar(ask, form))
            prepared = LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
            if prepared.is_error():
                raise _refusal(_param(ask), "The schema cannot be kept to", prepared.get_error())
        self._prepared[asked] = prepared
        while len(self._prepared) > MOST_PREPARED:
            self._prepared.popitem(last=False)
        return prepared.deep_copy()


class _Vocabulary:
    """A model's tokens as llguidance wants them: marks are special, so that no text of a grammar is spelled by one.

    Marks that the model's calls are spelled with as text are none: `<tool_call>` may be one token, or several.
    """

    def __init__(self, model: Model) -> None:
        template = model.template
        form = template.call_form
        pieces = (*form.before, *form.between, *form.after, *form.separator) if form else ()
        spelled_out = form is not None and not any(isinstance(piece, int) for piece in pieces)
        marks = template.barred | template.ends | (frozenset() if spelled_out else template.barred_without_tools)
        self.eos_token_id = min(template.ends)
        self.bos_token_id = None
        self.special_token_ids = sorted(marks)
        self.tokens = [
            f"<mark {token}>".encode() if token in marks else template.bytes_of(token)
            for token in range(model.vocabulary)
        ]
        self._ids = {spelled: token for token, spelled in enumerate(self.tokens) if spelled and token not in marks}
        self._longest = max(map(len, self._ids), default=1)

    def __call__(self, text: bytes) -> list[int]:
        """Ids that spell a text, the longest first: llguidance asks for them where only one text can follow."""
        ids: list[int] = []
        at = 0
        while at < len(text):
            size = next((size for size in range(self._longest, 0, -1) if text[at : at + size] in self._ids), 0)
            if not size:
                break
            piece = text[at : at + size]
            ids.append(self._ids[piece])
            at += len(piece)
        return ids


def _grammar(ask: Ask, form: CallForm | None) -> str:
    """The Lark grammar, in llguidance's dialect, of all answers that a request allows."""
    rules: list[str] = []
    starts: list[str] = []
    calls = ask.calls
    if calls is None and ask.tools and ask.format is not None:
        calls = CallRules(names=[str(tool["function"]["name"]) for tool in ask.tools])
    if calls is not None and form is None:
        if calls.required:
            raise Rejected(
                "This model's chat template knows no tool calls, so a call cannot be required.",
                status=400,
                param="tool_choice",
                code="unsupported_value",
            )
        calls = None
    if ask.format is not None and not (calls and calls.required):
        name = f"response_format '{ask.format.name}'"
        schema = _checked(ask.format.schema, ask.format.strict, "response_format", name)
        rules.append(f"json: {schema}")
        starts.append("json")
    if calls is not None and form is not None:
        rules += _call_rules(ask.tools or (), calls, form)
        starts.append("calls")
        if not calls.required and ask.format is None:
            text_rules, text_starts = _around(form)
            rules += text_rules
            starts += text_starts
    elif not starts:
        # Nothing to hold it to after all: a template without calls answers in words.
        rules.append("text: /(?s:.*)/")
        starts.append("text")
    return "\n".join([f"start: {' | '.join(starts)}", *rules])


def _call_rules(tools: Sequence[Mapping[str, Any]], calls: CallRules, form: CallForm) -> list[str]:
    """The rules `calls` and `tail`, the latter without the first mark of the first call."""
    opening, *rest = form.before
    rules: list[str] = []
    bodies: list[str] = []
    for place, tool in enumerate(tools):
        function = tool["function"]
        if function["name"] not in calls.names:
            continue
        where = f"tools[{place}].function.parameters"
        said = f"function '{function['name']}'"
        schema = function.get("parameters") or ANY_OBJECT
        rules.append(f"arguments_{place}: {_checked(schema, bool(function.get('strict')), where, said)}")
        bodies.append(
            _row(*rest, str(function["name"]), *form.between) + f" arguments_{place}" + _spaced(_row(*form.after))
        )
    again = f" ({_row(*form.separator, opening)} body)*" if calls.parallel else ""
    return [*rules, f"body: {' | '.join(bodies)}", f"tail: body{again}", f"calls: {_row(opening)} tail"]


def _around(form: CallForm) -> tuple[list[str], list[str]]:
    """Rules and starts for words without a call, and for words before calls."""
    opening = form.before[0]
    if isinstance(opening, int):
        return ["words: /(?s:.*)/"], ["words", "words calls"]
    if form.alone:
        return ["words: /[^{](?s:.*)/"], ["words", '""']
    mark = json.dumps(opening)
    pattern = "".join(f"\\x{byte:02x}" for byte in opening.encode())
    return [
        f"WORDS: /(?s:.*)/ & ~/(?s:.*){pattern}(?s:.*)/",
        f"led[suffix={mark}]: /(?s:.*)/",
    ], ["WORDS", "led tail"]


def _checked(schema: Mapping[str, Any], strict: bool, param: str, said: str) -> str:
    """A schema as the grammar's text. Without `strict` what cannot be kept to is left out. Raises Rejected."""
    from llguidance import LLMatcher

    guided = {
        **(schema if strict else closed(schema)),
        "x-guidance": {"whitespace_pattern": BLANKS, "lenient": not strict},
    }
    wrong, problems = LLMatcher.validate_grammar_with_warnings(LLMatcher.grammar_from_json_schema(guided))
    if wrong:
        if strict or param == "response_format":
            raise _refusal(param, f"Invalid schema for {said}", problems[0])
        guided = {**ANY_OBJECT, "x-guidance": guided["x-guidance"]}
    return f"%json {json.dumps(guided)}"


def _param(ask: Ask) -> str:
    return "response_format" if ask.format else "tools"


def _row(*pieces: int | str) -> str:
    return " ".join(f"<[{piece}]>" if isinstance(piece, int) else json.dumps(piece) for piece in pieces)


def _spaced(row: str) -> str:
    return f" {row}" if row else ""


def _refusal(param: str, what: str, why: str) -> Rejected:
    first = why.strip().splitlines()[0][:300] if why.strip() else "it is too complex"
    code = "invalid_function_parameters" if param.startswith("tools[") else None
    return Rejected(f"{what}: {first.rstrip('.')}.", status=400, param=param, code=code)
