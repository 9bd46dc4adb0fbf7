"""Identity is the picture: what programs write into photos beside it changes no id."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from organizer import decode
from organizer.identity import file_hash, heif, identify, picture_hash

decode.register_codecs()

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF", "JPEG2000", "BMP")
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")


def _pixels(seed: int = 0) -> np.ndarray:
    rows, columns = np.mgrid[0:48, 0:64]
    noise = np.random.default_rng(seed).integers(0, 40, (48, 64, 3))
    return (np.stack([rows * 4, columns * 3, rows + columns], axis=-1) + noise).astype(np.uint8)


def _encoded(kind: str, *, seed: int = 0, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(_pixels(seed)).save(out, kind, **options)
    return out.getvalue()


def _exif(**tags: object) -> Image.Exif:
    made = Image.Exif()
    names = {"Artist": 0x013B, "Orientation": 0x0112, "Copyright": 0x8298}
    for name, value in tags.items():
        made[names[name]] = value
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_another_picture_has_another_id(kind: str) -> None:
    assert picture_hash(_encoded(kind)) != picture_hash(_encoded(kind, seed=1))


@pytest.mark.parametrize("kind", WITH_EXIF)
def test_a_tag_changes_the_file_and_not_the_picture(kind: str) -> None:
    plain = identify(_encoded(kind, exif=_exif(Artist="A")))
    tagged = identify(_encoded(kind, exif=_exif(Artist="Somebody else", Copyright="2026")))
    assert tagged.file != plain.file
    assert tagged.picture == plain.picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_orientation_tag_is_no_part_of_the_id(kind: str) -> None:
    turned = _encoded(kind, exif=_exif(Orientation=6))
    assert picture_hash(turned) == picture_hash(_encoded(kind))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_is_no_part_of_the_id(kind: str) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert picture_hash(_encoded(kind, icc_profile=profile)) == picture_hash(_encoded(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_in_two_formats_is_two_images(kind: str) -> None:
    others = {picture_hash(_encoded(other)) for other in KINDS if other != kind}
    assert picture_hash(_encoded(kind)) not in others


def test_ids_have_32_hexadecimal_digits() -> None:
    for data in (b"", b"x", _encoded("JPEG")):
        found = identify(data)
        assert len(bytes.fromhex(found.picture)) == len(bytes.fromhex(found.file)) == 16


@given(st.binary(max_size=200))
def test_the_hash_of_a_file_is_the_first_128_bits_of_blake3(data: bytes) -> None:
    assert file_hash(data) == blake3(data).digest()[:16].hex()


# --- JPEG ----------------------------------------------------------------------------------------


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each segment before the first scan begins, with its marker."""
    at = 2
    while data[at + 1] != 0xDA:
        yield at, data[at + 1]
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    yield at, 0xDA


_JPEGS = {
    "baseline": _encoded("JPEG", quality=90),
    "progressive": _encoded("JPEG", progressive=True),
    "restarts": _encoded("JPEG", restart_marker_blocks=2),
}
_PAYLOADS = st.binary(max_size=60).filter(lambda p: not p.startswith((b"Adobe", b"JFIF")))


@pytest.mark.parametrize("name", _JPEGS)
@given(
    inserted=st.lists(
        st.tuples(st.integers(0, 20), st.sampled_from([*range(0xE0, 0xF0), 0xFE]), _PAYLOADS),
        max_size=5,
    ),
    behind=st.binary(max_size=300),
)
@settings(max_examples=60)
def test_segments_of_applications_and_what_lies_behind_change_no_id(
    name: str, inserted: list[tuple[int, int, bytes]], behind: bytes
) -> None:
    data = _JPEGS[name]
    places = [at for at, _ in _segments(data)]
    changed = bytearray(data)
    for place, marker, payload in sorted(inserted, key=lambda item: -(item[0] % len(places))):
        changed[places[place % len(places)] : places[place % len(places)]] = _segment(
            marker, payload
        )
    assert picture_hash(bytes(changed) + behind) == picture_hash(data)


