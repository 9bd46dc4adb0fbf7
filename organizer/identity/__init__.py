"""The identity of an image: a hash of its picture data, not of its file.

A keyword, a rating, a date or a rotation that a program writes into a photo changes the file and
not the picture. So the picture is told apart from what is said about it, format by format, without
decoding it. What is not part of the identity and yet decides what is seen, the rotation and the
colour profile, is the *view* (`organizer.decode`): where that changes, the image is embedded again
and stays the image that it is.

A format that is not known here, or a file that is not in order, is its bytes, all of them: two
different pictures never get one identity because a file was not understood.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from blake3 import blake3

from organizer.identity import gif, heif, jpeg, jpeg2000, png, tiff, webp
from organizer.identity.parts import Parts
from organizer.types import Identity

_ID_BYTES = 16  # two of 10 ** 12 images share one with a chance below 10 ** -14

_DAMAGED = (IndexError, KeyError, ValueError, OverflowError, struct.error)
"""What reading beyond the end, or numbers that mean nothing, raise in the readers of formats."""


def identify(data: bytes) -> Identity:
    """The identity of a file's content, in time linear in its size; nothing is raised.

    Args:
        data: The whole content of the file.

    Examples:
        >>> identify(b"no picture").picture == identify(b"no picture").picture
        True
        >>> identify(b"no picture").picture == identify(b"another").picture
        False
    """
    return Identity(picture_hash(data), file_hash(data))


def file_hash(data: bytes) -> str:
    """The hash of all bytes: the first 128 bits of their BLAKE3 hash, in hexadecimal."""
    return blake3(data).hexdigest(_ID_BYTES)


def picture_hash(data: bytes) -> str:
    """The hash of the picture data; of all bytes where it cannot be told apart.

    The name of the format is hashed first, so that two formats never share a hash.
    """
    for name, is_of, parts_of in _FORMATS:
        if is_of(data):
            parts = _parts(parts_of, data)
            if parts:
                return _hashed(name, parts)
    return _hashed("file", [("file", [memoryview(data)])])


def view_of(data: bytes) -> bytes:
    """What a container says of how its picture is shown, where Pillow does not tell; see `heif`."""
    if not heif.is_heif(data):
        return b""
    try:
        return heif.heif_view(memoryview(data))
    except _DAMAGED:
        return b""


def _parts(parts_of: Callable[[memoryview], Parts | None], data: bytes) -> Parts | None:
    try:
        return parts_of(memoryview(data))
    except _DAMAGED:
        return None


def _hashed(name: str, parts: Parts) -> str:
    """Every part with its name and its length: two lists of parts never give the same bytes."""
    made = blake3(f"organizer picture 1 {name}\0".encode())
    for label, slices in parts:
        for piece in slices:
            made.update(piece)
        length = sum(map(len, slices))
        made.update(struct.pack(">Q", length) + label.encode().ljust(8, b"\0"))
    return made.hexdigest(_ID_BYTES)


_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Callable[[memoryview], Parts | None]], ...] = (
    ("jpeg", jpeg.is_jpeg, jpeg.jpeg_parts),
    ("png", png.is_png, png.png_parts),
    ("webp", webp.is_webp, webp.webp_parts),
    ("tiff", tiff.is_tiff, tiff.tiff_parts),
    ("gif", gif.is_gif, gif.gif_parts),
    ("heif", heif.is_heif, heif.heif_parts),
    ("jp2", jpeg2000.is_jp2, jpeg2000.jp2_parts),
    ("j2k", jpeg2000.is_codestream, jpeg2000.codestream_parts),
)
