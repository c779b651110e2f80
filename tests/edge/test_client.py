"""Whose address a request comes from: X-Forwarded-For counts as far as trusted proxies wrote it."""

import pytest

from turnout.edge import client

PROXIES = ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.5", [], (), "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.7"], (), "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.7"], PROXIES, "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.7"], PROXIES, "198.51.100.7"),
        ("10.0.0.1", ["127.0.0.1, 198.51.100.7"], PROXIES, "198.51.100.7"),
        ("10.0.0.1", ["127.0.0.1", "198.51.100.7, 10.2.3.4"], PROXIES, "198.51.100.7"),
        ("10.0.0.1", ["127.0.0.1, nonsense"], PROXIES, "10.0.0.1"),
        ("10.0.0.1", [], PROXIES, "10.0.0.1"),
        ("::1", ["2001:db8::5"], PROXIES, "2001:db8::5"),
    ],
)
def test_address_of_a_request_is_the_first_that_no_trusted_proxy_has(
    peer: str, forwarded: list[str], trusted: tuple[str, ...], expected: str
) -> None:
    headers = [(client.FORWARDED, line.encode()) for line in forwarded]

    found = client.address_of({"client": (peer, 1), "headers": headers}, trusted)

    assert str(found) == expected


def test_address_of_a_connection_without_one_is_none() -> None:
    assert client.address_of({"client": None, "headers": []}, PROXIES) is None
