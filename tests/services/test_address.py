"""Which addresses may be spoken to: the usual ones in one form, none that hides where a key would go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import Unreachable
from lib.services import address


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("  https://API.OpenAI.com:443/v1/ \n", "https://api.openai.com/v1"),
        ("https://api.openai.com./v1", "https://api.openai.com/v1"),
        ("https://api.tokenfactory.nebius.com/v1/", "https://api.tokenfactory.nebius.com/v1"),
        ("https://models.example:8443", "https://models.example:8443"),
        ("https://10.0.0.5/v1", "https://10.0.0.5/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://[0:0:0:0:0:0:0:1]/v1", "http://[::1]/v1"),
    ],
)
def test_usual_addresses_get_one_form(written: str, normal: str) -> None:
    assert address.checked(written) == normal
    assert address.checked(normal) == normal


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com/v1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://api.openai.com/v1",
        "http://10.0.0.5/v1",
        "http://127.0.0.1.evil.example/v1",
        "http://localhost.evil.example/v1",
        "https://api.openai.com@evil.example/v1",
        "https://user:pass@api.openai.com/v1",
        "https://evil.example\\@api.openai.com/v1",
        "https://evil.example\\.api.openai.com/v1",
        "https://api.openai.com\t.evil.example/v1",
        "https://api.openai.com\n.evil.example/v1",
        "https://api.openai.com/v1?next=https://evil.example",
        "https://api.openai.com/v1#evil",
        "https://api.openai.com/v1?",
        "https://аpi.openai.com/v1",
        "https://169.254.169.254/v1",
        "https://169.254.0.7/v1",
        "https://[fe80::1]/v1",
        "https://[fe80::1%25eth0]/v1",
        "https://[::ffff:169.254.169.254]/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "https://[fd00:ec2::254]/v1",
        "https://100.100.100.200/v1",
        "https://metadata.google.internal/v1",
        "https://metadata.google.internal./v1",
        "https://0.0.0.0/v1",
        "https://[::]/v1",
        "https://224.0.0.1/v1",
        "https://255.255.255.255/v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0x7f.1/v1",
        "http://127.1/v1",
        "http://0177.0.0.1/v1",
        "https://2852039166/v1",
        "https://evil.0x7f/v1",
        "https://[::1/v1",
        "https:///v1",
        "https://-bad-.example/v1",
        "https://a..b/v1",
        "https://api.openai.com:99999/v1",
        "https://api.openai.com:x/v1",
        "https://" + "a" * 64 + ".example",
    ],
)
def test_no_address_hides_where_a_key_would_go(hostile: str) -> None:
    with pytest.raises(Unreachable) as refusal:
        address.checked(hostile)
    assert refusal.value.what.endswith(".")
    assert "https://" in refusal.value.todo


def test_an_origin_has_scheme_host_and_port() -> None:
    assert address.origin_of(address.checked("https://a.example:8443/x/y")) == "https://a.example:8443"
    assert address.origin_of(address.checked("https://A.example:443/x")) == "https://a.example"
    assert address.origin_of("https://a.example") != address.origin_of("https://a.example:8443")


def test_only_this_machine_is_loopback() -> None:
    assert address.is_loopback("http://127.0.0.1:1/v1")
    assert address.is_loopback("http://127.9.9.9/v1")
    assert address.is_loopback("http://[::1]/v1")
    assert address.is_loopback("http://localhost/v1")
    assert not address.is_loopback("https://10.0.0.1/v1")
    assert not address.is_loopback("https://localhost.example/v1")


@pytest.mark.parametrize(
    "given",
    ["my-resource", "my-resource.openai.azure.com", "https://my-resource.openai.azure.com/openai/deployments/x"],
)
def test_an_azure_resource_gets_the_path_of_the_plain_client(given: str) -> None:
    assert address.azure(given) == "https://my-resource.openai.azure.com/openai/v1"


@given(st.text(alphabet="htps:/@.#?\\[]%0123456789abcx-_ é", max_size=40))
def test_whatever_is_accepted_is_https_or_stays_here(tail: str) -> None:
    for written in (tail, f"https://{tail}", f"http://{tail}", f"https://api.openai.com{tail}"):
        try:
            normal = address.checked(written)
        except Unreachable:
            continue
        assert address.checked(normal) == normal
        assert normal.startswith("https://") or address.is_loopback(normal)
        assert "@" not in address.origin_of(normal)
