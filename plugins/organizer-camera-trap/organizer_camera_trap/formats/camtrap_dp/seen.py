"""Clusters and detections -> observations: what is said to be on an image, and by whom.

A person's word is what a person decided of an image, or of its cluster by naming it; all else is
the machine's. A cluster's distance is no probability, so none is given for it: only where the
detector alone speaks, its confidence is. Times of a person's words are not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from organizer.types import AssignmentState, ExportBatch, ExportDetection, ExportInfo
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa

_TOLD = ("human", "vehicle", "blank")
_CATEGORIES = {"animal": "animal", "person": "human", "vehicle": "vehicle"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation of one image.

    Attributes:
        kind: Its observationType.
        scientific_name: Empty where there is none.
        tags: What the cluster is called, ``key:value`` with ``|`` between; empty for no cluster.
        by_person: Whether a person said it of this image: naming a cluster is not seeing each.
        by: Who, or what; empty where that is not known.
        probability: The detector's confidence where it alone speaks.
        box: Where it is on the image; None for the whole image.
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
        """What observations of one event have in common that are one.

        Clusters count apart only where nothing better tells animals apart: a fox is a fox by day
        and by night.
        """
        told = self.scientific_name or self.kind in _TOLD
        return self.kind, self.scientific_name, "" if told else self.tags


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads observations off a batch.

    Attributes:
        taxa: What names mean.
        about: What all batches have in common.
        person: The name of whoever decided; empty where it was not given.
    """

    taxa: Taxa
    about: ExportInfo
    person: str

    def of(self, batch: ExportBatch, row: int) -> Iterator[Seen]:
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

    def _nothing(self, batch: ExportBatch, row: int) -> Seen:
        """No box counts: blank, unless a person said of the whole image what it is."""
        if batch.states[row] == AssignmentState.DECIDED:
            return self._whole(batch, row)
        return Seen("blank", by=batch.detectors[row] or "")

    def _whole(self, batch: ExportBatch, row: int) -> Seen:
        cluster_id, name = batch.cluster_ids[row], batch.cluster_names[row]
        if cluster_id is None:
            return Seen("unclassified")
        decided = batch.states[row] == AssignmentState.DECIDED
        return self._clustered(cluster_id, name, decided=decided, otherwise="unclassified")

    def _boxed(self, batch: ExportBatch, row: int, box: ExportDetection, *, by_crops: bool) -> Seen:
        kind = _CATEGORIES.get(box.category, "unknown")
        cluster_id, name, decided = box.cluster_id, box.cluster_name, box.decided
        if not by_crops and kind == "animal":  # it was whole images that were clustered
            cluster_id, name = batch.cluster_ids[row], batch.cluster_names[row]
            decided = batch.states[row] == AssignmentState.DECIDED
        if cluster_id is None:
            by = batch.detectors[row] or ""
            return Seen(kind, by=by, probability=box.confidence, box=box)
        return self._clustered(cluster_id, name, decided=decided, otherwise=kind, box=box)

    def _clustered(
        self,
        cluster_id: int,
        name: str | None,
        *,
        decided: bool,
        otherwise: str,
        box: ExportDetection | None = None,
    ) -> Seen:
        taxon = self.taxa.of(name)
        return Seen(
            taxon.kind or otherwise,
            taxon.scientific_name,
            _tags(cluster_id, name),
            decided,
            self.person if decided else self.about.program,
            box=box,
        )


def _tags(cluster_id: int, name: str | None) -> str:
    """The cluster, in the standard's own notation; a name cannot hold its separator."""
    tags = [f"cluster:{cluster_id}"]
    if name is not None:
        tags.append(f"name:{name.replace('|', '/')}")
    return " | ".join(tags)
