"""The files that pages need: styles, scripts, images, all from this server. Knows no page.

An address carries a hash of its file, so that browsers may keep it for ever: a new file has a new
address.
"""

import gzip
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, and a hash of them: 16 hexadecimal digits."""

    data: bytes
    version: str


@dataclass
class Asset:
    """One file, with its version at the start. Its bytes stay on the disk and are read anew.

    The system keeps what is asked for often; in each process all of them would take 2 MiB.
    """

    path: Path
    media_type: str
    version: str
    _compressed: Content | None = None

    def read(self) -> Content:
        """What is in the file now."""
        return _content(self.path.read_bytes())

    def compressed(self, content: Content) -> bytes | None:
        """The content for `Content-Encoding: gzip`, or None where that saves nothing.

        The largest file takes 60 ms, once: whoever asks should not do so in the event loop.
        """
        if len(content.data) < SMALLEST_COMPRESSED_BYTES or not self.media_type.startswith("text/"):
            return None
        kept = self._compressed
        if kept is None or kept.version != content.version:
            data = gzip.compress(content.data, compresslevel=6, mtime=0)
            self._compressed = kept = Content(data, content.version)
        return kept.data


def _content(data: bytes) -> Content:
    return Content(data, blake2b(data, digest_size=8).hexdigest())


def load(folder: Path) -> dict[str, Asset]:
    """Every servable file below `folder`, by its path with slashes.

    Only what is in this table is ever served, so that no path can lead out of the folder.
    """
    return {
        path.relative_to(folder).as_posix(): Asset(
            path, _MEDIA_TYPES[path.suffix], _content(path.read_bytes()).version
        )
        for path in sorted(folder.rglob("*"))
        if path.suffix in _MEDIA_TYPES
    }


ASSETS = load(FOLDER)


def url(name: str) -> str:
    """The address of the file `name`. Raises KeyError where there is none."""
    return f"{PREFIX}{name}?v={ASSETS[name].version}"
