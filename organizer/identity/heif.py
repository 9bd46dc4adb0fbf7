"""The picture data of HEIF and AVIF: the primary item, what it is derived from, and its alpha.

A file is a set of items (ISO/IEC 23008-12): coded pictures, grids of them, thumbnails, Exif, XMP.
The primary item counts, with the items that it is derived from and those that are auxiliary to it,
and of each the properties that decide decoding. Left out are Exif, XMP, thumbnails, and what is the
view (`heif_view`): the colour profile, and the properties irot and imir, which programs that rotate
a photo write.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from organizer.identity.boxes import boxes
from organizer.identity.parts import Parts, Pieces, derived, total

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2",
           b"avif", b"avis", b"avci", b"jpeg", b"j2ki", b"1pic"}  # fmt: skip
_DECIDING = {b"hvcC", b"av1C", b"avcC", b"vvcC", b"j2kH", b"jpgC", b"uncC", b"cmpd", b"ispe",
             b"clap", b"pixi", b"auxC", b"lsel", b"a1op", b"a1lx"}  # fmt: skip
_TURNS = {b"irot", b"imir"}
_DERIVED_FROM, _AUXILIARY_TO = b"dimg", b"auxl"
_MOST_ITEMS = 1 << 14


def is_heif(data: bytes) -> bool:
    """Whether a file begins like a still picture of the HEIF family."""
    if data[4:8] != b"ftyp":
        return False
    length = int.from_bytes(data[:4], "big")
    brands = data[8 : min(length, 256)]
    return any(brands[at : at + 4] in _BRANDS for at in range(0, len(brands), 4) if at != 4)


def heif_parts(data: memoryview) -> Parts | None:
    """The items of the picture; None where there is no primary item with data."""
    items = _Items.read(data)
    if items is None:
        return None
    found: Parts = []
    for number, item_id in enumerate(items.of_picture()):
        content = items.content(data, item_id)
        found.append(derived("item", f"{number} {items.kinds.get(item_id, b'')!r}"))
        found += items.properties_of(item_id)
        found.append(("data", content))
        if total(found) > 2 * len(data):
            return None  # extents that overlap, without end
    return found if any(label == "data" and pieces for label, pieces in found) else None


def heif_view(data: memoryview) -> bytes:
    """What decides how the primary item is shown: its rotation, mirroring and colour profile."""
    items = _Items.read(data)
    if items is None:
        return b""
    shown = items.properties.get(items.primary, [])
    return b"".join(
        kind + bytes(content)
        for kind, content in shown
        if kind in _TURNS or (kind == b"colr" and bytes(content[:4]) != b"nclx")
    )


@dataclass(slots=True)
class _Items:
    """The items of a file.

    Attributes:
        primary: The primary item.
        kinds: The type of each.
        places: The construction method of each, and its extents: offset and length.
        properties: The properties of each.
        references: By kind and item, the items that it refers to.
        inside: The data in the meta box itself.
    """

    primary: int = -1
    kinds: dict[int, bytes] = field(default_factory=dict)
    places: dict[int, tuple[int, list[tuple[int, int]]]] = field(default_factory=dict)
    properties: dict[int, list[tuple[bytes, memoryview]]] = field(default_factory=dict)
    references: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)
    inside: memoryview = field(default_factory=lambda: memoryview(b""))

    @classmethod
    def read(cls, data: memoryview) -> _Items | None:
        """The items that the meta box of a file tells of; None where there is none."""
        for kind, content in boxes(data):
            if kind == b"meta":
                items = cls()
                for name, inner in boxes(content[4:]):
                    if name in _READERS:
                        _READERS[name](items, inner)
                return items if items.primary in items.places else None
        return None

    def of_picture(self) -> list[int]:
        """The primary item and all that it is made of, each once, in the order of the file."""
        found: dict[int, None] = {}
        waiting = [self.primary]
        auxiliary: dict[int, list[int]] = {}
        for (kind, item_id), others in self.references.items():
            if kind == _AUXILIARY_TO:
                for other in others:
                    auxiliary.setdefault(other, []).append(item_id)
        while waiting:
            item_id = waiting.pop()
            if item_id not in found and len(found) < _MOST_ITEMS:
                found[item_id] = None
                made_of = self.references.get((_DERIVED_FROM, item_id), [])
                waiting += reversed([*made_of, *auxiliary.get(item_id, [])])
        return list(found)

    def properties_of(self, item_id: int) -> Parts:
        """The properties of an item that decide decoding."""
        return [
            (kind.decode(), [content])
            for kind, content in self.properties.get(item_id, [])
            if kind in _DECIDING or (kind == b"colr" and bytes(content[:4]) == b"nclx")
        ]

    def content(self, data: memoryview, item_id: int) -> Pieces:
        """The bytes of an item; none where it has none, or of a kind that is not known."""
        method, extents = self.places.get(item_id, (0, []))
        if method > 1:
            raise ValueError("an item that is made of other items' bytes")
        source = self.inside if method == 1 else data
        return [source[at : at + length] if length else source[at:] for at, length in extents]


def _read_primary(items: _Items, content: memoryview) -> None:
    kind = ">I" if content[0] else ">H"
    items.primary = int(struct.unpack_from(kind, content, 4)[0])


def _read_inside(items: _Items, content: memoryview) -> None:
    items.inside = content


def _read_kinds(items: _Items, content: memoryview) -> None:
    for kind, entry in boxes(content[6 if content[0] == 0 else 8 :]):
        if kind == b"infe" and entry[0] >= 2:
            width = 2 if entry[0] == 2 else 4
            item_id = int.from_bytes(entry[4 : 4 + width], "big")
            items.kinds[item_id] = bytes(entry[6 + width : 10 + width])


def _read_references(items: _Items, content: memoryview) -> None:
    width = 4 if content[0] else 2
    for kind, entry in boxes(content[4:]):
        item_id = int.from_bytes(entry[:width], "big")
        count = int.from_bytes(entry[width : width + 2], "big")
        to = entry[width + 2 : width + 2 + count * width]
        ids = [int.from_bytes(to[at : at + width], "big") for at in range(0, len(to), width)]
        items.references.setdefault((kind, item_id), []).extend(ids)


def _read_places(items: _Items, content: memoryview) -> None:
    version = content[0]
    offsets, lengths = content[4] >> 4, content[4] & 15
    bases, indices = content[5] >> 4, content[5] & 15 if version else 0
    wide = 4 if version == 2 else 2
    reader = _Numbers(content, 6)
    for _ in range(reader.next(wide)):
        item_id = reader.next(wide)
        method = reader.next(2) & 15 if version else 0
        reader.next(2)  # the file that it lies in: this one
        base = reader.next(bases)
        extents = []
        for _ in range(reader.next(2)):
            reader.next(indices)
            extents.append((base + reader.next(offsets), reader.next(lengths)))
        items.places[item_id] = method, extents


def _read_properties(items: _Items, content: memoryview) -> None:
    listed: list[tuple[bytes, memoryview]] = []
    for kind, inner in boxes(content):
        if kind == b"ipco":
            listed = list(boxes(inner))
        elif kind == b"ipma":
            _associate(items, inner, listed)


def _associate(items: _Items, content: memoryview, listed: list[tuple[bytes, memoryview]]) -> None:
    wide_ids, wide_indices = content[0] > 0, content[3] & 1
    reader = _Numbers(content, 4)
    for _ in range(reader.next(4)):
        item_id = reader.next(4 if wide_ids else 2)
        for _ in range(reader.next(1)):
            index = reader.next(2) & 0x7FFF if wide_indices else reader.next(1) & 0x7F
            if index:
                items.properties.setdefault(item_id, []).append(listed[index - 1])


class _Numbers:
    """Numbers of several widths, one after another."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data, self._at = data, at

    def next(self, width: int) -> int:
        """The next number, of so many bytes.

        Raises:
            ValueError: The data ends before.
        """
        if self._at + width > len(self._data):
            raise ValueError("a table ends early")
        number = int.from_bytes(self._data[self._at : self._at + width], "big")
        self._at += width
        return number


_READERS = {
    b"pitm": _read_primary,
    b"idat": _read_inside,
    b"iinf": _read_kinds,
    b"iref": _read_references,
    b"iloc": _read_places,
    b"iprp": _read_properties,
}
