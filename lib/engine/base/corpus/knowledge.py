"""Small facts and small talk, plain and in set manners, and letters that answer letters."""

from __future__ import annotations

from lib.engine.base.corpus.classification import about, topics
from lib.engine.base.corpus.phrases import Chance, listed, table
from lib.engine.base.corpus.talk import ASSISTANTS, Conversation, as_json, asked, conversation, letter


def _fact(chance: Chance) -> tuple[str, str, str]:
    """A question, an answer in a sentence, and the answer alone."""
    facts = table("facts")
    group = facts[chance.pick(sorted(facts))]
    a, b = chance.pick(listed(group["pairs"])).split("=")
    answers = group["answers"]
    question = chance.pick(group["questions"]).format(a=a)
    if chance.often(0.15):
        question = question.lower()
    return question, _capital(answers[0].format(a=a, b=b)), b


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def fact(chance: Chance) -> Conversation:
    """Questions about small facts; the system message says how long the answer is to be."""
    is_short = chance.often(0.35)
    turns: list[str] = []
    for _ in range(chance.pick((1, 1, 1, 2, 3))):
        question, whole, alone = _fact(chance)
        turns += [question, alone if is_short else whole]
    if is_short:
        return conversation(
            chance.pick(
                ("Answer as briefly as you can.", "Answer in one word or a few.", "Only the answer, no sentence.")
            ),
            *turns,
        )
    return conversation(chance.pick(("", "", "Answer in one sentence.", chance.pick(ASSISTANTS))), *turns)


def in_a_manner(chance: Chance) -> Conversation:
    """Facts and small talk told as somebody would, or with set words around them."""
    styles = table("styles")
    form = chance.random.random()
    before, after, told = "", "", ""
    if form < 0.35:
        at = chance.number(0, len(styles["manner"]["names"]) - 1)
        before, after = (styles["manner"][side][at] for side in ("before", "after"))
        told = chance.fill("[Answer|Speak|Talk|Reply] like ") + styles["manner"]["names"][at] + "."
        if chance.often(0.5):
            after = ""
    elif form < 0.65:
        after = chance.fill(chance.pick(styles["marks"]["endings"]))
        told = chance.pick(
            ('End every answer with "{}".', "Always finish with: {}", "Sign off with {}", "Close with the words {}")
        ).format(after)
    elif form < 0.85:
        before = chance.fill(chance.pick(styles["marks"]["beginnings"]))
        told = chance.pick(
            ('Begin every answer with "{}".', "Always start with: {}", "Open each answer with {}")
        ).format(before)
    else:
        before = chance.fill(chance.pick(styles["marks"]["beginnings"]))
        after = chance.fill(chance.pick(styles["marks"]["endings"]))
        told = f"Start with {before} End with {after}"
    turns: list[str] = []
    for _ in range(chance.pick((1, 1, 2, 3))):
        if chance.often(0.75):
            question, whole, _ = _fact(chance)
        else:
            question, whole = _small_talk(chance)
        turns += [question, f"{before} {whole} {after}".strip()]
    # After an example turn the manner can be seen, so it need not be told.
    is_told = len(turns) == 2 or chance.often(0.6)
    return conversation(told if is_told else "", *turns)


def _small_talk(chance: Chance) -> tuple[str, str]:
    said, _, answers = chance.pick(table("styles")["talk"]["pairs"]).partition(" => ")
    # What both speak of is the same for both.
    shared = {name: chance.word(name) for name in ("thing", "first", "city")}
    return chance.fill(chance.pick(said.split("|")), **shared), chance.fill(chance.pick(answers.split("|")), **shared)


def small_talk(chance: Chance) -> Conversation:
    """Greetings, moods, suggestions."""
    turns = [part for _ in range(chance.pick((1, 1, 2, 3))) for part in _small_talk(chance)]
    return conversation(chance.pick(("", "", chance.pick(ASSISTANTS))), *turns)


def answer_to_a_letter(chance: Chance) -> Conversation:
    """A polite reply that names the sender and the matter."""
    topic = chance.pick(tuple(topics()))
    who = chance.fill("{first}")
    text = letter(chance, *about(chance, topic)) + chance.pick(("\n", " ")) + who
    answer = chance.fill(
        "[Dear|Hello] {w}, [thank you for your message about {t}.|thank you for writing to us about {t}."
        "|we have read what you wrote about {t}.]"
        " [We will look into it.|We will come back to you soon.|We will help you today.] [Kind regards|Best wishes]",
        w=who,
        t=topics()[topic][0][0],
    )
    return asked(
        chance,
        chance.pick(("Answer the letter politely.", "Write a short reply.", "Reply to this message.")),
        text,
        answer,
    )


def made_to_order(chance: Chance) -> Conversation:
    """A short message written from given facts."""
    who, sender, day, time, city, thing = (
        chance.fill(slot) for slot in ("{first}", "{first}", "{weekday}", "{time}", "{city}", "{thing}")
    )
    facts = {"to": who, "from": sender, "day": day, "time": time, "place": city}
    body = f"Hello {who}, let us meet on {day} at {time} in {city}. {sender}"
    if chance.often(0.5):
        facts = {"to": who, "from": sender, "thing": thing, "day": day}
        body = f"Hello {who}, the {thing} will be ready on {day}. {sender}"
    given = as_json(facts) if chance.often(0.5) else "\n".join(f"{key}: {value}" for key, value in facts.items())
    return asked(
        chance, chance.pick(("Write a message from these facts.", "Make a short message of this.")), given, body
    )
