"""Small pictures of each kind, made here, and the `data:` URLs that clients send them in."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode

# One pixel each: a baseline JPEG and a lossy WebP as their encoders write them, and a GIF made by hand.
JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////"
    "////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
WEBP = b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
GIF = bytes.fromhex("47494638396101000100800000ff0000ffffff2c00000000010001000002024401003b")

MOST = 153_582
"""Bytes of the largest PNG there may be: as a `data:` URL 204,798 characters; one more would make it 204,802."""


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(colour: bytes = b"\xff\x00\x00", *, size: int | None = None) -> bytes:
    """One pixel of this colour (PNG §5), filled up to this many bytes with a private chunk that readers skip."""
    begin = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    end = _chunk(b"IDAT", zlib.compress(b"\x00" + colour)) + _chunk(b"IEND", b"")
    if size is None:
        return begin + end
    return begin + _chunk(b"fiLl", b"\xa5" * (size - len(begin) - len(end) - 12)) + end


def data_url(content: bytes, kind: str = "png") -> str:
    """As a browser writes it (`FileReader.readAsDataURL`, `canvas.toDataURL`)."""
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


ALL = {"png": png(), "jpeg": JPEG, "webp": WEBP, "gif": GIF}
