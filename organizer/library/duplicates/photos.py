"""The photos among which duplicates are looked for, and what is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.duplicates.keep import Contender
from organizer.library.duplicates.report import DuplicateFile
from organizer.store import HeldFile, Store
from organizer.types import FileState, ImageFacts


@dataclass(frozen=True, slots=True)
class ComparedPhotos:
    """The images that are compared.

    Attributes:
        image_ids: Those with a file that is there, but for those that are hidden.
        several: Those with several such files.
        missing: Number of images without one.
        hidden: Number of those with people or vehicles.
        aside: The files that are set aside already, each with its image.
    """

    image_ids: frozenset[str]
    several: frozenset[str]
    missing: int
    hidden: int
    aside: Mapping[Path, str]


def read_compared(store: Store, aside: Mapping[Path, str]) -> ComparedPhotos:
    """Read which images are compared.

    Args:
        store: The library.
        aside: The files that are set aside already, each with its image.
    """
    columns = store.photos.file_columns("image_id", "state")
    states = np.array(columns["state"], dtype=object)
    ids = np.array(columns["image_id"], dtype=object)[states == FileState.PRESENT.value]
    present, counts = np.unique(ids.astype(str), return_counts=True) if len(ids) else (ids, ids)
    found = frozenset(present.tolist())
    missing = store.photos.count_images() - len(found)
    several = frozenset(present[counts > 1].tolist())
    if aside:
        left = KnownPhotos(store, set(aside.values()), aside).files
        found -= {image_id for image_id in aside.values() if image_id not in left}
        several -= {i for i in aside.values() if len(left.get(i, ())) < 2}
    hidden = store.photos.hidden(found)
    return ComparedPhotos(found - hidden, several - hidden, max(missing, 0), len(hidden), aside)


class KnownPhotos:
    """What is known of the files of some images.

    Args:
        store: The library.
        image_ids: The images.
        aside: Files that are left out, as they are set aside already.
    """

    def __init__(self, store: Store, image_ids: Collection[str], aside: Collection[Path]) -> None:
        self.facts: Mapping[str, ImageFacts] = store.photos.facts_of(image_ids)
        self.files: dict[str, list[HeldFile]] = {}
        for held in store.photos.held_files(set(image_ids)):
            is_there = held.state is FileState.PRESENT and held.image_id in self.facts
            if is_there and held.ref.file not in aside:
                self.files.setdefault(held.image_id, []).append(held)

    def first(self, image_ids: Iterable[str]) -> list[HeldFile]:
        """The first file of each image that has one."""
        return [self.files[image_id][0] for image_id in image_ids if image_id in self.files]

    def contender(self, held: HeldFile) -> Contender:
        """A file that may be kept."""
        facts = self.facts[held.image_id]
        path, size = str(held.ref.file), held.ref.size
        return Contender(path, facts.width, facts.height, size, facts.taken_at)

    def file(
        self, held: HeldFile, *, likeness: float | None = None, sharpness: float | None = None
    ) -> DuplicateFile:
        """A file of a group."""
        facts = self.facts[held.image_id]
        return DuplicateFile(
            held.image_id,
            held.ref.file,
            facts.width,
            facts.height,
            held.ref.size,
            facts.taken_at,
            likeness,
            sharpness,
        )
