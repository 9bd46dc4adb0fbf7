"""Unique target names: no two files of a plan, and nothing on the disk, share one."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from organizer.arrange import names
from organizer.arrange.disk import link_text
from organizer.arrange.photo_units import PhotoUnit
from organizer.arrange.types import ArrangeItem, ArrangeMode, ArrangeStep, LeftFile
from organizer.file_times import modified_ns
from organizer.spelling import name_key

_LEVELS = 4
"""A name as it is, and three suffixes, each more certain to be unique."""


_SHORTEST = 80
"""Characters that a name needs at least: those of the longest suffix, and some of its own."""


@dataclass(slots=True)
class TargetNames:
    """The names of targets, on the disk and in a plan. Every target folder is listed once.

    Attributes:
        to: The folder into which the files go.
        mode: What is to be done.
        placed: What earlier arrangements put where, by target.
        vacated: Files on the disk whose names are free, unless their photo keeps its name.
        is_windows: Whether paths must not be longer than Windows allows.
    """

    to: Path
    mode: ArrangeMode
    placed: Mapping[str, ArrangeStep]
    vacated: Collection[Path] = ()
    is_windows: bool = os.name == "nt"
    _listings: dict[str, set[str] | str] = field(default_factory=dict)

    def choose(self, units: Sequence[PhotoUnit]) -> tuple[list[PhotoUnit], list[LeftFile]]:
        """Give every unit names that no other unit, and nothing on the disk, has.

        Returns:
            The units, and the photos for which no name was free.
        """
        kept: set[str] = set()
        for unit in units:
            self._keep_or_begin(unit, kept)
        self._vacate(kept)
        folders = self._folder_keys(units)
        while clashing := self._clashing(units, folders):
            for unit in clashing:
                unit.level += 1
                self._name(unit, min(unit.level, _LEVELS - 1))
        nameless = [unit.item for unit in units if unit.level >= _LEVELS]
        left = [LeftFile(item.source, "no name was free", item.image_id) for item in nameless]
        return [unit for unit in units if unit.level < _LEVELS], left

    def why_unlisted(self, folder: str) -> str:
        """Why a target folder could not be listed; "" where it could, or does not exist."""
        found = self._listings.get(folder)
        return found if isinstance(found, str) else ""

    def is_taken(self, folder: str, name: str) -> bool:
        """Whether a target folder holds a file of this name."""
        return name_key(name) in self._listed(folder)

    def holds(self, target: str, source: str, image_id: str) -> bool:
        """Whether the file at a target is the one that the plan would put there."""
        try:
            if self.mode is ArrangeMode.SYMLINK:
                return link_text(target) == source
            status = os.lstat(target)
            if self.mode is ArrangeMode.LINK:
                return os.path.samestat(status, os.stat(source))  # noqa: PTH116
        except OSError:
            return False
        if target == source:
            return self.mode is ArrangeMode.MOVE
        earlier = self.placed.get(target)
        return (
            self.mode is ArrangeMode.COPY
            and earlier is not None
            and earlier.image_id == image_id
            and (str(earlier.source) == source or not os.path.lexists(earlier.source))
            and (earlier.size, earlier.mtime_ns) == (status.st_size, modified_ns(status))
        )

    def _keep_or_begin(self, unit: PhotoUnit, kept: set[str]) -> None:
        """Keep the name that a photo has on the disk already, with whichever suffix.

        Each name is kept for one photo only: hard links of one file would share it.
        """
        for level in range(_LEVELS) if self._listed(unit.folder) else ():
            self._name(unit, level)
            if (
                unit.keys[0] not in kept
                and self.is_taken(unit.folder, unit.name(unit.suffix))
                and self.holds(unit.target, str(unit.item.source), unit.item.image_id)
            ):
                kept.update(unit.keys)
                unit.level, unit.is_there = level, True
                return
        self._name(unit, 0)

    def _vacate(self, kept: set[str]) -> None:
        """Free the names of files that go, which are those whose photo does not keep its name."""
        for path in self.vacated:
            folder, name = os.path.split(path)
            if name_key(str(path)) not in kept:
                self._listed(folder).discard(name_key(name))

    def _name(self, unit: PhotoUnit, level: int) -> None:
        mark = unique_suffix(unit.item, level)
        tails = [unit.suffix, *(sidecar.tail for sidecar in unit.sidecars)]
        longest = names.room_in(unit.folder, is_windows=self.is_windows)
        longest -= max(len(tail.encode()) for tail in tails)
        unit.stem = names.safe_name(unit.raw_stem, tail=mark, longest=longest)
        unit.keys = [name_key(f"{unit.folder}{os.sep}{unit.name(tail)}") for tail in tails]

    def _clashing(self, units: Sequence[PhotoUnit], folders: set[str]) -> list[PhotoUnit]:
        """The units that need another name."""
        users: dict[str, str] = {}
        shared: set[str] = set()
        for unit in units:
            for key, source in zip(unit.keys, _sources(unit), strict=True):
                if users.setdefault(key, source) != source:
                    shared.add(key)
        refused = shared | folders
        return [
            unit
            for unit in units
            if unit.level < _LEVELS
            and not unit.is_there
            and (any(key in refused for key in unit.keys) or self._is_occupied(unit))
        ]

    def _folder_keys(self, units: Sequence[PhotoUnit]) -> set[str]:
        """The keys of the folders below `to` that the plan needs: no file may have such a name."""
        keys: set[str] = set()
        for folder in {unit.folder for unit in units}:
            path = name_key(folder)
            while path not in keys and len(path) > len(name_key(str(self.to))):
                keys.add(path)
                path = os.path.dirname(path)  # noqa: PTH120
        return keys

    def _is_occupied(self, unit: PhotoUnit) -> bool:
        """Whether a file on the disk has one of the unit's names."""
        tails = (unit.suffix, *(sidecar.tail for sidecar in unit.sidecars))
        return bool(self._listed(unit.folder)) and any(
            self.is_taken(unit.folder, unit.name(tail)) for tail in tails
        )

    def _listed(self, folder: str) -> set[str]:
        """The keys of the names in a target folder."""
        if folder not in self._listings and self._is_too_deep(folder):
            self._listings[folder] = "its path is too long for Windows, choose a shorter --to"
        if folder not in self._listings:
            try:
                with os.scandir(folder) as scan:
                    self._listings[folder] = {name_key(entry.name) for entry in scan}
            except FileNotFoundError:
                self._listings[folder] = set()
            except OSError as error:
                self._listings[folder] = error.strerror or str(error)
        found = self._listings[folder]
        return found if isinstance(found, set) else set()

    def _is_too_deep(self, folder: str) -> bool:
        return names.room_in(folder, is_windows=self.is_windows) < _SHORTEST


def unique_suffix(item: ArrangeItem, level: int) -> str:
    """The suffix of a stem: of the photo's content, and from level 2 of its path as well."""
    if level == 0:
        return ""
    if level == 1:
        return f"_{item.image_id[:8]}"
    if level == 2:
        place = f"{item.below}/{item.source.name}"
        return f"_{item.image_id[:8]}-{_hash(place)[:8]}"
    return f"_{item.image_id}-{_hash(str(item.source))[:16]}"


def _sources(unit: PhotoUnit) -> list[str]:
    return [str(unit.item.source), *(sidecar.path for sidecar in unit.sidecars)]


def _hash(text: str) -> str:
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest(16)
