"""Duplicates and bursts of a library: found, decided about, and written as a table or a sheet."""

from __future__ import annotations

from pathlib import Path

from organizer.arguments import (
    require_flag,
    require_object,
    require_objects,
    require_path,
    require_photos,
)
from organizer.errors import SettingsError
from organizer.library.duplicates.find import DuplicateOptions, find_duplicates
from organizer.library.duplicates.output import write_groups, write_sheet
from organizer.library.duplicates.report import DuplicateKind, DuplicatesReport
from organizer.library.duplicates.wanted import decide_wanted
from organizer.library.images.resolve import ImageResolver
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none
from organizer.types import Decision


class Duplicates:
    """Copies of pictures, and bursts; nothing is ever deleted.

    Examples:
        >>> for group in library.duplicates.find().groups:  # doctest: +SKIP
        ...     print(group.kept.path, [file.path for file in group.others])
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store = opened, opened.store

    def find(
        self, options: DuplicateOptions | None = None, *, progress: Progress | None = None
    ) -> DuplicatesReport:
        """Find duplicates or bursts, and propose which file of each group to keep.

        Near duplicates are found by the miniatures that an ingest keeps. Of images of an older
        library they are made first, and stored.

        Args:
            options: What is looked for, and what is kept; exact and near duplicates, and the
                largest file, where None.
            progress: Receives the progress.

        Raises:
            SettingsError: An option cannot be, or there are no images.
            StoreError: Miniatures have to be made, and the library cannot be written.
        """
        options = options or DuplicateOptions()
        require_object("options", options, DuplicateOptions)
        require_objects("kinds", list(options.kinds), DuplicateKind)
        shown = progress_or_none(progress)
        if not self._store.photos.count_images():
            raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
        return find_duplicates(self._opened, options, progress=shown)

    def write_csv(self, report: DuplicatesReport, file: str | Path, *, force: bool = False) -> None:
        """Write what was found as CSV, a line a file.

        Args:
            report: What was found.
            file: The target, ``.csv``.
            force: Whether a file that is there may be replaced.

        Raises:
            SettingsError: There is something that may not be replaced, or the place cannot be
                written.
        """
        require_object("report", report, DuplicatesReport)
        write_groups(
            require_path("file", file),
            report.groups,
            store=self._store,
            force=require_flag("force", force),
        )

    def write_sheet(
        self,
        report: DuplicatesReport,
        file: str | Path,
        *,
        force: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Draw the first groups as a contact sheet (PNG), of each the file to keep first.

        Args:
            report: What was found.
            file: The target, ``.png``.
            force: Whether a file that is there may be replaced.
            progress: Receives each picture.

        Returns:
            Number of groups on it; 0 where there are none, and nothing is written.

        Raises:
            SettingsError: There is something that may not be replaced, or the
                place cannot be written.
        """
        require_object("report", report, DuplicatesReport)
        return write_sheet(
            require_path("file", file),
            report.groups,
            store=self._store,
            settings=self._opened.settings,
            force=require_flag("force", force),
            progress=progress_or_none(progress),
        )

    def want(self, images: list[str | Path]) -> Decision:
        """Decide that images are all wanted, though they are alike: they are no duplicates again.

        It is a step of the history that `Library.undo` takes back.

        Args:
            images: Two paths or more, or image ids; of one image with several files, these files.

        Raises:
            SettingsError: There is no such image, or only one file is meant.
            StoreError: The library cannot be written.
        """
        named = require_photos("images", images, least=1)
        with self._opened.writing(decides=True):
            ids = ImageResolver(self._store)(named)
            if len(ids) == 1 and len(self._store.photos.files_holding(ids[0])) < 2:
                raise SettingsError("one photo alone is no duplicate", "name two or more photos")
            return decide_wanted(self._store, ids)
