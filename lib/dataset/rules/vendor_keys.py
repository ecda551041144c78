"""What the keys of common vendors look like: a prefix of their own and many random characters.

Prefixes are from the vendors' documentation and from what secret scanners publish. A key without a prefix is found
only where its name stands before it, see secret_kinds.py.
"""

from __future__ import annotations

import re
from itertools import groupby

# A key has a run of so many letters, digits, - and _; prose hardly ever has one.
LONG_RUN = re.compile(r"[A-Za-z0-9_-]{20}")

# (vendor, pattern). Every pattern begins with a literal, which lets the search skip most of a text, and has a long run;
# repeats are bounded and possessive, so that no text makes the search slow.
VENDORS: tuple[tuple[str, str], ...] = (
    ("Anthropic", r"sk-ant-[A-Za-z0-9_-]{20,200}+"),
    ("OpenRouter", r"sk-or-[A-Za-z0-9_-]{20,200}+"),
    ("OpenAI", r"sk-[A-Za-z0-9_-]{20,300}+"),
    ("AWS", r"AKIA[0-9A-Z]{16}"),
    ("AWS", r"ASIA[0-9A-Z]{16}"),
    *(("GitHub", rf"{prefix}_[A-Za-z0-9]{{36,255}}+") for prefix in ("ghp", "gho", "ghu", "ghs", "ghr")),
    ("GitHub", r"github_pat_[A-Za-z0-9_]{40,255}+"),
    *(("GitLab", rf"{prefix}-[A-Za-z0-9_-]{{20,100}}+") for prefix in ("glpat", "glrt", "gldt", "glptt", "glcbt")),
    ("Google", r"AIza[0-9A-Za-z_-]{35}"),
    ("Google", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    ("Google", r"ya29\.[A-Za-z0-9_-]{20,300}+"),
    *(("Slack", rf"xox{letter}-[A-Za-z0-9-]{{15,200}}+") for letter in "abeoprs"),
    ("Slack", r"xapp-\d-[A-Za-z0-9-]{20,200}+"),
    ("Slack", r"hooks\.slack\.com/(?:services|workflows)/[A-Z0-9]{8,14}/[A-Z0-9]{8,14}/[A-Za-z0-9]{20,40}+"),
    ("Stripe", r"sk_(?:live|test)_[A-Za-z0-9]{16,200}+"),
    ("Stripe", r"rk_(?:live|test)_[A-Za-z0-9]{16,200}+"),
    ("Stripe", r"whsec_[A-Za-z0-9]{24,100}+"),
    ("SendGrid", r"SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{20,60}+"),
    ("Hugging Face", r"hf_[A-Za-z0-9]{30,60}+"),
    ("npm", r"npm_[A-Za-z0-9]{36}"),
    ("PyPI", r"pypi-[A-Za-z0-9_-]{50,300}+"),
    *(("DigitalOcean", rf"do{letter}_v1_[a-f0-9]{{64}}") for letter in "por"),
    # What it begins with must be rare, or every text with SK in it would have to be looked through.
    *(("Twilio", rf"SK{digit}[0-9a-f]{{31}}") for digit in "0123456789abcdef"),
    ("Mailgun", r"key-[0-9a-f]{32}"),
    *(("Shopify", rf"{prefix}_[A-Fa-f0-9]{{32}}") for prefix in ("shpat", "shpca", "shppa", "shpss")),
    *(("Square", rf"{prefix}-[A-Za-z0-9_-]{{22,60}}+") for prefix in ("sq0atp", "sq0csp")),
    ("Databricks", r"dapi[a-f0-9]{32}"),
    ("Groq", r"gsk_[A-Za-z0-9]{40,60}+"),
    ("xAI", r"xai-[A-Za-z0-9]{40,100}+"),
    ("Replicate", r"r8_[A-Za-z0-9]{30,50}+"),
    ("Perplexity", r"pplx-[A-Za-z0-9]{40,60}+"),
    ("Pinecone", r"pcsk_[A-Za-z0-9_]{40,90}+"),
    ("NVIDIA", r"nvapi-[A-Za-z0-9_-]{40,100}+"),
    ("Notion", r"ntn_[A-Za-z0-9]{40,50}+"),
    ("Linear", r"lin_api_[A-Za-z0-9]{40}"),
    ("Postman", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("Grafana", r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}"),
    ("HashiCorp Vault", r"hvs\.[A-Za-z0-9_-]{24,200}+"),
    ("Atlassian", r"ATATT3[A-Za-z0-9_=-]{60,300}+"),
    ("Supabase", r"sbp_[a-f0-9]{40}"),
    ("Tailscale", r"tskey-[a-z]{3,8}-[A-Za-z0-9-]{20,80}+"),
    ("Figma", r"figd_[A-Za-z0-9_-]{30,60}+"),
    ("Doppler", r"dp\.(?:pt|st|ct)\.[A-Za-z0-9]{40,44}+"),
    ("New Relic", r"NRAK-[A-Z0-9]{27}"),
    ("Netlify", r"nfp_[A-Za-z0-9]{36,40}+"),
    ("Discord", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}+"),
)
# What every key begins with, up to the first sign that is not literal: without one of these there is none.
PREFIXES = tuple(dict.fromkeys(re.split(r"[\[(]|\\d", one)[0].replace("\\", "") for _, one in VENDORS))
VENDOR_KEY = re.compile("|".join(pattern for _, pattern in VENDORS))
BY_VENDOR = tuple((vendor, re.compile(pattern)) for vendor, pattern in VENDORS)

# What stands in for a key where one is meant to be filled in.
STAND_IN = re.compile(r"(?i)example|your|xxxx|1234567890|abcdefgh|placeholder|insert|redacted|dummy|\.\.\.|\*\*\*")
LEAST_DIFFERENT = 8


def vendor_of(key: str) -> str:
    """Whose key this is."""
    return next(vendor for vendor, pattern in BY_VENDOR if pattern.match(key))


def is_random(text: str) -> bool:
    """Whether this looks drawn by lot: letters and digits, many different ones, and no word in place of a key."""
    return (
        len(set(text)) >= LEAST_DIFFERENT
        and any(sign.isdigit() for sign in text)
        and any(sign.isalpha() for sign in text)
        and not STAND_IN.search(text)
    )


def is_mixed(text: str) -> bool:
    """Whether letters, capitals and digits change so often that no person wrote this; or it is long and hexadecimal."""
    if not is_random(text):
        return False
    if re.fullmatch(r"[0-9a-f]{32,128}|[0-9A-F]{32,128}", text):
        return True
    return sum(1 for _ in groupby(text, key=_sort)) >= LEAST_CHANGES


LEAST_CHANGES = 9


def _sort(sign: str) -> str:
    return "digit" if sign.isdigit() else "capital" if sign.isupper() else "small" if sign.islower() else "other"
