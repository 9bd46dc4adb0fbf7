"""Resolve images as a person names them: by a path, or by the beginning of an image id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.images.crops import active_crops
from organizer.library.images.paths import image_at, typed_path
from organizer.store import Store
from organizer.types import WHOLE, Crop, is_crop_embedder

_SHORTEST = 6


@dataclass(slots=True)
class ResolvedImages:
    """Images that a person named.

    Attributes:
        image_ids: The images, each once, in the order in which they were named.
        whole_photos: Where crops are clustered, a crop of the whole photo for each named photo
            that has none.
        notes: What the names were taken for, where that is not obvious.
    """

    image_ids: list[str] = field(default_factory=list)
    whole_photos: list[Crop] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def resolve_images(store: Store, images: Sequence[str | Path]) -> list[str]:
    """The ids of images, each once, in the order in which they were named.

    A folder stands for all images in and below it.

    Raises:
        SettingsError: No image has that path or id, or several do.
    """
    if not images:
        raise SettingsError("no image was named", "name paths or image ids")
    found: list[str] = []
    for image in images:
        found += _resolved(store, image)
    return list(dict.fromkeys(found))


def resolve_members(store: Store, images: Sequence[str | Path]) -> ResolvedImages:
    """The members of the current clusters that a person named.

    Where crops are clustered, a photo stands for all its crops, and one without a crop for a crop
    of the whole photo.

    Raises:
        SettingsError: See `resolve_images`; or only folders were named, and nothing in them has a
            crop.
    """
    ids = resolve_images(store, images)
    current = store.clusterings.current()
    if current is None or not is_crop_embedder(current.embedder):
        return ResolvedImages(ids)
    return _resolve_crops(store, images, ids)


def _resolve_crops(
    store: Store, images: Sequence[str | Path], ids: Sequence[str]
) -> ResolvedImages:
    """The crops that named images stand for, where crops are clustered."""
    crops_of: dict[str, list[str]] = {}
    for crop in active_crops(store).values():
        crops_of.setdefault(crop.image_id, []).append(crop.crop_id)
    known_crops = store.detections.crops(ids)
    by_folder = {i for image in images for i in _in_folder(store, image)}
    named = ResolvedImages()
    left_out = 0
    for image_id in ids:
        if image_id in known_crops:
            named.image_ids.append(image_id)
        elif image_id in crops_of:
            named.image_ids += sorted(crops_of[image_id])
            count = len(crops_of[image_id])
            if count > 1:
                named.notes.append(f"{_called(store, image_id)}: all its {count} crops are meant")
        elif image_id in by_folder:
            left_out += 1
        else:
            whole = Crop.of(image_id, WHOLE)
            named.whole_photos.append(whole)
            named.image_ids.append(whole.crop_id)
            named.notes.append(f"{_called(store, image_id)}: no crop, all of the photo is meant")
    if left_out:
        named.notes.append(f"{left_out} photos without a crop are left out: name them one by one")
    if not named.image_ids:
        raise SettingsError(f"none of these {left_out} photos has a crop", "name them one by one")
    named.image_ids = list(dict.fromkeys(named.image_ids))
    return named


def _called(store: Store, image_id: str) -> str:
    files = store.photos.files_of([image_id], with_people=True)
    return files[image_id][0].file.name if image_id in files else image_id[:12]


def _in_folder(store: Store, image: str | Path) -> list[str]:
    file = typed_path(image)
    return store.photos.images_below(file.resolve()) if file.is_dir() else []


def _resolved(store: Store, image: str | Path) -> list[str]:
    at = image_at(store, image)
    if at is not None:
        return [at]
    file = typed_path(image)
    if file.is_dir():
        inside = store.photos.images_below(file.resolve())
        if inside:
            return inside
    text = str(image).lower()
    if len(text) >= _SHORTEST and not set(text) - set("0123456789abcdef"):
        matches = store.photos.ids_beginning(text)
        if len(matches) == 1:
            return matches
        if matches:
            raise SettingsError(
                f"{len(matches)} images have an id that begins with {text}", "type more of it"
            )
    raise SettingsError(
        f"there is no image {image} in the library",
        "a path that was ingested, or an image id as organizer clusters show ID --json prints it",
    )
