"""A person looks at a few images and says whether they belong; what follows for the clusters.

Answers are facts about an image and the cluster that it was shown with; what they say of the
current clusters is in `organizer.library.review.answers`. They count for as long as the image is in
that cluster, and after the person took it out because of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.evaluate.audit import allocate_sample, in_random_order
from organizer.library.clustering.space import read_unit_vectors
from organizer.library.current import require_cluster, require_clustering
from organizer.library.review.answers import (
    AnswerSummary,
    ImageInCluster,
    answer_summary,
)
from organizer.library.review.disagreements import find_disagreements
from organizer.store import Answer, SampleKind, Store, StoredClustering
from organizer.types import NOISE, Assignments, Box, FileState

_TYPICAL = 3


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An image to look at, with what there is to compare it with.

    Attributes:
        image_id: The image.
        path: A file of it.
        cluster_id: The cluster that it is in.
        cluster_name: The name that a person gave the cluster.
        typical: Files of the cluster's medoid and of the members nearest to the centroid, without
            the image itself.
        drawn: Whether it was drawn at random or because of its neighbours.
        clustering_id: The clustering in which it is in that cluster.
        belongs: What the person said of it before, for one that is drawn at random and was among
            the doubtful ones; None as a rule. It counts as drawn once the person, asked again,
            lets it stand.
        disagreeing: Share of its nearest neighbours that are in another cluster; None where it was
            drawn at random.
        other_id: The cluster in which most of these are.
        other_name: Its name.
        box: Where in the photo it is, for a crop.
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

    def answer(self, *, belongs: bool) -> Answer:
        """What a person says of it."""
        return Answer(self.image_id, self.cluster_id, belongs, self.drawn, self.clustering_id)


def draw_sample(
    store: Store, number: int, *, seed: int, cluster_ids: Sequence[int] = ()
) -> list[ReviewItem]:
    """See `organizer.library.Library.review_sample`."""
    current, members = current_members(store, cluster_ids)
    known, lost = (
        answer_summary(store),
        missing_images(store) | store.photos.hidden(members.image_ids.tolist()),
    )
    open_, answered = {}, {}
    for cluster_id, image_ids in members_by_cluster(members, cluster_ids).items():
        is_answered = [(i, cluster_id) in known.at_random for i in image_ids]
        answered[cluster_id] = sum(is_answered)
        left = [i for i, done in zip(image_ids, is_answered, strict=True) if not done]
        open_[cluster_id] = [i for i in left if i not in lost]
    sizes = {i: len(left) + answered[i] for i, left in open_.items()}
    shares = allocate_sample(sizes, answered, number)
    chosen = [
        (image_id, cluster_id)
        for cluster_id in sorted(shares, key=lambda i: (-sizes[i], i))
        for image_id in _in_order(open_[cluster_id], cluster_id, known, seed)[: shares[cluster_id]]
    ]
    show = _Shown(store, current, members, chosen)
    return [
        show.look(pair, SampleKind.RANDOM, belongs=known.belongs.get(pair))
        for pair in chosen
        if show.has(pair)
    ]


def count_missing(store: Store, cluster_ids: Sequence[int] = ()) -> int:
    """How many images of clusters cannot be looked at: all of their files are missing."""
    _, members = current_members(store, cluster_ids)
    inside = members_by_cluster(members, cluster_ids).values()
    lost = missing_images(store)
    return sum(image_id in lost for image_ids in inside for image_id in image_ids)


def find_doubtful(
    store: Store, number: int, *, cluster_ids: Sequence[int] = ()
) -> list[ReviewItem]:
    """See `organizer.library.Library.review_doubtful`."""
    current, members = current_members(store, cluster_ids)
    known, lost = (
        answer_summary(store),
        missing_images(store) | store.photos.hidden(members.image_ids.tolist()),
    )
    image_ids, vectors = read_unit_vectors(store, current.embedder)
    row_of = {image_id: row for row, image_id in enumerate(members.image_ids.tolist())}
    at = np.array([row_of.get(image_id, -1) for image_id in image_ids], dtype=np.int64)
    labels = np.where(at >= 0, members.cluster_ids[at], NOISE)
    margins = members.margins[at].astype(np.float64)
    disagreeing = find_disagreements(vectors, labels, margins, cluster_ids=cluster_ids)
    pairs = [(image_ids[row], int(labels[row])) for row in disagreeing.rows]
    shares = zip(pairs, disagreeing.shares.tolist(), disagreeing.others.tolist(), strict=True)
    found = [one for one in shares if one[0] not in known.belongs and one[0][0] not in lost]
    found = found[:number]
    show = _Shown(store, current, members, [pair for pair, _, _ in found])
    return [
        show.look(pair, SampleKind.DOUBTFUL, disagreeing=part, other=other)
        for pair, part, other in found
        if show.has(pair)
    ]


class _Shown:
    """What is shown with images: their files, their clusters' names and typical images."""

    def __init__(
        self,
        store: Store,
        current: StoredClustering,
        members: Assignments,
        pairs: Sequence[ImageInCluster],
    ) -> None:
        models = store.clusterings.models(current.clustering_id)
        medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
        self._typical = {i: _typical(members, i, medoids[i]) for i in {c for _, c in pairs}}
        self._names = compile_constraints(store.decisions.all()).names
        shown = {image_id for image_id, _ in pairs}.union(*map(set, self._typical.values()))
        self._files = store.photos.files_of(shown)
        self._clustering_id = current.clustering_id

    def has(self, pair: ImageInCluster) -> bool:
        return pair[0] in self._files

    def look(
        self,
        pair: ImageInCluster,
        drawn: SampleKind,
        *,
        belongs: bool | None = None,
        disagreeing: float | None = None,
        other: int | None = None,
    ) -> ReviewItem:
        image_id, cluster_id = pair
        typical = [i for i in self._typical[cluster_id] if i != image_id and i in self._files]
        return ReviewItem(
            image_id,
            self._files[image_id][0].file,
            cluster_id,
            self._names.get(cluster_id),
            tuple(self._files[i][0].file for i in typical[:_TYPICAL]),
            drawn,
            self._clustering_id,
            belongs,
            disagreeing,
            other,
            self._names.get(other) if other is not None else None,
            self._files[image_id][0].box,
        )


def _typical(members: Assignments, cluster_id: int, medoid: str) -> list[str]:
    """The medoid, then the members nearest to the centroid; one more than is shown."""
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    order = np.argsort(members.distances[rows], kind="stable")[: _TYPICAL + 1]
    return list(dict.fromkeys([medoid, *members.image_ids[rows[order]].tolist()]))


def current_members(
    store: Store, cluster_ids: Sequence[int]
) -> tuple[StoredClustering, Assignments]:
    """The current clustering and its members, if it has some clusters.

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
    """The order of the draw; those that a merge has taken an answer from come first."""
    order = in_random_order(image_ids, seed=seed)
    return sorted(order, key=lambda image_id: (image_id, cluster_id) not in known.reopened)


def missing_images(store: Store) -> set[str]:
    """Images all of whose files are missing."""
    gone = {image_id for _, image_id in store.photos.all_in_state(FileState.MISSING)}
    here = store.photos.files_in_state(gone, FileState.PRESENT) if gone else []
    return gone.difference(image_id for _, image_id in here)
