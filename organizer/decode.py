"""ImageRef -> DecodedImage: upright RGB, at a reduced size where that is enough.

Whatever is in a file, the answer is a picture or an `ImageError`; no decoder's own exception gets
out. The content is read once: what is hashed is what is decoded.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from organizer import coordinates, exif, identity
from organizer.errors import ImageError
from organizer.file_kinds import FileKind, file_kind
from organizer.pixels import bands, jpeg, jxl, raw, video
from organizer.pixels.colour import ColourProfiles
from organizer.pixels.depth import eight_bits
from organizer.pixels.turns import ON_ITS_SIDE, upright
from organizer.types import DecodedImage, ImageRef
from organizer.xmp import xmp_tags

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
    "JXL",
)
"""Pillow's names of what is opened; "JPEG" opens "MPO" too. Others are left out on purpose: EPS
would run a program."""

_JPEG_MAGIC = b"\xff\xd8\xff"

_LARGE = 2**26
"""Pixels from which a picture is made RGB in strips, and reduced as that is done: with all of it
in memory twice a worker would have too little."""

_STRIP = 2**22
"""Pixels of such a strip."""

_PROFILE_BYTES = 4  # two profiles of one photo share a digest with a chance below 10 ** -9

_AXES = {"GPSLatitude": "latitude", "GPSLongitude": "longitude"}
_SUBFILE_TYPE, _BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 254, 258, 262, 339
_MIN_SAMPLE, _MAX_SAMPLE, _NO_DATA = 280, 281, 42_113
_SMALL_COPY_OR_MASK, _WHITE_IS_ZERO = 0b101, 0


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
    profiles: ColourProfiles | None = None,
    only_tags: bool = False,
    frame_at: float | None = None,
) -> DecodedImage:
    """The picture in a file's bytes, in sRGB; of several the one that a viewer shows.

    A JPEG of which a part is missing is a picture as long as a quarter of its rows is there: it
    cannot be taken again. The missing rows are grey, and `DecodedImage.damage` tells of them.

    Of a camera's raw file the picture is the largest that the camera put into it, with the tags of
    the raw file; see `organizer.pixels.raw`.

    Args:
        ref: Where the bytes came from.
        data: The whole content of the file.
        image_id: The image, where it is known already; else the hash of the picture.
        min_side: A JPEG is decoded at the smallest of libjpeg's scales (1, 1/2, 1/4, 1/8) whose
            shorter side still has as many pixels. None decodes every picture in full.
        max_pixels: A picture with more is refused before it is decoded; where None, only one that
            is a decompression bomb.
        profiles: Keeps what converts colours from one picture to the next.
        only_tags: Whether to read what is said of the picture and not the picture: `pixels` are
            ``(0, 0, 3)`` then.
        frame_at: Which frame of a video, in seconds; None for the first.

    Raises:
        ImageError: It is no image of a kind that is read, is damaged, or is a decompression bomb.
    """
    register_codecs()
    decoding = _Decoding(
        ref,
        image_id or identity.picture_hash(data),
        min_side,
        max_pixels,
        profiles or ColourProfiles(),
        only_tags=only_tags,
    )
    if is_video(ref):
        return decoding.of_frame(video.video_frame(data, frame_at or 0.0, max_pixels=max_pixels))
    if raw.is_raw(data, ref.file.suffix.lower()):
        return decoding.of_raw(data)
    return decoding.of_picture(data)


def decode_frames(
    ref: ImageRef, data: bytes, *, image_id: str, most: int
) -> Iterator[DecodedImage]:
    """Frames of a video, one a second, `most` at most; see `organizer.pixels.video`.

    Raises:
        ImageError: It is none that can be read, or is damaged.
    """
    decoding = _Decoding(ref, image_id, None, None, ColourProfiles())
    return map(decoding.of_frame, video.video_frames(data, most=most, max_pixels=_bomb_pixels()))


def is_video(ref: ImageRef) -> bool:
    """Whether a file is a video, by its name."""
    return file_kind(ref.file.suffix.lower()) is FileKind.VIDEO


@dataclass(frozen=True, slots=True)
class _Decoding:
    """What `decode_image` was asked for."""

    ref: ImageRef
    image_id: str
    min_side: int | None
    max_pixels: int | None
    profiles: ColourProfiles
    only_tags: bool = False

    def of_picture(self, data: bytes, *, exif_block: bytes | None = None) -> DecodedImage:
        """Decode a picture; where there is a block of EXIF, that tells its tags."""
        min_side, max_pixels = self.min_side, self.max_pixels
        with _as_image_error():
            opened = self._opened(data)
            if opened is None:
                return _read_bands(self.ref, data, self.image_id, max_pixels)
            image = opened
            holds_more = _go_to_primary(image)
            width, height = image.size
            if max_pixels is not None:
                _refuse_larger(image.size, max_pixels)
            stated = _turned_by_pillow(image)
            if self.only_tags:
                loaded = _Loaded(image, np.empty((0, 0, 3), dtype=np.uint8))
            else:
                loaded = _load(image, data, min_side=min_side, max_pixels=max_pixels)
        tags, blocks = _tags(image)
        if exif_block is not None:
            own, blocks = _tags_of_block(exif_block)
            tags = {"Orientation": tags.get("Orientation", 1)} | own
        turn: object = tags.pop("Orientation", 1)
        if stated is None:
            width, height = (height, width) if turn in ON_ITS_SIDE else (width, height)
        else:  # Pillow gives the size as it is shown, and turns what it loads
            turn = 1 if loaded.pixels is None else stated
        profile = image.info.get("icc_profile")
        pixels = loaded.pixels
        if pixels is None:
            pixels = _reduced_rgb(loaded.image, min_side)
        if not self.only_tags and self.profiles.changes(profile):
            pixels = _in_srgb(loaded.image, pixels, profile, self.profiles, min_side)
        pixels = upright(pixels, turn)
        return DecodedImage(
            self.ref,
            self.image_id,
            pixels,
            width,
            height,
            image.format or "unknown",
            tags,
            blocks,
            view=_view(profile, data, turn if stated is None else stated),
            damage=loaded.damage,
            holds_more=holds_more,
        )

    def _opened(self, data: bytes) -> Image.Image | None:
        """A picture as Pillow opens it; None for a TIFF that it does not know."""
        if jxl.is_jxl(data):
            _refuse_larger(jxl.size_of(data), self.max_pixels or _bomb_pixels())
        try:
            return Image.open(io.BytesIO(data), formats=_installed_formats())
        except Image.DecompressionBombError:
            least = 1 if self.only_tags else self.min_side
            if least is None or not data.startswith(_JPEG_MAGIC):
                raise
            image = jpeg.open_jpeg(data)
            if not jpeg.is_within(image, least, _bomb_pixels()):
                raise
            return image
        except UnidentifiedImageError:
            if data.startswith(bands.MAGIC):
                return None
            raise

    def of_frame(self, frame: video.VideoFrame) -> DecodedImage:
        """A frame of a video as a picture."""
        height, width = frame.pixels.shape[:2]
        return DecodedImage(
            self.ref,
            self.image_id,
            frame.pixels[:0, :0] if self.only_tags else frame.pixels,
            width,
            height,
            self.ref.file.suffix[1:].upper(),
            frame.tags,
            view="1",
            frame_at=frame.at,
            duration=frame.duration,
        )

    def of_raw(self, data: bytes) -> DecodedImage:
        """Decode a raw file: the largest of its previews that is a picture, or all of it."""
        kind = self.ref.file.suffix[1:].upper() or "RAW"
        block = raw.exif_block(data)
        for preview in raw.previews(data):
            try:
                shown = self.of_picture(preview, exif_block=block)
            except ImageError as error:
                if error.too_large:
                    raise
                continue
            return replace(shown, format=kind, holds_more=False)
        pixels = raw.develop(data)
        tags, blocks = ({}, {}) if block is None else _tags_of_block(block)
        tags.pop("Orientation", None)
        height, width = pixels.shape[:2]
        return DecodedImage(
            self.ref, self.image_id, pixels, 2 * width, 2 * height, kind, tags, blocks, view="1"
        )


def _refuse_larger(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"the picture has {width * height:,} pixels, over the limit of {max_pixels:,}",
            too_large=True,
        )


def _bomb_pixels() -> int:
    """The pixels from which Pillow takes a picture for a decompression bomb."""
    return 2 * (Image.MAX_IMAGE_PIXELS or 2**27)


def _installed_formats() -> list[str]:
    return [name for name in FORMATS if name in Image.OPEN]


def register_codecs() -> None:
    """Teach Pillow all its formats, the HEIF family and, where it is installed, JPEG XL.

    Done again it changes nothing.
    """
    Image.init()
    if "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()
    if "JXL" not in Image.OPEN and find_spec("pillow_jxl") is not None:
        import_module("pillow_jxl")


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
        reason = f"the picture has more than {_bomb_pixels():,} pixels"
        raise ImageError(reason, too_large=True) from error
    except UnidentifiedImageError as error:
        raise ImageError("not an image of a kind that can be read") from error
    except MemoryError as error:
        raise ImageError("there is not enough memory for the picture", lasting=False) from error
    except _DECODER_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"the picture is damaged: {reason}") from error


_Tags = dict[str, str | int | float]


def _tags(image: Image.Image) -> tuple[_Tags, dict[str, bytes]]:
    """The tags that are kept; a damaged EXIF block loses tags, never the picture."""
    found = _plain_tags(image)
    if found is None:
        found = _tags_by_pillow(image)
    tags, blocks = _kept(found)
    return _with_xmp(tags, image.info.get("xmp")), blocks


def _tags_of_block(block: bytes) -> tuple[_Tags, dict[str, bytes]]:
    """The tags of an EXIF block, likewise."""

    def opened() -> Image.Exif:
        read = Image.Exif()
        read.load(b"Exif\0\0" + block.removeprefix(b"Exif\0\0"))
        return read

    found = exif.plain_tags(block)
    return _kept(_tags_in(opened) if found is None else _with_place(found))


def _kept(found: Mapping[str, Any]) -> tuple[_Tags, dict[str, bytes]]:
    blocks = {name: value for name in exif.BLOCKS if isinstance(value := found.get(name), bytes)}
    tags: _Tags = {}
    for name, value in found.items():
        if isinstance(value, bytes) and name not in blocks:
            value = value.decode("latin-1")  # noqa: PLW2901 - a text of an undefined type
        if isinstance(value, str):
            # In a time, what cannot be printed may stand for a blank.
            tags[name] = value.strip("\0 ") if "Time" in name else exif.clean_text(value)
        elif isinstance(value, int | float):
            tags[name] = value
    return tags, blocks


def _with_xmp(tags: _Tags, packet: object) -> _Tags:
    """Tags with the times of an XMP packet, and with its place where EXIF tells of none."""
    is_placed = "GPSStatus" in tags
    if packet is None or (is_placed and "DateTimeOriginal" in tags):
        return tags
    found = xmp_tags(packet)
    degrees = [
        coordinates.degrees_of_xmp(found.pop(f"XMP:{name}", ""), axis=axis)
        for name, axis in _AXES.items()
    ]
    place = coordinates.place(degrees[0], degrees[1], found.pop("XMP:GPSStatus", None))
    told = {} if is_placed else dict(zip(_AXES, place, strict=True))
    return tags | found | {name: value for name, value in told.items() if value is not None}


def _plain_tags(image: Image.Image) -> dict[str, Any] | None:
    """The tags of a JPEG whose EXIF block is in order; XMP may tell what such a block does not."""
    block = image.info.get("exif")
    if image.format != "JPEG" or not isinstance(block, bytes):
        return None
    found = exif.plain_tags(block)
    if found is None or (found["Orientation"] is None and "xmp" in image.info):
        return None
    return _with_place(found)


def _tags_by_pillow(image: Image.Image) -> dict[str, Any]:
    return _tags_in(image.getexif)


def _tags_in(open_exif: Callable[[], Image.Exif]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        outer = open_exif()
        found["Orientation"] = outer.get(exif.ORIENTATION)
        found["Make"], found["Model"] = outer.get(exif.MAKE), outer.get(exif.MODEL)
        found["DateTime"] = outer.get(exif.DATE_TIME)
        found.update({name: outer.get(tag) for tag, name in exif.MISPLACED.items()})
        inner = outer.get_ifd(exif.EXIF_IFD)
        found.update({name: inner.get(tag, found.get(name)) for tag, name in exif.INNER.items()})
        found["AmbientTemperature"] = _number(inner.get(exif.AMBIENT_TEMPERATURE))
        gps = outer.get_ifd(exif.GPS_IFD)
        for name, (numbers, side) in (
            ("GPSLatitude", exif.GPS_LATITUDE),
            ("GPSLongitude", exif.GPS_LONGITUDE),
        ):
            found[name] = gps.get(numbers), gps.get(side)
        found["GPSStatus"] = gps.get(exif.GPS_STATUS)
    except _DECODER_ERRORS:
        found.setdefault("Orientation", 1)
    return _with_place(found)


def _number(ratio: Any) -> float | None:
    if getattr(ratio, "denominator", 0) in exif.UNKNOWN:
        return None
    return float(ratio)


def _with_place(found: dict[str, Any]) -> dict[str, Any]:
    """Tags with degrees in place of the numbers and hemispheres of a place."""
    numbers = [found.pop(name, (None, None)) for name in _AXES]
    status = _as_text(found.pop("GPSStatus", None))
    if status is None and any(parts is not None for parts, _ in numbers):
        status = ""  # where EXIF tells of a place, clear or not, XMP does not count
    degrees = [_degrees(*n, axis=axis) for n, axis in zip(numbers, _AXES.values(), strict=True)]
    latitude, longitude = coordinates.place(degrees[0], degrees[1], status)
    return found | {"GPSLatitude": latitude, "GPSLongitude": longitude, "GPSStatus": status}


def _degrees(parts: Any, side: Any, *, axis: str) -> float | None:
    if not isinstance(parts, tuple):
        return None
    if any(getattr(part, "denominator", 1) in exif.UNKNOWN for part in parts):
        return None
    with suppress(TypeError, ValueError, ArithmeticError):
        return coordinates.degrees([float(part) for part in parts], _as_text(side), axis=axis)
    return None


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A picture that was decoded.

    Attributes:
        image: As Pillow has it; not loaded where there are pixels.
        pixels: ``(h, w, 3)`` uint8 RGB, where they were decoded without Pillow.
        damage: See `DecodedImage`.
    """

    image: Image.Image
    pixels: NDArray[np.uint8] | None = None
    damage: str = ""


