"""Samples of the clusters: images that a person answers for whether they belong.

What the answers mean for the current clusters is in `organizer.library.review.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.evaluate.audit import allocate_sample, in_random_order
from organizer.library.clustering.space import read_unit_vectors
from organizer.library.corrections.state import read_state
from organizer.library.current import require_cluster, require_clustering
from organizer.library.images.visible import missing_images, not_shown
from organizer.library.review.answers import (
    AnswerSummary,
    ImageInCluster,
    answer_summary,
)
from organizer.library.review.disagreements import find_disagreements
from organizer.library.suggestions.learn import learn_clusters
from organizer.settings import Settings
from organizer.store import Answer, FileRow, SampleKind, Store, StoredClustering
from organizer.types import NOISE, Assignments, Box

_TYPICAL = 3

_Doubtful = tuple[ImageInCluster, float, int]
"""An image and its cluster, the share of its neighbours that are elsewhere, and where most are."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An image of a sample, with images of its cluster to compare it with.

    Attributes:
        image_id: The image.
        path: A file of it.
        cluster_id: The cluster that it is in.
        cluster_name: The name of the cluster; None where it has none.
        typical: Files of the cluster's medoid and of the members nearest to the centroid, without
            the image itself.
        drawn: Whether it was drawn at random or because of its neighbours.
        clustering_id: The clustering in which it is in that cluster.
        belongs: The earlier answer for an image that is drawn at random and was among the doubtful
            ones; None as a rule. It counts as drawn once the person confirms it.
        disagreeing: Share of its nearest neighbours that are in another cluster; None where it was
            drawn at random.
        other_id: The cluster that most of these are in.
        other_name: Its name.
        box: The box in the photo, for a crop.
        missing: Whether no file of it was there when last looked for.
    """

    image_id: str
    path: Path
    cluster_id: int
    cluster_name: str | None
    typical: tuple[Path, ...]
    drawn: SampleKind
    clustering_id: int
    belongs: bool | None = None
    disagreeing: float | None = None
    other_id: int | None = None
    other_name: str | None = None
    box: Box | None = None
    missing: bool = False

    def answer(self, *, belongs: bool) -> Answer:
        """The answer of a person; see `Review.answer`."""
        return Answer(self.image_id, self.cluster_id, belongs, self.drawn, self.clustering_id)


def draw_sample(
    store: Store, number: int, *, seed: int, cluster_ids: Sequence[int] = ()
) -> list[ReviewItem]:
    """See `Review.sample`."""
    current, members = current_members(store, cluster_ids)
    known, left_out = answer_summary(store), not_shown(store, members.image_ids.tolist())
    open_, answered = {}, {}
    for cluster_id, image_ids in members_by_cluster(members, cluster_ids).items():
        is_answered = [(i, cluster_id) in known.at_random for i in image_ids]
        answered[cluster_id] = sum(is_answered)
        left = [i for i, done in zip(image_ids, is_answered, strict=True) if not done]
        open_[cluster_id] = [i for i in left if i not in left_out]
    sizes = {i: len(left) + answered[i] for i, left in open_.items()}
    shares = allocate_sample(sizes, answered, number)
    chosen = [
        (image_id, cluster_id)
        for cluster_id in sorted(shares, key=lambda i: (-sizes[i], i))
        for image_id in _in_order(open_[cluster_id], cluster_id, known, seed)[: shares[cluster_id]]
    ]
    items = _ItemMaker.read(store, current, members, chosen)
    return [
        items.make(pair, SampleKind.RANDOM, belongs=known.belongs.get(pair))
        for pair in chosen
        if items.has(pair)
    ]


def count_missing(store: Store, cluster_ids: Sequence[int] = ()) -> int:
    """The number of images in clusters whose files are all missing."""
    _, members = current_members(store, cluster_ids)
    inside = members_by_cluster(members, cluster_ids).values()
    missing = missing_images(store)
    return sum(image_id in missing for image_ids in inside for image_id in image_ids)


def find_doubtful(
    store: Store, number: int, *, settings: Settings, cluster_ids: Sequence[int] = ()
) -> list[ReviewItem]:
    """See `Review.doubtful`."""
    current, members = current_members(store, cluster_ids)
    known, left_out = answer_summary(store), not_shown(store, members.image_ids.tolist())
    image_ids, vectors = read_unit_vectors(store, current.embedder)
    row_of = {image_id: row for row, image_id in enumerate(members.image_ids.tolist())}
    at = np.array([row_of.get(image_id, -1) for image_id in image_ids], dtype=np.int64)
    labels = np.where(at >= 0, members.cluster_ids[at], NOISE)
    margins = members.margins[at].astype(np.float64)
    disagreeing = find_disagreements(vectors, labels, margins, cluster_ids=cluster_ids)
    pairs = [(image_ids[row], int(labels[row])) for row in disagreeing.rows]
    shares = zip(pairs, disagreeing.shares.tolist(), disagreeing.others.tolist(), strict=True)
    found = [one for one in shares if one[0] not in known.belongs and one[0][0] not in left_out]
    found = _least_certain_first(store, found, settings)[:number]
    items = _ItemMaker.read(store, current, members, [pair for pair, _, _ in found])
    return [
        items.make(pair, SampleKind.DOUBTFUL, disagreeing=share, other=other)
        for pair, share, other in found
        if items.has(pair)
    ]


def _least_certain_first(
    store: Store, found: list[_Doubtful], settings: Settings
) -> list[_Doubtful]:
    """In the order of `organizer suggest --ask`, where something is learned from decisions."""
    if not found or not store.decisions.current():
        return found
    learned = learn_clusters(read_state(store, settings=settings))
    if learned is None:
        return found
    certain = learned.certainty([image_id for (image_id, _), _, _ in found])
    return [found[place] for place in np.argsort(certain, kind="stable").tolist()]


@dataclass(frozen=True, slots=True)
class _ItemMaker:
    """Makes items of images, with files, names and typical images."""

    clustering_id: int
    typical: Mapping[int, Sequence[str]]
    names: Mapping[int, str]
    files: Mapping[str, Sequence[FileRow]]

    @classmethod
    def read(
        cls,
        store: Store,
        current: StoredClustering,
        members: Assignments,
        pairs: Sequence[ImageInCluster],
    ) -> Self:
        models = store.clusterings.models(current.clustering_id)
        medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
        typical = {i: _typical(members, i, medoids[i]) for i in {c for _, c in pairs}}
        names = compile_constraints(store.decisions.current()).names
        shown = {image_id for image_id, _ in pairs}.union(*map(set, typical.values()))
        return cls(current.clustering_id, typical, names, store.photos.files_of(shown))

    def has(self, pair: ImageInCluster) -> bool:
        return pair[0] in self.files

    def _is_there(self, image_id: str) -> bool:
        return image_id in self.files and not self.files[image_id][0].is_missing

    def make(
        self,
        pair: ImageInCluster,
        drawn: SampleKind,
        *,
        belongs: bool | None = None,
        disagreeing: float | None = None,
        other: int | None = None,
    ) -> ReviewItem:
        image_id, cluster_id = pair
        typical = [i for i in self.typical[cluster_id] if i != image_id and self._is_there(i)]
        return ReviewItem(
            image_id=image_id,
            path=self.files[image_id][0].file,
            cluster_id=cluster_id,
            cluster_name=self.names.get(cluster_id),
            typical=tuple(self.files[i][0].file for i in typical[:_TYPICAL]),
            drawn=drawn,
            clustering_id=self.clustering_id,
            belongs=belongs,
            disagreeing=disagreeing,
            other_id=other,
            other_name=self.names.get(other) if other is not None else None,
            box=self.files[image_id][0].box,
            missing=self.files[image_id][0].is_missing,
        )


def _typical(members: Assignments, cluster_id: int, medoid: str) -> list[str]:
    """The medoid, then the members nearest to the centroid; one more than are shown."""
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    order = np.argsort(members.distances[rows], kind="stable")[: _TYPICAL + 1]
    return list(dict.fromkeys([medoid, *members.image_ids[rows[order]].tolist()]))


def current_members(
    store: Store, cluster_ids: Sequence[int]
) -> tuple[StoredClustering, Assignments]:
    """The current clustering and its members, once it is known to have some clusters.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: There is no such cluster.
    """
    current = require_clustering(store)
    for cluster_id in cluster_ids:
        require_cluster(store, current, cluster_id)
    return current, store.clusterings.assignments(current.clustering_id)


def members_by_cluster(members: Assignments, cluster_ids: Sequence[int]) -> dict[int, list[str]]:
    """The members of some clusters, or of all where none is named."""
    found: dict[int, list[str]] = {}
    pairs = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
    for image_id, cluster_id in pairs:
        if cluster_id != NOISE and (not cluster_ids or cluster_id in cluster_ids):
            found.setdefault(cluster_id, []).append(image_id)
    return found


def _in_order(
    image_ids: Sequence[str], cluster_id: int, known: AnswerSummary, seed: int
) -> list[str]:
    """The order of the draw; images whose answer a merge made void come first."""
    order = in_random_order(image_ids, seed=seed)
    return sorted(order, key=lambda image_id: (image_id, cluster_id) not in known.reopened)
