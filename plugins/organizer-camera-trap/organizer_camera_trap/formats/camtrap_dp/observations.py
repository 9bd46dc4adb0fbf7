"""Clusters and detections -> observations: what is on an image, and who classified it.

An image that a person decided about is classified by a human, all others by the machine. A
cluster's distance is not a probability, so none is given; only an observation of the detector
alone has its confidence. The times of a person's decisions are not exported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from organizer.types import AssignmentState, ExportBatch, ExportDetection, ExportInfo
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa

_SPECIFIC = ("human", "vehicle", "blank")
_CATEGORIES = {"animal": "animal", "person": "human", "vehicle": "vehicle"}


@dataclass(frozen=True, slots=True)
class Observation:
    """One observation of one image.

    Attributes:
        kind: Its observationType.
        scientific_name: Empty where there is none.
        tags: The cluster's id and name, ``key:value`` separated by ``|``; empty for no cluster.
        by_person: Whether a person decided about this image; naming its cluster does not count.
        by: The person or program; empty where unknown.
        probability: The detector's confidence where no cluster is involved.
        box: Its bounding box; None for the whole image.
    """

    kind: str
    scientific_name: str = ""
    tags: str = ""
    by_person: bool = False
    by: str = ""
    probability: float | None = None
    box: ExportDetection | None = None

    @property
    def label(self) -> tuple[str, str, str]:
        """The key by which observations of one event are the same.

        Clusters are kept apart only without a scientific name or a specific kind: a fox by day and
        a fox by night are one.
        """
        is_specific = self.scientific_name or self.kind in _SPECIFIC
        return self.kind, self.scientific_name, "" if is_specific else self.tags


@dataclass(frozen=True, slots=True)
class ObservationReader:
    """Makes observations of a batch.

    Attributes:
        taxa: The meaning of cluster names.
        about: What all batches have in common.
        person: The name of whoever decided; where empty, whom the library knows it of.
    """

    taxa: Taxa
    about: ExportInfo
    person: str

    def of(self, batch: ExportBatch, row: int) -> Iterator[Observation]:
        """The observations of an image, at least one."""
        boxes = batch.detections[row]
        if boxes is None:
            yield self._whole(batch, row)
            return
        counting = [box for box in boxes if box.counts(self.about.threshold)]
        if not counting:
            yield self._nothing(batch, row)
            return
        by_crops = any(box.cluster_id is not None for box in boxes)
        for box in counting:
            yield self._boxed(batch, row, box, by_crops=by_crops)

    def _nothing(self, batch: ExportBatch, row: int) -> Observation:
        """Without a box above the threshold: blank, unless a person decided about the image."""
        if batch.states[row] == AssignmentState.DECIDED:
            return self._whole(batch, row)
        return Observation("blank", by=batch.detectors[row] or "")

    def _whole(self, batch: ExportBatch, row: int) -> Observation:
        cluster_id, name = batch.cluster_ids[row], batch.cluster_names[row]
        if cluster_id is None:
            return Observation("unclassified")
        decided = batch.states[row] == AssignmentState.DECIDED
        by = batch.decided_by[row]
        return self._clustered(cluster_id, name, by, decided=decided, otherwise="unclassified")

    def _boxed(
        self, batch: ExportBatch, row: int, box: ExportDetection, *, by_crops: bool
    ) -> Observation:
        kind = _CATEGORIES.get(box.category, "unknown")
        cluster_id, name, decided = box.cluster_id, box.cluster_name, box.decided
        person = box.decided_by
        if not by_crops and kind == "animal":  # whole images were clustered
            cluster_id, name = batch.cluster_ids[row], batch.cluster_names[row]
            decided = batch.states[row] == AssignmentState.DECIDED
            person = batch.decided_by[row]
        if cluster_id is None:
            by = batch.detectors[row] or ""
            return Observation(kind, by=by, probability=box.confidence, box=box)
        return self._clustered(cluster_id, name, person, decided=decided, otherwise=kind, box=box)

    def _clustered(
        self,
        cluster_id: int,
        name: str | None,
        person: str | None,
        *,
        decided: bool,
        otherwise: str,
        box: ExportDetection | None = None,
    ) -> Observation:
        taxon = self.taxa.of(name)
        return Observation(
            taxon.kind or otherwise,
            taxon.scientific_name,
            _tags(cluster_id, name),
            decided,
            (self.person or person or "") if decided else self.about.program,
            box=box,
        )


def _tags(cluster_id: int, name: str | None) -> str:
    """The cluster as observationTags; the separator is replaced in a name."""
    tags = [f"cluster:{cluster_id}"]
    if name is not None:
        tags.append(f"name:{name.replace('|', '/')}")
    return " | ".join(tags)
