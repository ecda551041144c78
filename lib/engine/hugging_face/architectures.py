"""Which causal language models the installed transformers can build without code from a model's folder.

Read from transformers' own table as text: the server must not import it, which takes seconds. Knows no folder.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from lib.errors import EngineError

TABLE = Path("models", "auto", "modeling_auto.py")
BEGIN, END = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES = OrderedDict(", "\n)\n"
ROW = re.compile(r'\("([\w.-]+)",\s*"(\w+)"\)')


@cache
def known() -> dict[str, str]:
    """The class of each `model_type` that transformers builds as a causal language model.

    Raises EngineError where transformers is not installed, or has no such table.
    """
    found = importlib.util.find_spec("transformers")
    if found is None or found.origin is None:
        raise EngineError(
            "The package transformers, which reads models in Hugging Face's form, is not installed.",
            "Install what requirements.txt names.",
        )
    try:
        text = (Path(found.origin).parent / TABLE).read_text(encoding="utf-8")
        table = text[text.index(BEGIN) :]
        return dict(ROW.findall(table[: table.index(END)]))
    except (OSError, ValueError) as error:
        raise EngineError(
            "The installed package transformers does not say which models it knows.",
            "Install the version that requirements.txt names.",
            raw=str(error),
        ) from error
