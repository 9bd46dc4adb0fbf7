"""How a clustering sees images: their vectors centred by how they were taken, bursts as one.

Both come before any reducer, which is given vectors and knows nothing of it. What was measured when
the clustering was made is stored with its space, so that whoever comes later is seen alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import Constraints
from organizer.cluster.incremental import unit_rows
from organizer.cluster.pooling import burst_limit, group_bursts, pool_vectors
from organizer.errors import SettingsError
from organizer.library.clustering.space import centred_by, centring_text
from organizer.library.images.capture import read_capture_info
from organizer.reduce.centring import Centring
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Decision, DecisionKind, Labels, PartSpec, Vectors

CENTRINGS = ("camera", "night")
"""What vectors can be centred by."""

_LONG = 1_000
"""Photos of a burst beyond which a camera takes them by the clock."""

_BURSTS = "bursts"
_LIMIT, _GAP = "bursts.limit", "bursts.gap"
_LIGHT = {1: "infrared", 0: "colour", NOISE: "light unknown"}


def parse_centring(text: str | None) -> str | None:
    """What to centre by, as it is typed: ``camera``, ``night``, ``camera,night``.

    Raises:
        SettingsError: It is none of these.
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not set(words) <= set(CENTRINGS) or len(set(words)) < len(words):
        raise SettingsError(f"--center cannot be {text!r}", "camera, night, or camera,night")
    return ",".join(sorted(words))


def clusters_bursts(clusterer: PartSpec) -> bool:
    """Whether a clustering was made of bursts, not of images."""
    return bool(clusterer.params.get(_BURSTS))


def with_bursts(clusterer: PartSpec) -> PartSpec:
    """The spec of a clusterer that was given bursts, not images."""
    return replace(clusterer, params={**clusterer.params, _BURSTS: True})


def uses_capture_info(clustering: StoredClustering) -> bool:
    """Whether a clustering sees more of an image than its vector."""
    return clusters_bursts(clustering.clusterer) or bool(centred_by(clustering.reducer))


def preprocessing_words(clustering: StoredClustering) -> list[str]:
    """How a clustering sees images, for a person; nothing where it sees each as it is."""
    bursts = ["bursts as one"] if clusters_bursts(clustering.clusterer) else []
    centred = centring_text(clustering.reducer)
    return [*bursts, *([centred] if centred else [])]


@dataclass(frozen=True, slots=True)
class IncomingObservations:
    """Images as a clustering sees them.

    Attributes:
        vectors: ``(m, dim)`` of unit length, one for each observation.
        numbers: ``(n,)`` the observation of each image.
        homes: ``(m,)`` the cluster that an observation is in already; NOISE for one that is new.
    """

    vectors: Vectors
    numbers: Labels
    homes: Labels


