"""Pictures come out small, upright and without a past; bombs are refused by their heads."""

import io
from typing import Any

import pytest
from PIL import Image, ImageCms
from tests.events.pictures import (
    BLUE,
    RED,
    SECRETS,
    a_picture,
    animated,
    chunks_of_webp,
    exif,
    jpeg_of_size,
    opened,
    png_of_size,
    saved,
    swapped_profile,
    telling,
    webp_of_size,
)

from turnout.events import pictures
from turnout.events.errors import InvalidPicture

KINDS = ("JPEG", "PNG", "WEBP")


def near(found: Any, wanted: tuple[int, ...], off: int = 12) -> bool:
    return len(found) == len(wanted) and all(
        abs(one - other) <= off for one, other in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_picture_is_written_as_webp_of_its_size(kind: str) -> None:
    made = pictures.rewritten(a_picture(kind))

    image = opened(made.content)
    assert (image.format, image.size, made.media_type) == ("WEBP", (40, 20), "image/webp")
    assert (made.width, made.height) == image.size
    assert near(image.getpixel((5, 10)), RED)
    assert near(image.getpixel((35, 10)), BLUE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_says_beside_its_pixels_is_left_out(kind: str) -> None:
    told = telling(kind)

    made = pictures.rewritten(told)

    assert all(secret in told for secret in SECRETS[:1]), "the control: it was in there"
    assert [secret for secret in SECRETS if secret in made.content] == []
    assert set(chunks_of_webp(made.content)) <= {"VP8 ", "VP8X", "ALPH"}
    assert opened(made.content).getexif() == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(3, (40, 20), (35, 10)), (6, (20, 40), (10, 5)), (8, (20, 40), (10, 35))],
)
def test_picture_is_turned_as_its_camera_was_held(
    kind: str, orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    made = pictures.rewritten(a_picture(kind, exif=exif(orientation)))

    assert (made.width, made.height) == size
    assert near(opened(made.content).getpixel(red_at), RED)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((4_000, 1_000), (2_000, 500)),
        ((1_000, 4_000), (500, 2_000)),
        ((2_000, 2_000), (2_000, 2_000)),
        ((8_000, 2), (2_000, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_large_picture_is_made_smaller(
    kind: str, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    made = pictures.rewritten(a_picture(kind, size=size))

    assert (made.width, made.height) == shown


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_any_mode_is_read(mode: str) -> None:
    grey = Image.new("L", (40, 20), 120)
    image = grey.convert("I;16").point(lambda value: value * 257) if mode == "I;16" else None

    made = pictures.rewritten(saved(image or grey.convert(mode), "PNG"))

    found = opened(made.content).convert("RGB").getpixel((5, 5))
    assert near(found, (120, 120, 120)) or mode == "1"


def test_what_can_be_seen_through_stays_so() -> None:
    image = Image.new("RGBA", (40, 20), (*RED, 0))
    image.paste((*BLUE, 255), (20, 0, 40, 20))

    made = pictures.rewritten(saved(image, "PNG"))

    found = opened(made.content)
    left, right = found.getpixel((5, 10)), found.getpixel((35, 10))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert (found.mode, left[3], right[3]) == ("RGBA", 0, 255)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_those_of_the_profile(mode: str) -> None:
    """Green, by a profile whose red and green are changed for each other, is red."""
    green = Image.new(mode, (20, 20), (0, 255, 0, 90)[: len(mode)])

    plain = pictures.rewritten(saved(green, "PNG"))
    swapped = pictures.rewritten(saved(green, "PNG", icc_profile=swapped_profile()))

    alpha = (90,) if mode == "RGBA" else ()
    assert near(opened(plain.content).getpixel((5, 5)), (0, 255, 0, *alpha))
    assert near(opened(swapped.content).getpixel((5, 5)), (255, 0, 0, *alpha))


def test_profile_that_cannot_be_used_is_left_out() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = Image.new("RGB", (20, 20), RED)

    plain = pictures.rewritten(saved(image, "PNG"))
    of_no_use = pictures.rewritten(saved(image, "PNG", icc_profile=lab))
    broken = pictures.rewritten(saved(image, "PNG", icc_profile=b"no profile"))

    assert plain.hash == of_no_use.hash == broken.hash


def test_cmyk_jpeg_is_read() -> None:
    image = Image.new("RGB", (40, 20), RED).convert("CMYK")

    made = pictures.rewritten(saved(image, "JPEG"))

    assert near(opened(made.content).getpixel((5, 5)), RED, off=20)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_shows_its_first_frame(kind: str) -> None:
    moving = animated(kind)
    assert getattr(opened(moving), "n_frames", 1) == 2, "the control: it moves"

    made = pictures.rewritten(moving)

    image = opened(made.content)
    assert getattr(image, "n_frames", 1) == 1
    assert near(image.getpixel((5, 5)), RED)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (png_of_size(8_001, 10), "8001 x 10"),
        (png_of_size(10, 8_001), "10 x 8001"),
        (png_of_size(8_000, 5_001), "8000 x 5001"),
        (png_of_size(50_000, 50_000), "50000 x 50000"),
        (png_of_size(2**31 - 1, 2**31 - 1), "2147483647 x 2147483647"),
        (jpeg_of_size(65_000, 65_000), "65000 x 65000"),
        (webp_of_size(16_777_216, 16_777_216), "16777216 x 16777216"),
        (webp_of_size(8_000, 2_501), "8000 x 2501"),
        (a_picture("WEBP", size=(8_001, 1)), "8001 x 1"),
        (saved(Image.new("RGB", (8_001, 1)), "PNG"), "8001 x 1"),
    ],
)
def test_too_many_pixels_are_refused_by_the_head(content: bytes, says: str) -> None:
    with pytest.raises(InvalidPicture) as refused:
        pictures.rewritten(content)

    assert refused.value.detail.endswith(f"this one is {says}.")


def test_lossy_webp_tells_its_size_in_its_head() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8_001, 1)).save(out, "WEBP", quality=50)

    with pytest.raises(InvalidPicture) as refused:
        pictures.rewritten(out.getvalue())

    assert refused.value.detail.endswith("this one is 8001 x 1.")


