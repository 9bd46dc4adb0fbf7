"""The report of a recluster: the new clustering, and what became of the clusters before."""

from __future__ import annotations

from dataclasses import dataclass

from organizer.cluster.choose_k import KChoice
from organizer.library.clustering.changes import ClusterChange, DroppedCluster
from organizer.types import Candidate, LineageReport, PartSpec


@dataclass(frozen=True, slots=True)
class ReclusterReport:
    """A new clustering, and what became of the previous clusters.

    Attributes:
        clustering_id: Its id; None for a dry run.
        clusters: Id, name and number of images of each, the largest first.
        unassigned: Number of unassigned images.
        lineage: What became of the previous clusters.
        choice: How k was chosen; None where it was given.
        algorithm: What really ran, for a person.
        reducer: The space, with what its vectors are centred by.
        embedder: Whose vectors.
        images: Number of images.
        observations: Number of observations: as many, or fewer where bursts are one.
        bursts: Whether the images of a burst are one observation.
        learned: Number of observations in another cluster than the nearest because of what the
            decisions about others teach.
        changes: What changes for each cluster that was or is there, in images, by id; none for a
            first clustering.
        dropped: The clusters that a person named, pinned or made, and that are in it no more.
    """

    clustering_id: int | None
    clusters: tuple[tuple[int, str | None, int], ...]
    unassigned: int
    lineage: LineageReport
    choice: KChoice | None
    algorithm: str
    reducer: PartSpec
    embedder: PartSpec
    images: int
    observations: int
    bursts: bool
    learned: int = 0
    changes: tuple[ClusterChange, ...] = ()
    dropped: tuple[DroppedCluster, ...] = ()

    @property
    def at_risk(self) -> tuple[ClusterChange, ...]:
        """The clusters whose names or decisions may not fit their images any more."""
        return tuple(change for change in self.changes if change.is_at_risk)

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.clusters)

    @property
    def evidence(self) -> tuple[Candidate, ...]:
        """The numbers of clusters that were tried, with their scores."""
        return self.choice.candidates if self.choice else ()

    @property
    def is_weak(self) -> bool:
        """Whether the evidence shows no clear number of clusters."""
        return self.choice is not None and not self.choice.clear
