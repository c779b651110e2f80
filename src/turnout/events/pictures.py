"""Writes pictures anew: what was sent goes in, a small picture without a past comes out.

Pure: bytes in, bytes out. Nothing of the file that was sent is kept but its pixels, so that no
metadata (where it was taken, by whose camera) and nothing that only pretends to be a picture is
ever given to anybody.
"""

import io
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from turnout.events.errors import InvalidPicture

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 5 * 1024 * 1024
MAX_SIDE, MAX_PIXELS = 8_000, 40_000_000
MAX_WEBP_PIXELS = 20_000_000
"""Its decoder holds four copies of a picture, some 16 bytes for each pixel."""
MAX_SCANS = 200
"""Of a progressive JPEG; each goes over the whole picture and may have 60 bytes. Usual are ten."""
SHOWN_SIDE = 2_000
"""The longest side of what comes out, in pixels."""
QUALITY = 82
MEDIA_TYPE = "image/webp"
MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Of what a PNG says beside its pixels, unpacked."""

_JPEG, _PNG, _WEBP = "JPEG", "PNG", "WEBP"
_MEDIA_TYPES = {_JPEG: "image/jpeg", _PNG: "image/png", _WEBP: "image/webp"}
TAKEN = tuple(_MEDIA_TYPES.values())
"""The media types that are read."""
_START_OF_SCAN = b"\xff\xda"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as this server has written it; sides in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int

    @property
    def hash(self) -> str:
        """Names these bytes: 32 hexadecimal digits."""
        return blake2b(self.content, digest_size=16).hexdigest()


def is_taken(content: bytes) -> bool:
    """Whether it begins as a JPEG, PNG or WebP does, whatever it was said to be."""
    return _kind(content) is not None


def rewritten(content: bytes) -> Picture:
    """The picture upright, in sRGB, without metadata, at most SHOWN_SIDE wide and high.

    Of an animation it is the first frame. Takes up to two seconds and some 350 MiB for the largest
    ones: to be called in a thread, one at a time. Raises InvalidPicture for what is broken or has
    too many pixels, which its head says: those are not decoded.
    """
    kind = _kind(content)
    if kind is None:
        raise InvalidPicture
    image = _decoded(content, kind)
    out = io.BytesIO()
    image.save(out, _WEBP, quality=QUALITY, method=4)
    return Picture(out.getvalue(), MEDIA_TYPE, image.width, image.height)


def _kind(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return _WEBP if is_webp else None


def _decoded(content: bytes, kind: str) -> "Image":
    # Imported here: 10 MiB that only a process needs to which somebody sends a picture.
    from PIL import Image, PngImagePlugin

    Image.MAX_IMAGE_PIXELS = None  # it would warn, and refuse far later than we do
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES
    if kind == _WEBP:
        # Before the library looks at it: that takes memory for all of it at once.
        _require_size(*_webp_size(content), most_pixels=MAX_WEBP_PIXELS)
    if kind == _JPEG and content.count(_START_OF_SCAN) > MAX_SCANS:
        raise InvalidPicture("The picture is built up in more steps than any camera makes.")
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            _require_size(*image.size)
            return _upright(image)
    except InvalidPicture:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything for bytes that somebody has made up
        raise InvalidPicture from None


def _upright(image: "Image") -> "Image":
    """The first frame, turned and coloured as it is meant to be seen, small and with no info."""
    # Imported here, as above.
    from PIL import ImageOps

    image.draft(None, (SHOWN_SIDE, SHOWN_SIDE))  # a large JPEG is decoded at half its size, or less
    image.load()
    profile = image.info.get("icc_profile")
    image = _as_usual(image)
    image.thumbnail((SHOWN_SIDE, SHOWN_SIDE), reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    plain = _in_srgb(upright, profile)
    plain.info.clear()
    return plain


def _as_usual(image: "Image") -> "Image":
    """The picture with three bands, or four where some of it is transparent; CMYK as it is."""
    if image.mode.startswith("I"):
        # 16 bits of grey, of which the upper eight are shown.
        return image.point(lambda value: value * (1 / 256)).convert("RGB")
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode in {wanted, "CMYK"}:
        return image
    return image.convert(wanted)


def _in_srgb(image: "Image", profile: Any) -> "Image":
    """The picture with the colours of its profile; one that cannot be used is left out."""
    # Imported here, as above.
    from PIL import ImageCms

    wanted = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode=wanted
            )
        except (OSError, ImageCms.PyCMSError):
            found = None
        if found is not None:
            return found
    return image if image.mode == wanted else image.convert(wanted)


def _require_size(width: int, height: int, most_pixels: int = MAX_PIXELS) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= most_pixels):
        raise InvalidPicture(
            f"A picture may be {MAX_SIDE:,} pixels wide and high, and have "
            f"{most_pixels // 1_000_000} million of them; this one is {width} x {height}."
        )


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height by the first chunk (RFC 9649, 2.5 to 2.7), or (0, 0) for no such chunk."""
    chunk, head = content[12:16], content[20:30]
    match chunk:
        case b"VP8X" if len(head) == 10:
            return _little(head[4:7]) + 1, _little(head[7:10]) + 1
        case b"VP8 " if len(head) == 10:
            return _little(head[6:8]) & 0x3FFF, _little(head[8:10]) & 0x3FFF
        case b"VP8L" if len(head) >= 5:
            bits = _little(head[1:5])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return 0, 0


def _little(octets: bytes) -> int:
    return int.from_bytes(octets, "little")
