"""Infer decisions from changed folders, given the earlier decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from organizer.counts import count_text
from organizer.library.arrangements.active import folder_name
from organizer.library.cluster_names import is_same_name
from organizer.library.corrections.state import EditorState
from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.folders.read_back.compare import FolderComparison
from organizer.library.folders.read_back.inferred import InferredDecisions
from organizer.library.folders.read_back.names import (
    infer_names,
    name_of_folder,
    why_impossible,
)
from organizer.library.images.crops import PhotoGroup
from organizer.types import NOISE, DecisionKind


def infer_decisions(state: EditorState, comparison: FolderComparison) -> InferredDecisions:
    """Infer what a person meant by the changes of an arranged folder.

    Args:
        state: The current clustering.
        comparison: The folder and what a person did to its photos.
    """
    inference = _Inference(state, comparison)
    inference.infer_moves()
    inference.infer_names()
    inference.infer_new_clusters()
    inference.infer_exclusions()
    return inference.found


def _current_clusters(state: EditorState, comparison: FolderComparison) -> dict[int, int | None]:
    """The current cluster of each cluster with a folder, past merges; None for one that is gone."""
    into = {
        other: d.cluster_id
        for d in state.decisions
        if d.kind is DecisionKind.MERGE
        for other in d.others
    }
    found: dict[int, int | None] = {}
    asked = {p.cluster_id for p in comparison.photos} | set(comparison.changes.places)
    for place in asked:
        if isinstance(place, int):
            current, passed = place, {place}
            while current not in state.models.ids and into.get(current, current) not in passed:
                current = into[current]
                passed.add(current)
            found[place] = current if current in state.models.ids else None
    return found


def _original_clusters(comparison: FolderComparison) -> dict[str, int | None]:
    """The cluster of the folder that each photo was in."""
    found: dict[str, int | None] = {}
    for photo in comparison.photos:
        both = {found.get(photo.step.image_id), photo.cluster_id} - {None}
        found[photo.step.image_id] = min(both, default=None)  # type: ignore[type-var]
    return found


def _moved_to_groups(
    comparison: FolderComparison, photo_folders: PhotoFolders
) -> dict[str, tuple[PhotoGroup, str]]:
    """The photos that were put into a folder beside the clusters: its group and its name."""
    changes = comparison.changes
    found: dict[str, tuple[PhotoGroup, str]] = {}
    for photo, folder, place in zip(
        comparison.photos, changes.folders, changes.places, strict=True
    ):
        name = folder_name(folder)
        group = photo_folders.group_in(name) if place is None else None
        if group is not None and name != folder_name(photo.folder):
            found[photo.step.image_id] = group, name
    return found


class _Inference:
    """Infers moves, then names, then the rest: each step needs those before."""

    def __init__(self, state: EditorState, comparison: FolderComparison) -> None:
        self._state, self._comparison = state, comparison
        self._folders = comparison.photo_folders
        members = state.members
        pairs = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
        self._cluster_of: Mapping[str, int] = dict(pairs)
        self._names = state.constraints.names
        self._originals = _original_clusters(comparison)
        self._groups = _moved_to_groups(comparison, self._folders)
        self._current_of = _current_clusters(state, comparison)
        self.found = InferredDecisions()
        for member, cluster_id in self._cluster_of.items():
            if self._folders.is_active(member):
                self.found.members[cluster_id].add(member)

    # Moves and merges ----------------------------------------------------------------------

    def infer_moves(self) -> None:
        """Infer which images change their cluster, and which clusters are merged."""
        for (origin, to), image_ids in self._comparison.changes.moved.items():
            current = self._current_of[to]
            if current is None:
                self.found.not_applied.append(
                    f"{_counted(image_ids)} in the folder of cluster {to}, which is gone"
                )
                continue
            source = self._current(origin)
            if source == current:  # merged since, maybe by a read-back that was interrupted
                continue
            members = self._affected(image_ids, source, current)
            new = [m for m in members if self._is_new_decision(m, current)]
            photos = {self.found.photo_of[member] for member in new}
            if source is not None and self._is_merge(origin, source, current, photos):
                self.found.merged.append((source, current, new))
            elif new:
                self.found.moved[source, current] = new
        self._unchain_merges()

    def _unchain_merges(self) -> None:
        """Make moves of a merge whose clusters lose or gain images otherwise."""
        while True:
            sources = {source for source, _, _ in self.found.merged}
            reached = {into for _, into, _ in self.found.merged}
            reached |= {to for _, to in self.found.moved}
            chained = [m for m in self.found.merged if m[0] in reached or m[1] in sources]
            if not chained:
                return
            self.found.merged = [m for m in self.found.merged if m not in chained]
            self.found.moved |= {(source, into): ids for source, into, ids in chained}

    def _is_new_decision(self, member: str, cluster_id: int) -> bool:
        """Whether no decision has moved a member to a cluster yet.

        That it represents a named cluster is no decision about a photo that was in the folder of
        the unassigned.
        """
        if self._state.constraints.fixed.get(member) != cluster_id:
            return True
        is_there = self._folders.folder_of(self.found.photo_of[member]) == cluster_id
        return not is_there and not self._folders.is_decided(member)

    def _is_merge(
        self, origin: int | None, source: int, to: int, image_ids: Collection[str]
    ) -> bool:
        """Whether all of a cluster went into another one, and no earlier decision forbids it.

        Members of the cluster that its folder did not show go along: people, and the other animals
        of photos that are in other folders.
        """
        if source == to or not self.found.members[source]:
            return False
        placed = {p.step.image_id for p in self._comparison.photos if p.cluster_id == origin}
        inside = self._folders.by_cluster.get(source, set())
        if not placed | inside <= set(image_ids):
            return False
        banned = self._state.constraints.banned
        return not any({source, to} & clusters for clusters in banned.values())

    # Names and new clusters ----------------------------------------------------------------

    def infer_names(self) -> None:
        """Infer new names from renamed folders."""
        inferred = infer_names(self._comparison, self._names, self._current_of)
        self.found.renamed = inferred.renamed
        self.found.not_applied += inferred.not_applied

    def infer_new_clusters(self) -> None:
        """Infer new clusters from new folders."""
        for folder, image_ids in self._comparison.changes.new_folders.items():
            name = name_of_folder(folder)
            bearer = next((i for i, n in self._names.items() if is_same_name(n, name)), None)
            members = self._affected_by_source(image_ids)
            if bearer is not None and bearer not in self.found.renamed:
                self.found.not_applied.append(
                    f"{_counted(image_ids)} in the folder {folder!r}: cluster {bearer} is called so"
                )
            elif refused := why_impossible(name):
                self.found.not_applied.append(f"{_counted(image_ids)} in a new folder: {refused}")
            elif members:
                self.found.new_clusters[folder] = members

    def _affected_by_source(self, image_ids: Sequence[str]) -> list[str]:
        """The members that are meant by photos in a new folder, by the folders they came from."""
        by_source: dict[int | None, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_source[self._current(self._originals[image_id])].append(image_id)
        return [m for source, ids in by_source.items() for m in self._affected(ids, source)]

    # Exclusions ----------------------------------------------------------------------------

    def infer_exclusions(self) -> None:
        """Infer which images are excluded from a cluster.

        A photo that was put to the unassigned shows nothing of the cluster that it came from, one
        that was put to the empty ones nothing of any. Photos that were put to people, or to those
        without a detector's result, are left as they are.
        """
        merged = {source: into for source, into, _ in self.found.merged}
        left: dict[int, list[str]] = defaultdict(list)
        ignored = {i for i in self._groups if self._originals[i] is None}
        for cluster_id, image_ids in self._comparison.changes.left.items():
            current = self._current(cluster_id)
            empty = {i for i in image_ids if self._group_of(i) is PhotoGroup.EMPTY}
            grouped = {i for i in image_ids if self._group_of(i)} - empty
            ignored |= grouped
            if current is None:
                continue
            members = self._affected([i for i in image_ids if i not in grouped], current)
            left[merged.get(current, current)] += [m for m in members if m in self._cluster_of]
            for image_id in empty:
                for member, at in self._folders.members(image_id).items():
                    if at not in {None, NOISE, current}:
                        self.found.photo_of[member] = image_id
                        left[merged.get(at, at)].append(member)
            self.found.emptied |= {i for i in empty if self._folders.has_detected_animal(i)}
        self._note_ignored(ignored)
        banned = self._state.constraints.banned
        self.found.left = {
            cluster_id: new
            for cluster_id, members in left.items()
            if (new := [m for m in members if cluster_id not in banned.get(m, ())])
        }

    def _group_of(self, image_id: str) -> PhotoGroup | None:
        """The group of the folder beside the clusters that a photo was put into."""
        group, _ = self._groups.get(image_id, (None, ""))
        return group

    def _note_ignored(self, image_ids: Collection[str]) -> None:
        by_folder: dict[str, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_folder[self._groups[image_id][1]].append(image_id)
        for folder, ids in sorted(by_folder.items()):
            self.found.not_applied.append(
                f"{_counted(ids)} put into {folder!r}: what a detector saw stays as it is"
            )

    # ---------------------------------------------------------------------------------------

    def _affected(
        self, image_ids: Sequence[str], source: int | None, to: int | None = None
    ) -> list[str]:
        """The members that are meant by photos, if they are clustered or can become members."""
        found: list[str] = []
        unclustered: list[str] = []
        for image_id in image_ids:
            whole = self._folders.whole_photo(image_id)
            if whole is not None:
                self.found.uncropped[whole.crop_id] = whole
            members = self._folders.affected_members(image_id, source, to)
            known = [m for m in members if m in self._cluster_of or m in self.found.uncropped]
            self.found.photo_of |= dict.fromkeys(known, image_id)
            found += known
            if len(known) < len(members):
                unclustered.append(image_id)
        if unclustered:
            are = "is" if len(unclustered) == 1 else "are"
            self.found.not_applied.append(f"{_counted(unclustered)} {are} in no clustering yet")
        self.found.later.update(unclustered)
        return found

    def _current(self, cluster_id: int | None) -> int | None:
        return None if cluster_id is None else self._current_of.get(cluster_id)


def _counted(image_ids: Sequence[str]) -> str:
    return count_text(len(image_ids), "image")