def _load(
    image: Image.Image, data: bytes, *, min_side: int | None, max_pixels: int | None
) -> _Loaded:
    if image.format in {"JPEG", "MPO"}:
        return _load_jpeg(image, data, min_side)
    if _has_deep_bands(image):
        with suppress(*_DECODER_ERRORS):  # what tifffile does not decompress, Pillow does
            return _Loaded(image, _bands(data, max_pixels).pixels)
    image.load()
    return _Loaded(image)


def _load_jpeg(image: Image.Image, data: bytes, min_side: int | None) -> _Loaded:
    """A JPEG as far as it is there; see `organizer.pixels.jpeg`."""
    full = image.size
    if min_side is not None:
        image.draft(None, (min_side, min_side))
    is_reduced = image.size != full
    pixels = _plain_jpeg(image, data, is_reduced=is_reduced)
    if pixels is not None:
        return _Loaded(image, pixels)
    closed = b""
    for closed in jpeg.closed_forms(data):
        pixels = _plain_jpeg(image, closed, is_reduced=is_reduced)
        if pixels is not None:
            return _Loaded(image, pixels)
    if not closed:  # Pillow tells why
        image.load()
        return _Loaded(image)
    missing = jpeg.missing_share(closed)
    if 1 - missing < jpeg.LEAST_SHARE:
        raise ImageError(f"the picture is damaged: {jpeg.damage_text(missing)}")
    there = jpeg.open_jpeg(closed)
    if min_side is not None:
        there.draft(None, (min_side, min_side))
    there.load()
    is_plain = image.mode in _PLAIN_MODES
    return _Loaded(there, damage=jpeg.damage_text(missing) if missing or is_plain else "")


