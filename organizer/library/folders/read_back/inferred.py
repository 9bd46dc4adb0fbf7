"""The decisions that were inferred from changed folders, before they are applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from organizer.types import Crop


@dataclass
class InferredDecisions:
    """Decisions about the current clusters. Images are members of the clustering.

    Attributes:
        merged: Clusters that are merged into another: the cluster, the other, images.
        renamed: New names.
        moved: Images that change their cluster, by where from and where to.
        new_clusters: Images of new clusters, by the folder that was made for them.
        left: Images that are excluded from a cluster, by the cluster.
        not_applied: What cannot be applied, a line each.
        members: The images of each cluster.
        photo_of: The photo of each image that a decision is about.
        uncropped: Photos without a crop, by the id of the crop of the whole photo.
        emptied: Photos with a detected animal that were put into the folder of the empty ones.
        later: Photos that nothing can be decided about before they are clustered.
    """

    merged: list[tuple[int, int, Sequence[str]]] = field(default_factory=list)
    renamed: dict[int, str] = field(default_factory=dict)
    moved: dict[tuple[int | None, int], Sequence[str]] = field(default_factory=dict)
    new_clusters: dict[str, Sequence[str]] = field(default_factory=dict)
    left: dict[int, Sequence[str]] = field(default_factory=dict)
    not_applied: list[str] = field(default_factory=list)
    members: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    photo_of: dict[str, str] = field(default_factory=dict)
    uncropped: dict[str, Crop] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    @property
    def whole_photos(self) -> list[Crop]:
        """The photos without a crop that a decision is about: they need a vector."""
        decided = {m for ids in (*self.moved.values(), *self.new_clusters.values()) for m in ids}
        return [crop for crop_id, crop in self.uncropped.items() if crop_id in decided]
