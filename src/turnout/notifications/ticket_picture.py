"""The code of a ticket as a picture for scanners (QR), as PNG. Pure.

A general writer of PNG takes a millisecond a mail: this one writes the one form that is needed.
"""

import struct
import zlib
from functools import lru_cache

from turnout import qr

MODULE_PIXELS = 8
"""A whole byte of a row: a module is 0x00 or 0xFF."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@lru_cache(64)
def png(code: str) -> bytes:
    """A square in black and white with a margin, `MODULE_PIXELS` for each module."""
    modules = qr.modules(code)
    pixels = len(modules) * MODULE_PIXELS
    # Width, height, 1 bit of grey, and the only compression, filter and order that counts here.
    size = struct.pack(">IIBBBBB", pixels, pixels, 1, 0, 0, 0, 0)
    # Each line begins with its filter (none).
    lines = b"".join([(b"\0" + row) * MODULE_PIXELS for row in modules])
    rows = zlib.compress(lines, zlib.Z_BEST_SPEED)
    return b"".join((_SIGNATURE, *map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (size, rows, b""))))


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
