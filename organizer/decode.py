"""ImageRef -> DecodedImage: upright RGB, at a reduced size where that is enough.

Whatever is in a file, the answer is a picture or an `ImageError`; no decoder's own exception gets
out. The content is read once: what is hashed is what is decoded.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from organizer import exif, identity
from organizer.errors import ImageError
from organizer.types import DecodedImage, ImageRef

FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "TIFF",
    "BMP",
    "DIB",
    "WEBP",
    "AVIF",
    "HEIF",
    "JPEG2000",
    "PPM",
    "TGA",
)
"""Pillow's names of what is opened; "JPEG" opens "MPO" too. Others are left out on purpose: EPS
would run a program."""

_PROFILE_BYTES = 4  # two profiles of one photo share a digest with a chance below 10 ** -9

# EXIF orientations: rows and columns exchanged first, then the rows turned round, then the columns.
_ON_ITS_SIDE, _ROWS_ROUND, _COLUMNS_ROUND = {5, 6, 7, 8}, {3, 4, 7, 8}, {2, 3, 6, 7}


def read_file(ref: ImageRef, *, max_bytes: int) -> bytes:
    """The bytes of a file.

    Raises:
        ImageError: It is empty, larger than `max_bytes`, or cannot be read.
    """
    if ref.size > max_bytes:
        raise ImageError(
            f"the file has {ref.size:,} bytes, over the limit of {max_bytes:,}",
            too_large=True,
            lasting=False,  # asking again costs nothing, and the limit is the user's
        )
    try:
        data = ref.file.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}", lasting=False) from error
    if not data:
        raise ImageError("the file is empty")
    return data


def decode_image(
    ref: ImageRef,
    data: bytes,
    *,
    image_id: str | None = None,
    min_side: int | None = None,
    max_pixels: int | None = None,
    only_tags: bool = False,
) -> DecodedImage:
    """The picture in a file's bytes.

    Args:
        ref: Where the bytes came from.
        data: The whole content of the file.
        image_id: The image, where it is known already; else the hash of the picture.
        min_side: A JPEG is decoded at the smallest of libjpeg's scales (1, 1/2, 1/4, 1/8) whose
            shorter side still has as many pixels. None decodes every picture in full.
        max_pixels: A picture with more is refused before it is decoded; where None, only one that
            is a decompression bomb.
        only_tags: Whether to read what is said of the picture and not the picture: `pixels` are
            ``(0, 0, 3)`` then.

    Raises:
        ImageError: It is no image of a kind that is read, is damaged, or is a decompression bomb.
    """
    register_codecs()
    with _as_image_error():
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
        if max_pixels is not None and width * height > max_pixels:
            raise ImageError(
                f"the picture has {width * height:,} pixels, over the limit of {max_pixels:,}",
                too_large=True,
            )
        if min_side is not None and image.format in {"JPEG", "MPO"}:
            image.draft(None, (min_side, min_side))
        image_format = image.format or "unknown"
        stated = _turned_by_pillow(image)
        pixels: NDArray[np.uint8] | None = np.empty((0, 0, 3), dtype=np.uint8)
        if not only_tags:
            pixels = _plain_jpeg(image, data, reduced=image.size != (width, height))
        if pixels is None:
            image.load()
    tags, blocks = _tags(image)
    turn = tags.pop("Orientation", 1)
    if stated is not None:
        turn = 1
    pixels = _upright(np.asarray(_rgb(image)) if pixels is None else pixels, turn)
    if turn in _ON_ITS_SIDE:
        width, height = height, width
    image_id = image_id or identity.picture_hash(data)
    view = _view(image, data, turn if stated is None else stated)
    return DecodedImage(ref, image_id, pixels, width, height, image_format, tags, blocks, view)


def register_codecs() -> None:
    """Teach Pillow all its formats and the HEIF family; done again it changes nothing."""
    Image.init()
    if "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()


# What decoders raise for hostile bytes is documented nowhere. Seen with damaged files: OSError,
# ValueError, TypeError, RuntimeError, SyntaxError; in Pillow's and pillow-heif's code: the rest.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    RuntimeError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    struct.error,
    zlib.error,
)


@contextmanager
def _as_image_error() -> Iterator[None]:
    """Only decoders' calls run inside: what they raise is the file's fault, ours would be a bug."""
    try:
        yield
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise ImageError(f"the picture has more than {limit:,} pixels", too_large=True) from error
    except UnidentifiedImageError as error:
        raise ImageError("not an image of a kind that can be read") from error
    except MemoryError as error:
        raise ImageError("there is not enough memory for the picture", lasting=False) from error
    except _DECODER_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"the picture is damaged: {reason}") from error


def _tags(image: Image.Image) -> tuple[dict[str, str | int | float], dict[str, bytes]]:
    """The EXIF tags that are kept; a damaged EXIF block loses tags, never the picture."""
    found = _plain_tags(image)
    if found is None:
        found = _tags_by_pillow(image)
    tags = {
        name: value.strip("\0 ") if isinstance(value, str) else value
        for name, value in found.items()
        if isinstance(value, str | int | float)
    }
    return tags, {name: value for name, value in found.items() if isinstance(value, bytes)}


def _plain_tags(image: Image.Image) -> dict[str, Any] | None:
    """The tags of a JPEG whose EXIF block is in order; XMP may tell what such a block does not."""
    block = image.info.get("exif")
    if image.format != "JPEG" or not isinstance(block, bytes):
        return None
    found = exif.plain_tags(block)
    if found is None or (found["Orientation"] is None and "xmp" in image.info):
        return None
    for name, negative in (("GPSLatitude", "S"), ("GPSLongitude", "W")):
        found[name] = _degrees(*found[name], negative=negative)
    return found


def _tags_by_pillow(image: Image.Image) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        outer = image.getexif()
        found["Orientation"] = outer.get(exif.ORIENTATION)
        found["Make"], found["Model"] = outer.get(exif.MAKE), outer.get(exif.MODEL)
        inner = outer.get_ifd(exif.EXIF_IFD)
        found.update({name: inner.get(tag) for tag, name in exif.INNER.items()})
        found["AmbientTemperature"] = _number(inner.get(exif.AMBIENT_TEMPERATURE))
        gps = outer.get_ifd(exif.GPS_IFD)
        found["GPSLatitude"] = _degrees(gps.get(2), gps.get(1), negative="S")
        found["GPSLongitude"] = _degrees(gps.get(4), gps.get(3), negative="W")
    except _DECODER_ERRORS:
        found.setdefault("Orientation", 1)
    return found


def _number(ratio: Any) -> float | None:
    if getattr(ratio, "denominator", 0) in exif.UNKNOWN:
        return None
    return float(ratio)


def _degrees(parts: Any, side: Any, *, negative: str) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    degrees = sum(float(part) / 60**power for power, part in enumerate(parts))
    return (-degrees if side == negative else degrees) if math.isfinite(degrees) else None


def _plain_jpeg(image: Image.Image, data: bytes, *, reduced: bool) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG by libjpeg-turbo's own interface: the same ones, a fifth sooner.

    Whatever is not quite in order gives None and is left to Pillow's judgement.
    """
    if image.format != "JPEG" or image.mode not in {"RGB", "L"}:
        return None
    import simplejpeg

    # Pillow has chosen the scale: of the eighths there is none that is smaller and covers it.
    width, height = image.size if reduced else (0, 0)
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, colorspace="RGB", min_width=width, min_height=height, strict=True
        )
    except ValueError:
        return None
    return pixels if pixels.shape == (image.height, image.width, 3) else None


