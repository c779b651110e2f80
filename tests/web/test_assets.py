"""Files of the pages: kept for ever under a hashed address, compressed, and nothing else served."""

import gzip
from pathlib import Path

import httpx2
import pytest
from tests.house import tree
from tests.support.app import BASE_URL

from turnout.web import assets

BUNDLE = "vendor/swagger-ui/swagger-ui-bundle.js"
PLAIN = {"Accept-Encoding": "identity"}


async def test_asset_under_its_hashed_address_is_kept_for_ever(api: httpx2.AsyncClient) -> None:
    answer = await api.get(assets.url("site.css"), headers=PLAIN)

    file = tree.ROOT / "src" / "turnout" / "web" / "static" / "site.css"
    assert answer.content == file.read_bytes()
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=0000000000000000"])
async def test_asset_under_another_address_is_asked_for_each_time(
    query: str, api: httpx2.AsyncClient
) -> None:
    answer = await api.get(f"/static/site.css{query}", headers=PLAIN)

    again = await api.get(
        f"/static/site.css{query}", headers={**PLAIN, "If-None-Match": answer.headers["etag"]}
    )

    assert answer.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_asset_for_who_takes_gzip_is_the_same_file_compressed(
    api: httpx2.AsyncClient,
) -> None:
    async with api.stream("GET", assets.url(BUNDLE)) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])

    plain = await api.get(assets.url(BUNDLE), headers=PLAIN)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] != plain.headers["etag"]
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2


@pytest.mark.parametrize(
    "path", ["docs.py", "../docs.py", "%2e%2e/docs.py", "vendor", "", "vendor/MANIFEST.json"]
)
async def test_asset_that_is_none_is_not_found(path: str, api: httpx2.AsyncClient) -> None:
    answer = await api.get(f"/static/{path}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_url_of_a_changed_file_differs(tmp_path: Path) -> None:
    file = tmp_path / "a.css"
    file.write_text("a {}")
    before = assets.load(tmp_path)["a.css"]
    file.write_text("b {}")

    assert assets.load(tmp_path)["a.css"].version != before.version


async def test_start_page_shows_the_address_and_the_mode(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    opened, closed = (await api.get("/")).text, (await closed_api.get("/")).text

    assert f"curl -s {BASE_URL}/events</code>" in opened
    assert ("open mode" in opened, "open mode" in closed) == (True, False)


async def test_pages_have_nothing_inline(api: httpx2.AsyncClient) -> None:
    for path in ("/", "/docs"):
        page = (await api.get(path)).text
        assert "style=" not in page
        assert "<style" not in page
        assert page.count("<script") == page.count("<script defer src=")


async def test_favicon_is_where_browsers_look(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/favicon.ico")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.content.startswith(b"<svg ")
