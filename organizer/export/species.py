"""The species in an image, and the place where it was taken, for tables that people hand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from organizer.types import ExportBatch, ExportInfo, label


def species_in(
    batch: ExportBatch, row: int, about: ExportInfo
) -> Iterator[tuple[str | None, int | None]]:
    """Each species in an image: the name of its cluster, and how many animals a detector saw.

    Where crops are clustered, an image may show several. The name is None for an image that is
    unassigned, the number where it is not known.
    """
    animals = [
        box
        for box in batch.detections[row] or ()
        if box.category == "animal" and box.counts(about.threshold)
    ]
    by_cluster = Counter(box.cluster_id for box in animals if box.cluster_id is not None)
    if by_cluster:
        for of_crop, count in by_cluster.items():
            yield label(of_crop, about.clusters.get(of_crop)), count
        return
    cluster_id = batch.cluster_ids[row]
    species = None if cluster_id is None else label(cluster_id, batch.cluster_names[row])
    yield species, len(animals) or None


def site_of(deployment_id: str | None, about: ExportInfo) -> str | None:
    """The place of a deployment, or its id where the place has no name; None for none."""
    deployment = about.deployments.get(deployment_id) if deployment_id is not None else None
    return (deployment.location if deployment else None) or deployment_id


Group = TypeVar("Group", bound=Hashable)
"""What images are counted by."""


@dataclass(slots=True)
class Tally(Generic[Group]):
    """Counts of images and of events in groups. An event counts once in each of its groups.

    Attributes:
        images: Number of images of each group.
        events: Number of events of each group, without images that are of none.
    """

    images: Counter[Group] = field(default_factory=Counter)
    events: Counter[Group] = field(default_factory=Counter)
    _seen: set[tuple[Group, int]] = field(default_factory=set)
    _all: set[int] = field(default_factory=set)

    def add(self, group: Group, event: int | None) -> None:
        """Count an image."""
        self.images[group] += 1
        if event is None or (group, event) in self._seen:
            return
        self._seen.add((group, event))
        self._all.add(event)
        self.events[group] += 1

    @property
    def all_events(self) -> int:
        """Number of events, each counted once."""
        return len(self._all)
