"""Which service a command talks to: the embedded one, or the one at --base-url with a key from the environment."""

from __future__ import annotations

import argparse
from dataclasses import replace
from urllib.parse import urlsplit

from lib.errors import BadCredentials, EtudeError
from lib.services import address, service
from lib.services.connection import Connection
from lib.services.reach import reach
from lib.services.service import EMBEDDED, OPENAI, Kind, Service
from lib.workspace.database import Workspace

AZURE_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")


def add_address(parser: argparse.ArgumentParser) -> None:
    """The options that choose a service."""
    parser.add_argument("--base-url", metavar="U", help="another service than the embedded one, such as https://…/v1")
    parser.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds its key")


def chosen(ws: Workspace, given: argparse.Namespace) -> Service:
    """The service that the options name; one that is new is remembered.

    Raises Unreachable for a bad address, EtudeError for a key without an address.
    """
    if given.base_url is None:
        if given.api_key_env is not None:
            raise EtudeError(
                f"--api-key-env {given.api_key_env} names a key, but no address is named that it belongs to.",
                "Add --base-url, or leave it out: the service on this machine makes its own key.",
            )
        return EMBEDDED
    base_url = address.checked(given.base_url)
    source = f"env:{given.api_key_env}" if given.api_key_env else None
    if address.origin_of(base_url) == OPENAI.origin:
        return replace(OPENAI, base_url=base_url, key_source=source or OPENAI.key_source)
    source = source or "none"
    for one in service.known(ws):
        if (one.base_url, one.key_source) == (base_url, source):
            return one
    host = urlsplit(base_url).netloc
    return service.add(ws, kind=_kind(base_url, host), name=host, base_url=base_url, key_source=source)


def connected(ws: Workspace, wanted: Service) -> Connection:
    """A connection to a service. Raises BadCredentials when its key is missing, EngineError and Unreachable."""
    connection = reach(ws, wanted, {})
    if connection is None:
        source, _, name = wanted.key_source.partition(":")
        where = f"The variable {name} holds none that may be sent there." if source == "env" else "None is kept."
        raise BadCredentials(
            f"{wanted.name} needs a key. {where}", "Name the variable that holds it with --base-url and --api-key-env."
        )
    return connection


def _kind(base_url: str, host: str) -> Kind:
    if address.origin_of(base_url) == address.origin_of(address.NEBIUS):
        return "nebius"
    return "azure" if host.partition(":")[0].endswith(AZURE_HOSTS) else "other"
