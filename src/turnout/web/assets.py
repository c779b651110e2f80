"""The files that pages need: styles, scripts, images, all from this server. Knows no page.

An address carries a hash of its file, so that browsers may keep it for ever: a new file has a new
address.
"""

import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

PREFIX = "/static/"
FOLDER = Path(__file__).parent / "static"
SMALLEST_COMPRESSED_BYTES = 2_048
KEPT_FOR_EVER = "public, max-age=31536000, immutable"
ASKED_FOR_EACH_TIME = "no-cache"
# Not the machine's own table of types, which may say anything.
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


@dataclass(frozen=True)
class Asset:
    """One file, read once."""

    content: bytes
    media_type: str

    @cached_property
    def version(self) -> str:
        """A hash of the content, 16 hexadecimal digits."""
        return blake2b(self.content, digest_size=8).hexdigest()

    @cached_property
    def compressed(self) -> bytes | None:
        """The content for `Content-Encoding: gzip`, or None where that saves nothing.

        The largest file takes 60 ms: whoever asks first should not do so in the event loop.
        """
        if len(self.content) < SMALLEST_COMPRESSED_BYTES or not self.media_type.startswith("text/"):
            return None
        return gzip.compress(self.content, compresslevel=6, mtime=0)


def load(folder: Path) -> dict[str, Asset]:
    """Every servable file below `folder`, by its path with slashes.

    Only what is in this table is ever served, so that no path can lead out of the folder.
    """
    return {
        path.relative_to(folder).as_posix(): Asset(path.read_bytes(), _MEDIA_TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.suffix in _MEDIA_TYPES
    }


ASSETS = load(FOLDER)


def url(name: str) -> str:
    """The address of the file `name`. Raises KeyError where there is none."""
    return f"{PREFIX}{name}?v={ASSETS[name].version}"
