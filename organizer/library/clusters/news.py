"""News: what the last ingest brought, cluster by cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from organizer.cluster.assign import NOVEL_ORIGIN
from organizer.library.images.overview import ImageOverview
from organizer.store import Store
from organizer.types import NOISE


@dataclass(frozen=True, slots=True)
class IngestNews:
    """What the last ingest that brought something new did to the clusters.

    Attributes:
        ingest_id: Its number.
        at: When it began, UTC, ISO 8601.
        images: Number of images that it brought and that are in the clustering.
        unassigned: Number of them that are unassigned.
        grown: Number of them by cluster, the largest first.
        novel: The clusters that it found among the unassigned images, as far as they are there.
    """

    ingest_id: int
    at: str
    images: int
    unassigned: int
    grown: Mapping[int, int]
    novel: tuple[int, ...]


def read_news(store: Store, overview: ImageOverview) -> IngestNews | None:
    """What the last ingest brought; None before the first one."""
    last = store.clusterings.last_ingest()
    if not last:
        return None
    clusters = overview.cluster_ids[overview.since == last]
    ids, counts = np.unique(clusters[clusters != NOISE], return_counts=True)
    order = np.lexsort((ids, -counts))
    origin = f"{NOVEL_ORIGIN} {last}"
    current = {*np.unique(overview.cluster_ids).tolist()}
    found = [i for i, (_, came) in store.clusterings.origins().items() if came == origin]
    return IngestNews(
        ingest_id=last,
        at=store.clusterings.ingest_times().get(last, ""),
        images=len(clusters),
        unassigned=int(np.count_nonzero(clusters == NOISE)),
        grown={int(ids[at]): int(counts[at]) for at in order},
        novel=tuple(sorted(i for i in found if i in current)),
    )
