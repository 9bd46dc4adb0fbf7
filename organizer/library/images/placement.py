"""The deployment of each image: by its folders, and by the deployments that were described."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from organizer.deployments import CameraPlace, CameraPlaces, DeploymentTemplate, complete_deployment
from organizer.library.arrangements.active import move_targets
from organizer.paths import folder_prefix
from organizer.store import Store
from organizer.types import Deployment, FileState

TEMPLATE_CHOICE = "deployment_template"
"""The name under which the template is stored."""

PARTS_CHOICE = "deployment_parts"
"""The name under which parts of deployments are stored: by the id of the whole, the id of each part
and the first time of it that the camera's clock showed, in order of time."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The deployments of a library and their images.

    An image with several files is of the deployment of the first of them that is of any: present
    files come before missing ones, then by path. So a copy outside the deployments' folders changes
    nothing, and a card that was copied twice counts once. An image whose files were all moved to
    where no folder names a deployment is of that of its first folder; so is one that an arrangement
    moved, whatever its new folders are called.

    Attributes:
        deployment_of: The deployment of each image that is of one.
        deployments: All that were described or that a folder names, by their ids.
        described: The ids of those that were described.
        several: The images whose files are of several deployments.
    """

    deployment_of: dict[str, str]
    deployments: dict[str, Deployment]
    described: frozenset[str]
    several: frozenset[str]


def deployment_template(store: Store) -> DeploymentTemplate | None:
    """The template that was chosen for a library; None where none was."""
    text = store.choices.get(TEMPLATE_CHOICE)
    return DeploymentTemplate.parse(text) if text else None


def read_placement(store: Store) -> Placement:
    """Find the deployment of each image; 100,000 files take a quarter of a second."""
    return placement_by_template(store, deployment_template(store))


def placement_by_template(
    store: Store,
    template: DeploymentTemplate | None,
    *,
    described: Sequence[Deployment] | None = None,
) -> Placement:
    """As `read_placement`, by another template, and by other deployments where these are given."""
    described = store.deployments.all() if described is None else described
    places = CameraPlaces(template, described)
    if not places:
        return Placement({}, {}, frozenset(), frozenset())
    search = _Search(store, places)
    search.run()
    known = {deployment.deployment_id for deployment in described}
    return Placement(
        search.deployment_of | _of_parts(store, search.deployment_of, known),
        _deployments(described, search.place_of.values()),
        frozenset(deployment.deployment_id for deployment in described),
        frozenset(search.several),
    )


def _of_parts(
    store: Store, deployment_of: Mapping[str, str], known: Collection[str]
) -> dict[str, str]:
    """The part of each image of a deployment that is split; without a time it is of the first."""
    stored: dict[str, list[list[str]]] = store.choices.get(PARTS_CHOICE) or {}
    parts = {
        whole: [(first, part) for part, first in held if part in known]
        for whole, held in stored.items()
    }
    if not any(whole in parts for whole in set(deployment_of.values())):
        return {}
    found = store.photos.columns("image_id", "taken_at")
    of: dict[str, str] = {}
    for image_id, time in zip(found["image_id"], found["taken_at"], strict=True):
        begun = parts.get(deployment_of.get(image_id, ""), [])
        at = bisect_right(begun, time, key=lambda part: part[0]) if time is not None else 0
        if at:
            of[image_id] = begun[at - 1][1]
    return of


def _deployments(
    described: Iterable[Deployment], places: Iterable[CameraPlace | None]
) -> dict[str, Deployment]:
    """All deployments, by id; where two folders name one, the first in the alphabet counts."""
    first: dict[str, CameraPlace] = {}
    for place in sorted(filter(None, places), key=lambda p: (p.location or "", p.camera or "")):
        first.setdefault(place.deployment_id, place)
    known = {deployment.deployment_id: deployment for deployment in described}
    ids = sorted({*first, *known})
    return {
        name: complete_deployment(known.get(name) or Deployment(name), first.get(name))
        for name in ids
    }


@dataclass(slots=True)
class _Search:
    """One pass over all files; a folder is looked at once."""

    store: Store
    places: CameraPlaces
    deployment_of: dict[str, str] = field(default_factory=dict)
    place_of: dict[tuple[int, str], CameraPlace | None] = field(default_factory=dict)
    several: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Find the deployment of every image."""
        files = self.store.photos.file_columns("image_id", "root_id", "path", "state")
        folders = {root.root_id: root.folder for root in self.store.roots.all()}
        parts = {root_id: folder.as_posix().split("/") for root_id, folder in folders.items()}
        prefixes = {root_id: folder_prefix(folder) for root_id, folder in folders.items()}
        ranks: dict[str, tuple[bool, str]] = {}
        first = self.store.former_folders.all()
        arranged = tuple(map(folder_prefix, move_targets(self.store)))
        moved = {image_id for ids in first.values() for image_id in ids} if arranged else set()
        for image_id, root_id, path, state in zip(*files.values(), strict=True):
            if image_id in moved and f"{prefixes[root_id]}{path}".startswith(arranged):
                continue  # its folder is an arrangement's, and names no deployment
            place = self._place(parts[root_id], (root_id, path.rpartition("/")[0]))
            if place is None:
                continue
            rank = (state == FileState.MISSING, f"{prefixes[root_id]}{path}")
            former = self.deployment_of.get(image_id)
            if former not in {None, place.deployment_id}:
                self.several.add(image_id)
            if former is None or rank < ranks[image_id]:
                ranks[image_id] = rank
                self.deployment_of[image_id] = place.deployment_id
        for folder, image_ids in first.items():
            place = self._place(parts[folder[0]], folder) if folder[0] in parts else None
            if place is not None:
                for image_id in image_ids:
                    self.deployment_of.setdefault(image_id, place.deployment_id)

    def _place(self, root: list[str], folder: tuple[int, str]) -> CameraPlace | None:
        if folder not in self.place_of:
            inside = [name for name in folder[1].split("/") if name]
            self.place_of[folder] = self.places.of(root, inside)
        return self.place_of[folder]
