"""Tasks that answer questions from what was told: about places, people, and earlier turns."""

from __future__ import annotations

from lib.engine.base.corpus.phrases import Chance, table, words
from lib.engine.base.corpus.talk import Conversation, conversation


def _marks(chance: Chance) -> tuple[str, str, str]:
    """An instruction about how each answer begins or ends, and what stands before and after; empty at times."""
    marks = table("styles")["marks"]
    form = chance.random.random()
    if form < 0.3:
        after = chance.fill(chance.pick(marks["endings"]))
        told = chance.pick(
            (
                'End every answer with "{}".',
                "Always finish with: {}",
                "Your last words are {}",
                "Close each reply with {}",
            )
        )
        return told.format(after), "", " " + after
    if form < 0.5:
        before = chance.fill(chance.pick(marks["beginnings"]))
        told = chance.pick(('Begin every answer with "{}".', "Always start with: {}", "First say {}"))
        return told.format(before), before + " ", ""
    return "", "", ""


def at_a_place(chance: Chance) -> Conversation:
    """Facts about a place stand in the system message (or the question); guests ask for them in their own words."""
    facts = table("places")
    place = chance.fill("{place}")
    told: dict[str, tuple[str, str]] = {}
    for key in chance.some(sorted(facts), chance.number(2, 7)):
        value = chance.fill(chance.pick(facts[key]["value"].split("|")))
        told[key] = (value, chance.fill(chance.pick(facts[key]["says"]), v=value, place=place))
    instruction, before, after = _marks(chance)
    is_short = chance.often(0.3)
    text = " ".join(sentence for _, sentence in told.values())
    turns: list[str] = []
    for key in chance.some(sorted(told), chance.number(1, min(3, len(told)))):
        question = chance.fill(chance.pick(facts[key]["asks"]), place=place)
        turns += [question, before + told[key][0 if is_short else 1] + after]
    if chance.often(0.12):
        key = chance.pick([key for key in sorted(facts) if key not in told])
        turns += [chance.fill(chance.pick(facts[key]["asks"]), place=place), f"{before}I do not know.{after}"]
    opening = chance.fill(
        "[You work at a {p}.|You answer the guests of a {p} called {company}."
        "|Help the guests of our {p}.|{company} is a {p}.]",
        p=place,
    )
    shape = "Answer with the value only." if is_short else chance.pick(("", "Answer in one sentence."))
    system = " ".join(part for part in (opening, text, shape, instruction) if part)
    if chance.often(0.8):
        return conversation(system, *turns)
    return conversation("", f"{system}\n\n{turns[0]}", *turns[1:])


PEOPLE = (
    ("works as a {job}", "job", ("What does {first} do?", "What is the job of {first}?"), "Who is the {v}?"),
    ("lives in {city}", "city", ("Where does {first} live?", "Which city is {first} in?"), "Who lives in {v}?"),
    ("likes {hobby}", "hobby", ("What does {first} like?", "What is the hobby of {first}?"), "Who likes {v}?"),
    (
        "has a {animal}",
        "animal",
        ("Which animal does {first} have?", "What pet belongs to {first}?"),
        "Who has the {v}?",
    ),
    ("eats {food}", "food", ("What does {first} eat?", "Which food does {first} take?"), "Who eats {v}?"),
    ("bought a {thing}", "thing", ("What did {first} buy?", "Which thing is {first}'s?"), "Who bought the {v}?"),
    ("wears {colour}", "colour", ("Which colour does {first} wear?", "What colour is on {first}?"), "Who wears {v}?"),
    (
        "comes on {weekday}",
        "weekday",
        ("When does {first} come?", "On which day is {first} here?"),
        "Who comes on {v}?",
    ),
    (
        "speaks {language}",
        "language",
        ("What does {first} speak?", "Which language does {first} know?"),
        "Who speaks {v}?",
    ),
)


def about_people(chance: Chance) -> Conversation:
    """Several people, one or two facts about each; questions from person to fact and back."""
    names = chance.some(words("first"), chance.number(2, 4))
    says, kind, asks, reverse = chance.pick(PEOPLE)
    values: list[str] = []
    while len(values) < len(names):
        value = chance.fill("{" + kind + "}")
        if value not in values:
            values.append(value)
    sentences = [f"{name} {says.replace('{' + kind + '}', value)}." for name, value in zip(names, values, strict=True)]
    chance.random.shuffle(sentences)
    text = " ".join(sentences)
    turns: list[str] = []
    for at in chance.some(range(len(names)), chance.number(1, 2)):
        if chance.often(0.65):
            turns += [
                chance.pick(asks).format(first=names[at]),
                values[at] if chance.often(0.5) else _sentence_about(names[at], sentences),
            ]
        else:
            turns += [reverse.format(v=values[at]), names[at]]
    # A short answer and a whole sentence are both right, so the first line says which is wanted.
    is_short = [len(answer.split()) < 3 or answer in values or answer in names for answer in turns[1::2]]
    wanted = "Answer briefly." if all(is_short) else "Answer in a sentence." if not any(is_short) else ""
    if not wanted:
        turns, wanted = turns[:2], "Answer briefly." if is_short[0] else "Answer in a sentence."
    if chance.often(0.5):
        return conversation(f"{text} {wanted}", *turns)
    return conversation(wanted, f"{text}\n{turns[0]}", *turns[1:])


def _sentence_about(name: str, sentences: list[str]) -> str:
    return next(sentence for sentence in sentences if sentence.startswith(name + " "))


REMEMBERED = (
    ("My name is {v}.", "{first}", "What is my name?", "Your name is {v}."),
    ("I live in {v}.", "{city}", "Where do I live?", "You live in {v}."),
    ("My favourite colour is {v}.", "{colour}", "Which colour do I like?", "You like {v}."),
    ("I work as a {v}.", "{job}", "What is my job?", "You work as a {v}."),
    ("My dog is called {v}.", "{first}", "What is the name of my dog?", "Your dog is called {v}."),
    ("The code is {v}.", "{code}", "What was the code?", "The code is {v}."),
    ("I was born in {v}.", "{year}", "When was I born?", "You were born in {v}."),
    ("I like {v}.", "{hobby}", "What do I like?", "You like {v}."),
    ("Please remember {v}.", "{noun}", "Which word should you remember?", "The word is {v}."),
)


def remembered(chance: Chance) -> Conversation:
    """Something is told in one turn and asked for in a later one."""
    told = chance.some(REMEMBERED, chance.number(1, 3))
    values = [chance.fill(value) for _, value, _, _ in told]
    turns: list[str] = []
    for (says, *_), value in zip(told, values, strict=True):
        turns += [
            says.format(v=value),
            chance.pick(("All right.", "Good to know.", "I see.", "Thanks for telling me.", "Noted.")),
        ]
    at = chance.number(0, len(told) - 1)
    turns += [told[at][2], told[at][3].format(v=values[at])]
    return conversation(chance.pick(("", "", "You are a friendly listener.")), *turns)
