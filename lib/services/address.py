"""Which addresses may be spoken to, and what origin a key is bound to.

An address is checked as text, before anything is sent: https except on this machine, no user name in it, no number
tricks, never a cloud's metadata service. Knows no key and sends nothing.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from lib.errors import Unreachable

OPENAI = "https://api.openai.com/v1"
NEBIUS = "https://api.tokenfactory.nebius.com/v1"

_TODO = "Write it as https://host/v1, or as http://127.0.0.1:port/v1 for a service on this machine."
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Where clouds hand their machines' own credentials to whoever asks from inside.
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.azure.internal", "instance-data"})
_METADATA_NUMBERS = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))


def checked(base_url: str) -> str:
    """The address in its one normal form, without a slash at the end.

    Raises Unreachable with a sentence when it may not be used: no https (except on this machine), a user name or
    password, a query, an unusual spelling of a number, link-local, metadata, multicast and unspecified addresses.
    """
    text = base_url.strip()
    if not text:
        raise Unreachable("The address is empty.", _TODO)
    # urlsplit drops tabs and line ends, and clients disagree about backslashes: neither belongs into an address.
    if re.search(r"[\x00-\x20\x7f\\]", text) or not text.isascii():
        raise _unusable(text, "it has a blank, a backslash or a letter outside ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _unusable(text, "it cannot be read as an address") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise _unusable(text, "it does not begin with https://")
    if "@" in parts.netloc:
        raise _unusable(text, "it carries a user name or a password, which keys must not travel with")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise _unusable(text, "it has a query or a fragment")
    host = _host(text, parts.hostname or "")
    if parts.scheme == "http" and not _on_this_machine(host):
        raise _unusable(text, "http is only for this machine: a key sent there could be read on the way")
    shown = f"[{host}]" if ":" in host else host
    where = shown if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{shown}:{port}"
    return f"{parts.scheme}://{where}{parts.path.rstrip('/')}"


def origin_of(base_url: str) -> str:
    """Scheme, host and port of a checked address: what a key is bound to."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(base_url: str) -> bool:
    """Whether a checked address stays on this machine."""
    return _on_this_machine(urlsplit(base_url).hostname or "")


def azure(resource: str) -> str:
    """The address of an Azure OpenAI (Microsoft Foundry) resource, given its name or any address within it.

    Its /openai/v1/ path takes the plain client, without an api-version.
    """
    name = resource.strip()
    if "/" not in name and "." not in name:
        name = f"{name}.openai.azure.com"
    return checked(f"{origin_of(checked(name if '://' in name else f'https://{name}'))}/openai/v1")


def _host(text: str, host: str) -> str:
    """The host in its one form. Raises Unreachable for hosts that may not be spoken to."""
    if not host:
        raise _unusable(text, "it names no host")
    if ":" in host:
        try:
            number: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise _unusable(text, "its host is not a valid IPv6 address") from error
        if "%" in host or (isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped is not None):
            raise _unusable(text, "its host is an unusual spelling of an address")
    else:
        host = host.removesuffix(".")
        # What ends in a number is a number to resolvers, in more bases and lengths than people write on purpose.
        if _NUMBER.fullmatch(host.rsplit(".", 1)[-1]):
            try:
                number = ipaddress.IPv4Address(host)
            except ValueError as error:
                raise _unusable(text, "its host is an unusual spelling of an address") from error
        else:
            if len(host) > 253 or not _NAME.fullmatch(host):
                raise _unusable(text, "its host is not a valid name")
            if host in _METADATA_NAMES:
                raise _unusable(text, "that is a cloud's metadata service")
            return host
    if number in _METADATA_NUMBERS or number.is_link_local:
        raise _unusable(text, "that is a cloud's metadata service or a link-local address")
    if number.is_unspecified or number.is_multicast or (number.is_reserved and not number.is_loopback):
        raise _unusable(text, "no service can have that address")
    return number.compressed


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _unusable(text: str, why: str) -> Unreachable:
    return Unreachable(f"The address {text!r} cannot be used: {why}.", _TODO)
