"""Pictures of every kind of mail, for looking at them: `python -m tests.support.mail_shots FOLDER`.

On a phone and on a desktop, by day; and by night on a phone, as a program for mail that turns dark.
"""

import sys
from base64 import b64encode
from email import message_from_bytes
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from tests.notifications.samples import DELIVERY, LETTERHEAD, NOW, SAMPLES
from tests.web.test_docs_page import launched

from turnout.notifications import letters
from turnout.notifications.news import Facts

PHONE, DESKTOP = 390, 1280


def main(folder: Path) -> None:
    """Write the pictures, and the texts beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for mark, kind, reader, news in SAMPLES:
            facts = Facts(DELIVERY, kind, reader, news)
            text, html = parts_of(letters.write(LETTERHEAD, facts, NOW).raw)
            (folder / f"{kind}{mark}.txt").write_text(text, "utf-8")
            for width in (PHONE, DESKTOP):
                shoot(browser, html, width, folder / f"{kind}{mark}-{width}.png")
            shoot(browser, html, PHONE, folder / f"{kind}{mark}-night.png", is_night=True)
        browser.close()


def parts_of(raw: bytes) -> tuple[str, str]:
    """The text, and the HTML with its picture in it, as a reader of mails shows them."""
    found: dict[str, str] = {}
    for part in message_from_bytes(raw).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            is_picture = part.get_content_maintype() == "image"
            whole = b64encode(content).decode() if is_picture else content.decode()
            found.setdefault(part.get_content_type(), whole)
            if is_picture:
                picture_id = str(part["Content-ID"]).strip("<>")
                data = f"data:image/png;base64,{whole}"
                found["text/html"] = found["text/html"].replace(f"cid:{picture_id}", data)
    return found["text/plain"], found["text/html"]


def shoot(browser: Browser, html: str, width: int, path: Path, *, is_night: bool = False) -> None:
    """A picture of the whole mail at that width."""
    context = browser.new_context(
        viewport={"width": width, "height": 400}, color_scheme="dark" if is_night else "light"
    )
    page = context.new_page()
    page.set_content(html)
    page.screenshot(path=path, full_page=True)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