@pytest.mark.parametrize("name", _JPEGS)
@given(at=st.integers(0), value=st.integers(1, 255))
@settings(max_examples=150)
def test_a_byte_of_tables_or_scans_changes_the_id(name: str, at: int, value: int) -> None:
    data = bytearray(_JPEGS[name])
    first = next(place for place, marker in _segments(bytes(data)) if not 0xE0 <= marker <= 0xEF)
    place = first + 4 + at % (len(data) - first - 6)
    data[place] ^= value
    assert picture_hash(bytes(data)) != picture_hash(_JPEGS[name])


def test_a_thumbnail_in_a_segment_is_not_taken_for_the_end() -> None:
    data = _JPEGS["baseline"]
    thumbnail = _encoded("JPEG", seed=3, quality=20)
    tagged = data[:2] + _segment(0xE1, b"Exif\0\0" + thumbnail) + data[2:]
    assert picture_hash(tagged) == picture_hash(data)


def test_further_pictures_and_padding_behind_the_end_do_not_count() -> None:
    data = _JPEGS["baseline"]
    assert picture_hash(data + _encoded("JPEG", seed=4)) == picture_hash(data)
    assert picture_hash(data[:-2] + b"\xff\xff\xff" + data[-2:]) == picture_hash(data)
    assert picture_hash(data[:2] + b"\xff\xff" + data[2:]) == picture_hash(data)


def test_a_missing_end_is_the_same_picture_and_a_missing_part_is_not() -> None:
    data = _JPEGS["baseline"]
    assert picture_hash(data[:-2]) == picture_hash(data)
    assert picture_hash(data[:-40]) != picture_hash(data)


def test_a_dropped_jfif_segment_that_decides_nothing_changes_no_id() -> None:
    data = _JPEGS["baseline"]
    assert data[3] == 0xE0
    without = data[:2] + data[4 + struct.unpack_from(">H", data, 4)[0] :]
    assert picture_hash(without) == picture_hash(data)
    assert np.array_equal(_decoded(without), _decoded(data))


def test_adobes_transform_decides_the_colours_and_so_the_id() -> None:
    data = _JPEGS["baseline"]
    without = data[:2] + data[4 + struct.unpack_from(">H", data, 4)[0] :]

    def marked(transform: int) -> bytes:
        payload = b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)
        return without[:2] + _segment(0xEE, payload) + without[2:]

    assert not np.array_equal(_decoded(marked(0)), _decoded(marked(1)))
    assert picture_hash(marked(0)) != picture_hash(marked(1))
    assert np.array_equal(_decoded(marked(1)), _decoded(without))
    assert picture_hash(marked(1)) == picture_hash(without)


def test_four_components_are_told_apart_by_adobes_mark() -> None:
    out = io.BytesIO()
    Image.fromarray(_pixels()).convert("CMYK").save(out, "JPEG")
    data = out.getvalue()
    place = next(at for at, marker in _segments(data) if marker == 0xEE)
    other = bytearray(data)
    other[place + 15] ^= 2
    assert picture_hash(bytes(other)) != picture_hash(data)


def _decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


# --- PNG -----------------------------------------------------------------------------------------


def _chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


_PNG = _encoded("PNG")


