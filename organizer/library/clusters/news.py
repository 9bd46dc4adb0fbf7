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
    numbers = store.clusterings.last_ingests()
    if not numbers:
        return None
    clusters = overview.cluster_ids[np.isin(overview.since, numbers)]
    ids, counts = np.unique(clusters[clusters != NOISE], return_counts=True)
    order = np.lexsort((ids, -counts))
    origins = {f"{NOVEL_ORIGIN} {number}" for number in numbers}
    current = {*np.unique(overview.cluster_ids).tolist()}
    found = [i for i, (_, came) in store.clusterings.origins().items() if came in origins]
    return IngestNews(
        ingest_id=numbers[-1],
        at=store.clusterings.ingest_times().get(numbers[-1], ""),
        images=len(clusters),
        unassigned=int(np.count_nonzero(clusters == NOISE)),
        grown={int(ids[at]): int(counts[at]) for at in order},
        novel=tuple(sorted(i for i in found if i in current)),
    )
