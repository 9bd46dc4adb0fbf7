"""Which folder stands for a photo, and what of a photo is meant when its file is put elsewhere.

A file goes to one folder, however many animals it shows: to that of its surest crop. So its folder
says something of the crops that are in the cluster of that folder, and nothing of the others.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from organizer.cluster.decisions import compile_constraints
from organizer.library.images.crops import PhotoGroup, PhotoLocation, locate_photos, moved_by_person
from organizer.store import Store
from organizer.types import NOISE, WHOLE, Crop, is_crop_embedder

PhotoFolder = int | PhotoGroup | None
"""A cluster, a folder beside the clusters, or None for the unsure."""

WITHHELD_REASONS = {
    PhotoGroup.PEOPLE: "people in the photo (--with-people)",
    PhotoGroup.VEHICLES: "a vehicle in the photo (--with-people)",
}
"""Why photos in quarantine are not arranged unless it is asked for."""

GROUP_FOLDERS = tuple(group for group in PhotoGroup if group is not PhotoGroup.ANIMALS)
"""What folders beside the clusters are called for."""


class PhotoFolders:
    """The photos of a library by the folders that stand for them, as the clusters are now.

    Attributes:
        of_crops: Whether the clusters are clusters of crops.
        knows_groups: Whether a detector has said anything, so that there are folders beside the
            clusters.
    """

    def __init__(self, store: Store) -> None:
        current = store.clusterings.current()
        decisions = store.decisions.all()
        fixed = compile_constraints(decisions).fixed
        self.of_crops = current is not None and is_crop_embedder(current.embedder)
        self.knows_groups = store.detections.count() > 0
        self._homes = locate_photos(store, current)
        self._decided = {member for member in moved_by_person(decisions) if member in fixed}

    def place(self, image_id: str) -> PhotoFolder:
        """Where a photo belongs.

        People and vehicles come first. That a detector saw nothing comes before the cluster of the
        whole photo, unless a person put the photo there.
        """
        home = self._homes.get(image_id)
        if home is None:
            return None
        if home.quarantined:
            return home.group
        if self._is_apart(home):
            return home.group
        return None if home.cluster_id in {None, NOISE} else home.cluster_id

    def _is_apart(self, home: PhotoLocation) -> bool:
        if self.of_crops:
            return home.group in {PhotoGroup.EMPTY, PhotoGroup.UNKNOWN}
        return home.group is PhotoGroup.EMPTY and home.image_id not in self._decided

    def is_decided(self, member: str) -> bool:
        """Whether a person said of a member by itself in which cluster it is."""
        return member in self._decided

    def is_quarantined(self, image_id: str) -> bool:
        """Whether people or vehicles are in a photo."""
        return image_id in self._homes and self._homes[image_id].quarantined

    def is_seen(self, image_id: str) -> bool:
        """Whether a detector saw an animal in a photo."""
        home = self._homes.get(image_id)
        if home is None or home.group is not PhotoGroup.ANIMALS:
            return False
        return not self.of_crops or any(crop.box != WHOLE for crop in home.crops)

    def group_in(self, folder: str) -> PhotoGroup | None:
        """What the name of a folder that stands for no cluster says that its photos show."""
        if not self.knows_groups:
            return None
        return next((group for group in GROUP_FOLDERS if group.value in folder.casefold()), None)

    @cached_property
    def filed(self) -> dict[int, set[str]]:
        """The photos whose folder is that of a cluster."""
        found: dict[int, set[str]] = defaultdict(set)
        for image_id in self._homes:
            place = self.place(image_id)
            if isinstance(place, int):
                found[place].add(image_id)
        return found

    @cached_property
    def several(self) -> int:
        """How many photos show animals of several clusters."""
        return sum(
            len({c.cluster_id for c in home.crops} - {None, NOISE}) > 1
            for home in self._homes.values()
            if not home.quarantined
        )

    # Members -------------------------------------------------------------------------------

    @cached_property
    def _photo_of(self) -> dict[str, str]:
        return {c.crop_id: home.image_id for home in self._homes.values() for c in home.crops}

    def is_live(self, member: str) -> bool:
        """Whether a member of the clustering is still cut out of a photo, or is one."""
        return not self.of_crops or member in self._photo_of

    def members(self, image_id: str) -> dict[str, int | None]:
        """What of a photo is clustered, the surest first, and in which cluster."""
        home = self._homes.get(image_id)
        if not self.of_crops or home is None:
            return {image_id: home.cluster_id if home else None}
        return {crop.crop_id: crop.cluster_id for crop in home.crops}

    def whole(self, image_id: str) -> Crop | None:
        """All of a photo, where crops are clustered and it has none."""
        is_bare = self.of_crops and image_id in self._homes and not self._homes[image_id].crops
        return Crop.of(image_id, WHOLE) if is_bare else None

    def meant(self, image_id: str, source: int | None, to: int | None = None) -> list[str]:
        """What of a photo is spoken of when its file leaves a folder.

        The members in the cluster of that folder; all of a photo that has no crop. Where none is in
        it any more, those by which the photo is filed now, but nothing if a person has put another
        one where the file went.

        Args:
            image_id: The photo.
            source: The cluster of the folder that it left; None for no cluster.
            to: The cluster of the folder that it is in.
        """
        members = self.members(image_id)
        if not members:
            return [Crop.of(image_id, WHOLE).crop_id]
        if not self.of_crops:
            return list(members)
        wanted = NOISE if source is None else source
        inside = [member for member, at in members.items() if at == wanted]
        if inside:
            return inside
        if any(at == to and self.is_decided(m) for m, at in members.items() if to is not None):
            return []
        first = self._homes[image_id].cluster_id if image_id in self._homes else None
        return [member for member, at in members.items() if at == first]