def _turned_by_pillow(image: Image.Image) -> object:
    """The orientation that Pillow applies itself when it loads a picture; None where we do."""
    tags = getattr(image, "tag_v2", None)
    return tags.get(exif.ORIENTATION, 1) if image.format == "TIFF" and tags is not None else None


def _view(image: Image.Image, data: bytes, turn: object) -> str:
    """See `DecodedImage.view`: the rotation, and a digest of the colour profile if there is one."""
    shown = identity.view_of(data)
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes):
        shown += profile
    upright = turn if turn in range(1, 9) else 1
    return f"{upright} {blake3(shown).hexdigest(_PROFILE_BYTES)}" if shown else f"{upright}"


def _upright(pixels: NDArray[np.uint8], turn: object) -> NDArray[np.uint8]:
    if turn in _ON_ITS_SIDE:
        pixels = pixels.swapaxes(0, 1)
    if turn in _ROWS_ROUND:
        pixels = pixels[::-1]
    if turn in _COLUMNS_ROUND:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB: 16 and 32 bits scaled, what shows through is white as on a page."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        grey = _eight_bits(values)
        if isinstance(image.info.get("transparency"), int):
            grey = np.where(values == image.info["transparency"], np.uint8(255), grey)
        return Image.fromarray(grey).convert("RGB")
    with _as_image_error():
        if image.has_transparency_data:
            layered = image.convert("RGBA")
            page = Image.new("RGBA", layered.size, "white")
            return Image.alpha_composite(page, layered).convert("RGB")
        return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of any depth as 0 to 255, by the range that the file's type can hold."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return np.asarray(values >> 8, dtype=np.uint8)
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if low >= 0 and high <= 255 and values.dtype.kind != "f":
        return np.asarray(grey, dtype=np.uint8)
    if low >= 0 and 255 < high <= 65535 and values.dtype.kind != "f":
        return np.asarray(grey / 257, dtype=np.uint8)
    scale = 255 / (high - low) if high > low else 0.0
    return np.asarray((grey - low) * scale, dtype=np.uint8)