_PLAIN_MODES = {"RGB", "L"}


def _plain_jpeg(image: Image.Image, data: bytes, *, is_reduced: bool) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG by libjpeg-turbo's own interface: the same ones, a fifth sooner.

    Whatever is not quite in order gives None.
    """
    if image.mode not in _PLAIN_MODES:
        return None
    import simplejpeg

    # Pillow has chosen the scale: of the eighths there is none that is smaller and covers it.
    width, height = image.size if is_reduced else (0, 0)
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, colorspace="RGB", min_width=width, min_height=height, strict=True
        )
    except ValueError:
        return None
    return pixels if pixels.shape == (image.height, image.width, 3) else None


def _go_to_primary(image: Image.Image) -> bool:
    """Go to the picture that a viewer would show; whether the file holds others.

    It is the first: Pillow's readers of the HEIF family begin with the one that is marked. In a
    TIFF it may be a small copy or a mask, marked as such, of one that follows.
    """
    if not getattr(image, "is_animated", False):
        return False
    if image.format == "TIFF":
        first = image.tell()
        while _is_auxiliary(image):
            try:
                image.seek(image.tell() + 1)
            except EOFError:
                image.seek(first)
                break
    return True


def _is_auxiliary(image: Image.Image) -> bool:
    kind = _tiff_tag(image, _SUBFILE_TYPE)
    return isinstance(kind, int) and bool(kind & _SMALL_COPY_OR_MASK)


def _tiff_tag(image: Image.Image, code: int) -> Any:
    """A tag of a TIFF; None where there is none, or the image is no TIFF."""
    tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
    value = None if tags is None else tags.get(code)
    return value[0] if isinstance(value, tuple) and value else value


def _has_deep_bands(image: Image.Image) -> bool:
    """Whether Pillow would keep 8 bits of each band alone, or take signed ones for unsigned."""
    bits = _tiff_tag(image, _BITS_PER_SAMPLE)
    if not isinstance(bits, int):
        return False
    is_signed = bits == 8 and _tiff_tag(image, _SAMPLE_FORMAT) == 2
    return is_signed or (bits > 8 and len(image.getbands()) > 1)


def _bands(data: bytes, max_pixels: int | None) -> bands.BandsPicture:
    return bands.read_bands(data, max_pixels=max_pixels or _bomb_pixels())


def _read_bands(ref: ImageRef, data: bytes, image_id: str, max_pixels: int | None) -> DecodedImage:
    """A TIFF that Pillow does not open."""
    found = _bands(data, max_pixels)
    pixels = upright(found.pixels, found.orientation)
    height, width = pixels.shape[:2]
    return DecodedImage(
        ref,
        image_id,
        pixels,
        width,
        height,
        "TIFF",
        {},
        view=_view(None, data, found.orientation),
        holds_more=found.pages > 1,
    )


def _turned_by_pillow(image: Image.Image) -> object:
    """The orientation that Pillow applies itself when it loads a picture; None where we do."""
    tags = getattr(image, "tag_v2", None)
    return tags.get(exif.ORIENTATION, 1) if image.format == "TIFF" and tags is not None else None


def _view(profile: object, data: bytes, turn: object) -> str:
    """See `DecodedImage.view`: the rotation, and a digest of the colour profile if there is one."""
    shown = identity.view_of(data)
    if isinstance(profile, bytes):
        shown += profile
    upright = turn if turn in range(1, 9) else 1
    return f"{upright} {blake3(shown).hexdigest(_PROFILE_BYTES)}" if shown else f"{upright}"


def _reduced_rgb(image: Image.Image, min_side: int | None) -> NDArray[np.uint8]:
    """A picture as RGB; a large one smaller by a whole number, with twice the pixels needed."""
    factor = min(image.size) // (2 * min_side) if min_side else 1
    if image.width * image.height <= _LARGE or factor < 2 or _is_deep(image):
        return _rgb(image)
    rows = factor * max(1, _STRIP // (factor * image.width))
    strips = (
        _rgb(image.crop((0, top, image.width, min(top + rows, image.height))))
        for top in range(0, image.height, rows)
    )
    return np.concatenate([np.asarray(Image.fromarray(strip).reduce(factor)) for strip in strips])


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Any mode as RGB: deep ones scaled to 8 bits, what shows through is white as on a page."""
    if _is_deep(image):
        values = np.asarray(image)
        grey = _grey(image, values)
        if isinstance(image.info.get("transparency"), int):
            grey = np.where(values == image.info["transparency"], np.uint8(255), grey)
        return np.repeat(grey[..., None], 3, axis=2)
    with _as_image_error():
        if image.has_transparency_data:
            layered = image.convert("RGBA")
            page = Image.new("RGBA", layered.size, "white")
            image = Image.alpha_composite(page, layered)
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _grey(image: Image.Image, values: NDArray[Any]) -> NDArray[np.uint8]:
    bits, black, white = (
        _tiff_tag(image, code) for code in (_BITS_PER_SAMPLE, _MIN_SAMPLE, _MAX_SAMPLE)
    )
    if not isinstance(white, int) and isinstance(bits, int) and 8 < bits < 16:
        white = 2**bits - 1
    grey = eight_bits(
        values,
        black=black if isinstance(black, int) else 0,
        white=white if isinstance(white, int) else None,
        nothing=bands.number(_tiff_tag(image, _NO_DATA)),
    )
    return 255 - grey if _tiff_tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO else grey


def _in_srgb(
    image: Image.Image,
    pixels: NDArray[np.uint8],
    profile: object,
    profiles: ColourProfiles,
    min_side: int | None,
) -> NDArray[np.uint8]:
    """A picture in sRGB; a large one is reduced first, as each pixel takes time."""
    source = image if image.mode == "CMYK" else Image.fromarray(pixels)
    factor = min(source.size) // min_side if min_side else 1
    with _as_image_error():
        source = source.reduce(factor) if factor > 1 else source
        converted = profiles.to_srgb(source, profile)
        return np.asarray(converted if converted.mode == "RGB" else converted.convert("RGB"))