@given(
    cuts=st.lists(st.integers(1, 5000), max_size=6),
    texts=st.lists(st.tuples(st.sampled_from([b"tEXt", b"iTXt", b"tIME", b"eXIf", b"gAMA"]),
                             st.binary(max_size=50)), max_size=4),
    last=st.booleans(),
)  # fmt: skip
@settings(max_examples=80)
def test_texts_and_other_cuts_change_no_id_of_a_png(
    cuts: list[int], texts: list[tuple[bytes, bytes]], last: bool
) -> None:
    chunks = _chunks(_PNG)
    stream = b"".join(content for kind, content in chunks if kind == b"IDAT")
    places = sorted({cut % len(stream) for cut in cuts} | {0, len(stream)})
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    more = [_chunk(kind, content) for kind, content in texts]
    changed = b"".join(
        [
            _PNG[:8],
            _chunk(*chunks[0]),
            *([] if last else more),
            *(_chunk(b"IDAT", piece) for piece in pieces),
            *(more if last else []),
            _chunk(b"IEND", b""),
        ]
    )
    assert picture_hash(changed) == picture_hash(_PNG)


def test_text_that_pillow_writes_changes_no_id_of_a_png() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "a lynx")
    assert picture_hash(_encoded("PNG", pnginfo=info)) == picture_hash(_PNG)


def test_transparency_and_palette_decide_the_id_of_a_png() -> None:
    image = Image.fromarray(_pixels()).quantize(16)
    made = []
    for options in ({}, {"transparency": 3}):
        out = io.BytesIO()
        image.save(out, "PNG", **options)
        made.append(out.getvalue())
    image.putpalette([255 - value for value in image.getpalette() or []])
    out = io.BytesIO()
    image.save(out, "PNG")
    assert len({picture_hash(data) for data in [*made, out.getvalue()]}) == 3


# --- The others ----------------------------------------------------------------------------------


def test_a_webp_that_becomes_an_extended_one_is_the_same() -> None:
    plain = _encoded("WEBP", quality=80)
    tagged = _encoded("WEBP", quality=80, exif=_exif(Artist="A"), xmp=b"<x/>")
    assert b"VP8X" in tagged
    assert b"VP8X" not in plain
    assert picture_hash(tagged) == picture_hash(plain)


def test_frames_of_an_animation_count() -> None:
    frames = [Image.fromarray(_pixels(seed)) for seed in (5, 6)]
    for kind in ("WEBP", "PNG", "GIF"):
        made = []
        for second in frames:
            out = io.BytesIO()
            Image.fromarray(_pixels()).save(out, kind, save_all=True, append_images=[second])
            made.append(picture_hash(out.getvalue()))
        assert made[0] != made[1], kind


def test_a_comment_changes_no_id_of_a_gif() -> None:
    assert picture_hash(_encoded("GIF", comment=b"lynx" * 100)) == picture_hash(_encoded("GIF"))


def test_a_tiff_whose_directory_was_moved_is_the_same() -> None:
    data = _encoded("TIFF")
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    directory = data[at : at + 2 + 12 * count]
    text = b"a keyword\0"
    more = struct.pack("<HHII", 40094, 1, len(text), len(data))
    entries = sorted([directory[2 + 12 * n : 14 + 12 * n] for n in range(count)] + [more])
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    end = len(data) + len(text)
    changed = (
        data[:4] + struct.pack("<I", end) + data[8:] + text
        + struct.pack("<H", count + 1) + b"".join(entries) + bytes(4)
    )  # fmt: skip
    assert Image.open(io.BytesIO(changed)).size == (64, 48)
    assert picture_hash(changed) == picture_hash(data)


def test_the_second_page_of_a_tiff_counts() -> None:
    made = []
    for seed in (1, 2):
        out = io.BytesIO()
        Image.fromarray(_pixels()).save(
            out, "TIFF", save_all=True, append_images=[Image.fromarray(_pixels(seed))]
        )
        made.append(picture_hash(out.getvalue()))
    assert made[0] != made[1]


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_exif_is_an_item_beside_the_picture(kind: str) -> None:
    data = _encoded(kind, exif=_exif(Artist="A" * 40))
    assert picture_hash(data.replace(b"A" * 40, b"B" * 40)) == picture_hash(data)


