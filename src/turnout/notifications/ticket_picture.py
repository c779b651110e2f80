"""The code of a ticket as a picture for scanners (QR, ISO/IEC 18004), as PNG. Pure.

Written for the one form that a ticket has: finding the best of eight masks costs four milliseconds
a mail, and a general writer of PNG one. Any mask can be read; a fixed one is not worse to see.
"""

import struct
import zlib
from functools import lru_cache

MODULE_PIXELS = 8
"""A whole byte of a row: a module is 0x00 or 0xFF."""
QUIET_MODULES = 4
"""The white around it, which the standard asks for."""
MODULES = 21
PIXELS = (MODULES + 2 * QUIET_MODULES) * MODULE_PIXELS
_MASK = 3
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WHITE = 0xFF


@lru_cache(64)
def png(code: str) -> bytes:
    """A square of `PIXELS` in black and white for a code of 16 characters of A-Z and 0-9.

    Level M: 15 % of it may be unreadable.
    """
    import segno  # heavy: only who sends tickets needs it

    made = segno.make(
        code, error="m", version=1, mode="alphanumeric", mask=_MASK, boost_error=False
    )
    side = bytes([_WHITE]) * QUIET_MODULES
    blank = _row(bytes([_WHITE]) * (MODULES + 2 * QUIET_MODULES)) * QUIET_MODULES
    rows = [_row(side + bytes(0 if dark else _WHITE for dark in row) + side) for row in made.matrix]
    # Width, height, 1 bit of grey, and the only compression, filter and order that counts here.
    size = struct.pack(">IIBBBBB", PIXELS, PIXELS, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join([blank, *rows, blank]))
    return b"".join((_SIGNATURE, *map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (size, pixels, b""))))


def _row(modules: bytes) -> bytes:
    """As high as a module; each line begins with its filter (none)."""
    return (b"\0" + modules) * MODULE_PIXELS


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