def broken() -> list[bytes]:
    """Files that are cut off, at odds with themselves, or empty behind their first bytes."""
    whole = [a_picture(kind, size=(200, 200)) for kind in KINDS]
    cut = [each[: len(each) * part // 8] for each in whole for part in range(1, 7)]
    flipped = [each[:30] + b"\xff" * 40 + each[70:] for each in whole[1:]]
    heads = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"RIFF1234WEBPVP8X"]
    bombs = [png_of_size(7_000, 5_000), jpeg_of_size(8_000, 5_000), webp_of_size(4_000, 4_000)]
    return [*cut, *flipped, *heads, *bombs[::2]]


@pytest.mark.parametrize("content", broken(), ids=lambda content: f"{content[:4]!r}-{len(content)}")
def test_broken_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidPicture):
        pictures.rewritten(content)


def test_jpeg_with_endless_scans_is_refused_before_it_is_decoded() -> None:
    small = a_picture("JPEG", progressive=True)
    at = small.index(b"\xff\xda")
    endless = small[:at] + small[at:-2] * 200 + small[-2:]

    with pytest.raises(InvalidPicture, match="steps"):
        pictures.rewritten(endless)


def test_progressive_jpeg_is_read() -> None:
    made = pictures.rewritten(a_picture("JPEG", progressive=True))

    assert (made.width, made.height) == (40, 20)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BM" + b"\0" * 60,
        b"II*\0",
        b"\x89PNG",
        b"RIFF\0\0\0\0WAVE",
        b"PK\x03\x04",
    ],
)
def test_other_files_are_not_taken(content: bytes) -> None:
    assert not pictures.is_taken(content)
    with pytest.raises(InvalidPicture):
        pictures.rewritten(content)


def test_what_hides_behind_a_picture_does_not_come_out() -> None:
    polyglot = a_picture("JPEG") + b"<script>alert('canary')</script>"

    made = pictures.rewritten(polyglot)

    assert b"canary" not in made.content


def test_same_picture_has_the_same_name_and_another_has_another() -> None:
    same = {pictures.rewritten(a_picture("PNG")).hash for _ in range(2)}
    other = pictures.rewritten(a_picture("PNG", size=(41, 20)))

    assert len(same) == 1
    assert other.hash not in same