class Preprocessor:
    """See the module.

    Args:
        store: Where it stands how images were taken.
        by: What vectors are centred by; None for nothing.
        bursts: Whether the images of a burst are one observation.
        gap: Seconds between two photos of a burst, where bursts are one observation.
    """

    def __init__(self, store: Store, *, by: str | None, bursts: bool, gap: float) -> None:
        self._store, self._by, self.bursts = store, by, bursts
        self._gap = gap
        self._centring: Centring | None = None
        self._embedder: PartSpec | None = None
        self._limit = float("nan")
        self._group_of: dict[str, str] = {}
        self._burst_of: dict[str, int] = {}
        if by or bursts:
            self._look(by or "")

    @classmethod
    def restored(
        cls, store: Store, clustering: StoredClustering, state: Mapping[str, NDArray[Any]]
    ) -> Self:
        """As it was when a clustering was made, with what was learned since."""
        bursts = clusters_bursts(clustering.clusterer)
        gap = float(state[_GAP][0]) if bursts else 0.0
        preprocessor = cls(store, by=centred_by(clustering.reducer), bursts=bursts, gap=gap)
        preprocessor._centring = Centring.restored(state)
        preprocessor._embedder = clustering.embedder
        if bursts:
            preprocessor._limit = float(state[_LIMIT][0])
        return preprocessor

    @property
    def is_plain(self) -> bool:
        """Whether images are seen as they are, each by itself."""
        return not self._by and not self.bursts

    def state(self) -> dict[str, NDArray[Any]]:
        """What was measured, to be stored with the space."""
        state = self._centring.state() if self._centring is not None else {}
        if self.bursts:
            state |= {_LIMIT: np.array([self._limit]), _GAP: np.array([self._gap])}
        return state

    # Centring ------------------------------------------------------------------------------

    def fit_centred(self, image_ids: Sequence[str], vectors: Vectors) -> Vectors:
        """Measure the groups of all images, and centre their vectors."""
        if not self._by:
            return vectors
        self._centring = Centring.fit(vectors, self._groups(image_ids))
        return self.centred(image_ids, vectors)

    def learn(self, image_ids: Sequence[str], vectors: Vectors) -> dict[str, NDArray[Any]]:
        """Take new images of groups in that there were not; what is to be stored of that.

        Args:
            image_ids: The images; their vectors are in the library.
            vectors: ``(n, dim)`` of theirs.
        """
        if self._centring is None:
            return {}
        groups = self._groups(image_ids)
        known = [row for row, group in enumerate(groups) if self._centring.knows(group)]
        parts = [
            self._learn_unknown(groups),
            self._centring.learn(vectors[known], [groups[row] for row in known]),
        ]
        learned = [part for part in parts if part]
        return {
            name: np.concatenate([part[name] for part in learned])
            for name in (learned[0] if learned else ())
        }

    def centred(self, image_ids: Sequence[str], vectors: Vectors) -> Vectors:
        """Vectors of unit length without what their groups have in common."""
        if self._centring is None:
            return vectors
        groups = self._groups(image_ids)
        self._learn_unknown(groups)
        return self._centring.centred(vectors, groups)

    def _learn_unknown(self, groups: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Measure groups that nobody measured on all their images in the library.

        Deployments that were told since give old photos new groups. Measured on the images at hand,
        their photos would be seen otherwise by each who looks, and one image would be its own mean.
        """
        if self._centring is None or self._embedder is None:
            return {}
        unknown = {group for group in groups if not self._centring.knows(group)}
        if not unknown:
            return {}
        embedded = self._store.vectors.ids(self._embedder)
        ids = [i for i, group in self._group_of.items() if group in unknown and i in embedded]
        if not ids:
            return {}
        vectors = unit_rows(self._store.vectors.read_rows(self._embedder, ids))
        return self._centring.learn(vectors, self._groups(ids))

    def remarks(self, image_ids: Sequence[str]) -> Iterator[str]:
        """What the person should know who asked for this, a line each."""
        if self._by and len(set(self._groups(image_ids))) < 2:
            what = self._by.replace(",", " or ")
            yield f"--center {self._by} changes nothing: no two photos differ in {what}"
        if not self.bursts:
            return
        bursts = self.bursts_of(image_ids)
        longest = int(np.unique(bursts[bursts != NOISE], return_counts=True)[1].max(initial=0))
        if longest < 2:
            yield "--bursts changes nothing: no two photos tell that they are of one burst"
        elif longest > _LONG:
            yield (
                f"a burst has {longest:,} photos and is one observation: --bursts is not meant for "
                "time lapse"
            )

    # Bursts --------------------------------------------------------------------------------

    @property
    def gap(self) -> float:
        """Seconds between two photos up to which they are of one burst."""
        return self._gap

    @property
    def limit(self) -> float:
        """The distance beyond which an image is not of its burst; NaN where none was measured."""
        return self._limit

    def measure_bursts(self, image_ids: Sequence[str], vectors: Vectors) -> None:
        """Measure how far an image of a burst may lie from the others."""
        self._limit = burst_limit(vectors, self.bursts_of(image_ids))

    def bursts_of(self, image_ids: Iterable[str]) -> Labels:
        """``(n,)`` the burst of each image; NOISE for one whose time is unknown."""
        return np.array([self._burst_of.get(i, NOISE) for i in image_ids], dtype=np.int64)

    def in_same_bursts(self, image_ids: Iterable[str]) -> list[str]:
        """All images of the library that are of the bursts of some, these included."""
        bursts = {self._burst_of.get(image_id, NOISE) for image_id in image_ids} - {NOISE}
        return [image_id for image_id, burst in self._burst_of.items() if burst in bursts]

    def observations(
        self, image_ids: Sequence[str], vectors: Vectors, apart: Sequence[Any] | None = None
    ) -> Labels | None:
        """``(n,)`` the observation of each image, from 0; None where each is one of its own.

        Args:
            image_ids: The images.
            vectors: ``(n, dim)`` of theirs, centred.
            apart: Something for each image; those of a burst of which it differs are not one.
        """
        if not self.bursts:
            return None
        bursts = self.bursts_of(image_ids).tolist()
        number: dict[tuple[int, Any], int] = {}
        groups = np.array(
            [
                NOISE if burst == NOISE else number.setdefault((burst, word), len(number))
                for burst, word in zip(bursts, apart or [None] * len(bursts), strict=True)
            ],
            dtype=np.int64,
        )
        # Where no burst was there to be measured, those at hand are.
        limit = burst_limit(vectors, groups) if np.isnan(self._limit) else self._limit
        return group_bursts(vectors, groups, limit=limit)

    def _look(self, by: str) -> None:
        taken = read_capture_info(self._store, settings=Settings(burst_gap=self._gap))
        self._burst_of = dict(zip(taken.image_ids, taken.bursts.tolist(), strict=True))
        words = by.split(",")
        lights = [_LIGHT[light] for light in taken.infrared.tolist()]
        rows = zip(taken.image_ids, taken.cameras, lights, strict=True)
        for image_id, camera, light in rows:
            parts = {"camera": camera or "camera unknown", "night": light}
            self._group_of[image_id] = ", ".join(parts[word] for word in words if word in parts)
        for crop_id, crop in self._store.detections.crops().items():
            self._burst_of[crop_id] = self._burst_of.get(crop.image_id, NOISE)
            self._group_of[crop_id] = self._group_of.get(crop.image_id, "")

    def _groups(self, image_ids: Iterable[str]) -> list[str]:
        return [self._group_of.get(image_id, "") for image_id in image_ids]


def demands_by_image(
    image_ids: Sequence[str],
    bursts: Labels,
    decisions: Iterable[Decision],
    constraints: Constraints,
) -> list[Any]:
    """What a person demands of each image, so that those of which it differs are taken apart.

    What was said of an image by itself (moved, not here) is said of no other. An image that stands
    for a cluster that was named takes its burst along, unless others of its burst stand for others.
    """
    singly = decided_singly(decisions)
    stands: dict[int, set[int]] = {}
    for image_id, burst in zip(image_ids, bursts.tolist(), strict=True):
        if image_id not in singly and image_id in constraints.fixed:
            stands.setdefault(burst, set()).add(constraints.fixed[image_id])
    words: list[Any] = []
    for image_id, burst in zip(image_ids, bursts.tolist(), strict=True):
        fixed = constraints.fixed.get(image_id)
        if image_id in singly:
            words.append((fixed, constraints.banned.get(image_id, frozenset())))
        else:
            words.append(fixed if len(stands.get(burst, ())) > 1 else None)
    return words


def decided_singly(decisions: Iterable[Decision]) -> set[str]:
    """The images of which a person said, one by one, where they belong or do not."""
    listed = list(decisions)
    taken_back = {d.about for d in listed if d.kind is DecisionKind.TAKE_BACK}
    return {
        image_id
        for decision in listed
        if decision.kind in {DecisionKind.MOVE, DecisionKind.NOT}
        and decision.decision_id not in taken_back
        for image_id in decision.image_ids
    }


def single_observations(vectors: Vectors) -> IncomingObservations:
    """Images of which each is an observation."""
    n = len(vectors)
    return IncomingObservations(
        vectors, np.arange(n, dtype=np.int64), np.full(n, NOISE, dtype=np.int64)
    )


def pool_observations(vectors: Vectors, numbers: Labels | None) -> Vectors:
    """``(n, dim)`` vectors of images, each seen as its observation."""
    return vectors if numbers is None else pool_vectors(vectors, numbers)[numbers]