def test_alpha_of_an_avif_counts() -> None:
    made = []
    for alpha in (255, 128, 0):
        image = Image.fromarray(_pixels()).convert("RGBA")
        image.putalpha(alpha)
        out = io.BytesIO()
        image.save(out, "AVIF")
        made.append(picture_hash(out.getvalue()))
    assert made[1] != made[2]


def test_the_rotation_of_a_heif_is_its_view_and_not_its_identity() -> None:
    data = _encoded("AVIF", exif=_exif(Orientation=6))
    place = data.index(b"irot") + 4
    other = data[:place] + bytes([data[place] ^ 2]) + data[place + 1 :]
    assert picture_hash(other) == picture_hash(data)
    assert heif.heif_view(memoryview(other)) != heif.heif_view(memoryview(data))


def test_comments_in_a_jpeg_2000_codestream_do_not_count() -> None:
    for options in ({"no_jp2": True}, {"no_jp2": False}):
        plain = _encoded("JPEG2000", **options)
        assert picture_hash(_encoded("JPEG2000", comment="lynx", **options)) == picture_hash(plain)


def test_a_box_of_metadata_in_a_jpeg_2000_does_not_count() -> None:
    data = _encoded("JPEG2000", no_jp2=False)
    box = struct.pack(">I4s", 24 + 9, b"uuid") + bytes(16) + b"<x:xmp/> "
    assert picture_hash(data + box) == picture_hash(data)


# --- Hostile bytes -------------------------------------------------------------------------------

_SEEDS = [_encoded(kind) for kind in KINDS] + [_encoded("AVIF", exif=_exif(Artist="A"))]


@given(
    data=st.sampled_from(_SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 1 << 20),
)
@settings(max_examples=400)
def test_nothing_is_raised_for_damaged_files(
    data: bytes, edits: list[tuple[int, int]], cut: int
) -> None:
    changed = bytearray(data)
    for at, value in edits:
        changed[at % min(len(changed), 600)] = value
    for damaged in (bytes(changed), bytes(changed[: cut % len(changed)])):
        assert identify(damaged) == identify(damaged)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"\xff\xd8\xff" + b"\xff" * 4_000_000,
        lambda: b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000,
        lambda: b"\xff\xd8\xff\xda\x00\x02" + b"\xff\xd0" * 2_000_000,
        lambda: b"\xff\xd8" + b"\xff\xda\x00\x02\xff" * 800_000,
        lambda: b"\x89PNG\r\n\x1a\n" + _chunk(b"IDAT", b"") * 300_000,
        lambda: b"RIFF\xff\xff\xff\x7fWEBP" + b"VP8 \0\0\0\0" * 500_000,
        lambda: b"GIF89a" + bytes(7) + b"!\xfe\0" * 1_000_000,
        lambda: b"\0\0\0\x10ftypheic\0\0\0\0" + b"\0\0\0\x08free" * 500_000,
    ],
    ids=["fill", "segments", "restarts", "scans", "chunks", "riff", "blocks", "boxes"],
)
def test_hostile_files_take_no_longer_than_their_size(make: Callable[[], bytes]) -> None:
    import time

    data = make()
    began = time.process_time()
    identify(data)
    assert time.process_time() - began < 4.0


def test_overlapping_strips_are_not_hashed_again_and_again() -> None:
    strips, size = 20_000, 400_000
    head = b"II*\0" + struct.pack("<I", 8)
    tags = [
        (256, 3, 1, 64), (257, 3, 1, 48), (273, 4, strips, 200), (279, 4, strips, 200 + 4 * strips)
    ]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags)
    data = (head + directory + bytes(4)).ljust(200, b"\0")
    data += struct.pack("<I", 0) * strips + struct.pack("<I", size) * strips
    data = data.ljust(size, b"\0")
    assert picture_hash(data) == picture_hash(data)


def test_every_hostile_file_has_an_identity(hostile: Path) -> None:
    for file in sorted(hostile.rglob("*")):
        if file.is_file():
            identify(file.read_bytes())
