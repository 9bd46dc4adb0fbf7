"""The photos of a camera in a library -> when its view changed, by their vectors.

Photos by day and in infrared are looked at apart. Where enough of them are known to be empty, by a
detector or by the name of their cluster, only these count; else all do, since the background is
most of what they have in common. A burst counts once: an animal that stays is not the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from organizer.library import Library, embedders
from organizer.library.images.capture import CaptureInfo
from organizer.store import VectorRows, pack_ids
from organizer.types import NOISE, Labels, PartSpec, Vectors, is_crop_embedder
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa
from organizer_camera_trap.view_change import LEAST, find_change, median_vector

_PLACES = "hog"
"""The embedder that tells best where things are in a picture; networks tell what they are."""
_MOST_BURSTS, _MOST_OF_BURST = 2_000, 5


@dataclass(frozen=True, slots=True)
class ViewChange:
    """When the view of a camera changed and stayed so.

    Attributes:
        at: The time of the first photo after it, by the camera's clock.
        path: That photo.
        infrared: Whether photos in infrared show it, or those by day; None where neither is known.
        times_usual: How many times as far as usual the photos after it are from those before.
        embedder: The embedder whose vectors show it.
    """

    at: str
    path: str
    infrared: bool | None
    times_usual: float
    embedder: str


@dataclass(frozen=True, slots=True)
class CameraViews:
    """What tells the views of a library's cameras.

    Attributes:
        info: How all photos were taken.
        spec: The embedder.
        vectors: Its vectors.
        is_blank: ``(n,)`` whether a photo is known to show no animal.
    """

    info: CaptureInfo
    spec: PartSpec
    vectors: VectorRows
    is_blank: NDArray[np.bool_]

    @classmethod
    def open(cls, library: Library, info: CaptureInfo) -> Self | None:
        """Read what is needed; None for a library without vectors of photos."""
        store = library.store
        spec = next((s for s in store.vectors.specs() if s.name == _PLACES), None)
        spec = spec or embedders.photo_embedder(store)
        if spec is None or is_crop_embedder(spec):
            return None
        blank = _blank(library)
        return cls(
            info,
            spec,
            store.vectors.rows(spec),
            np.array([image_id in blank for image_id in info.image_ids], dtype=np.bool_),
        )

    def change_of(self, rows: Labels) -> ViewChange | None:
        """The clearest change of a camera's view; None for none, or where too little is known.

        Args:
            rows: The photos of the camera.
        """
        changes = [self._change(rows[self.info.infrared[rows] == light]) for light in (0, 1, NOISE)]
        found = [change for change in changes if change is not None]
        return max(found, key=lambda change: change.times_usual, default=None)

    def _change(self, rows: Labels) -> ViewChange | None:
        """The change of the view in one light."""
        rows = rows[self.info.bursts[rows] != NOISE]
        bursts = self._bursts(rows[self.is_blank[rows]])
        if len(bursts) < LEAST:
            bursts = self._bursts(rows)
        if len(bursts) < LEAST:
            return None
        change = find_change(self._vectors(bursts))
        if change is None:
            return None
        first = int(bursts[change.row][0])
        light = int(self.info.infrared[first])
        return ViewChange(
            at=str(self.info.taken_at[first]),
            path=self.info.paths[first],
            infrared=None if light == NOISE else bool(light),
            times_usual=change.times_usual,
            embedder=self.spec.name,
        )

    def _bursts(self, rows: Labels) -> Sequence[Labels]:
        """The photos with a vector of each burst, in the order of time; of very many, some."""
        rows = rows[self.vectors.has(pack_ids([self.info.image_ids[row] for row in rows]))]
        if not len(rows):
            return []
        rows = rows[np.argsort(self.info.ranks[rows], kind="stable")]
        ends = np.flatnonzero(np.diff(self.info.bursts[rows])) + 1
        bursts = np.split(rows, ends)
        chosen = np.linspace(0, len(bursts) - 1, min(len(bursts), _MOST_BURSTS)).astype(np.int64)
        return [bursts[place][:_MOST_OF_BURST] for place in chosen.tolist()]

    def _vectors(self, bursts: Sequence[Labels]) -> Vectors:
        """``(n, dim)`` the median vector of each burst."""
        ids = pack_ids([self.info.image_ids[row] for row in np.concatenate(bursts).tolist()])
        ends = np.cumsum([len(burst) for burst in bursts])[:-1]
        return np.stack([median_vector(part) for part in np.split(self.vectors.of(ids), ends)])


def _blank(library: Library) -> set[str]:
    """The photos in which a detector found nothing, or of which a cluster's name says so."""
    detections, current = library.store.detections, library.store.clusterings.current()
    found = detections.looked_at() - detections.images_with()
    taxa = Taxa({})
    named = [i for i, name in library.clusters.names().items() if taxa.of(name).kind == "blank"]
    if named and current is not None:
        members = library.store.clusterings.assignments(current.clustering_id)
        found.update(members.image_ids[np.isin(members.cluster_ids, named)].tolist())
    return found
