"""Size: what a model cuts off, and how many examples a service wants.

Counts come from outside; this module knows no encoding and no model.
"""

from __future__ import annotations

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case
from lib.tokens.billing import PER_EXAMPLE, message_tokens, tools_tokens
from lib.tokens.counting import Count

LEAST_EXAMPLES = 10
CODE = "over_token_limit"


def cut(case: Case, tokens: int, limit: int, count: Count) -> Finding:
    """The example is longer than the model reads: it is cut from the end, without an error."""
    first = _first_cut(case, limit, count)
    last = len(case.messages) - 1
    lost = "the whole last message" if first is not None and first < last else "the end of the last message"
    return case.finding(
        "warning",
        CODE,
        f"has {tokens:,} tokens; the model reads {limit:,}. The last {tokens - limit:,} are cut off: {lost} is lost.",
        "Services cut from the end without a word, and the answer stands at the end.",
        message=first,
        fix="remove_example",
    )


def too_few(examples: int) -> Finding:
    """The file has fewer examples than a service takes."""
    return Finding(
        "error",
        "invalid_n_examples",
        None,
        None,
        f"Training file has {examples} example(s), but must have at least {LEAST_EXAMPLES} examples.",
        "The service refuses the file. An improvement shows from about 50 examples on.",
    )


def too_large(size: int, most: int) -> Finding:
    """The file is longer than the service takes."""
    return Finding(
        "error",
        "file_too_large",
        None,
        None,
        f"The file has {size / 1e6:,.1f} MB; the service takes {most / 1e6:,.1f} MB.",
        "The service refuses the upload. Leave out repeated examples, or train on a part.",
    )


def near_not_looked_for(examples: int) -> Finding:
    """The file is so long that near duplicates are looked for on request only."""
    return Finding(
        "info",
        "near_not_looked_for",
        None,
        None,
        f"Near duplicates were not looked for among {examples:,} examples.",
        "It takes about as long again as everything else; ask for it where repeats are likely.",
    )


def _first_cut(case: Case, limit: int, count: Count) -> int | None:
    """The index of the first message that is not read to its end."""
    read = PER_EXAMPLE + tools_tokens(case.data, count)
    for index, entry in enumerate(case.messages):
        read += message_tokens(entry, count)
        if read > limit:
            return index
    return None
