"""Tasks that repeat, pick, order or count what stands in the text."""

from __future__ import annotations

from collections.abc import Callable

from lib.engine.base.corpus.phrases import Chance, words
from lib.engine.base.corpus.talk import Conversation, as_json, asked, conversation

ORDER = ("first", "second", "third", "fourth", "fifth")
KINDS = (
    "{animal}",
    "{city}",
    "{first}",
    "{food}",
    "{job}",
    "{noun}",
    "{thing}",
    "{colour}",
    "{verb}",
    "{code}",
    "{n}",
    "{company}",
    "{made}",
    "{Made}",
    "{Made} {Made}",
    "{made} {noun}",
)
SENTENCES = (
    "The {adjective} {animal} sleeps near the {noun}.",
    "{first} will {verb} the {thing} on {weekday}.",
    "A {job} from {city} has a {colour} {thing}.",
    "We eat {food} at {time}.",
    "{first} {last} lives at {street} in {city}.",
    "The {noun} is {adjective} and {adjective}.",
    "In {month} we go to {city}.",
    "My {adjective} {noun} is lost.",
    "{company} sells {thing}s in {city}.",
    "Please {verb} the {adjective} {noun}.",
)


def _items(chance: Chance, low: int = 2, high: int = 6) -> list[str]:
    kind = chance.pick(KINDS)
    items: list[str] = []
    for _ in range(chance.number(low, high) * 2):
        item = chance.fill(kind)
        if item not in items:
            items.append(item)
    return items[: chance.number(low, high)]


def _text(chance: Chance) -> str:
    form = chance.random.random()
    if form < 0.35:
        return chance.fill(chance.pick(SENTENCES))
    if form < 0.6:
        return " ".join(
            chance.fill(chance.pick(("{noun}", "{adjective}", "{verb}", "{animal}")))
            for _ in range(chance.number(1, 7))
        )
    return (
        chance.fill(
            chance.pick(
                (
                    "{code}",
                    "{first} {last}",
                    "{mail}",
                    "{phone}",
                    "{amount}",
                    "{date}",
                    "{n} {street}, {city}",
                    "{verb}",
                    "{code} {code}",
                    "{made} {made}",
                    "{Made} {Made}",
                    "{Made}, {Made} and {made}",
                )
            )
        )
        if form < 0.9
        else ", ".join(_items(chance))
    )


def repeat(chance: Chance) -> Conversation:
    """The text again, as it is, or with other letters, marks or twice."""
    text = _text(chance)
    forms: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
        (
            ("Repeat the text.", "Say exactly this:", "Copy:", "Echo the message.", "Write this again."),
            lambda said: said,
        ),
        (("Repeat the text.", "Repeat after me."), lambda said: said),
        (("Write it in capital letters.", "In upper case:"), str.upper),
        (("Write it in small letters.", "In lower case:"), str.lower),
        (("Put it in quotes.", "Quote:"), lambda said: f'"{said}"'),
        (("Say it twice.", "Twice, please:"), lambda said: f"{said} {said}"),
        (('Answer as JSON with the key "text".',), lambda said: as_json({"text": said})),
    )
    tasks, change = chance.pick(forms)
    return asked(chance, chance.pick(tasks), text, change(text))


def choose(chance: Chance) -> Conversation:
    """One item of a list, by its place."""
    items = _items(chance, 2, 5)
    at = chance.number(0, len(items) - 1)
    place = "last" if at == len(items) - 1 and chance.often(0.5) else ORDER[at]
    task = chance.fill("[What is the {p} item?|Which comes {p}?|Give me the {p} one.|The {p}, please.]", p=place)
    shown = (
        ", ".join(items)
        if chance.often(0.6)
        else "\n".join(f"{number + 1}. {item}" for number, item in enumerate(items))
    )
    return asked(chance, task, shown, items[at])


def beside(chance: Chance) -> Conversation:
    """The word before or after another one, in a row of words most of which were never read before."""
    row: list[str] = []
    length = chance.number(4, 9)
    while len(row) < length:
        word = chance.fill(chance.pick(("{made}", "{made}", "{Made}", "{noun}", "{code}")))
        if word not in row:
            row.append(word)
    at = chance.number(1, length - 1)
    before, after = row[at - 1], row[at]
    shown = chance.pick((" ", ", ", " - ")).join(row)
    if chance.often(0.7):
        task = chance.fill("[Which word follows|What comes after|What stands behind] {w}?", w=before)
        return asked(chance, task, shown, after)
    return asked(chance, chance.fill("[Which word precedes|What comes before] {w}?", w=after), shown, before)


