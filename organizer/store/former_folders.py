"""In which folders files lay that were moved away: it may tell where they were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from organizer.store.choices import ChoiceTable
from organizer.store.database import Database

_DIGITS = 32
"""Of an image id."""
_NAME = "former_folders"
"""The name among the choices of a library under which they are kept."""


class FormerFolders:
    """The first folder of each image of one library that was moved."""

    def __init__(self, database: Database) -> None:
        self._choices = ChoiceTable(database)

    def all(self) -> dict[tuple[int, str], list[str]]:
        """The images of which a file was moved away, by the root and folder where it lay first."""
        kept: dict[str, str] = self._choices.get(_NAME) or {}
        found = {}
        for key, ids in kept.items():
            root_id, _, folder = key.partition("/")
            starts = range(0, len(ids), _DIGITS)
            found[int(root_id), folder] = [ids[at : at + _DIGITS] for at in starts]
        return found

    def rename(self, kept_by: Mapping[str, str]) -> None:
        """Give what is remembered of images to those that they became part of."""
        former = self.all()
        if any(i in kept_by for ids in former.values() for i in ids):
            self._choices.set(_NAME, {})
            self.remember(
                (kept_by.get(image_id, image_id), root_id, f"{folder}/")
                for (root_id, folder), ids in former.items()
                for image_id in ids
            )

    def remember(self, files: Iterable[tuple[str, int, str]]) -> None:
        """Remember the folders of files; of an image only the one in which it lay first.

        Args:
            files: The image, the root and the path of each.
        """
        former = self.all()
        known = {image_id for ids in former.values() for image_id in ids}
        known_before = len(known)
        for image_id, root_id, path in files:
            if image_id not in known:
                former.setdefault((root_id, path.rpartition("/")[0]), []).append(image_id)
                known.add(image_id)
        if len(known) > known_before:
            kept = {f"{root}/{folder}": "".join(ids) for (root, folder), ids in former.items()}
            self._choices.set(_NAME, kept)
