"""Tasks that take values out of a text, word for word: as JSON, as lines, or one at a time."""

from __future__ import annotations

from lib.engine.base.corpus.fields import FIELDS, JOINED
from lib.engine.base.corpus.phrases import Chance
from lib.engine.base.corpus.talk import Conversation, as_json, asked, conversation

# The numbers of two fields that are treated in a way of their own.
NAME, QUANTITY = 0, 7


def _telling(chance: Chance) -> tuple[str, dict[int, str]]:
    """A text and the values it tells, by the number of their field."""
    values = [chance.fill(chance.pick(field.value.split("|"))) for field in FIELDS]
    if chance.often(0.3):
        sentence, told = chance.pick(JOINED)
        text = chance.fill(sentence, **{str(number): value for number, value in enumerate(values)})
        shown = {number: values[number] for number in told}
        others = [number for number in range(len(FIELDS)) if number not in shown]
        for number in chance.some(others, chance.pick((0, 0, 1, 2))):
            more = chance.fill(chance.pick(FIELDS[number].says), v=values[number])
            text, shown[number] = (f"{text} {more}" if chance.often(0.5) else f"{more} {text}"), values[number]
        return _wrapped(chance, text, shown)
    told_fields = chance.some(range(len(FIELDS)), chance.number(2, 5))
    sentences = [chance.fill(chance.pick(FIELDS[number].says), v=values[number]) for number in told_fields]
    parts = list(sentences)
    if chance.often(0.4):
        parts.insert(chance.number(0, len(parts)), chance.fill("{filler}").replace("My name is", "I know"))
    text = chance.pick((" ", " ", " ", "\n")).join(parts)
    return _wrapped(chance, text, {number: values[number] for number in told_fields})


def _wrapped(chance: Chance, text: str, shown: dict[int, str]) -> tuple[str, dict[int, str]]:
    """The text with a greeting at times, and with the name below where it has not been told."""
    if chance.often(0.3):
        text = chance.fill("{greeting}") + chance.pick((", ", "! ", ",\n")) + text
    if NAME not in shown and chance.often(0.4):
        shown[NAME] = chance.fill(chance.pick(FIELDS[NAME].value.split("|")))
        text += chance.fill("[ |\n]{closing}[, |\n| ]") + shown[NAME]
    return text, shown


def to_json(chance: Chance) -> Conversation:
    """Named values as a JSON object or as lines; what the text does not tell is null."""
    text, shown = _telling(chance)
    wanted = chance.some(sorted(shown), chance.number(1, len(shown)) if chance.often(0.4) else len(shown))
    missing = [number for number in range(len(FIELDS)) if number not in shown]
    if chance.often(0.25):
        wanted.insert(chance.number(0, len(wanted)), chance.pick(missing))
    keys: dict[int, str] = {}
    for number in wanted:
        free = [key for key in FIELDS[number].keys if key not in keys.values()]
        keys[number] = free[0] if chance.often(0.5) else chance.pick(free)
    names = ", ".join(keys.values())
    if chance.often(0.75):
        task = (
            chance.fill(
                "[Extract|Take out|Find|Read out|Give me|Return] [these values|the following|the fields|the data]: "
            )
            + names
        )
        task += chance.pick((". Answer in JSON.", " as JSON.", ". Write JSON.", ". Reply with a JSON object."))
        answer: dict[str, str | int | None] = {key: shown.get(number) for number, key in keys.items()}
        if QUANTITY in keys and shown.get(QUANTITY) and chance.often(0.6):
            task += " Numbers stand without quotes."
            answer[keys[QUANTITY]] = int(shown[QUANTITY])
        return asked(chance, task, text, as_json(answer))
    task = chance.fill("[Write one line for each of|List|Make lines of] ") + names + "."
    return asked(chance, task, text, "\n".join(f"{key}: {shown.get(number, '-')}" for number, key in keys.items()))


def one_value(chance: Chance) -> Conversation:
    """Questions for single values of a text, one after the other."""
    text, shown = _telling(chance)
    order = chance.some(sorted(shown), chance.number(1, min(3, len(shown))))
    turns: list[str] = []
    for number in order:
        turns += [chance.pick(FIELDS[number].asks), shown[number]]
    if chance.often(0.5):
        return conversation(chance.pick(("Read: ", "Text: ", "Answer from this text: ")) + text, *turns)
    return conversation("", f"{text}\n{turns[0]}", *turns[1:])


def shown_once(chance: Chance) -> Conversation:
    """An example turn shows the wanted form; the next text is answered in the same way."""
    numbers = chance.some(range(len(FIELDS)), chance.number(2, 3))
    keys: list[str] = []
    for number in numbers:
        keys.append(chance.pick([key for key in FIELDS[number].keys if key not in keys]))
    turns: list[str] = []
    for _ in range(chance.number(2, 3)):
        values = [chance.fill(chance.pick(FIELDS[number].value.split("|"))) for number in numbers]
        said = [
            chance.fill(chance.pick(FIELDS[number].says), v=value)
            for number, value in zip(numbers, values, strict=True)
        ]
        chance.random.shuffle(said)
        turns += [" ".join(said), as_json(dict(zip(keys, values, strict=True)))]
    return conversation(chance.pick(("", "Go on like that.", "The same again each time.")), *turns)
