"""What a person meant by changed folders, sorted out but not said yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from organizer.types import Crop


@dataclass
class InferredDecisions:
    """What is to be said of clusters, by their ids of now. Images are members of the clustering.

    Attributes:
        merged: Clusters that become part of another: the cluster, the other, images.
        renamed: New names.
        moved: Images that change their cluster, by where from and where to.
        new_clusters: Images of new clusters, by the folder that was made for them.
        left: Images that are said not to be of a cluster.
        not_applied: What cannot be said, a line each.
        members: All that is in each cluster.
        photo_of: The photo of each image that is spoken of.
        uncropped: Photos without a crop, by the id under which all of them would be clustered.
        emptied: Photos with a box of a detector that were put to the empty ones.
        later: Photos of which nothing can be said before they are clustered.
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
    def whole(self) -> list[Crop]:
        """The photos without a crop that are spoken of: they need a vector."""
        spoken = {m for ids in (*self.moved.values(), *self.new_clusters.values()) for m in ids}
        return [crop for crop_id, crop in self.uncropped.items() if crop_id in spoken]


def name_of_folder(folder: str) -> str:
    """The name that a folder's name gives a cluster: blanks in a row count as one."""
    return " ".join(folder.split())
