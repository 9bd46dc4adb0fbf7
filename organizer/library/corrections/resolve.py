"""Resolve the members of the current clusters as a person names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.library.images.crops import active_crops
from organizer.library.images.paths import typed_path
from organizer.library.images.resolve import ImageResolver
from organizer.store import Store
from organizer.types import WHOLE, Crop, is_crop_embedder


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


class MemberResolver:
    """Finds the members of the current clusters that a person names: call it with some images.

    Where crops are clustered, a photo stands for all its crops, and one without a crop for a crop
    of the whole photo.

    Args:
        store: The library.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._images = store, ImageResolver(store)
        current = store.clusterings.current()
        self._of_crops = current is not None and is_crop_embedder(current.embedder)

    def look_up(self, images: Iterable[str | Path]) -> None:
        """Look many images up at once."""
        self._images.look_up(images)

    def __call__(self, images: Sequence[str | Path]) -> ResolvedImages:
        """The members that images stand for.

        Raises:
            SettingsError: See `ImageResolver`; or only folders were named, and nothing in them has
                a crop.
        """
        ids = self._images(images)
        return _resolve_crops(self._store, images, ids) if self._of_crops else ResolvedImages(ids)


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
        photos = count_text(left_out, "photo without a crop is", "photos without a crop are")
        named.notes.append(f"{photos} left out: name them one by one")
    if not named.image_ids:
        photos = count_text(left_out, "photo")
        raise SettingsError(f"no crop is of the {photos} named", "name them one by one")
    named.image_ids = list(dict.fromkeys(named.image_ids))
    return named


def _called(store: Store, image_id: str) -> str:
    files = store.photos.files_of([image_id], with_people=True)
    return files[image_id][0].file.name if image_id in files else image_id[:12]


def _in_folder(store: Store, image: str | Path) -> list[str]:
    file = typed_path(image)
    return store.photos.images_below(file.resolve()) if file.is_dir() else []
