"""Infers what a person changed in arranged folders, in terms of clusters.

The folder of a photo stands for its cluster; a change since the arrangement, or since the last
read-back, is a decision of the person. Nothing is guessed:

- A photo in the folder of another cluster was moved there.
- A folder whose photos are all elsewhere now, most of them in one new folder, was renamed to that.
  Two folders may have swapped their names.
- Any other new folder is a new cluster. A folder inside the folder of a cluster is part of it.
- A photo in a folder of photos in no cluster is excluded from the cluster that it came from. There
  may be several such folders: for unassigned images, for empty ones.
- A photo in two folders at once is contradictory: it is reported, and no decision follows.
- From a photo that is gone, or in no folder, no decision follows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from organizer.arrange.recognise import ExpectedPhoto, RecognisedPhotos

FolderMeaning = int | str | None
"""What a folder stands for: a cluster's id, the name of a new cluster, or None for no cluster."""


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """The changes of a person to arranged folders.

    Attributes:
        renamed: The new folder name of clusters, by id.
        moved: Images that are in the folder of another cluster now, by the cluster that they came
            from (None for no cluster) and the one that they are in.
        new_folders: Images in a new folder, by its name.
        left: Images in a folder for no cluster now, by the cluster that they came from.
        gone: Images that do not exist in the arranged folder any more.
        loose: Images in no folder that could stand for a cluster.
        contradictory: Images in several folders, with the names of these.
        unknown_files: Files that do not belong to the arrangement.
        places: For each placed photo what its folder stands for now, or what it stood for where no
            decision follows.
        folders: For each placed photo the folder that stands for its cluster now, likewise.
        paths: For each placed photo its path now; "" where it is gone.
    """

    renamed: Mapping[int, str] = field(default_factory=dict)
    moved: Mapping[tuple[int | None, int], Sequence[str]] = field(default_factory=dict)
    new_folders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left: Mapping[int, Sequence[str]] = field(default_factory=dict)
    gone: Sequence[str] = ()
    loose: Sequence[str] = ()
    contradictory: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown_files: Sequence[str] = ()
    places: Sequence[FolderMeaning] = ()
    folders: Sequence[str] = ()
    paths: Sequence[str] = ()

    @property
    def has_decisions(self) -> bool:
        """Whether any decision about clusters follows."""
        return bool(self.renamed or self.moved or self.new_folders or self.left)


def find_changes(
    placed: Sequence[ExpectedPhoto],
    recognised: RecognisedPhotos,
    *,
    known: Mapping[str, int],
    nowhere: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
) -> FolderChanges:
    """Infer what a person changed.

    Args:
        placed: The photos as the arrangement, or the last read-back, left them.
        recognised: Where they are now.
        known: The current clusters, by the folder names that would stand for them.
        nowhere: Folder names that stand for no cluster.
        apart: Folder names in lower case that stand for no cluster either, unless the folder of a
            cluster was renamed so.
    """
    return _Comparison(placed, recognised, known, nowhere, apart).changes()


class _Folders:
    """Finds the folder of a path that stands for a cluster, at the depth of the known ones."""

    def __init__(self, known: set[str]) -> None:
        self._known = known
        self._depths = {folder.count("/") + 1 for folder in known}
        self._parents = {folder.rpartition("/")[0] for folder in known}
        self._of: dict[str, str | None] = {}

    def of(self, path: str) -> str | None:
        """The folder; None where no folder of the path could stand for a cluster."""
        inside = path.rpartition("/")[0]
        if inside not in self._of:
            self._of[inside] = self._found(inside)
        return self._of[inside]

    def _found(self, inside: str) -> str | None:
        parts = inside.split("/") if inside else []
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        for folder in above:
            if folder in self._known:
                return folder
        if len(self._depths) == 1:
            depth = next(iter(self._depths))
            return above[depth - 1] if len(above) >= depth else None
        beside = [f for f in above if f.rpartition("/")[0] in self._parents]
        return beside[-1] if beside else None


