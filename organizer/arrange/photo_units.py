"""Photos and a template -> units: each photo with its sidecars and its rendered target."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from organizer.arrange import names
from organizer.arrange.sidecars import FolderListing, Sidecar
from organizer.arrange.template import ClusterKey, FolderTemplate, distinct_clusters, values_of
from organizer.arrange.types import ArrangeItem, ArrangeMode, LeftFile
from organizer.companions import split_name
from organizer.spelling import is_unicode, name_key


@dataclass(slots=True)
class PhotoUnit:
    """A photo with its sidecars, which share its stem.

    Attributes:
        item: The photo.
        folder: The folder that it goes into, as a path.
        raw_stem: The stem as rendered.
        suffix: The suffix with its dot.
        sidecars: The files that go with it.
        cluster_folder: See `ArrangeStep`.
        level: Which of the suffixes that make a stem unique it has; 0 for none.
        stem: The safe stem, once chosen.
        is_there: Whether the photo is at its target already.
        keys: The keys (`name_key`) of its target paths: the photo's, then the sidecars'.
    """

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
        """The name of its photo or sidecar with some tail."""
        return f"{self.stem}{tail}"

    @property
    def target(self) -> str:
        """The photo's target path."""
        return f"{self.folder}{os.sep}{self.stem}{self.suffix}"


@dataclass(slots=True)
class UnitBuilder:
    """Makes units of photos, and notes those that cannot be arranged.

    Attributes:
        to: The folder into which they go.
        mode: What is to be done.
        template: The names of targets.
        units: What was made so far.
        left: The files that are not arranged, with the reason.
        clusters: The folder name of each cluster.
        changed: The folders, relative to `to`, whose names were made safe.
    """

    to: Path
    mode: ArrangeMode
    template: FolderTemplate
    units: list[PhotoUnit] = field(default_factory=list)
    left: list[LeftFile] = field(default_factory=list)
    clusters: dict[ClusterKey, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    _suffixes: dict[str, str] = field(default_factory=dict)
    _safe: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def build(self, items: Sequence[ArrangeItem], advance: Callable[[int], None]) -> None:
        """Make units of photos.

        Args:
            items: The photos.
            advance: Called with the number of photos that are done.
        """
        self.clusters = distinct_clusters(item for item in items if not item.withheld)
        by_folder: dict[str, list[tuple[str, ArrangeItem]]] = {}
        for item in items:
            folder, name = os.path.split(item.source)
            by_folder.setdefault(folder, []).append((name, item))
        for folder, inside in by_folder.items():
            self._build_folder(folder, inside)
            advance(len(inside))

    def _build_folder(self, path: str, inside: Sequence[tuple[str, ArrangeItem]]) -> None:
        try:
            folder = FolderListing(path, [name for name, _ in inside])
        except OSError as error:
            why = f"its folder cannot be read: {error.strerror}"
            self.left += [LeftFile(item.source, why, item.image_id) for _, item in inside]
            return
        done: set[str] = set()
        for name, item in inside:
            why = self._why_not(folder, path, item, done)
            if why:
                self.left.append(LeftFile(item.source, why, item.image_id))
            else:
                self.units.append(self._unit(folder, name, item))
            done.add(name)

    def _why_not(self, folder: FolderListing, path: str, item: ArrangeItem, done: set[str]) -> str:
        name = item.source.name
        if not is_unicode(path) or not is_unicode(name):
            return "its name is not valid UTF-8: rename it"
        if name in done:
            return "it was given twice"
        if not folder.has(name):
            return "it is not there"
        if item.withheld:
            return item.withheld
        if self.mode is ArrangeMode.MOVE and folder.is_link(name):
            return "it is a symbolic link, which a move could break"
        return ""

    def _unit(self, folder: FolderListing, name: str, item: ArrangeItem) -> PhotoUnit:
        rendered = self.template.render(values_of(item, self.clusters))
        folders = self._safe_folders(tuple(rendered.folders))
        suffix = split_name(name)[1]
        if suffix not in self._suffixes:
            self._suffixes[suffix] = names.safe_name("_" + suffix)[1:]
        return PhotoUnit(
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
        for sidecar in folder.sidecars(photo, only_first=self.mode is ArrangeMode.MOVE):
            why = ""
            if not is_unicode(sidecar.path):
                why = "its name is not valid UTF-8: rename it"
            elif sidecar.is_link and self.mode is ArrangeMode.MOVE:
                why = "it is a symbolic link, which a move could break"
            elif name_key(sidecar.tail) in found:
                why = f"its photo goes with {found[name_key(sidecar.tail)].path} instead"
            if why:
                self.left.append(LeftFile(Path(sidecar.path), why, ""))
            else:
                found[name_key(sidecar.tail)] = sidecar
        return list(found.values())

    def _safe_folders(self, raw: tuple[str, ...]) -> tuple[str, ...]:
        if raw not in self._safe:
            made = tuple(map(names.safe_name, raw))
            for number, (given, safe) in enumerate(zip(raw, made, strict=True)):
                if given != safe:
                    self.changed.add("/".join(made[: number + 1]))
            self._safe[raw] = made
        return self._safe[raw]
