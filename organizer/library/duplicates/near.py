"""Find images that are copies of one another, though not file by file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from organizer.duplicates.candidates import likely_pairs, of_unit_length, principal_axes
from organizer.duplicates.miniature import describe
from organizer.duplicates.overlay import BY_WAY_FROM, COPY_FROM, likeness
from organizer.library import embedders
from organizer.library.duplicates.wanted import WantedImages
from organizer.library.images.capture import CaptureInfo
from organizer.library.progress import Progress
from organizer.store import IdRows, Store, pack_ids
from organizer.types import NOISE, Labels, Miniatures, Vectors

_LEAST_ALIKE = 0.4
"""Cosine of neighbours that are compared; of copies less than 2% lie below."""
_AXES = 64
_SAMPLE = 20_000
_ROWS_AT_ONCE = 16_384
_MOST_SIDE = 1 << 31
_PAIRS_AT_ONCE = 20_000

SAME_SECOND_FROM = 0.97
"""Likeness from which photos of one camera, one second and one size are copies: within a second a
camera takes several photos, and few say which part of it."""


@dataclass(frozen=True, slots=True)
class Shots:
    """What tells photos of a series from copies, row by row.

    Attributes:
        cameras: ``(n,)`` a number for each camera that the metadata name; one for unknown ones.
        times: ``(n,)`` seconds; NaN where the time is not known.
        subseconds: ``(n,)`` how much of the second had passed; NaN where that is not known.
        sizes: ``(n,)`` a number for each width and height.
    """

    cameras: Labels
    times: NDArray[np.float64]
    subseconds: NDArray[np.float64]
    sizes: Labels

    def are_series(self, first: Labels, second: Labels) -> NDArray[np.bool_]:
        """For pairs whether one camera took them at two times."""
        same = self.cameras[first] == self.cameras[second]
        apart = np.abs(self.times[first] - self.times[second]) > 0  # False where unknown
        apart |= self._of_one_second(first, second) & (
            np.abs(self.subseconds[first] - self.subseconds[second]) > 0
        )
        return np.asarray(same & apart)

    def least_likeness(self, first: Labels, second: Labels, least: float) -> NDArray[np.float64]:
        """For pairs the likeness from which they are copies: usually `least`."""
        doubtful = self.cameras[first] == self.cameras[second]
        doubtful &= self._of_one_second(first, second)
        doubtful &= self.sizes[first] == self.sizes[second]
        doubtful &= np.isnan(self.subseconds[first]) | np.isnan(self.subseconds[second])
        return np.where(doubtful, SAME_SECOND_FROM, least)

    def _of_one_second(self, first: Labels, second: Labels) -> NDArray[np.bool_]:
        return np.asarray(self.times[first] == self.times[second])


def shots_of(store: Store, info: CaptureInfo, image_ids: Sequence[str]) -> Shots:
    """What tells photos of a series from copies.

    Args:
        store: The library.
        info: How all images were taken.
        image_ids: Those that are compared.
    """
    rows = IdRows(info.image_ids).of(image_ids)
    times = np.array([time or "NaT" for time in info.taken_at], dtype="datetime64[s]")
    seconds = np.where(np.isnat(times), np.nan, times.astype(np.int64))
    columns = store.photos.columns("image_id", "camera", "width", "height")
    # Not by folder: photos of one camera that were sorted into several are a series all the same.
    named = [camera or "" for camera in columns["camera"]]
    cameras = np.unique(np.array(named, dtype=str), return_inverse=True)[1]
    sizes = columns["width"].astype(np.int64) * _MOST_SIDE + columns["height"].astype(np.int64)
    places = IdRows(columns["image_id"].tolist()).of(image_ids)
    return Shots(cameras[places], seconds[rows], info.subseconds[rows], sizes[places])


@dataclass(frozen=True, slots=True)
class NearCopies:
    """Pairs of images that are copies.

    Attributes:
        image_ids: The images that were compared.
        first: ``(n,)`` rows of these.
        second: ``(n,)`` the other rows.
        confirm: Tells of images and copies of their copies whether these are copies too.
        likeness: How alike pairs are.
    """

    image_ids: list[str]
    first: Labels
    second: Labels
    confirm: Callable[[Labels, Labels], NDArray[np.bool_]]
    likeness: Callable[[Labels, Labels], NDArray[np.float32]]


def find_near(
    store: Store,
    image_ids: Sequence[str],
    info: CaptureInfo,
    wanted: WantedImages,
    *,
    seed: int,
    threads: int,
    progress: Progress,
) -> NearCopies:
    """Find pairs of copies.

    Args:
        store: The library.
        image_ids: The images that are compared; those without a miniature are left out.
        info: How all images were taken.
        wanted: Those that are wanted beside each other are no copies.
        seed: Of what is drawn.
        threads: How many compare.
        progress: Receives the progress.
    """
    ids, miniatures = store.miniatures.read(np.sort(pack_ids(list(image_ids))))
    shots = shots_of(store, info, ids)

    def alike(first: Labels, second: Labels) -> NDArray[np.float32]:
        return likeness(miniatures, first, second, threads=threads)

    def are_copies(first: Labels, second: Labels, least: float = COPY_FROM) -> NDArray[np.bool_]:
        possible = ~shots.are_series(first, second)
        if wanted:
            both = zip(first.tolist(), second.tolist(), strict=True)
            possible &= ~np.array([wanted.are_both(ids[a], ids[b]) for a, b in both], dtype=bool)
        found = np.zeros(len(first), dtype=np.bool_)
        rows = np.flatnonzero(possible)
        a, b = first[rows], second[rows]
        found[rows] = alike(a, b) >= shots.least_likeness(a, b, least)
        return found

    first, second = _candidates(store, ids, miniatures, seed=seed, progress=progress)
    progress.begin("comparing pictures", len(first))
    kept: list[Labels] = []
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        rows = np.arange(start, min(start + _PAIRS_AT_ONCE, len(first)))
        kept.append(rows[are_copies(first[rows], second[rows])])
        progress.advance(len(rows))
    rows = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    by_way = partial(are_copies, least=BY_WAY_FROM)
    return NearCopies(ids, first[rows], second[rows], by_way, alike)


def _candidates(
    store: Store, ids: Sequence[str], miniatures: Miniatures, *, seed: int, progress: Progress
) -> tuple[Labels, Labels]:
    """Pairs that may be copies: neighbours by their miniatures, or by their vectors."""
    n = max(len(ids), 1)
    progress.begin("finding neighbours", None)
    pairs = [likely_pairs(_described(miniatures), least=_LEAST_ALIKE, seed=seed)]
    vectors = _vectors(store, ids, seed=seed)
    if vectors is not None:
        pairs.append(likely_pairs(vectors, least=_LEAST_ALIKE, seed=seed))
    keys = np.unique(np.concatenate([first * n + second for first, second in pairs]))
    return keys // n, keys % n


def _described(miniatures: Miniatures) -> Vectors:
    parts = [
        describe(miniatures[start : start + _ROWS_AT_ONCE])
        for start in range(0, len(miniatures), _ROWS_AT_ONCE)
    ]
    if not parts:
        return np.empty((0, 1), dtype=np.float32)
    found = np.concatenate(parts)
    found -= found.mean(axis=0)
    return of_unit_length(found)


def _vectors(store: Store, ids: Sequence[str], *, seed: int) -> Vectors | None:
    """``(n, 64)`` the directions in which the vectors of images differ most; None without vectors.

    An image without a vector has zeros.
    """
    spec = embedders.photo_embedder(store)
    count = 0 if spec is None else store.vectors.count(spec)
    if spec is None or not count:
        return None
    every = -(-count // _SAMPLE)
    sample = [part[::every] for _, part in store.vectors.stream(spec)]
    mean, axes = principal_axes(of_unit_length(np.concatenate(sample)), _AXES, seed=seed)
    rows_of = IdRows(ids)
    found = np.zeros((len(ids), axes.shape[1]), dtype=np.float32)
    for some, part in store.vectors.stream(spec):
        rows = rows_of.of(some.tolist())
        here = rows != NOISE
        found[rows[here]] = (of_unit_length(part[here]) - mean) @ axes
    return of_unit_length(found)
