"""Pictures for tests, made here: whole ones, and ones that are wrong in one way."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

RED, BLUE = (200, 30, 30), (30, 30, 200)
ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825
SECRETS = (b"Canary Camera", b"canary comment", b"canary xmp", b"49.0123")


def a_picture(
    kind: str = "PNG", *, size: tuple[int, int] = (40, 20), mode: str = "RGB", **saving: Any
) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return saved(image.convert(mode), kind, **saving)


def saved(image: Image.Image, kind: str, **saving: Any) -> bytes:
    """The bytes of a file of that kind; a WebP without loss."""
    out = io.BytesIO()
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    image.save(out, kind, **options, **saving)
    return out.getvalue()


def exif(orientation: int = 1) -> bytes:
    """What a camera writes: its name, a place, and how it was held."""
    found = Image.Exif()
    found[ORIENTATION], found[MAKE] = orientation, "Canary Camera"
    found.get_ifd(GPS).update({1: "N", 2: (49.0, 1.0, 23.0), 29: "49.0123"})
    return found.tobytes()


def telling(kind: str) -> bytes:
    """A picture with everything that a file can say beside its pixels."""
    saving: dict[str, Any] = {"exif": exif(), "icc_profile": srgb_profile()}
    if kind == "JPEG":
        saving |= {"comment": b"canary comment", "xmp": b"<x>canary xmp</x>"}
    elif kind == "WEBP":
        saving |= {"xmp": b"<x>canary xmp</x>canary comment"}
    else:
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "canary comment")
        info.add_itxt("XML:com.adobe.xmp", "<x>canary xmp</x>")
        saving["pnginfo"] = info
    return a_picture(kind, **saving)


def srgb_profile() -> bytes:
    """A profile as cameras put it into their files."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """That profile, with what it says of red and of green changed for each other (ICC.1, 7.3)."""
    profile = bytearray(srgb_profile())
    entries = {bytes(profile[at : at + 4]): at + 4 for at in range(132, 132 + 12 * 20, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red : red + 8], profile[green : green + 8] = (
        profile[green : green + 8],
        profile[red : red + 8],
    )
    profile[84:100] = bytes(16)  # the checksum; none is as good
    return bytes(profile)


def animated(kind: str) -> bytes:
    """Two frames, of which the first is red."""
    first, second = (Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE))
    return saved(first, kind, save_all=True, append_images=[second], duration=100)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose head says so, with hardly anything behind it: as a bomb has."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1_000)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def webp_of_size(width: int, height: int) -> bytes:
    """A WebP whose head says so, with nothing behind it."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sides
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose head says so, of a picture of 40 by 20."""
    small = a_picture("JPEG")
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def opened(content: bytes) -> Image.Image:
    """The picture of these bytes, decoded."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def chunks_of_webp(content: bytes) -> list[str]:
    """The names of a WebP's chunks, in order."""
    found, at = list[str](), 12
    while at < len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        found.append(name.decode())
        at += 8 + size + size % 2
    return found