@dataclass(frozen=True)
class _Comparison:
    """Compares the folders of photos then and now. Folders are identified by their names."""

    placed: Sequence[ExpectedPhoto]
    recognised: RecognisedPhotos
    known: Mapping[str, int]
    nowhere: frozenset[str]
    apart: frozenset[str]

    def changes(self) -> FolderChanges:
        renamed = {g: x for g, x in self._renamed.items() if x not in self._folders_of[g]}
        moved: dict[tuple[int | None, int], list[str]] = defaultdict(list)
        new_folders: dict[str, list[str]] = defaultdict(list)
        left: dict[int, list[str]] = defaultdict(list)
        gone, loose, contradictory = [], [], {}
        settled: dict[str, FolderMeaning] = {}
        for image_id, rows in self._rows_of.items():
            names, was = self._names_now[image_id], {self.placed[row].cluster_id for row in rows}
            now = {self._stands_for(name) for name in names}
            if not names:
                is_loose = image_id in self._loose
                if is_loose and not all(self._was_loose(row) for row in rows):
                    loose.append(image_id)
                elif not is_loose and any(self.placed[row].path for row in rows):
                    gone.append(image_id)
            elif now <= was:
                continue
            elif len(now) > 1:
                contradictory[image_id] = sorted(names)
            else:
                to = settled[image_id] = now.pop()
                origin = min((g for g in was if g is not None), default=None)
                if isinstance(to, str):
                    new_folders[to].append(image_id)
                elif to is not None:
                    moved[origin, to].append(image_id)
                elif origin is not None:
                    left[origin].append(image_id)
        return FolderChanges(
            renamed=renamed,
            moved=dict(moved),
            new_folders=dict(new_folders),
            left=dict(left),
            gone=gone,
            loose=loose,
            contradictory=contradictory,
            unknown_files=self.recognised.unknown_files,
            places=[settled.get(p.image_id, p.cluster_id) for p in self.placed],
            folders=[
                p.folder if p.image_id in contradictory else self._folders.of(path) or p.folder
                for p, path in zip(self.placed, self._now, strict=True)
            ],
            paths=self._now,
        )

    # Then --------------------------------------------------------------------------------------

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        """The rows of each image."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, photo in enumerate(self.placed):
            rows[photo.image_id].append(row)
        return rows

    @cached_property
    def _stood_for(self) -> dict[str, int | None]:
        """What each folder stood for; of several clusters in one, that with the most photos."""
        votes: dict[str, Counter[int | None]] = defaultdict(Counter)
        for photo in self.placed:
            if photo.folder:
                votes[_name(photo.folder)][photo.cluster_id] += 1
        return {name: count.most_common(1)[0][0] for name, count in votes.items()}

    @cached_property
    def _folders_of(self) -> dict[int, set[str]]:
        """The folders that stood for each cluster."""
        folders: dict[int, set[str]] = defaultdict(set)
        for name, cluster_id in self._stood_for.items():
            if cluster_id is not None:
                folders[cluster_id].add(name)
        return folders

    @cached_property
    def _folders(self) -> _Folders:
        return _Folders({photo.folder for photo in self.placed if photo.folder})

    def _was_loose(self, row: int) -> bool:
        path = self.placed[row].path
        return bool(path) and self._folders.of(path) is None

    # Now ---------------------------------------------------------------------------------------

    @cached_property
    def _now(self) -> list[str]:
        """The path of each placed photo."""
        both = zip(self.placed, self.recognised.paths, strict=True)
        return [p.path if p.path in paths else min(paths, default="") for p, paths in both]

    @cached_property
    def _paths_now(self) -> dict[str, list[str]]:
        """The paths of each image."""
        paths: dict[str, list[str]] = {image_id: [] for image_id in self._rows_of}
        for photo, mine in zip(self.placed, self.recognised.paths, strict=True):
            paths[photo.image_id] += mine
        for image_id, copies in self.recognised.copies.items():
            paths[image_id] += copies
        return paths

    @cached_property
    def _names_now(self) -> dict[str, set[str]]:
        """The names of the folders that each image is in."""
        found = {}
        for image_id, paths in self._paths_now.items():
            folders = (self._folders.of(path) for path in paths)
            found[image_id] = {_name(folder) for folder in folders if folder is not None}
        return found

    @cached_property
    def _loose(self) -> set[str]:
        """The images that exist, but in no folder that could stand for a cluster."""
        return {i for i, paths in self._paths_now.items() if paths and not self._names_now[i]}

    @cached_property
    def _went(self) -> dict[int, Counter[str]]:
        """The folders of each cluster's images now, counted, for images in exactly one folder."""
        went: dict[int, Counter[str]] = {cluster_id: Counter() for cluster_id in self._folders_of}
        for photo in self.placed:
            names = self._names_now[photo.image_id]
            if photo.cluster_id in went and len(names) == 1:
                went[photo.cluster_id][next(iter(names))] += 1
        return went

    # Inference ---------------------------------------------------------------------------------

    def _stands_for(self, name: str) -> FolderMeaning:
        """What a folder stands for now."""
        for cluster_id, wanted in self._renamed.items():
            if wanted == name:
                return cluster_id
        for names in (self._stood_for, self.known):
            if name in names and names[name] not in self._renamed:
                return names[name]
        return None if name in self.nowhere or name.casefold() in self.apart else name

    @cached_property
    def _renamed(self) -> dict[int, str]:
        """The clusters whose folder has another name now.

        None of their images is in the old folder, and most are in one folder, which holds more of
        their images than of any other such cluster's. The name of another cluster is only free if
        that one is renamed too.
        """
        wants: dict[int, str] = {}
        for cluster_id, went in self._went.items():
            if went and not any(went[name] for name in self._folders_of[cluster_id]):
                wants[cluster_id] = min(went, key=lambda name: (-went[name], name))
        for name in {*wants.values()}:
            rivals = [g for g, wanted in wants.items() if wanted == name]
            first = max(rivals, key=lambda g: (self._went[g][name], -g))
            for cluster_id in rivals:
                if cluster_id != first or self._is_of_no_cluster(name):
                    del wants[cluster_id]
        while blocked := [g for g, name in wants.items() if not self._is_free(name, g, wants)]:
            for cluster_id in blocked:
                del wants[cluster_id]
        return wants

    def _is_of_no_cluster(self, name: str) -> bool:
        return name in self.nowhere or self._stood_for.get(name, 0) is None

    def _is_free(self, name: str, for_cluster: int, leaving: Mapping[int, str]) -> bool:
        bearers = {self.known.get(name), self._stood_for.get(name)} - {None, for_cluster}
        return all(bearer in leaving for bearer in bearers)


def _name(folder: str) -> str:
    return folder.rpartition("/")[2]
