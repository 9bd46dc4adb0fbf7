"""The report of a read-back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.folders.read_back.compare import FolderComparison
from organizer.library.folders.read_back.inferred import InferredDecisions
from organizer.library.folders.read_back.notes import crop_notes
from organizer.paths import path_below


@dataclass(frozen=True, slots=True)
class LabelledCluster:
    """A cluster and its name; the id is None for no cluster."""

    cluster_id: int | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBackReport:
    """The decisions that were read from an arranged folder, and what was not understood.

    Images are photos, also where the decisions are about their crops.

    Attributes:
        to: The arranged folder.
        photos: Number of photos that were put there.
        renamed: Clusters with their former name, and the new name.
        merged: Clusters that are merged into another: the cluster, the other, number of images.
        moved: Images that change their cluster: from where, to where, how many.
        new_clusters: New clusters: the name, number of images.
        left: Images that are excluded from a cluster: the cluster, how many.
        gone: Number of images that are nowhere any more.
        loose: Number of images that are in no folder of a cluster.
        contradictory: Images that are in several folders: a file of each, and the folders.
        unknown_files: Image files that are none of the arrangement.
        not_applied: What cannot be applied, a line each.
        remarks: What the person should know of the decisions, a line each.
        relocated: Number of files that have another path, whatever that means.
        applied: Whether the decisions were applied; False for a preview.
    """

    to: Path
    photos: int
    renamed: Sequence[tuple[LabelledCluster, str]] = ()
    merged: Sequence[tuple[LabelledCluster, LabelledCluster, int]] = ()
    moved: Sequence[tuple[LabelledCluster, LabelledCluster, int]] = ()
    new_clusters: Sequence[tuple[str, int]] = ()
    left: Sequence[tuple[LabelledCluster, int]] = ()
    gone: int = 0
    loose: int = 0
    contradictory: Sequence[tuple[Path, Sequence[str]]] = ()
    unknown_files: Sequence[Path] = ()
    not_applied: Sequence[str] = ()
    remarks: Sequence[str] = ()
    relocated: int = 0
    applied: bool = False

    @property
    def has_decisions(self) -> bool:
        """Whether there are decisions."""
        return bool(self.renamed or self.merged or self.moved or self.new_clusters or self.left)


def report_read_back(
    comparison: FolderComparison, found: InferredDecisions, *, names: Mapping[int, str]
) -> ReadBackReport:
    """Report a read-back.

    Args:
        comparison: The folder and what a person did to its photos.
        found: The inferred decisions.
        names: The names of the clusters, by id.
    """
    changes, photos, to = comparison.changes, comparison.photos, comparison.to
    at = {p.step.image_id: path for p, path in zip(photos, changes.paths, strict=True) if path}

    def named(cluster_id: int | None) -> LabelledCluster:
        return LabelledCluster(cluster_id, None if cluster_id is None else names.get(cluster_id))

    def counted(members: Sequence[str]) -> int:
        return len({found.photo_of[member] for member in members})

    return ReadBackReport(
        to=to,
        photos=len(photos),
        renamed=[(named(i), name) for i, name in sorted(found.renamed.items())],
        merged=[(named(one), named(into), counted(ids)) for one, into, ids in found.merged],
        moved=[(named(one), named(into), counted(ids)) for (one, into), ids in found.moved.items()],
        new_clusters=[(folder, counted(ids)) for folder, ids in sorted(found.new_clusters.items())],
        left=[(named(i), counted(ids)) for i, ids in sorted(found.left.items())],
        gone=len(changes.gone),
        loose=len(changes.loose),
        contradictory=[(to / at[i], folders) for i, folders in changes.contradictory.items()],
        unknown_files=[to / path for path in changes.unknown_files],
        not_applied=tuple(dict.fromkeys(found.not_applied)),
        remarks=tuple(_remarks(comparison.photo_folders, found)),
        relocated=sum(
            bool(path) and (photo.path is None or path_below(to, photo.path) != path)
            for photo, path in zip(photos, changes.paths, strict=True)
        ),
    )


def _remarks(folders: PhotoFolders, found: InferredDecisions) -> Iterator[str]:
    decided: dict[str, list[str]] = defaultdict(list)
    into: dict[str, int | None] = {}
    for to, ids in (
        *((to, ids) for _, to, ids in found.merged),
        *((to, ids) for (_, to), ids in found.moved.items()),
        *((None, ids) for ids in found.new_clusters.values()),
    ):
        for member in ids:
            decided[found.photo_of[member]].append(member)
            into[found.photo_of[member]] = to
    return crop_notes(folders, decided, into, len(found.emptied))
