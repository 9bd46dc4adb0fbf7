"""A person looks at a few images and says whether they belong; what follows for the clusters.

Answers are facts about an image and the cluster that it was shown with; what they say of the
clusters of now is in `organizer.library.said`. They count for as long as the image is in that
cluster, and after the person took it out because of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import compiled
from organizer.evaluate.audit import Stratum, allocation, estimate, in_random_order
from organizer.evaluate.disagreement import DOUBTFUL_FROM, disagreement
from organizer.field import Box
from organizer.library.current import require_cluster, require_clustering
from organizer.library.said import Pair, Said, Today, said
from organizer.library.space import unit_vectors
from organizer.scores import Audit
from organizer.store import Answer, Drawn, Store, StoredClustering
from organizer.types import NOISE, Assignments, DecisionKind, FileState, Labels, Vectors

_TYPICAL = 3
ALL_UP_TO = 20_000
_LEAST_SURE = 5_000


@dataclass(frozen=True, slots=True)
class Look:
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
    drawn: Drawn
    clustering_id: int
    belongs: bool | None = None
    disagreeing: float | None = None
    other_id: int | None = None
    other_name: str | None = None
    box: Box | None = None

    def answer(self, *, belongs: bool) -> Answer:
        """What a person says of it."""
        return Answer(self.image_id, self.cluster_id, belongs, self.drawn, self.clustering_id)


def sample(store: Store, number: int, *, seed: int, cluster_ids: Sequence[int] = ()) -> list[Look]:
    """See `organizer.library.Library.review_sample`."""
    current, members = _present(store, cluster_ids)
    known, lost = said(store), _lost(store) | store.photos.hidden(members.image_ids.tolist())
    open_, answered = {}, {}
    for cluster_id, image_ids in _by_cluster(members, cluster_ids).items():
        is_answered = [(i, cluster_id) in known.at_random for i in image_ids]
        answered[cluster_id] = sum(is_answered)
        left = [i for i, done in zip(image_ids, is_answered, strict=True) if not done]
        open_[cluster_id] = [i for i in left if i not in lost]
    sizes = {i: len(left) + answered[i] for i, left in open_.items()}
    shares = allocation(sizes, answered, number)
    chosen = [
        (image_id, cluster_id)
        for cluster_id in sorted(shares, key=lambda i: (-sizes[i], i))
        for image_id in _in_order(open_[cluster_id], cluster_id, known, seed)[: shares[cluster_id]]
    ]
    show = _Shown(store, current, members, chosen)
    return [
        show.look(pair, Drawn.RANDOM, belongs=known.belongs.get(pair))
        for pair in chosen
        if show.has(pair)
    ]


def lost_of(store: Store, cluster_ids: Sequence[int] = ()) -> int:
    """How many images of clusters cannot be looked at: all of their files are missing."""
    _, members = _present(store, cluster_ids)
    inside = _by_cluster(members, cluster_ids).values()
    lost = _lost(store)
    return sum(image_id in lost for image_ids in inside for image_id in image_ids)


def doubtful(store: Store, number: int, *, cluster_ids: Sequence[int] = ()) -> list[Look]:
    """See `organizer.library.Library.review_doubtful`."""
    current, members = _present(store, cluster_ids)
    known, lost = said(store), _lost(store) | store.photos.hidden(members.image_ids.tolist())
    image_ids, vectors = unit_vectors(store, current.embedder)
    row_of = {image_id: row for row, image_id in enumerate(members.image_ids.tolist())}
    at = np.array([row_of.get(image_id, -1) for image_id in image_ids], dtype=np.int64)
    labels = np.where(at >= 0, members.cluster_ids[at], NOISE)
    margins = members.margins[at].astype(np.float64)
    strangers = among_strangers(vectors, labels, margins, cluster_ids=cluster_ids)
    pairs = [(image_ids[row], int(labels[row])) for row in strangers.rows]
    shares = zip(pairs, strangers.shares.tolist(), strangers.others.tolist(), strict=True)
    found = [one for one in shares if one[0] not in known.belongs and one[0][0] not in lost]
    found = found[:number]
    show = _Shown(store, current, members, [pair for pair, _, _ in found])
    return [
        show.look(pair, Drawn.DOUBTFUL, disagreeing=part, other=other)
        for pair, part, other in found
        if show.has(pair)
    ]


@dataclass(frozen=True, slots=True)
class Strangers:
    """Images of most of whose neighbours are in another cluster, the worst first.

    Attributes:
        rows: ``(m,)`` int64, the images.
        shares: ``(m,)`` float64, the share of the neighbours that are elsewhere.
        others: ``(m,)`` int64, the cluster where most of these are.
    """

    rows: Labels
    shares: NDArray[np.float64]
    others: Labels

    def without(self, image_ids: NDArray[np.object_], hidden: Collection[str]) -> Strangers:
        """Those that may be shown."""
        if not hidden:
            return self
        keep = ~np.isin(image_ids[self.rows], list(hidden))
        return Strangers(self.rows[keep], self.shares[keep], self.others[keep])


def among_strangers(
    vectors: Vectors,
    labels: Labels,
    margins: NDArray[np.floating],
    *,
    cluster_ids: Sequence[int] = (),
) -> Strangers:
    """Look for the images whose neighbours disagree with their cluster.

    Args:
        vectors: ``(n, dim)`` float32 or float16 of unit length.
        labels: ``(n,)`` int64 clusters; NOISE for none.
        margins: ``(n,)``, how much farther the second nearest cluster is; of equal ones the less
            sure comes first, and of very many images only the least sure are looked at.
        cluster_ids: The clusters to which the search is limited; all where empty.
    """
    rows = _worth_a_look(labels, margins, cluster_ids)
    shares, others = disagreement(vectors, labels, rows=rows)
    order = np.lexsort((margins[rows], -shares))
    order = order[shares[order] >= DOUBTFUL_FROM]
    return Strangers(rows[order], shares[order], others[order])


def moved_on(store: Store, answers: Sequence[Answer]) -> int:
    """How many answers are about an image that is not in that cluster now: kept, not counted."""
    current = require_clustering(store)
    ids = [answer.image_id for answer in answers]
    clusters = store.clusterings.clusters_of(current.clustering_id, ids)
    today = Today(store)
    places = [(answer.image_id, clusters.get(answer.image_id)) for answer in answers]
    return sum(today(a).pair != place for a, place in zip(answers, places, strict=True))


def reopened(store: Store) -> int:
    """How many images were said not to be of a cluster that was merged since, and are in it."""
    current = store.clusterings.current()
    found = said(store).reopened if current else set()
    if current is None or not found:
        return 0
    clusters = store.clusterings.clusters_of(current.clustering_id, [i for i, _ in found])
    return sum(clusters.get(image_id) == cluster_id for image_id, cluster_id in found)


def wrong(store: Store, cluster_ids: Sequence[int] = ()) -> dict[int, list[str]]:
    """The images that were said not to belong to the cluster that they still are in, by cluster."""
    _, members = _present(store, cluster_ids)
    known = said(store)
    found = {
        cluster_id: [i for i in image_ids if known.belongs.get((i, cluster_id)) is False]
        for cluster_id, image_ids in _by_cluster(members, cluster_ids).items()
    }
    return {cluster_id: sorted(image_ids) for cluster_id, image_ids in found.items() if image_ids}


def audit(store: Store) -> Audit | None:
    """See `organizer.library.Library.audit`."""
    current = store.clusterings.current()
    known = said(store) if current else None
    if current is None or known is None or not known.at_random:
        return None
    members = store.clusterings.assignments(current.clustering_id)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    was_taken_out = _TakenOut(store)
    answered: Counter[int] = Counter()
    right: Counter[int] = Counter()
    out: Counter[int] = Counter()
    for pair in known.at_random:
        image_id, cluster_id = pair
        if cluster_of.get(image_id) == cluster_id:
            answered[cluster_id] += 1
            right[cluster_id] += known.belongs[pair]
        elif not known.belongs[pair] and image_id in cluster_of and was_taken_out(pair):
            answered[cluster_id] += 1
            out[cluster_id] += 1
    ids, sizes = np.unique(members.cluster_ids[members.cluster_ids != NOISE], return_counts=True)
    return estimate(
        [
            Stratum(i, size, answered[i], right[i], out[i])
            for i, size in zip(ids.tolist(), sizes.tolist(), strict=True)
        ]
    )


class _TakenOut:
    """Whether an image left a cluster because a person said so of this very image."""

    def __init__(self, store: Store) -> None:
        decisions = store.decisions.all()
        self._constraints = compiled(decisions)
        self._moved = {
            image_id
            for decision in decisions
            if decision.kind is DecisionKind.MOVE
            for image_id in decision.image_ids
        }

    def __call__(self, pair: Pair) -> bool:
        image_id, cluster_id = pair
        if cluster_id in self._constraints.banned.get(image_id, ()):
            return True
        fixed = self._constraints.fixed.get(image_id, cluster_id)
        return image_id in self._moved and fixed != cluster_id


class _Shown:
    """What is shown with images: their files, their clusters' names and typical images."""

    def __init__(
        self,
        store: Store,
        current: StoredClustering,
        members: Assignments,
        pairs: Sequence[Pair],
    ) -> None:
        models = store.clusterings.models(current.clustering_id)
        medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
        self._typical = {i: _typical(members, i, medoids[i]) for i in {c for _, c in pairs}}
        self._names = compiled(store.decisions.all()).names
        shown = {image_id for image_id, _ in pairs}.union(*map(set, self._typical.values()))
        self._files = store.photos.files_of(shown)
        self._clustering_id = current.clustering_id

    def has(self, pair: Pair) -> bool:
        return pair[0] in self._files

    def look(
        self,
        pair: Pair,
        drawn: Drawn,
        *,
        belongs: bool | None = None,
        disagreeing: float | None = None,
        other: int | None = None,
    ) -> Look:
        image_id, cluster_id = pair
        typical = [i for i in self._typical[cluster_id] if i != image_id and i in self._files]
        return Look(
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


def _present(store: Store, cluster_ids: Sequence[int]) -> tuple[StoredClustering, Assignments]:
    current = require_clustering(store)
    for cluster_id in cluster_ids:
        require_cluster(store, current, cluster_id)
    return current, store.clusterings.assignments(current.clustering_id)


def _by_cluster(members: Assignments, cluster_ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    pairs = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
    for image_id, cluster_id in pairs:
        if cluster_id != NOISE and (not cluster_ids or cluster_id in cluster_ids):
            found.setdefault(cluster_id, []).append(image_id)
    return found


def _worth_a_look(
    labels: Labels, margins: NDArray[np.floating], cluster_ids: Sequence[int]
) -> Labels:
    """The images whose neighbours are looked up; of very many, the least sure ones."""
    wanted = labels != NOISE
    if cluster_ids:
        wanted &= np.isin(labels, list(cluster_ids))
    rows = np.flatnonzero(wanted)
    if len(rows) > ALL_UP_TO:
        rows = np.sort(rows[np.argsort(margins[rows], kind="stable")[:_LEAST_SURE]])
    return rows


def _in_order(image_ids: Sequence[str], cluster_id: int, known: Said, seed: int) -> list[str]:
    """The order of the draw; those that a merge has taken an answer from come first."""
    order = in_random_order(image_ids, seed=seed)
    return sorted(order, key=lambda image_id: (image_id, cluster_id) not in known.reopened)


def _lost(store: Store) -> set[str]:
    """Images all of whose files are missing."""
    gone = {image_id for _, image_id in store.photos.all_in_state(FileState.MISSING)}
    here = store.photos.files_in_state(gone, FileState.PRESENT) if gone else []
    return gone.difference(image_id for _, image_id in here)
