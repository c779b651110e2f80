"""QR codes (ISO/IEC 18004) as squares of modules, for whoever draws them. Pure."""

from typing import Any


def modules(text: str) -> list[bytes]:
    """The rows of the code, a byte for each module (0 is dark, 255 light), with its light margin.

    Level M: 15 % of it may be unreadable.
    """
    import zxingcpp  # its library is loaded by those alone who make codes

    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = made.to_image(scale=1, add_quiet_zones=True)
    with memoryview(image) as pixels:
        return [bytes(row) for row in pixels.tolist()]
