"""Preprocessing of vectors before a clustering: centring by how images were taken, bursts as one.

Both come before any reducer, which is given vectors and knows nothing of it. What was measured when
the clustering was made is stored with its space, so that later images are preprocessed alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.cluster.pooling import burst_limit, group_bursts
from organizer.errors import SettingsError
from organizer.library.clustering.space import centred_by, centring_text
from organizer.library.images.capture import read_capture_info, undecided_bursts
from organizer.reduce.centring import Centring
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Labels, PartSpec, Vectors

CENTRINGS = ("camera", "night")
"""What vectors can be centred by."""

_LONG = 1_000
"""Photos of a burst beyond which the camera takes them by the clock: time lapse."""

_TELL_CAMERAS = "organizer deployments tells which folders are of one camera"

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
    names = [name.strip() for name in text.split(",")]
    if not set(names) <= set(CENTRINGS) or len(set(names)) < len(names):
        raise SettingsError(f"--center cannot be {text!r}", "camera, night, or camera,night")
    return ",".join(sorted(names))


def clusters_bursts(clusterer: PartSpec) -> bool:
    """Whether a clusterer was given bursts, not images."""
    return bool(clusterer.params.get(_BURSTS))


def with_bursts(clusterer: PartSpec) -> PartSpec:
    """The spec of a clusterer that was given bursts, not images."""
    return replace(clusterer, params={**clusterer.params, _BURSTS: True})


def uses_capture_info(clustering: StoredClustering) -> bool:
    """Whether a clustering depends on more of an image than its vector: its camera, light, time."""
    return clusters_bursts(clustering.clusterer) or bool(centred_by(clustering.reducer))


def describe_preprocessing(clustering: StoredClustering) -> list[str]:
    """The preprocessing of a clustering, for a person; empty where there is none."""
    bursts = ["bursts as one"] if clusters_bursts(clustering.clusterer) else []
    centred = centring_text(clustering.reducer)
    return [*bursts, *([centred] if centred else [])]


class Preprocessor:
    """Prepares the vectors of a clustering: centred by groups, and pooled by burst.

    Args:
        store: The library.
        by: What vectors are centred by; None for nothing.
        bursts: Whether the images of a burst are one observation.
        gap: Seconds between two photos of a burst, where bursts are one observation.
        taken: The groups and bursts of the images.
        embedder: Whose vectors; None before they are fitted.
        centring: What was measured of the groups; None before it is.
        limit: See `limit`.
    """

    def __init__(
        self,
        store: Store,
        *,
        by: str | None,
        bursts: bool,
        gap: float,
        taken: _Taken,
        embedder: PartSpec | None = None,
        centring: Centring | None = None,
        limit: float = float("nan"),
    ) -> None:
        self._store, self._by, self.bursts, self._gap = store, by, bursts, gap
        self._group_of, self._burst_of = taken.group_of, taken.burst_of
        self._undecided = taken.undecided
        self._embedder, self._centring, self._limit = embedder, centring, limit

    @classmethod
    def read(cls, store: Store, *, by: str | None, bursts: bool, gap: float) -> Self:
        """Read how the images of a library were taken, as far as it is needed."""
        taken = _read_taken(store, by, bursts=bursts, gap=gap)
        return cls(store, by=by, bursts=bursts, gap=gap, taken=taken)

    @classmethod
    def restored(
        cls, store: Store, clustering: StoredClustering, state: Mapping[str, NDArray[Any]]
    ) -> Self:
        """The preprocessor of a stored clustering, with the groups that were measured since."""
        bursts = clusters_bursts(clustering.clusterer)
        by, gap = centred_by(clustering.reducer), float(state[_GAP][0]) if bursts else 0.0
        return cls(
            store,
            by=by,
            bursts=bursts,
            gap=gap,
            taken=_read_taken(store, by, bursts=bursts, gap=gap),
            embedder=clustering.embedder,
            centring=Centring.restored(state),
            limit=float(state[_LIMIT][0]) if bursts else float("nan"),
        )

    @property
    def is_plain(self) -> bool:
        """Whether vectors stay as they are, and each image is an observation."""
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
        """Measure the groups of new images that are not measured yet, or of few images.

        Args:
            image_ids: The images; their vectors are in the library.
            vectors: ``(n, dim)`` of theirs.

        Returns:
            What is to be stored in addition.
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
        """Measure unknown groups on all their images in the library.

        Deployments that were described since give old photos new groups. Measured on the images at
        hand, a group would have another mean each time, and one image would be its own mean.
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
        """Notes for the person who asked for the preprocessing, a line each."""
        if self._by and len(set(self._groups(image_ids))) < 2:
            what = self._by.replace(",", " or ")
            yield f"--center {self._by} changes nothing: no two photos differ in {what}"
        if not self.bursts:
            return
        bursts = self.bursts_of(image_ids)
        longest = int(np.unique(bursts[bursts != NOISE], return_counts=True)[1].max(initial=0))
        if longest < 2:
            yield "--bursts changes nothing: no two photos are known to be of one burst"
        elif longest > _LONG:
            yield (
                f"a burst has {longest:,} photos and is one observation: --bursts is not meant for "
                "time lapse"
            )
        if count := len(self._undecided & set(bursts.tolist())):
            yield (
                f"{count:,} of the bursts may go on in other folders, with photos of the same "
                f"model and time; each folder counts as a camera of its own: {_TELL_CAMERAS}"
            )

    # Bursts --------------------------------------------------------------------------------

    @property
    def gap(self) -> float:
        """Seconds between two photos up to which they are of one burst."""
        return self._gap

    @property
    def limit(self) -> float:
        """Cosine distance beyond which an image leaves its burst; NaN where none was measured."""
        return self._limit

    def measure_bursts(self, image_ids: Sequence[str], vectors: Vectors) -> None:
        """Measure how far an image of a burst may lie from the others."""
        self._limit = burst_limit(vectors, self.bursts_of(image_ids))

    def bursts_of(self, image_ids: Iterable[str]) -> Labels:
        """``(n,)`` the burst of each image; NOISE for one whose time is unknown."""
        return np.array([self._burst_of.get(i, NOISE) for i in image_ids], dtype=np.int64)

    def undecided(self, image_ids: Iterable[str]) -> str | None:
        """What a person should know of the bursts of some images; None for nothing.

        Photos of one model from two folders, taken at the same time, may be of two cameras, or of
        one whose photos were sorted: nothing in them tells.
        """
        if self._undecided.isdisjoint(self.bursts_of(image_ids).tolist()):
            return None
        return (
            "photos of the same model and time in other folders are taken for those of another "
            f"camera, and stay: {_TELL_CAMERAS}"
        )

    def in_same_bursts(self, image_ids: Iterable[str]) -> list[str]:
        """All images of the library in the bursts of some images, these included."""
        bursts = {self._burst_of.get(image_id, NOISE) for image_id in image_ids} - {NOISE}
        return [image_id for image_id, burst in self._burst_of.items() if burst in bursts]

    def observations(
        self, image_ids: Sequence[str], vectors: Vectors, keys: Sequence[Any] | None = None
    ) -> Labels | None:
        """``(n,)`` the observation of each image, from 0; None where each is one of its own.

        Args:
            image_ids: The images.
            vectors: ``(n, dim)`` of theirs, centred.
            keys: A key for each image; images of a burst whose keys differ are kept apart.
        """
        if not self.bursts:
            return None
        bursts = self.bursts_of(image_ids).tolist()
        number: dict[tuple[int, Any], int] = {}
        groups = np.array(
            [
                NOISE if burst == NOISE else number.setdefault((burst, key), len(number))
                for burst, key in zip(bursts, keys or [None] * len(bursts), strict=True)
            ],
            dtype=np.int64,
        )
        # Where the clustering had no burst to measure, those at hand are measured.
        limit = burst_limit(vectors, groups) if np.isnan(self._limit) else self._limit
        return group_bursts(vectors, groups, limit=limit)

    def _groups(self, image_ids: Iterable[str]) -> list[str]:
        return [self._group_of.get(image_id, "") for image_id in image_ids]


@dataclass(frozen=True, slots=True)
class _Taken:
    """How the images and crops of a library were taken; empty where that does not matter.

    Attributes:
        group_of: The group that the vector of each is centred by.
        burst_of: The burst of each; NOISE for one whose time is unknown.
        undecided: See `Preprocessor.undecided`.
    """

    group_of: Mapping[str, str] = field(default_factory=dict)
    burst_of: Mapping[str, int] = field(default_factory=dict)
    undecided: frozenset[int] = frozenset()


def _read_taken(store: Store, by: str | None, *, bursts: bool, gap: float) -> _Taken:
    if not by and not bursts:
        return _Taken()
    taken = read_capture_info(store, settings=Settings(burst_gap=gap))
    burst_of = dict(zip(taken.image_ids, taken.bursts.tolist(), strict=True))
    groups: dict[str, str] = {}
    chosen = (by or "").split(",")
    lights = [_LIGHT[light] for light in taken.infrared.tolist()]
    for image_id, camera, light in zip(taken.image_ids, taken.cameras, lights, strict=True):
        parts = {"camera": camera or "camera unknown", "night": light}
        groups[image_id] = ", ".join(parts[name] for name in chosen if name in parts)
    for crop_id, crop in store.detections.crops().items():
        burst_of[crop_id] = burst_of.get(crop.image_id, NOISE)
        groups[crop_id] = groups.get(crop.image_id, "")
    undecided = undecided_bursts(taken, gap=gap) if bursts else frozenset()
    return _Taken(groups, burst_of, undecided)
