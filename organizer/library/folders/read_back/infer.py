"""What changed folders say of clusters, given what was said of these before."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from organizer.arrange.names import safe_name
from organizer.arrange.read_back import FolderMeaning
from organizer.library.arrangements.active import folder_name
from organizer.library.corrections.state import EditorState
from organizer.library.folders.items import cluster_label
from organizer.library.folders.read_back.compare import FolderComparison
from organizer.library.folders.read_back.inferred import InferredDecisions, name_of_folder
from organizer.library.images.crops import PhotoGroup
from organizer.types import NOISE, DecisionKind


def infer_decisions(state: EditorState, comparison: FolderComparison) -> InferredDecisions:
    """Sort out what a person meant."""
    return _Inference(state, comparison).found


def name_from_folder(folder: str, cluster_id: int, homes: Collection[str]) -> str:
    """The name that a folder gives a cluster, without the id where the former ones had it.

    Args:
        folder: The folder's new name.
        cluster_id: The cluster.
        homes: The names of its folders before.
    """
    number = rf"0*{cluster_id}"
    patterns = [
        rf"^{number}[ _.-]+(?=.)",
        rf"(?<=.)[ _.-]+\({number}\)$",
        rf"(?<=\D)[_.-]{number}$",
    ]
    for pattern in patterns:
        if any(re.search(pattern, home) for home in homes):
            folder = re.sub(pattern, "", folder)
    return folder


@dataclass
class _Inference:
    """Sorts out what was moved, then what was renamed, then the rest: each needs those before."""

    state: EditorState
    comparison: FolderComparison
    found: InferredDecisions = field(default_factory=InferredDecisions)

    def __post_init__(self) -> None:
        members, self._filing = self.state.members, self.comparison.filing
        both = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
        self._cluster_of: dict[str, int] = dict(both)
        for member, cluster_id in self._cluster_of.items():
            if self._filing.is_live(member):
                self.found.members[cluster_id].add(member)
        self._names = self.state.constraints.names
        self._origins = self._came_from()
        self._put_apart = self._went_apart()
        self.became = self._followed()
        self._sort_out_moves()
        self._sort_out_names()
        self._sort_out_the_rest()

    def _followed(self) -> dict[FolderMeaning, int | None]:
        """The clusters of now for those that were merged since; None for one that is no more."""
        taken_back = {d.about for d in self.state.decisions if d.kind is DecisionKind.TAKE_BACK}
        into = {
            other: d.cluster_id
            for d in self.state.decisions
            if d.kind is DecisionKind.MERGE and d.decision_id not in taken_back
            for other in d.others
        }
        found: dict[FolderMeaning, int | None] = {}
        changes = self.comparison.changes
        asked = {p.cluster_id for p in self.comparison.photos} | set(changes.places)
        for place in asked:
            if isinstance(place, int):
                now, passed = place, {place}
                while now not in self.state.models.ids and into.get(now, now) not in passed:
                    now = into[now]
                    passed.add(now)
                found[place] = now if now in self.state.models.ids else None
        return found

    def _came_from(self) -> dict[str, int | None]:
        """The cluster of the folder in which each photo was."""
        found: dict[str, int | None] = {}
        for photo in self.comparison.photos:
            both = {found.get(photo.step.image_id), photo.cluster_id} - {None}
            found[photo.step.image_id] = min(both, default=None)  # type: ignore[type-var]
        return found

    def _went_apart(self) -> dict[str, tuple[PhotoGroup, str]]:
        """The photos that were put into a folder beside the clusters, and its name."""
        changes = self.comparison.changes
        found: dict[str, tuple[PhotoGroup, str]] = {}
        rows = zip(self.comparison.photos, changes.folders, changes.places, strict=True)
        for photo, folder, place in rows:
            name = folder_name(folder)
            group = self._filing.group_in(name) if place is None else None
            if group is not None and name != folder_name(photo.folder):
                found[photo.step.image_id] = group, name
        return found

    def _sort_out_moves(self) -> None:
        for (origin, to), image_ids in self.comparison.changes.moved.items():
            now = self.became[to]
            if now is None:
                self.found.not_applied.append(
                    f"{_counted(image_ids)} in the folder of cluster {to}, which is no more"
                )
                continue
            source = self._now(origin)
            if source == now:  # merged since, maybe by a reading that was cut short
                continue
            new = [m for m in self._clustered(image_ids, source, now) if self._is_news(m, now)]
            photos = {self.found.photo_of[member] for member in new}
            if source is not None and self._is_merge(origin, source, now, photos):
                self.found.merged.append((source, now, new))
            elif new:
                self.found.moved[source, now] = new
        self._merge_only_ends()

    def _merge_only_ends(self) -> None:
        """Say moves, image by image, of a cluster that lost all its images and got others."""
        while True:
            sources = {source for source, _, _ in self.found.merged}
            reached = {into for _, into, _ in self.found.merged} | {
                to for _, to in self.found.moved
            }
            chained = [m for m in self.found.merged if m[0] in reached or m[1] in sources]
            if not chained:
                return
            self.found.merged = [m for m in self.found.merged if m not in chained]
            self.found.moved |= {(source, into): ids for source, into, ids in chained}

    def _is_news(self, member: str, cluster_id: int) -> bool:
        """Whether nobody has said yet that a member is in a cluster.

        That it stands for a cluster with a name is no word about a photo that was in the folder of
        those in no cluster.
        """
        if self.state.constraints.fixed.get(member) != cluster_id:
            return True
        at_home = self._filing.place(self.found.photo_of[member]) == cluster_id
        return not at_home and not self._filing.is_decided(member)

    def _is_merge(
        self, origin: int | None, source: int, to: int, image_ids: Collection[str]
    ) -> bool:
        """Whether a whole cluster went into another one, and nothing that was said forbids it.

        What is in the cluster and was not to be seen in its folder goes along: people, and the
        other animals of photos that lie in other folders.
        """
        if source == to or not self.found.members[source]:
            return False
        placed = {p.step.image_id for p in self.comparison.photos if p.cluster_id == origin}
        filed = self._filing.filed.get(source, set())
        if not placed | filed <= set(image_ids):
            return False
        banned = self.state.constraints.banned
        return not any({source, to} & clusters for clusters in banned.values())

    def _sort_out_names(self) -> None:
        for cluster_id, folder in self.comparison.changes.renamed.items():
            now = self._now(cluster_id)
            homes = {
                folder_name(p.folder) for p in self.comparison.photos if p.cluster_id == cluster_id
            }
            name = name_of_folder(name_from_folder(folder, cluster_id, homes))
            if now is None:
                self.found.not_applied.append(
                    f"cluster {cluster_id} is no more: it cannot be called {name!r}"
                )
            elif not name.isprintable() or not name:
                self.found.not_applied.append(f"a cluster cannot be called {name!r}")
            elif safe_name(cluster_label(self._names, now)) != name:
                self.found.renamed[now] = name
        taken = {name: i for i, name in self._names.items() if i not in self.found.renamed}
        for cluster_id, name in list(self.found.renamed.items()):
            if name in taken:
                del self.found.renamed[cluster_id]
                self.found.not_applied.append(
                    f"cluster {cluster_id} cannot be called {name!r}: cluster {taken[name]} is"
                )

    def _sort_out_the_rest(self) -> None:
        banned = self.state.constraints.banned
        for folder, image_ids in self.comparison.changes.new_folders.items():
            name = name_of_folder(folder)
            bearer = next((i for i, n in self._names.items() if n == name), None)
            clustered = self._gathered(image_ids)
            if bearer is not None and bearer not in self.found.renamed:
                self.found.not_applied.append(
                    f"{_counted(image_ids)} in the folder {folder!r}: cluster {bearer} is called so"
                )
            elif not name.isprintable():
                self.found.not_applied.append(f"a cluster cannot be called {name!r}")
            elif clustered:
                self.found.new_clusters[folder] = clustered
        self.found.left = {
            cluster_id: new
            for cluster_id, members in self._leaving().items()
            if (new := [m for m in members if cluster_id not in banned.get(m, ())])
        }

    def _gathered(self, image_ids: Sequence[str]) -> list[str]:
        """What of the photos in a new folder is meant, each by the folder that it came from."""
        by_source: dict[int | None, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_source[self._now(self._origins[image_id])].append(image_id)
        return [m for source, ids in by_source.items() for m in self._clustered(ids, source)]

    def _leaving(self) -> dict[int, list[str]]:
        """What is said not to be of a cluster.

        An unsure photo shows nothing of the cluster that it came from, an empty one nothing of any.
        Of photos put to people, or to those that no detector has seen, nothing is said.
        """
        merged = {source: into for source, into, _ in self.found.merged}
        left: dict[int, list[str]] = defaultdict(list)
        silent = {i for i in self._put_apart if self._origins[i] is None}
        for cluster_id, image_ids in self.comparison.changes.left.items():
            now = self._now(cluster_id)
            empty = {i for i in image_ids if self._group_of(i) is PhotoGroup.EMPTY}
            apart = {i for i in image_ids if self._group_of(i)} - empty
            silent |= apart
            if now is None:
                continue
            meant = self._clustered([i for i in image_ids if i not in apart], now)
            left[merged.get(now, now)] += [m for m in meant if m in self._cluster_of]
            for image_id in empty:
                for member, at in self._filing.members(image_id).items():
                    if at not in {None, NOISE, now}:
                        self.found.photo_of[member] = image_id
                        left[merged.get(at, at)].append(member)
            self.found.emptied |= {i for i in empty if self._filing.is_seen(i)}
        self._tell_of_silent(silent)
        return left

    def _group_of(self, image_id: str) -> PhotoGroup | None:
        """What is said of a photo by the folder beside the clusters into which it was put."""
        group, _ = self._put_apart.get(image_id, (None, ""))
        return group

    def _tell_of_silent(self, image_ids: Collection[str]) -> None:
        by_folder: dict[str, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_folder[self._put_apart[image_id][1]].append(image_id)
        for folder, ids in sorted(by_folder.items()):
            self.found.not_applied.append(
                f"{_counted(ids)} put into {folder!r}: what a detector saw stays as it is"
            )

    def _clustered(
        self, image_ids: Sequence[str], source: int | None, to: int | None = None
    ) -> list[str]:
        """What of some photos is spoken of, as far as it is in the clustering or can join it."""
        found: list[str] = []
        lacking: list[str] = []
        for image_id in image_ids:
            whole = self._filing.whole(image_id)
            if whole is not None:
                self.found.uncropped[whole.crop_id] = whole
            meant = self._filing.meant(image_id, source, to)
            known = [m for m in meant if m in self._cluster_of or m in self.found.uncropped]
            self.found.photo_of |= dict.fromkeys(known, image_id)
            found += known
            if len(known) < len(meant):
                lacking.append(image_id)
        if lacking:
            are = "is" if len(lacking) == 1 else "are"
            self.found.not_applied.append(f"{_counted(lacking)} {are} in no clustering yet")
        self.found.later.update(lacking)
        return found

    def _now(self, cluster_id: int | None) -> int | None:
        return self.became.get(cluster_id)


def _counted(image_ids: Sequence[str]) -> str:
    return f"{len(image_ids):,} image{'s' if len(image_ids) != 1 else ''}"
