"""Where one may be sent after signing in: addresses that lead elsewhere, and ours."""

from urllib.parse import urljoin, urlsplit

import pytest

from turnout.edge.local_path import FALLBACK, local_path

HERE = "https://events.example.org/login"
ELSEWHERE = [
    "https://evil.example",
    "HTTPS://evil.example",
    "http:evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/%2e%2e",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/ok\\..\\..\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "/ok\nLocation: https://evil.example",
    "/ok\x00",
    "/ok\x7f",
    "/ok\x85//evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "mailto:ada@example.com",
    "evil.example",
    "evil.example/path",
    "@evil.example",
    ":8000",
    "?next=https://evil.example",
    "#top",
    ".",
    "..",
    "../evil",
    "/／evil.example",
    "/⁄evil.example",
    "／／evil.example",
    "/\u2028/evil.example",
    "/\u202elmth.live",
    "/\u200b/evil.example",
    "/\ud800",
    "/über",
    "//[evil",
    "//[::1",
    "//user:password@evil.example",
    "",
]
OURS = [
    "/",
    "/account",
    "/ok?x=1",
    "/ok?x=1&y=%2F%2Fevil.example#part",
    "/e/caf%C3%A9",
    "/ok//evil.example",
    "/ok/../../evil.example",
    "/@evil.example",
    "/https://evil.example",
    "/ok?to=https://evil.example",
    "/%2Fevil.example",
    "/%09/evil.example",
    "/%5Cevil.example",
    "/ok%0d%0aSet-Cookie:a=b",
    "/./account",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_address_that_may_lead_elsewhere_becomes_the_fallback(wanted: str) -> None:
    assert local_path(wanted) == FALLBACK
    assert local_path(wanted, "/account") == "/account"


@pytest.mark.parametrize("wanted", OURS)
def test_path_of_a_page_here_is_kept(wanted: str) -> None:
    assert local_path(wanted, "/account") == wanted
    assert urlsplit(urljoin(HERE, wanted)).netloc == "events.example.org"


def test_nothing_wanted_leads_to_the_fallback() -> None:
    assert local_path(None) == FALLBACK
