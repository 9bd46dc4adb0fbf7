"""What was read back, for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.library.arrangements.active import path_below
from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.folders.read_back.compare import FolderComparison
from organizer.library.folders.read_back.inferred import InferredDecisions
from organizer.library.folders.read_back.notes import crop_notes


@dataclass(frozen=True, slots=True)
class LabelledCluster:
    """A cluster and what a person calls it; the id is None for no cluster."""

    cluster_id: int | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBackReport:
    """What the folders say, and what they say nothing of.

    Images are photos, also where the words are about their crops.

    Attributes:
        to: The arranged folder.
        photos: How many photos were put there.
        renamed: Clusters as they were called, with the new name.
        merged: Clusters that become part of another: the cluster, the other, images.
        moved: Images that change their cluster: from where, to where, how many.
        new_clusters: New clusters: the name, how many images.
        left: Images that are said not to be of a cluster: the cluster, how many.
        gone: Images that are nowhere any more.
        loose: Images that are in no folder of a cluster.
        contradictory: Images that are in several folders: a file of each, and the folders.
        unknown_files: Image files that are none of the arrangement.
        not_applied: What cannot be said, a line each.
        remarks: What the person should know of the words, a line each.
        refiled: Files that have another path, whatever that says.
        applied: Whether it was written down; False for a preview.
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
    refiled: int = 0
    applied: bool = False

    @property
    def has_decisions(self) -> bool:
        """Whether there is a word to be written down."""
        return bool(self.renamed or self.merged or self.moved or self.new_clusters or self.left)


def report_read_back(
    comparison: FolderComparison, found: InferredDecisions, *, names: Mapping[int, str]
) -> ReadBackReport:
    """All of it for a person.

    Args:
        comparison: What was seen.
        found: What it says.
        names: Of the clusters, by id.
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
        remarks=tuple(_remarks(comparison.filing, found)),
        refiled=sum(
            bool(path) and (photo.path is None or path_below(to, photo.path) != path)
            for photo, path in zip(photos, changes.paths, strict=True)
        ),
    )


def _remarks(filing: PhotoFolders, found: InferredDecisions) -> Iterator[str]:
    spoken: dict[str, list[str]] = defaultdict(list)
    into: dict[str, int | None] = {}
    for to, ids in (
        *((to, ids) for _, to, ids in found.merged),
        *((to, ids) for (_, to), ids in found.moved.items()),
        *((None, ids) for ids in found.new_clusters.values()),
    ):
        for member in ids:
            spoken[found.photo_of[member]].append(member)
            into[found.photo_of[member]] = to
    return crop_notes(filing, spoken, into, len(found.emptied))
