"""Prose with secrets planted in it, and prose full of numbers that are none. The same at every call.

Every secret is drawn here and belongs to nobody; keys are put together from parts, so that no scanner takes this file
for a leak.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterator
from random import Random

DIGITS, HEX = string.digits, "0123456789abcdef"
BASE62 = string.ascii_letters + DIGITS
BASE64 = BASE62 + "+/"
URL_SAFE = BASE62 + "-_"

SENTENCES = (
    "Hello, I still cannot log in. You can reach me here: {}. Thanks!",
    "Please use {} for the transfer and tell me when it is done.",
    "Agent: noted. The customer gave us {}, and asked to be called back before noon.",
    "He wrote: “{}” and nothing else.",
    "Deploy notes\n- set it to {}\n- restart the worker",
    "As agreed on Monday ({}) we will go on with the second option.",
    "{} is what I have on file for you.",
    'The settings are {{"value": "{}", "retries": 3}}, everything else is as before.',
)


def drawn(random: Random, signs: str, length: int) -> str:
    """So many signs, at least one of them a digit and one a letter."""
    text = "".join(random.choice(signs) for _ in range(length - 2))
    return text + random.choice([s for s in signs if s.isalpha()]) + random.choice(DIGITS)


def card(random: Random) -> str:
    """The number of a card with its check digit, in one of the ways they are written."""
    start, length = random.choice([("4", 16), ("52", 16), ("55", 16), ("2231", 16), ("37", 15), ("6011", 16)])
    body = start + "".join(random.choice(DIGITS) for _ in range(length - 1 - len(start)))
    total = sum(sum(divmod(int(d) * (2 if at % 2 == 0 else 1), 10)) for at, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    sign = random.choice(["", " ", "-"])
    groups = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    ends = [sum(groups[: n + 1]) for n in range(len(groups))]
    return sign.join(number[end - size : end] for size, end in zip(groups, ends, strict=True))


def iban(random: Random) -> str:
    """A bank account with its check digits, in groups or not."""
    country, length, letters = random.choice(
        [("DE", 22, 0), ("FR", 27, 0), ("ES", 24, 0), ("GB", 22, 4), ("NL", 18, 4)]
    )
    own = "".join(random.choice(string.ascii_uppercase) for _ in range(letters))
    own += "".join(random.choice(DIGITS) for _ in range(length - 4 - letters))
    value = int("".join(str(int(sign, 36)) for sign in f"{own}{country}00"))
    number = f"{country}{98 - value % 97:02d}{own}"
    if random.random() < 0.5:
        return number
    return " ".join(number[at : at + 4] for at in range(0, length, 4))


def email(random: Random) -> str:
    name = random.choice(["ann.smith", "j.doe+news", "müller", "info", "k_larsen", "o'neil".replace("'", "")])
    host = random.choice(["acme.io", "mail.firma.de", "uni-koeln.de", "post.co.uk", "gmail.com"])
    return f"{name}{random.randrange(100)}@{host}"


def phone(random: Random) -> str:
    def some(count: int) -> str:
        return "".join(random.choice(DIGITS) for _ in range(count))

    area, exchange = (
        f"{random.randrange(2, 10)}{some(2)}",
        f"{random.randrange(2, 10)}{random.randrange(1, 9)}{some(1)}",
    )
    exchange = exchange.replace("555", "556")
    return random.choice(
        [
            f"+49 30 {some(7)}",
            f"+49 (0)171 {some(7)}",
            f"+44 20 7946 {some(4)}",
            f"+33 6 {some(2)} {some(2)} {some(2)} {some(2)}",
            f"+1 ({area}) {exchange}-{some(4)}",
            f"+1{area}{exchange}{some(4)}",
            f"({area}) {exchange}-{some(4)}",
            f"{area}-{exchange}-{some(4)}",
            f"{area}.{exchange}.{some(4)}",
            f"1-{area}-{exchange}-{some(4)}",
        ]
    )


HEAD = '{"alg": "HS256", "typ": "JWT"}'


def json_web_token(random: Random) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    claims = '{"sub": "' + drawn(random, HEX, 10) + '"}'
    return f"{part(HEAD)}.{part(claims)}.{drawn(random, URL_SAFE, 43)}"


def private_key(random: Random) -> str:
    kind = random.choice(["RSA ", "EC ", "OPENSSH ", ""])
    body = "\n".join(drawn(random, BASE64, 64) for _ in range(6))
    return f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{body}\n-----END {kind}PRIVATE " + "KEY-----"


def password_in_address(random: Random) -> str:
    scheme = random.choice(["postgres", "https", "mongodb+srv", "redis", "ftp"])
    return f"{scheme}://" + f"app:{drawn(random, BASE62, 12)}@db{random.randrange(9)}.acme.io:5432/live"


def social_security_number(random: Random) -> str:
    return f"{random.randrange(100, 600)}-{random.randrange(10, 99)}-{random.randrange(1000, 9999)}"


def assigned(random: Random) -> str:
    return random.choice(
        [
            "aws_secret_access_" + f"key = {drawn(random, BASE64, 40)}",
            "AccountKey" + f"={drawn(random, BASE64, 86)}==;EndpointSuffix=core.windows.net",
            "API_" + f"KEY={drawn(random, BASE62, 32)}",
            '"api_key": "' + f'{drawn(random, BASE62, 32)}"',
            "Authorization: Bearer " + drawn(random, BASE62, 40),
            "client_secret" + f": {drawn(random, BASE62, 36)}",
            "access_token=" + drawn(random, HEX, 40),
        ]
    )


VENDOR_KEYS: tuple[Callable[[Random], str], ...] = (
    lambda r: "sk-" + drawn(r, BASE62, 48),
    lambda r: "sk-" + "proj-" + drawn(r, URL_SAFE, 120),
    lambda r: "sk-" + "ant-api03-" + drawn(r, URL_SAFE, 90),
    lambda r: "AKIA" + drawn(r, string.ascii_uppercase + "234567", 16),
    lambda r: "ghp" + "_" + drawn(r, BASE62, 36),
    lambda r: "github" + "_pat_" + drawn(r, BASE62 + "_", 82),
    lambda r: "glpat" + "-" + drawn(r, URL_SAFE, 20),
    lambda r: "AIza" + drawn(r, URL_SAFE, 35),
    lambda r: "xoxb" + f"-{r.randrange(10**11, 10**12)}-{r.randrange(10**12, 10**13)}-" + drawn(r, BASE62, 24),
    lambda r: (
        "https://hooks.slack.com/"
        + f"services/T{drawn(r, string.ascii_uppercase, 9)}/B0{drawn(r, string.ascii_uppercase, 8)}/"
        + drawn(r, BASE62, 24)
    ),
    lambda r: "sk" + "_live_" + drawn(r, BASE62, 24),
    lambda r: "SG" + f".{drawn(r, URL_SAFE, 22)}." + drawn(r, URL_SAFE, 43),
    lambda r: "hf" + "_" + drawn(r, BASE62, 34),
    lambda r: f"{r.randrange(10**8, 10**10)}" + ":AA" + drawn(r, URL_SAFE, 33),
    lambda r: "npm" + "_" + drawn(r, BASE62, 36),
    lambda r: "pypi" + "-AgEIcHlwaS5vcmc" + drawn(r, URL_SAFE, 150),
    lambda r: "dop" + "_v1_" + drawn(r, HEX, 64),
    lambda r: "SK" + drawn(r, HEX, 32),
    lambda r: "gsk" + "_" + drawn(r, BASE62, 52),
    lambda r: "shpat" + "_" + drawn(r, HEX, 32),
)

KINDS: dict[str, tuple[Callable[[Random], str], ...]] = {
    "api_key": VENDOR_KEYS,
    "access_token": (json_web_token,),
    "private_key": (private_key,),
    "password_in_address": (password_in_address,),
    "assigned_secret": (assigned,),
    "email": (email,),
    "card_number": (card,),
    "iban": (iban,),
    "phone": (phone,),
    "social_security_number": (social_security_number,),
}


def planted(of_each: int = 12) -> Iterator[tuple[str, str, str]]:
    """(kind, secret, a text with it in it), so many of every way to make one, ten times as many of personal data."""
    random = Random(5)
    for code, makers in KINDS.items():
        for maker in makers:
            for _ in range(of_each if len(makers) > 1 else 4 * of_each):
                secret = maker(random)
                yield code, secret, random.choice(SENTENCES).format(secret)


# {d5}: five digits; {h8}: hexadecimal; {a6}, {A6}: small or capital letters and digits.
ORDINARY = (
    "My order {d9} from {d2}.{d2}.2026 is late.",
    "Order number {d16} was shipped at 1{d1}:2{d1}, item {d3} of {d3}.",
    "Tracking: 1Z{A16}, invoice INV-2026-{d6}.",
    "It costs ${d1},{d3}.{d2}, in Europe {d1}.{d3},{d2} € a year, or {d3} 000 JPY.",
    "The request {h8}-{h4}-{h4}-{h4}-{h12} failed with status 5{d2}.",
    "Commit {h40} fixes it; the checksum is sha256:{h64}.",
    "Version {d1}.{d2}.{d3}-rc{d1} runs since 2026-{d2}-{d2} and build {d8}.",
    "ISBN 978-{d1}-{d2}-{d6}-{d1}, page {d3}-{d3}, pi is 3.{d12}.",
    "Meet at {d2}.{d6}, -{d2}.{d6}; the server is 192.168.{d2}.{d2}, port {d4}.",
    "Run pip install thing=={d1}.{d2} and import @scope/pack; see logo@2x.png or git@github.com:a/b.git",
    "Write to support@example.com or call 555-01{d2}; the room is {d3}-{d2}.",
    "It took {d5} tokens, the key is under the mat, my password is not your business, and they're fine.",
    "2 + {d2} = {d3}, +{d2}% since 19{d2}-20{d2}, {d3} {d3} {d3} units, +{d3}-{d3}.",
    "https://shop.acme.io/item/{d10}?ref={a12}#top at {d10}, seen {d4}-{d4} times.",
    "Part {A2}{d2} {d4} {d4} fits model SK-{d4}, batch {d8}, lot {d4}-{d4}-{d4}.",
    "const my_long_variable_name_for_{a12} = sk_learn_is_fine_too_{d2};",
    "This risk-based-approach-to-task-management is a well-known-and-much-loved-idea-in-2026.",
    "Timestamp {d10}.{d6}, epoch {d13}, duration {d3}-{d2} s, ratio {d3}.{d4}.",
)
FILLED = re.compile(r"\{([dhaA])(\d+)\}")
SIGNS = {"d": DIGITS, "h": HEX, "a": string.ascii_lowercase + DIGITS, "A": string.ascii_uppercase + DIGITS}


def clean(number: int) -> Iterator[str]:
    """Texts such as people write to a shop and to each other, full of numbers and names that are no secrets."""
    random = Random(6)

    def some(found: re.Match[str]) -> str:
        return "".join(random.choice(SIGNS[found[1]]) for _ in range(int(found[2])))

    for _ in range(number):
        sentences = random.choices(ORDINARY, k=random.randrange(1, 4))
        yield " ".join(FILLED.sub(some, sentence) for sentence in sentences)
