"""The folder of each photo, and the members that are meant when a photo is put elsewhere.

A file goes to one folder, however many animals it shows: to that of its surest crop. So its folder
is about the crops that are in the cluster of that folder, and not about the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Self

from organizer.cluster.decisions import compile_constraints
from organizer.library.images.crops import PhotoGroup, PhotoLocation, locate_photos
from organizer.library.images.decided import current_decisions, moved_by_person
from organizer.store import Store
from organizer.types import NOISE, WHOLE, Crop, is_crop_embedder

PhotoFolder = int | PhotoGroup | None
"""A cluster, a group beside the clusters, or None for an unassigned photo."""

WITHHELD_REASONS = {
    PhotoGroup.PEOPLE: "people in the photo (--with-people)",
    PhotoGroup.VEHICLES: "a vehicle in the photo (--with-people)",
}
"""Why quarantined photos are not arranged unless it is asked for."""

GROUP_FOLDERS = tuple(group for group in PhotoGroup if group is not PhotoGroup.ANIMALS)
"""The groups that have folders beside the clusters."""


class PhotoFolders:
    """The photos of a library by their folders, as the current clusters have them.

    Attributes:
        of_crops: Whether the clusters are clusters of crops.
        knows_groups: Whether there are results of a detector, so that there are folders beside the
            clusters.
    """

    def __init__(
        self,
        locations: Mapping[str, PhotoLocation],
        decided: Collection[str],
        *,
        of_crops: bool,
        knows_groups: bool,
    ) -> None:
        self._locations, self._decided = locations, decided
        self.of_crops, self.knows_groups = of_crops, knows_groups

    @classmethod
    def read(cls, store: Store) -> Self:
        """The folders as the current clustering of a library has them."""
        current = store.clusterings.current()
        decisions = current_decisions(store)
        fixed = compile_constraints(decisions).fixed
        return cls(
            locate_photos(store, current),
            {member for member in moved_by_person(decisions) if member in fixed},
            of_crops=current is not None and is_crop_embedder(current.embedder),
            knows_groups=store.detections.count() > 0,
        )

    def folder_of(self, image_id: str) -> PhotoFolder:
        """The folder of a photo.

        People and vehicles come first. That a detector saw nothing comes before the cluster of the
        whole photo, unless a person moved the photo there.
        """
        photo = self._locations.get(image_id)
        if photo is None:
            return None
        if photo.quarantined:
            return photo.group
        if self._is_beside(photo):
            return photo.group
        return None if photo.cluster_id in {None, NOISE} else photo.cluster_id

    def _is_beside(self, photo: PhotoLocation) -> bool:
        if self.of_crops:
            return photo.group in {PhotoGroup.EMPTY, PhotoGroup.UNKNOWN}
        return photo.group is PhotoGroup.EMPTY and photo.image_id not in self._decided

    def is_decided(self, member: str) -> bool:
        """Whether a person moved a member to its cluster."""
        return member in self._decided

    def is_quarantined(self, image_id: str) -> bool:
        """Whether a photo shows people or vehicles."""
        return image_id in self._locations and self._locations[image_id].quarantined

    def has_detected_animal(self, image_id: str) -> bool:
        """Whether a detector saw an animal in a photo."""
        photo = self._locations.get(image_id)
        if photo is None or photo.group is not PhotoGroup.ANIMALS:
            return False
        return not self.of_crops or any(crop.box != WHOLE for crop in photo.crops)

    def group_in(self, folder: str) -> PhotoGroup | None:
        """The group that the name of a folder names, for one that is not a cluster's."""
        if not self.knows_groups:
            return None
        return next((group for group in GROUP_FOLDERS if group.value in folder.casefold()), None)

    @cached_property
    def by_cluster(self) -> dict[int, set[str]]:
        """The photos whose folder is that of a cluster, by cluster."""
        found: dict[int, set[str]] = defaultdict(set)
        for image_id in self._locations:
            folder = self.folder_of(image_id)
            if isinstance(folder, int):
                found[folder].add(image_id)
        return found

    @cached_property
    def several(self) -> int:
        """The number of photos that show animals of several clusters."""
        return sum(
            len({c.cluster_id for c in photo.crops} - {None, NOISE}) > 1
            for photo in self._locations.values()
            if not photo.quarantined
        )

    # Members -------------------------------------------------------------------------------

    @cached_property
    def _photo_of(self) -> dict[str, str]:
        return {
            c.crop_id: photo.image_id for photo in self._locations.values() for c in photo.crops
        }

    def is_active(self, member: str) -> bool:
        """Whether a member of the clustering is a photo, or an active crop of one."""
        return not self.of_crops or member in self._photo_of

    def members(self, image_id: str) -> dict[str, int | None]:
        """The members of a photo, the surest first, and their clusters."""
        photo = self._locations.get(image_id)
        if not self.of_crops or photo is None:
            return {image_id: photo.cluster_id if photo else None}
        return {crop.crop_id: crop.cluster_id for crop in photo.crops}

    def whole_photo(self, image_id: str) -> Crop | None:
        """A crop of the whole photo, where crops are clustered and the photo has none."""
        is_bare = (
            self.of_crops and image_id in self._locations and not self._locations[image_id].crops
        )
        return Crop.of(image_id, WHOLE) if is_bare else None

    def affected_members(
        self, image_id: str, source: int | None, to: int | None = None
    ) -> list[str]:
        """The members of a photo that a decision is about when its file leaves a folder.

        These are the members in the cluster of that folder; the whole photo where it has no crop.
        Where none is in that cluster any more, those that determine the photo's folder now, but
        none if a person moved another one to where the file went.

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
        first = self._locations[image_id].cluster_id if image_id in self._locations else None
        return [member for member, at in members.items() if at == first]
