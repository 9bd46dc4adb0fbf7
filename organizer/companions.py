"""Files that belong to a photo of their folder: its raw file, its video, its sidecars.

A camera, a telephone or a program writes several files for one photo and gives them one stem. In
which order names decide:

1. A sidecar with the full name of a file (``IMG_1.JPG.xmp``) belongs to that file; if it is a raw
   file or a video (``IMG_1.CR2.xmp``), to its photo.
2. A file with the stem of a photo belongs to it: raw files (``IMG_1.CR2``), videos (the ``.MOV`` of
   a live photo), sidecars (``IMG_1.xmp``, ``.AAE``, ``.THM``, ``.WAV``). Capitals decide only where
   both spellings are photos. Of several photos with one stem it belongs to each, and it moves with
   the first: pictures come before raw files, and then the names in their alphabetical order.
3. Google Takeout's ``IMG_1.JPG.supplemental-metadata.json`` is cut at any letter so that the name
   has 46 characters before ``.json``. Where that leaves the beginning of the photo's name only, the
   ``title`` inside the file tells which photo it is. The number of ``IMG_1(1).JPG`` stands at the
   end: ``IMG_1.JPG.supplemental-metadata(1).json``.

A raw file or a video without such a photo is a file of its own.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from organizer.file_kinds import FileKind, file_kind, image_suffixes
from organizer.spelling import name_key

SIDECAR_SUFFIXES = frozenset(
    [".aae", ".acr", ".dop", ".json", ".on1", ".pp3", ".thm", ".vrd", ".wav", ".xmp"]
)
"""Edits and labels (XMP, AAE and those of raw developers), small copies, spoken notes."""

_JSON = ".json"
_MOTION = ".mp"
"""The video ``PXL_1.MP`` of the photo ``PXL_1.MP.jpg``."""

_TAKEOUT = "supplemental-metadata"
_CUT = range(40, 48)
"""How many characters of a cut name are left, its number not among them."""

_NUMBERED = re.compile(r"(.+)(\(\d+\))")
_LARGEST_JSON = 1024**2

_RANKS = {FileKind.RAW: 1, FileKind.VIDEO: 2}
_SIDECAR = max(_RANKS.values()) + 1


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to a photo.

    Attributes:
        name: Its name.
        photos: The names of the photos that it belongs to; it moves with the first.
        end: What follows a photo's stem, or its full name, in its own: begins with a dot.
        has_full_name: Whether `end` follows the full name.
    """

    name: str
    photos: tuple[str, ...]
    end: str
    has_full_name: bool

    def tail(self, photo: str) -> str:
        """What follows the stem when it takes the name of one of its photos: ``.JPG.xmp``."""
        return split_name(photo)[1] + self.end if self.has_full_name else self.end


def find_companions(
    names: Iterable[str],
    *,
    photos: Container[str] = frozenset(),
    title_of: Callable[[str], str | None] = lambda _: None,
    are_read: Container[str] | None = None,
) -> dict[str, Companion]:
    """The companions among the files of one folder, by their names.

    Args:
        names: The names of the files.
        photos: Those that are photos whatever lies beside them: a raw file that is in the library.
        title_of: The title that a sidecar of Google Takeout has inside; see `title_in`.
        are_read: The suffixes of photos, where they are known already: `image_suffixes`.

    Returns:
        The companions, sorted by name.

    Example:
        >>> found = find_companions(["IMG_1.JPG", "IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_2.CR2"])
        >>> {name: companion.photos for name, companion in found.items()}
        {'IMG_1.CR2': ('IMG_1.JPG',), 'IMG_1.CR2.xmp': ('IMG_1.JPG',)}
    """
    ranked: dict[int, list[str]] = {}
    are_read = are_read or image_suffixes()
    for name in sorted(names):
        rank = 0 if name in photos else _rank(name, are_read)
        if rank is not None:
            ranked.setdefault(rank, []).append(name)
    if not ranked.keys() - {0}:
        return {}
    folder = _Folder(title_of, are_read, photos)
    sidecars = ranked.pop(_SIDECAR, [])
    for rank in sorted(ranked):
        folder.add(ranked[rank])
    folder.add_sidecars(sidecars)
    return dict(sorted(folder.found.items()))


def title_in(file: str) -> str | None:
    """The title in a sidecar of Google Takeout: the name of its photo before it was cut."""
    with suppress(OSError, ValueError, RecursionError):
        if os.path.getsize(file) <= _LARGEST_JSON:  # noqa: PTH202 - names come as texts
            with open(file, "rb") as opened:  # noqa: PTH123
                told = json.loads(opened.read())
            title = told.get("title") if isinstance(told, dict) else None
            return title if isinstance(title, str) else None
    return None


def split_name(name: str) -> tuple[str, str]:
    """The stem and the suffix of a name, the suffix with its dot."""
    return os.path.splitext(name)  # noqa: PTH122 - called once per file, and faster than Path


def _rank(name: str, are_read: Container[str]) -> int | None:
    """0 for a picture; None for what is neither a photo nor a companion."""
    suffix = split_name(name)[1].lower()
    if suffix in SIDECAR_SUFFIXES:
        return _SIDECAR
    kind = file_kind(suffix)
    return _RANKS.get(kind, 0 if suffix in are_read else None)


