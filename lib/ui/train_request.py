"""The very request that a launch sends, and the same as code to paste: with the address and the key's variable of the
service that was chosen.

Sends nothing, and shows no key.
"""

from __future__ import annotations

import json

import streamlit as st

from lib.dataset.shelf import Version
from lib.runs import plan as plans
from lib.runs.plan import Plan
from lib.services import embedded
from lib.services.service import Kind, Service
from lib.ui import session

TRAINING_FILE, VALIDATION_FILE = "file-TRAINING", "file-VALIDATION"
LANGUAGES = {"JSON": "json", "Python": "python", "Node": "javascript", "curl": "bash"}
COMMENTS = {"JSON": "", "Python": "# ", "Node": "// ", "curl": "# "}
CODE_HEIGHT = 230

# Where code finds a key that is typed into Etude for a session.
VARIABLES: dict[Kind, str] = {
    "embedded": "ETUDE_API_KEY",
    "openai": "OPENAI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "nebius": "NEBIUS_API_KEY",
    "other": "API_KEY",
}
PORT = 8001


def show(service: Service, version: Version, plan: Plan, launch_id: str) -> None:
    """The request's body, or a program that sends it."""
    validation = VALIDATION_FILE if plan.use_validation and version.validation else None
    body = plans.request(plan, TRAINING_FILE, validation, launch_id, kind=service.kind)
    chosen = st.segmented_control(
        "The very request, or as code to paste", list(LANGUAGES), default="JSON", required=True, key="request_as"
    )
    language = chosen or "JSON"
    base_url, before = _address(service)
    variable = _variable(service)
    written = {
        "JSON": lambda: json.dumps(body, indent=2, ensure_ascii=False),
        "Python": lambda: plans.as_python(body, base_url, variable),
        "Node": lambda: plans.as_node(body, base_url, variable),
        "curl": lambda: plans.as_curl(body, base_url, variable),
    }
    comment = COMMENTS[language]
    notes = "".join(f"{comment}{line}\n" for line in before) if comment else ""
    st.code(notes + written[language](), language=LANGUAGES[language], height=CODE_HEIGHT)
    files = f"{TRAINING_FILE} and {VALIDATION_FILE} become" if validation else f"{TRAINING_FILE} becomes"
    st.caption(f"{files} what the service calls the uploaded file{'s' if validation else ''}.")


def _address(service: Service) -> tuple[str, tuple[str, ...]]:
    """Where the code goes, and what to know before it can: the service on this machine has a new key at each start."""
    if service.kind != "embedded":
        return service.base_url, ()
    home = session.workspace().home
    found = embedded.running(home)
    if found is None:
        return f"http://127.0.0.1:{PORT}/v1", (
            f"Start the service: python -m lib engine --port {PORT}",
            "It prints the api_key that belongs into ETUDE_API_KEY.",
        )
    return found.base_url, (
        "The service that Etude has started; the api_key for ETUDE_API_KEY is in",
        f"{home / 'engine' / 'address.json'}",
        "To start one by hand: python -m lib engine",
    )


def _variable(service: Service) -> str | None:
    """The variable of the environment that holds the key, None for a service that asks for none."""
    source, _, name = service.key_source.partition(":")
    return name or (VARIABLES[service.kind] if source != "none" or service.kind == "embedded" else None)