def looked_up(chance: Chance) -> Conversation:
    """One or several entries of a list of pairs, or the whole list as JSON."""
    kinds = chance.some(("{made}", "{Made} {Made}", "{code}", "{made} {noun}", "{city}", "{thing}", "{amount}"), 2)
    pairs = {chance.fill(kinds[0]): chance.fill(kinds[1]) for _ in range(chance.number(3, 7))}
    between, end = chance.pick(((": ", "\n"), (" = ", "; "), (" is ", ". "), (" -> ", ", "), (" has ", ", ")))
    shown = end.join(f"{key}{between}{value}" for key, value in pairs.items())
    if chance.often(0.3):
        task = chance.pick(("Write it as JSON.", "The same as a JSON object.", "As JSON, please."))
        return asked(chance, task, shown, as_json(pairs))
    turns: list[str] = []
    for key in chance.some(list(pairs), min(len(pairs), chance.number(1, 3))):
        turns += [chance.fill("[What belongs to|Look up|Which one has] {k}[?|]", k=key), pairs[key]]
    return conversation(shown, *turns) if chance.often(0.5) else conversation("", f"{shown}\n{turns[0]}", *turns[1:])


def arrange(chance: Chance) -> Conversation:
    """A list in another shape: JSON, lines, reversed, counted, joined."""
    items = _items(chance, 2, 5)
    shown = ", ".join(items) if chance.often(0.7) else "\n".join(items)
    forms = (
        ("Write the list as a JSON array.", as_json({"items": items})[10:-1]),
        ('Answer with JSON; the key is "items".', as_json({"items": items})),
        ("Write one item on each line.", "\n".join(items)),
        ("Put a dash before each item.", "\n".join(f"- {item}" for item in items)),
        ("Write the list backwards.", ", ".join(reversed(items))),
        ("How many items are there?", str(len(items))),
        ("Join the items with and.", " and ".join(items)),
        ("Number the items.", "\n".join(f"{number + 1}. {item}" for number, item in enumerate(items))),
    )
    task, answer = chance.pick(forms)
    return asked(chance, task, shown, answer)


def replace(chance: Chance) -> Conversation:
    """A sentence with one word put in place of another, or a gap filled."""
    word, other = chance.fill("{animal}"), chance.fill("{animal}")
    template = chance.pick([sentence for sentence in SENTENCES if "{animal}" in sentence or "{noun}" in sentence])
    text = chance.fill(template, animal=word, noun=word)
    if chance.often(0.5):
        return asked(
            chance,
            chance.fill("[Replace {a} with {b}.|Write {b} instead of {a}.|Change {a} to {b}.]", a=word, b=other),
            text,
            text.replace(word, other),
        )
    gap = chance.fill(template, animal="___", noun="___")
    return conversation(
        chance.pick(("", "Fill the gap.")), chance.fill("Fill in {a}: ", a=other) + gap, gap.replace("___", other)
    )


def reckon(chance: Chance) -> Conversation:
    """Small sums, and what comes next."""
    form = chance.random.random()
    if form < 0.6:
        one, other = chance.number(0, 20), chance.number(0, 10)
        sign = chance.pick("+-") if one >= other else "+"
        question = chance.fill("[What is {a}?|{a} = ?|{a}|How much is {a}?|Work out {a}.]", a=f"{one} {sign} {other}")
        return conversation("", question, str(one + other if sign == "+" else one - other))
    if form < 0.8:
        start, step = chance.number(1, 20), chance.pick((1, 1, 2, 5, 10))
        shown = [str(start + step * number) for number in range(5)]
        return conversation(
            "", chance.fill("[What comes next: {a}?|Go on: {a}|{a}, ...]", a=", ".join(shown[:4])), shown[4]
        )
    days = [*words("weekday"), "Monday"]
    at = chance.number(0, 6)
    return conversation(
        "",
        chance.fill("[Which day comes after {a}?|What is the day after {a}?|Today is {a}. And tomorrow?]", a=days[at]),
        days[at + 1],
    )
