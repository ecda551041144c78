"""The names that people give the columns of a table, and the keys of an example, and what they mean by them.

Compared in lower case, with every blank, dash and dot an underscore. Knows no value.
"""

from __future__ import annotations

import re

QUESTIONS = frozenset(
    {"question", "prompt", "input", "text", "message", "ticket", "body", "description", "query", "request", "subject"}
    | {"title", "comment", "instruction", "user", "human", "utterance", "sentence", "review", "email", "content"}
    | {"user_input", "user_message", "user_prompt", "input_text", "source_text", "frage", "pregunta", "kundenanfrage"}
)
ANSWERS = frozenset(
    {"answer", "completion", "response", "reply", "output", "target", "solution", "resolution", "assistant", "bot"}
    | {"gpt", "expected", "expected_output", "ideal", "ground_truth", "reference", "model_output", "output_text"}
    | {"assistant_message", "bot_response", "summary", "translation", "target_text", "antwort", "respuesta", "réponse"}
    | {"best_answer", "gold", "correct_answer", "expected_answer"}
)
LABELS = frozenset(
    {"label", "labels", "category", "class", "team", "priority", "intent", "sentiment", "topic", "tag", "kategorie"}
    | {"classification", "department", "severity", "label_text"}
)
SYSTEMS = frozenset({"system", "system_prompt", "system_message", "system_instruction", "persona"})
CONTEXTS = frozenset({"context", "passage", "document", "background", "article", "paragraph", "knowledge", "kontext"})
IDENTITIES = frozenset(
    {"id", "uuid", "guid", "index", "idx", "row", "no", "nr", "number", "date", "time", "timestamp", "created", "url"}
    | {"created_at", "updated_at", "source", "split", "lang", "language", "author", "user_id", "hash", "license"}
    | {"ticket_id", "question_id", "conversation_id", "example_id", "unnamed:_0", "__index_level_0__", "link", "model"}
)
OTHERS = frozenset(
    {"messages", "conversations", "conversation", "chosen", "rejected", "history", "turns", "dialog", "dialogue"}
    | {"tools", "answers"}
)
KNOWN = QUESTIONS | ANSWERS | LABELS | SYSTEMS | CONTEXTS | IDENTITIES | OTHERS


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def is_known(name: str) -> bool:
    """Whether columns are known to be called so."""
    return plain(name) in KNOWN
