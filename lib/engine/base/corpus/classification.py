"""Tasks that sort texts by topic, urgency and mood, under labels that are told, defined, shown by examples, or free."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from lib.engine.base.corpus.phrases import Chance, listed, table
from lib.engine.base.corpus.talk import Conversation, as_json, asked, conversation, letter

LEVELS = (
    ("top", "middle", "bottom"),
    ("urgent", "medium", "can wait"),
    ("1", "2", "3"),
    ("red", "yellow", "green"),
    ("now", "soon", "later"),
)
LEVEL_KEYS = ("urgency", "level", "importance", "rank", "speed", "hurry")
MOODS = (("positive", "negative", "neutral"), ("happy", "unhappy", "calm"), ("good", "bad", "mixed"), ("+", "-", "0"))
MOOD_KEYS = ("mood", "feeling", "sentiment", "tone")
TOPIC_KEYS = ("topic", "subject", "about", "label", "category", "area", "desk", "group", "theme", "class")


@cache
def topics() -> dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """For each topic its names, its words, and what people write about it."""
    return {
        key: (listed(entry["names"]), listed(entry["words"]), listed(entry["lines"]))
        for key, entry in table("topics").items()
    }


def about(chance: Chance, topic: str, most: int = 2) -> list[str]:
    """One to `most` sentences about the topic."""
    _, belongings, lines = topics()[topic]
    return [chance.fill(line, w=chance.pick(belongings)) for line in chance.some(lines, chance.number(1, most))]


def _label_set(chance: Chance, most: int = 7) -> list[str]:
    # The first six lie close together (one firm's mail), so they are sorted among each other more often.
    keys = list(topics())
    pool = keys[:6] if chance.often(0.35) else keys
    return chance.some(pool, chance.number(2, min(most, len(pool))))


def _written(chance: Chance, key: str, label: str) -> tuple[str, str]:
    """How the answer is to be written, and the answer."""
    form = chance.random.random()
    if form < 0.4:
        return chance.pick(("Answer with the label only.", "Reply with one label.", "Give only the {key}.", "")).format(
            key=key
        ), label
    if form < 0.85:
        return chance.fill(f'[Answer|Reply|Write|Respond] [as|in|with] JSON with the key "{key}".'), as_json(
            {key: label}
        )
    return f'Write "{key}: " and the label.', f"{key}: {label}"


def by_topic(chance: Chance) -> Conversation:
    """The labels are ordinary names of topics, listed in the task."""
    chosen = _label_set(chance)
    names = [chance.pick(topics()[topic][0]) for topic in chosen]
    at = chance.number(0, len(chosen) - 1)
    key = chance.pick(TOPIC_KEYS)
    form, answer = _written(chance, key, names[at])
    task = chance.fill(
        "[Sort the message.|What is the message about?|Choose the right label.|Label the text."
        "|You sort incoming mail.|Decide which label fits.] "
    )
    task += chance.pick(("Labels: ", "Choose from: ", "One of: ", "Possible labels: ")) + ", ".join(names) + ". " + form
    return asked(chance, task.strip(), letter(chance, *about(chance, chosen[at])), answer)


def _made_labels(chance: Chance, count: int) -> list[str]:
    kind = chance.pick(
        (
            "{colour}",
            "{first}",
            "crew {n}",
            "desk {n}",
            "{animal}",
            "{city}",
            "{code}",
            "{company}",
            "{noun}",
            "{job}",
            "box {n}",
        )
    )
    labels: list[str] = []
    while len(labels) < count:
        label = chance.fill(kind)
        if label not in labels:
            labels.append(label)
    return labels


def by_definition(chance: Chance) -> Conversation:
    """The labels mean nothing by themselves; the task says what each stands for."""
    chosen = _label_set(chance, 5)
    labels = _made_labels(chance, len(chosen))
    at = chance.number(0, len(chosen) - 1)
    lines = []
    for topic, label in zip(chosen, labels, strict=True):
        names, belongings, _ = topics()[topic]
        meaning = chance.pick(names) if chance.often(0.5) else ", ".join(chance.some(belongings, chance.number(2, 4)))
        lines.append(chance.pick(("{0}: {1}", "{0} = {1}", "{1} goes to {0}", "{1} -> {0}")).format(label, meaning))
    form, answer = _written(chance, chance.pick(TOPIC_KEYS), labels[at])
    task = (
        chance.pick(("Sort the message.", "Where does it go?", "Pass the message on to the right place."))
        + "\n"
        + "\n".join(lines)
    )
    return asked(chance, f"{task}\n{form}".strip(), letter(chance, *about(chance, chosen[at])), answer)


def by_examples(chance: Chance) -> Conversation:
    """The labels are made up; earlier turns show what they stand for."""
    chosen = _label_set(chance, 3)
    labels = _made_labels(chance, len(chosen))
    key = chance.pick(TOPIC_KEYS)
    json_wanted = chance.often(0.5)
    order = list(range(len(chosen))) + [chance.number(0, len(chosen) - 1) for _ in range(chance.number(1, 3))]
    chance.random.shuffle(order)
    turns: list[str] = []
    for at in order:
        turns += [" ".join(about(chance, chosen[at])), as_json({key: labels[at]}) if json_wanted else labels[at]]
    return conversation(chance.pick(("", "Go on in the same way.", "Sort the messages as before.")), *turns)


def free_topic(chance: Chance) -> Conversation:
    """No labels are given: the topic is named by its first name."""
    topic = chance.pick(tuple(topics()))
    name = topics()[topic][0][0]
    task = chance.fill("[What is this about?|Name the topic.|Give the topic of the message.|Which topic is it?]")
    if chance.often(0.4):
        return asked(chance, task + " Answer in JSON.", letter(chance, *about(chance, topic)), as_json({"topic": name}))
    return asked(chance, task, letter(chance, *about(chance, topic)), name)


def word_topic(chance: Chance) -> Conversation:
    """Which topic a single word belongs to, or words that belong to a topic."""
    topic = chance.pick(tuple(topics()))
    names, belongings, _ = topics()[topic]
    if chance.often(0.5):
        word = chance.pick(belongings)
        return conversation(
            "",
            chance.fill("[Which topic does the word {w} belong to?|{w}: what topic is that?|topic of {w}?]", w=word),
            names[0],
        )
    three = ", ".join(chance.some(belongings, 3))
    return conversation(
        "",
        chance.fill("[Give me three words about {t}.|Three words from the world of {t}.]", t=chance.pick(names)),
        three,
    )


def urgency(chance: Chance) -> tuple[str, int]:
    """A sentence and its level: 0 urgent, 1 between, 2 no hurry."""
    level = chance.number(0, 2)
    return chance.fill(("{urgent}", "{neutral}", "{relaxed}")[level]), level


def mood(chance: Chance) -> tuple[str, int]:
    """A sentence and its mood: 0 pleased, 1 displeased, 2 neither."""
    level = chance.number(0, 2)
    return chance.fill(("{happy}", "{unhappy}", "{plainfeeling}")[level]), level


def by_level(chance: Chance) -> Conversation:
    """How urgent a message is, or in which mood it was written."""
    is_mood = chance.often(0.5)
    sentence, level = mood(chance) if is_mood else urgency(chance)
    names = chance.pick(MOODS if is_mood else LEVELS)
    key = chance.pick(MOOD_KEYS if is_mood else LEVEL_KEYS)
    question = "What is the mood of the text?" if is_mood else "How urgent is the message?"
    form, answer = _written(chance, key, names[level])
    task = f"{question} {chance.pick(('Choose from', 'One of', 'Labels'))}: {', '.join(names)}. {form}".strip()
    parts = [*about(chance, chance.pick(tuple(topics())), 1), sentence]
    chance.random.shuffle(parts)
    return asked(chance, task, letter(chance, *parts), answer)


def several_fields(chance: Chance) -> Conversation:
    """A JSON object of topic, urgency and mood, two or all three, in any order."""
    chosen = _label_set(chance)
    names = [chance.pick(topics()[topic][0]) for topic in chosen]
    at = chance.number(0, len(chosen) - 1)
    hurry, level = urgency(chance)
    feeling, state = mood(chance)
    levels, moods = chance.pick(LEVELS), chance.pick(MOODS)
    fields: list[tuple[str, str, Sequence[str]]] = [
        (chance.pick(TOPIC_KEYS), names[at], names),
        (chance.pick(LEVEL_KEYS), levels[level], levels),
        (chance.pick(MOOD_KEYS), moods[state], moods),
    ]
    kept = chance.some((0, 1, 2), chance.pick((2, 2, 3)))
    sentences = [*about(chance, chosen[at]), *([hurry] if 1 in kept else []), *([feeling] if 2 in kept else [])]
    told = "; ".join(f'"{fields[one][0]}" ({" or ".join(fields[one][2])})' for one in kept)
    task = (
        chance.fill(
            "[Read the message and fill in|Answer in JSON with|Give a JSON object with|Describe the message by] "
        )
        + told
        + "."
    )
    answer = as_json({fields[one][0]: fields[one][1] for one in kept})
    return asked(chance, task, letter(chance, *sentences), answer)


def same_meaning(chance: Chance) -> Conversation:
    """Whether two sentences say the same, another wording of one, or which of several fits."""
    groups = [listed(group) for group in table("intents")["groups"]]
    one, other = chance.some(groups, 2)
    first, second = chance.some(one, 2)
    form = chance.random.random()
    if form < 0.3:
        is_same = chance.often(0.5)
        shown = second if is_same else chance.pick(other)
        task = chance.pick(("Do these two say the same?", "Same meaning?", "Is it the same? Answer yes or no."))
        return asked(chance, task, f"{first}\n{shown}", "yes" if is_same else "no")
    if form < 0.65:
        task = chance.pick(("Say it in other words.", "Rephrase.", "Put it differently.", "How else can one say this?"))
        return asked(chance, task, first, second)
    groups.remove(one)
    choices = [second, *(chance.pick(group) for group in chance.some(groups, chance.number(1, 3)))]
    chance.random.shuffle(choices)
    task = chance.pick(
        ("Which of these means the same?", "Choose the sentence with the same meaning.", "Find the same meaning.")
    )
    return asked(chance, task, first + "\n" + "\n".join(f"- {line}" for line in choices), second)
