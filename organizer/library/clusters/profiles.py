"""Profiles of clusters: what a wall of clusters shows of each, and what it is sorted by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from organizer.arguments import require_choice
from organizer.cluster.assign import NOVEL_ORIGIN
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.library.images.decided import current_decisions
from organizer.library.images.overview import ImageOverview
from organizer.store import Store
from organizer.types import NOISE, AssignmentState, ClusterModels, Labels

ProfileOrder = Literal["size", "doubt", "novelty", "newest", "name"]

_DOUBTFUL = 0.25


@dataclass(frozen=True, slots=True)
class ClusterProfile:
    """A cluster in pictures and numbers.

    Attributes:
        cluster_id: Its id.
        name: Its name; None where it has none.
        count: Number of its members.
        share: Its members as a share of all images of the clustering, 0 to 1.
        cohesion_space: Mean cosine similarity of its members to the centroid in the space of the
            clustering: 1 less the typical distance to the centroid.
        cohesion: The same number under its former name; that of a report is on the vectors.
        doubt: Share of its members for which the second nearest cluster is less than a quarter
            farther than it is, and that no person decided about.
        decided: Number of its members that a person put here.
        is_pinned: Whether a person keeps it through every recluster: named and pinned ones.
        medoid: The most typical member that is there and may be shown; None where there is none
            that may be shown.
        typical: Members that may be shown: the most typical first, missing ones last.
        border: Likewise, those that are least certain to be in it first.
        added: Number of its members that the last ingest assigned.
        found_in: The ingest that found it among the unassigned images; None for other clusters.
        hidden: Number of its members that are not shown, as people are in the photo.
        missing: Number of its members of which no file was there when last looked for.
        night: Share of infrared images among those of which it is known; None where of none.
        cameras: Number of different cameras or deployments.
    """

    cluster_id: int
    name: str | None
    count: int
    share: float
    cohesion_space: float
    cohesion: float
    doubt: float
    decided: int
    is_pinned: bool
    medoid: str | None
    typical: tuple[str, ...]
    border: tuple[str, ...]
    added: int
    found_in: int | None
    hidden: int
    missing: int
    night: float | None
    cameras: int


def read_profiles(
    store: Store, overview: ImageOverview, *, order: ProfileOrder, samples: int, with_people: bool
) -> list[ClusterProfile]:
    """See `organizer.library.clusters.api.Clusters.profiles`."""
    if overview.clustering is None:
        return []
    models = store.clusterings.models(overview.clustering.clustering_id)
    reader = _ProfileReader(
        overview,
        models,
        compile_constraints(current_decisions(store)),
        {i: origin for i, (_, origin) in store.clusterings.origins().items()},
        store.clusterings.last_ingests(),
        samples=samples,
        with_people=with_people,
    )
    return sort_profiles([reader.profile(i) for i in models.ids], order)


def sort_profiles(profiles: list[ClusterProfile], order: ProfileOrder) -> list[ClusterProfile]:
    """Sort profiles.

    Args:
        profiles: The profiles.
        order: "size": the largest first; "doubt": the most doubtful first; "novelty": those found
            in the latest ingest first; "newest": those with most new members first; "name": the
            named ones by their name, then the others.
    """
    require_choice("order", order, get_args(ProfileOrder))
    return sorted(profiles, key=lambda p: (*_sort_key(p, order), -p.count, p.cluster_id))


def _sort_key(profile: ClusterProfile, order: ProfileOrder) -> tuple[float | str, ...]:
    if order == "doubt":
        return (-profile.doubt,)
    if order == "novelty":
        return (-(profile.found_in or 0),)
    if order == "newest":
        return (-profile.added,)
    if order == "name":
        return (float(profile.name is None), (profile.name or "").casefold())
    return ()


class _ProfileReader:
    """Reads the profiles of clusters from columns that are sorted once."""

    def __init__(
        self,
        overview: ImageOverview,
        models: ClusterModels,
        constraints: Constraints,
        origins: Mapping[int, str],
        last_ingests: Sequence[int],
        *,
        samples: int,
        with_people: bool,
    ) -> None:
        self._overview, self._constraints, self._origins = overview, constraints, origins
        self._samples = samples
        self._clustered = int(np.count_nonzero(overview.since != NOISE))
        self._medoids = dict(
            zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True)
        )
        hidden = overview.photos.is_hidden
        self._is_shown = np.ones(len(overview), np.bool_) if with_people else ~hidden
        self._by_distance = np.lexsort((overview.distances, overview.cluster_ids))
        self._by_margin = np.lexsort((overview.margins, overview.cluster_ids))
        self._ids = overview.cluster_ids[self._by_distance]
        _, self._cameras = np.unique(
            [camera or "" for camera in overview.photos.capture.cameras], return_inverse=True
        )
        self._is_new = np.isin(overview.since, last_ingests)
        self._is_decided = overview.states == AssignmentState.DECIDED.value

    def profile(self, cluster_id: int) -> ClusterProfile:
        """The profile of a cluster."""
        overview = self._overview
        first, last = np.searchsorted(self._ids, [cluster_id, cluster_id + 1])
        rows = self._by_distance[first:last]
        shown = self._shown(rows)
        least_certain = self._by_margin[first:last]
        border = self._shown(least_certain)
        infrared = overview.photos.capture.infrared[rows]
        seen = infrared[infrared != NOISE]
        kind, _, number = self._origins.get(cluster_id, "").partition(" ")
        typical = self._typical(cluster_id, shown)
        constraints = self._constraints
        cohesion = float(1 - overview.distances[rows].mean()) if len(rows) else 0.0
        return ClusterProfile(
            cluster_id=cluster_id,
            name=constraints.names.get(cluster_id),
            count=len(rows),
            share=len(rows) / max(self._clustered, 1),
            cohesion_space=cohesion,
            cohesion=cohesion,
            doubt=self._doubt(rows),
            decided=int(np.count_nonzero(self._is_decided[rows])),
            is_pinned=cluster_id in constraints.required,
            medoid=typical[0] if typical else None,
            typical=typical,
            border=self._some(border),
            added=int(np.count_nonzero(self._is_new[rows])),
            found_in=int(number) if kind == NOVEL_ORIGIN and number.isdecimal() else None,
            hidden=len(rows) - len(shown),
            missing=int(np.count_nonzero(overview.photos.is_missing[rows])),
            night=float(seen.mean()) if len(seen) else None,
            cameras=len(np.unique(self._cameras[rows])),
        )

    def _typical(self, cluster_id: int, shown: Labels) -> tuple[str, ...]:
        """The medoid where it is a member that may be shown, and those nearest to the centroid."""
        ids = self._overview.photos.image_ids
        medoid = self._overview.photos.rows.of([self._medoids[cluster_id]])
        first = medoid[np.isin(medoid, shown)]
        if self._overview.photos.is_missing[first].any():
            first = first[:0]
        others = shown[: self._samples]
        rows = [*first.tolist(), *(row for row in others.tolist() if row not in first)]
        return tuple(ids[row] for row in rows[: self._samples])

    def _shown(self, rows: Labels) -> Labels:
        """The rows that may be shown, those of missing images last."""
        shown = rows[self._is_shown[rows]]
        return shown[np.argsort(self._overview.photos.is_missing[shown], kind="stable")]

    def _some(self, rows: Labels) -> tuple[str, ...]:
        found: list[str] = self._overview.photos.image_ids[rows[: self._samples]].tolist()
        return tuple(found)

    def _doubt(self, rows: Labels) -> float:
        if not len(rows):
            return 0.0
        margins, distances = self._overview.margins[rows], self._overview.distances[rows]
        near: NDArray[np.bool_] = margins < _DOUBTFUL * distances
        return float(np.mean(near & ~self._is_decided[rows]))
