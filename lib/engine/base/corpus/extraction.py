"""Tasks that take values out of a text, word for word: as JSON, as lines, or one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from lib.engine.base.corpus.phrases import Chance
from lib.engine.base.corpus.talk import Conversation, as_json, asked, conversation


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a text can tell: its keys, how the value is made, how it is said, how it is asked for."""

    keys: tuple[str, ...]
    value: str
    says: tuple[str, ...]
    asks: tuple[str, ...]


FIELDS = (
    Field(
        ("name", "customer", "person", "sender", "client"),
        "{first} {last}",
        (
            "My name is {v}.",
            "I am {v}.",
            "This is {v} speaking.",
            "{v} asked me to write.",
            "It is for {v}.",
            "Here is {v} again.",
            "{v} called today.",
        ),
        ("Who is it?", "What is the name?", "Who wrote?"),
    ),
    Field(
        ("city", "town", "place", "location"),
        "{city}",
        (
            "I live in {v}.",
            "It goes to {v}.",
            "We are in {v}.",
            "Greetings from {v}.",
            "They are based in {v}.",
            "We moved to {v}.",
            "I write from {v}.",
        ),
        ("Which city?", "Where is it?", "What is the place?"),
    ),
    Field(
        ("product", "item", "article", "thing", "goods"),
        "{thing}|{colour} {thing}|{adjective} {thing}",
        (
            "I bought a {v}.",
            "It is about the {v}.",
            "We would like a {v}.",
            "The {v} is what I mean.",
            "I ordered the {v}.",
            "Please look at my {v}.",
            "They need another {v}.",
        ),
        ("Which product is it?", "What was bought?", "What thing is it about?"),
    ),
    Field(
        ("order", "number", "code", "reference", "case", "order_number"),
        "{code}",
        (
            "The number is {v}.",
            "My order is {v}.",
            "Reference {v}.",
            "It is case {v}.",
            "You find it under {v}.",
            "The code on it says {v}.",
            "Order no. {v}.",
        ),
        ("What is the number?", "Which reference?", "Give the code."),
    ),
    Field(
        ("amount", "price", "sum", "total", "paid"),
        "{amount}",
        (
            "It cost {v}.",
            "I paid {v}.",
            "The sum is {v}.",
            "They want {v} for it.",
            "{v} was taken.",
            "That makes {v}.",
            "The price was {v}.",
        ),
        ("How much?", "What is the price?", "What was paid?"),
    ),
    Field(
        ("date", "day", "on", "when"),
        "{date}|{weekday}|{weekday}, {date}",
        (
            "It was on {v}.",
            "We meet on {v}.",
            "It should be there by {v}.",
            "Since {v} I wait.",
            "It happened on {v}.",
            "I need it on {v}.",
            "The day was {v}.",
        ),
        ("On which day?", "When?", "What is the date?"),
    ),
    Field(
        ("time", "hour", "at"),
        "{time}",
        ("Come at {v}.", "It starts at {v}.", "I can be there at {v}.", "At {v} it was over.", "The hour is {v}."),
        ("At what time?", "Which hour?", "When does it start?"),
    ),
    Field(
        ("quantity", "count", "pieces", "how_many"),
        "{n}",
        (
            "We need {v} of them.",
            "There are {v} pieces.",
            "{v} of them came.",
            "I asked for {v}.",
            "In all it was {v} items.",
            "{v} people will come.",
        ),
        ("How many?", "What is the count?", "How many pieces?"),
    ),
    Field(
        ("phone", "telephone", "call"),
        "{phone}",
        ("My phone is {v}.", "Call me on {v}.", "The number to ring is {v}.", "Reach me at {v}."),
        ("What is the phone number?", "Which number can one call?"),
    ),
    Field(
        ("email", "mail", "e_mail", "contact"),
        "{mail}",
        ("Write to {v}.", "My mail is {v}.", "You reach me at {v}.", "The address is {v}.", "Send it to {v}."),
        ("What is the e-mail address?", "Where can one write to?"),
    ),
    Field(
        ("street", "address", "house"),
        "{n} {street}|{street} {n}",
        ("The house is {v}.", "I live at {v}.", "Bring it to {v}.", "We are at {v}.", "Our place is {v}."),
        ("What is the street?", "Which address?"),
    ),
    Field(
        ("company", "firm", "organisation", "from"),
        "{company}",
        ("I work for {v}.", "We are {v}.", "It is from {v}.", "{v} sent me.", "I write for {v}.", "The firm is {v}."),
        ("Which company?", "What is the firm?"),
    ),
    Field(
        ("job", "profession", "work"),
        "{job}",
        ("I am a {v}.", "I work as a {v}.", "My work: {v}.", "She is a {v}."),
        ("What is the job?", "What work is it?"),
    ),
    Field(
        ("food", "dish", "meal", "order"),
        "{food}|{food} with {drink}",
        ("I would like {v}.", "We had {v}.", "For me {v}, please.", "The guests want {v}."),
        ("Which dish?", "What food is it?"),
    ),
)
# Sentences that tell several values; a place in braces is the number of a field.
JOINED = (
    ("{0} from {1} ordered {2} on {5}.", (0, 1, 2, 5)),
    ("{0} bought {7} x {2} for {4}.", (0, 7, 2, 4)),
    ("{11} in {1} pays {4} on {5}.", (11, 1, 4, 5)),
    ("Please send {2} to {0}, {10}, {1}.", (2, 0, 10, 1)),
    ("{0} ({11}) can be called on {8} from {6} on.", (0, 11, 8, 6)),
    ("Order {3}: {7} x {2}, {4}.", (3, 7, 2, 4)),
    ("{0} is a {12} from {1}.", (0, 12, 1)),
    ("Meeting with {0} of {11}, {5}, {6}, {1}.", (0, 11, 5, 6, 1)),
    ("A {12} called {0} lost a {2} in {1}.", (12, 0, 2, 1)),
    ("On {5} at {6} {0} from {11} rang about order {3}.", (5, 6, 0, 11, 3)),
)


def _telling(chance: Chance) -> tuple[str, dict[int, str]]:
    """A text and the values it tells, by the number of their field."""
    values = [chance.fill(chance.pick(field.value.split("|"))) for field in FIELDS]
    if chance.often(0.3):
        sentence, told = chance.pick(JOINED)
        return sentence.format(*values), {number: values[number] for number in told}
    told_fields = chance.some(range(len(FIELDS)), chance.number(2, 5))
    sentences = [chance.pick(FIELDS[number].says).replace("{v}", values[number]) for number in told_fields]
    parts = list(sentences)
    if chance.often(0.4):
        parts.insert(chance.number(0, len(parts)), chance.fill("{filler}").replace("My name is", "I know"))
    text = chance.pick((" ", " ", " ", "\n")).join(parts)
    if chance.often(0.3):
        text = chance.fill("{greeting}") + chance.pick((", ", "! ", ",\n")) + text
    return text, {number: values[number] for number in told_fields}


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
        return asked(chance, task, text, as_json({key: shown.get(number) for number, key in keys.items()}))
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
            chance.pick(FIELDS[number].says).replace("{v}", value)
            for number, value in zip(numbers, values, strict=True)
        ]
        chance.random.shuffle(said)
        turns += [" ".join(said), as_json(dict(zip(keys, values, strict=True)))]
    return conversation(chance.pick(("", "Go on like that.", "The same again each time.")), *turns)
