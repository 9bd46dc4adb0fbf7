"""Photos and a template -> a plan: where each file goes, with no two in one place.

Nothing is touched. Every folder, of sources and of targets, is listed once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from organizer.arrange import names
from organizer.arrange.sidecars import FolderListing, Sidecar, split_stem
from organizer.arrange.template import (
    Cluster,
    FolderTemplate,
    cluster_of,
    distinct_clusters,
    values_of,
)
from organizer.arrange.types import ArrangeItem, ArrangeMode, ArrangePlan, ArrangeStep, LeftFile
from organizer.errors import SettingsError

_LEVELS = 4
"""A name as it is, and three suffixes, each more certain to be one photo's alone."""


def make_plan(
    items: Iterable[ArrangeItem],
    *,
    to: Path,
    mode: ArrangeMode,
    template: FolderTemplate,
    placed: Mapping[str, ArrangeStep] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> ArrangePlan:
    """Where each photo goes.

    Of photos that would have one name (also one that differs by case or normalisation only) each
    gets a suffix that is made from its content, so that it is the same in the next run. One that is
    there already keeps its name.

    Args:
        items: The photos; their order does not matter.
        to: The folder into which they go.
        mode: What is to be done.
        template: The names of targets.
        placed: What earlier arrangements put where, by target; see `journal.placed`.
        advance: Told of photos that are planned.

    Raises:
        SettingsError: `to` is a file, or its name is no text.
    """
    to = Path(os.path.abspath(to))  # noqa: PTH100 - a link stays one
    if not names.is_text_name(str(to)):
        raise SettingsError("the name of the folder is not valid UTF-8", "choose another --to")
    if os.path.lexists(to) and not to.is_dir():
        raise SettingsError(f"{to} is a file", "name a folder with --to")
    planner = _Planner(to, mode, template, placed or {})
    planner.take_up(sorted(items, key=lambda item: str(item.source)), advance)
    planner.settle()
    return planner.plan()


@dataclass(slots=True)
class _Unit:
    """A photo with its sidecars: they get one stem, or none does."""

    item: ArrangeItem
    folder: str
    raw_stem: str
    suffix: str
    sidecars: Sequence[Sidecar]
    cluster_folder: str
    level: int = 0
    stem: str = ""
    is_there: bool = False
    keys: Sequence[str] = ()

    def name(self, tail: str) -> str:
        return f"{self.stem}{tail}"

    @property
    def target(self) -> str:
        return f"{self.folder}{os.sep}{self.stem}{self.suffix}"


@dataclass(slots=True)
class _Planner:
    to: Path
    mode: ArrangeMode
    template: FolderTemplate
    placed: Mapping[str, ArrangeStep]
    units: list[_Unit] = field(default_factory=list)
    left: list[LeftFile] = field(default_factory=list)
    clusters: dict[Cluster, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    _targets: dict[str, set[str] | str] = field(default_factory=dict)
    _suffixes: dict[str, str] = field(default_factory=dict)
    _safe: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    # Photos -> units -------------------------------------------------------------------------

    def take_up(self, items: Sequence[ArrangeItem], advance: Callable[[int], None]) -> None:
        """Make units of photos, or note why not."""
        self.clusters = distinct_clusters(item for item in items if not item.withheld)
        by_folder: dict[str, list[tuple[str, ArrangeItem]]] = {}
        for item in items:
            folder, name = os.path.split(item.source)
            by_folder.setdefault(folder, []).append((name, item))
        for folder, inside in by_folder.items():
            self._take_up_folder(folder, inside)
            advance(len(inside))

    def _take_up_folder(self, path: str, inside: Sequence[tuple[str, ArrangeItem]]) -> None:
        try:
            folder = FolderListing(path, [name for name, _ in inside])
        except OSError as error:
            why = f"its folder cannot be read: {error.strerror}"
            self.left += [LeftFile(item.source, why, item.image_id) for _, item in inside]
            return
        seen: set[str] = set()
        for name, item in inside:
            why = self._why_not(folder, path, item, seen)
            if why:
                self.left.append(LeftFile(item.source, why, item.image_id))
            else:
                self.units.append(self._unit(folder, name, item))
            seen.add(name)

    def _why_not(self, folder: FolderListing, path: str, item: ArrangeItem, seen: set[str]) -> str:
        name = item.source.name
        if not names.is_text_name(path) or not names.is_text_name(name):
            return "its name is not valid UTF-8: rename it"
        if name in seen:
            return "it was given twice"
        if not folder.has(name):
            return "it is not there"
        if item.withheld:
            return item.withheld
        if self.mode is ArrangeMode.MOVE and folder.is_link(name):
            return "it is a symbolic link, which a move could break"
        return ""

    def _unit(self, folder: FolderListing, name: str, item: ArrangeItem) -> _Unit:
        rendered = self.template.render(values_of(item, self.clusters))
        folders = self._safe_folders(tuple(rendered.folders))
        suffix = split_stem(name)[1]
        if suffix not in self._suffixes:
            self._suffixes[suffix] = names.safe_name("_" + suffix)[1:]
        return _Unit(
            item,
            "".join((str(self.to).rstrip(os.sep), *(os.sep + folder for folder in folders))),
            rendered.stem,
            self._suffixes[suffix],
            self._sidecars(folder, name),
            "/".join(folders[: rendered.cluster_depth]),
        )

    def _sidecars(self, folder: FolderListing, photo: str) -> list[Sidecar]:
        """The sidecars that can go with a photo."""
        found: dict[str, Sidecar] = {}
        for sidecar in folder.sidecars(photo):
            why = ""
            if not names.is_text_name(sidecar.path):
                why = "its name is not valid UTF-8: rename it"
            elif sidecar.is_link and self.mode is ArrangeMode.MOVE:
                why = "it is a symbolic link, which a move could break"
            elif names.name_key(sidecar.tail) in found:
                why = f"beside it lies {found[names.name_key(sidecar.tail)].path}, which goes"
            if why:
                self.left.append(LeftFile(Path(sidecar.path), why, ""))
            else:
                found[names.name_key(sidecar.tail)] = sidecar
        return list(found.values())

    def _safe_folders(self, raw: tuple[str, ...]) -> tuple[str, ...]:
        if raw not in self._safe:
            made = tuple(map(names.safe_name, raw))
            for number, (before, after) in enumerate(zip(raw, made, strict=True)):
                if before != after:
                    self.changed.add("/".join(made[: number + 1]))
            self._safe[raw] = made
        return self._safe[raw]

    # Names that are free ---------------------------------------------------------------------

    def settle(self) -> None:
        """Give every unit names that no other unit, and nothing on the disk, has."""
        kept: set[str] = set()
        for unit in self.units:
            self._stay_or_begin(unit, kept)
        folders = self._folder_keys()
        moved_on = True
        while moved_on:
            moved_on = False
            for unit in self._clashing(folders):
                unit.level += 1
                moved_on = True
                self._name(unit, min(unit.level, _LEVELS - 1))
        nameless = [unit.item for unit in self.units if unit.level >= _LEVELS]
        self.left += [LeftFile(item.source, "no name was free", item.image_id) for item in nameless]
        self.units = [unit for unit in self.units if unit.level < _LEVELS]

    def _stay_or_begin(self, unit: _Unit, kept: set[str]) -> None:
        """Keep the name that a unit has on the disk already, under whichever suffix.

        One name cannot be that of two: photos that are hard links of each other would share it.
        """
        for level in range(_LEVELS) if self._listed(unit.folder) else ():
            self._name(unit, level)
            if (
                unit.keys[0] not in kept
                and self._on_disk(unit, unit.suffix)
                and self._is_there(unit)
            ):
                kept.add(unit.keys[0])
                unit.level, unit.is_there = level, True
                return
        self._name(unit, 0)

    def _name(self, unit: _Unit, level: int) -> None:
        mark = _mark(unit.item, level)
        tails = [unit.suffix, *(sidecar.tail for sidecar in unit.sidecars)]
        room = names.LONGEST - max(len(tail.encode()) for tail in tails)
        unit.stem = names.safe_name(unit.raw_stem, tail=mark, longest=room)
        unit.keys = [names.name_key(f"{unit.folder}{os.sep}{unit.name(tail)}") for tail in tails]

    def _clashing(self, folders: set[str]) -> list[_Unit]:
        """The units that need another name."""
        users: dict[str, str] = {}
        shared: set[str] = set()
        for unit in self.units:
            for key, source in zip(unit.keys, self._sources(unit), strict=True):
                if users.setdefault(key, source) != source:
                    shared.add(key)
        refused = shared | folders
        return [
            unit
            for unit in self.units
            if unit.level < _LEVELS
            and not unit.is_there
            and (any(key in refused for key in unit.keys) or self._is_taken(unit))
        ]

    def _sources(self, unit: _Unit) -> list[str]:
        return [str(unit.item.source), *(sidecar.path for sidecar in unit.sidecars)]

    def _folder_keys(self) -> set[str]:
        """The folders below `to` that the plan needs: no file may have such a name."""
        keys: set[str] = set()
        for folder in {unit.folder for unit in self.units}:
            path = names.name_key(folder)
            while path not in keys and len(path) > len(names.name_key(str(self.to))):
                keys.add(path)
                path = os.path.dirname(path)  # noqa: PTH120
        return keys

    def _is_taken(self, unit: _Unit) -> bool:
        """Whether something else has one of the names on the disk."""
        return bool(self._listed(unit.folder)) and any(
            self._on_disk(unit, tail) for tail in (unit.suffix, *(s.tail for s in unit.sidecars))
        )

    def _on_disk(self, unit: _Unit, tail: str) -> bool:
        return names.name_key(unit.name(tail)) in self._listed(unit.folder)

    def _listed(self, folder: str) -> set[str]:
        """The keys of the names in a folder of targets."""
        if folder not in self._targets:
            try:
                with os.scandir(folder) as scan:
                    self._targets[folder] = {names.name_key(entry.name) for entry in scan}
            except FileNotFoundError:
                self._targets[folder] = set()
            except OSError as error:
                self._targets[folder] = error.strerror or str(error)
        found = self._targets[folder]
        return found if isinstance(found, set) else set()

    def _is_there(self, unit: _Unit) -> bool:
        item = unit.item
        return self._holds(unit.target, str(item.source), item.image_id)

    def _holds(self, target: str, source: str, image_id: str) -> bool:
        """Whether a target is what this plan would make, by an earlier arrangement or by nature."""
        try:
            if self.mode is ArrangeMode.SYMLINK:
                return os.readlink(target) == source  # noqa: PTH115
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
            and (earlier.size, earlier.mtime_ns) == (status.st_size, status.st_mtime_ns)
        )

    # Units -> the plan -----------------------------------------------------------------------

    def plan(self) -> ArrangePlan:
        """The steps, in the order of the sources."""
        steps: list[ArrangeStep] = []
        there: list[ArrangeStep] = []
        taken: dict[str, Path] = {}
        last = {s.path: unit for unit in self.units if not unit.is_there for s in unit.sidecars}
        safe_files = 0
        for unit in self.units:
            refusal = self._targets.get(unit.folder)
            if isinstance(refusal, str):
                why = f"{unit.folder} cannot be a folder: {refusal}"
                self.left.append(LeftFile(unit.item.source, why, unit.item.image_id))
                continue
            safe_files += unit.stem.removesuffix(_mark(unit.item, unit.level)) != unit.raw_stem
            (there if unit.is_there else steps).append(self._photo_step(unit))
            for sidecar in unit.sidecars:
                if self.mode is ArrangeMode.MOVE and last.get(sidecar.path, unit) is not unit:
                    continue
                step = self._sidecar_step(unit, sidecar)
                owner = taken.setdefault(names.name_key(str(step.target)), step.source)
                if owner is step.source:
                    self._sort_in(unit, step, steps, there)
                elif owner != step.source:  # of two photos that are there already
                    self.left.append(LeftFile(step.source, f"{step.target} is for {owner}", ""))
        return ArrangePlan(
            self.to,
            self.mode,
            tuple(steps),
            tuple(there),
            tuple(dict.fromkeys(self.left)),
            self.template.text,
            safe_files + len(self.changed),
            sum(unit.level > 0 for unit in self.units),
        )

    def _photo_step(self, unit: _Unit) -> ArrangeStep:
        item = unit.item
        name = self.clusters[cluster_of(item)]
        why = f"{name}: it is in no cluster" if item.cluster_id is None else f"in {name}"
        if unit.level:
            why += "; another file has the name without the suffix"
        return ArrangeStep(
            item.source, Path(unit.target), why, item.image_id, item.cluster_id,
            item.size, item.mtime_ns, unit.cluster_folder,
        )  # fmt: skip

    def _sidecar_step(self, unit: _Unit, sidecar: Sidecar) -> ArrangeStep:
        return ArrangeStep(
            Path(sidecar.path),
            Path(f"{unit.folder}{os.sep}{unit.name(sidecar.tail)}"),
            f"goes with {unit.item.source.name}",
            "",
            unit.item.cluster_id,
            sidecar.size,
            sidecar.mtime_ns,
            unit.cluster_folder,
        )

    def _sort_in(
        self, unit: _Unit, step: ArrangeStep, steps: list[ArrangeStep], there: list[ArrangeStep]
    ) -> None:
        """A sidecar of a photo that is there already may be there, be new, or be in the way."""
        if not unit.is_there or names.name_key(step.target.name) not in self._listed(unit.folder):
            steps.append(step)
        elif self._holds(str(step.target), str(step.source), ""):
            there.append(step)
        else:
            self.left.append(LeftFile(step.source, f"another {step.target} is there", ""))


def _mark(item: ArrangeItem, level: int) -> str:
    """The suffix of a name, made from the content, and for copies of one from where they lie."""
    if level == 0:
        return ""
    if level == 1:
        return f"_{item.image_id[:8]}"
    if level == 2:
        place = f"{item.below}/{item.source.name}"
        return f"_{item.image_id[:8]}-{_hash(place)[:8]}"
    return f"_{item.image_id}-{_hash(str(item.source))[:16]}"


def _hash(text: str) -> str:
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest(16)