@dataclass(slots=True)
class _Folder:
    """The photos of a folder and what was found to belong to them; pictures are added first."""

    title_of: Callable[[str], str | None]
    are_read: Container[str]
    photos: Container[str]
    found: dict[str, Companion] = field(default_factory=dict)
    _by_stem: dict[str, list[str]] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=dict)
    _sorted: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, names: Sequence[str]) -> None:
        """Add files of one rank: they belong to photos of a rank before, or are photos."""
        alone = []
        for name in names:
            companion = self._of_stem(name)
            if companion is not None:
                self.found[name] = companion
            elif name in self.photos or split_name(name)[1].lower() in self.are_read:
                alone.append(name)
            else:
                continue
            self._by_name.setdefault(name_key(name), []).append(name)
        for name in alone:
            self._by_stem.setdefault(name_key(split_name(name)[0]), []).append(name)

    def add_sidecars(self, names: Sequence[str]) -> None:
        """Add what belongs to a file that was added, or to nothing."""
        for name in names:
            companion = self._of_sidecar(name)
            if companion is not None:
                self.found[name] = companion

    def _of_stem(self, name: str, title: str | None = None) -> Companion | None:
        stem, suffix = split_name(name)
        if suffix.lower() == _MOTION and name_key(name) in self._by_stem:
            stem = name
        photos = [(photo, split_name(photo)[0]) for photo in self._by_stem.get(name_key(stem), ())]
        owners = _exact_first(photos, stem)
        if len(owners) > 1 and title is not None:
            owners = _titled(owners, title) or owners
        return Companion(name, tuple(owners), suffix, has_full_name=False) if owners else None

    def _of_full_name(self, name: str, base: str, end: str) -> Companion | None:
        """The companion of the file that is called `base`."""
        found = self._by_name.get(name_key(base), ())
        owners = _exact_first([(owner, owner) for owner in found], base)
        return self._of_owner(name, owners[0], end) if owners else None

    def _of_owner(self, name: str, owner: str, end: str) -> Companion:
        between = self.found.get(owner)
        if between is None:
            return Companion(name, (owner,), end, has_full_name=True)
        return Companion(name, between.photos, between.end + end, between.has_full_name)

    def _of_sidecar(self, name: str) -> Companion | None:
        base, suffix = split_name(name)
        companion = self._of_full_name(name, base, suffix)
        if companion is not None or suffix.lower() != _JSON:
            return companion or self._of_stem(name)
        is_shared = len(self._by_stem.get(name_key(base), ())) > 1
        title = self.title_of(name) if is_shared else None
        return self._of_stem(name, title) or self._of_takeout(name, base, suffix)

    def _beginning(self, cut: str, number: str) -> list[str]:
        """The files with a number whose name begins with a text, in its `name_key`."""
        if not self._sorted:
            names = (name for names in self._by_name.values() for name in names)
            self._sorted = sorted(map(_without_its_number, names))
        found = []
        for place in range(bisect_left(self._sorted, (cut,)), len(self._sorted)):
            key, its_number, name = self._sorted[place]
            if not key.startswith(cut):
                break
            if its_number == number:
                found.append(name)
        return found

    def _of_takeout(self, name: str, base: str, suffix: str) -> Companion | None:
        plain, number = _without_number(base)
        inner, more = split_name(plain)
        for owner, end in ((plain, suffix), (inner, more + suffix)):
            companion = self._of_full_name(name, _with_number(owner, number), end)
            if companion is not None:
                return companion
        title = self.title_of(name) if len(plain) in _CUT else None
        if title is None:
            return None
        owners = _titled(self._beginning(name_key(plain), number), title)
        # Photo and video of one shot begin alike, and lead to the same photo.
        companions = [self._of_owner(name, owner, f".{_TAKEOUT}{suffix}") for owner in owners]
        return companions[0] if len({found.photos for found in companions}) == 1 else None


def _exact_first(spelled: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    """The names of which the part that counts has the same capitals, or else all."""
    exact = [name for name, part in spelled if part == wanted]
    return exact or [name for name, _ in spelled]


def _without_number(text: str) -> tuple[str, str]:
    """``IMG_1.JPG(1)`` -> ``IMG_1.JPG``, ``(1)``."""
    numbered = _NUMBERED.fullmatch(text)
    return (numbered[1], numbered[2]) if numbered else (text, "")


def _with_number(name: str, number: str) -> str:
    """``IMG_1.JPG``, ``(1)`` -> ``IMG_1(1).JPG``."""
    stem, suffix = split_name(name)
    return f"{stem}{number}{suffix}"


def _without_its_number(name: str) -> tuple[str, str, str]:
    """The `name_key` of a name without its number, the number, and the name."""
    stem, suffix = split_name(name)
    plain, number = _without_number(stem)
    return name_key(plain + suffix), number, name


def _titled(names: Sequence[str], title: str) -> list[str]:
    """The names that a title may have become: cut, numbered, other characters replaced."""
    stem, suffix = map(_plain, split_name(title))
    alike = [name for name in names if _may_be_cut_to(stem, name)]
    return [name for name in alike if _plain(split_name(name)[1]) == suffix] or alike


def _may_be_cut_to(title: str, name: str) -> bool:
    stem = _plain(_without_number(split_name(name)[0])[0])
    return title == stem or (len(stem) >= _CUT.start and title.startswith(stem))


def _plain(text: str) -> str:
    return re.sub(r"\W", "_", name_key(text))
