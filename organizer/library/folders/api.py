"""Files sorted into folders and back, each a method of `Library`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from organizer.arrange import ArrangeMode, ArrangeRecord, read_plan, write_plan
from organizer.errors import SettingsError
from organizer.library import output_paths
from organizer.library.arrangements.active import unfinished_record
from organizer.library.folders import run
from organizer.library.folders.options import ArrangeOptions
from organizer.library.folders.read_back.report import ReadBackReport
from organizer.library.folders.read_back.run import apply_read_back, preview_read_back
from organizer.library.folders.report import (
    ArrangeReport,
    ArrangeUndoReport,
    report_plan,
    report_record,
    report_undo,
)
from organizer.library.folders.undo import undo_arrangement
from organizer.library.opening import OpenLibrary
from organizer.library.progress import NoProgress, Progress


class Folders:
    """Clusters written out as folders, and read back. No file is ever overwritten or lost."""

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def arrange(
        self,
        choice: ArrangeOptions,
        *,
        plan: Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ArrangeReport:
        """Sort the files of the library into folders, or write a plan of it and touch nothing.

        Every file is arranged: of an image with several files, each. Where crops are clustered, a
        photo goes to the cluster of its surest one, and those in which a detector saw nothing have
        a folder beside the clusters. Photos with people or vehicles stay where they are unless the
        settings say `with_people`; then they have folders of their own too.

        Args:
            choice: How.
            plan: A CSV file for the plan; None to carry it out at once, which a move never is.
            progress: Told how far it is.
            stop: Asked before every file; True ends it, and it can be gone on with.

        Raises:
            SettingsError: It cannot be done so, or an arrangement was cut short before.
            ClusteringError: The template names the cluster, and there are none yet.
            StoreError: The library cannot be written.
        """
        shown = progress or NoProgress()
        if plan is not None:
            file = self._place_of_plan(plan)
            found = self._planned(choice, shown)
            try:
                write_plan(found.plan, file)
            except OSError as error:
                raise output_paths.unwritable(plan, error, option="--plan") from error
            notes = run.plan_notes(found)
            return report_plan(found.plan, files=found.files, file=file, notes=notes)
        if choice.mode is ArrangeMode.MOVE:
            raise SettingsError(
                "files are moved by a plan that you have seen",
                "--plan plan.csv writes it; then organizer arrange --apply plan.csv",
            )
        with self._opened.writing():
            found = self._planned(choice, shown)
            notes = run.plan_notes(found)
            if not found.plan.steps:
                return report_plan(found.plan, files=found.files, notes=notes)
            record = run.apply_plan(self._store, found.plan, progress=shown, stop=stop)
            return report_record(record, files=found.files, notes=notes)

    def apply(
        self,
        plan: Path | None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ArrangeReport:
        """Carry a plan out, or go on with the arrangement that was cut short.

        After a move the library knows the new places of its files.

        Args:
            plan: The CSV file; None to go on with the last arrangement.
            progress: See `arrange`.
            stop: See `arrange`.

        Raises:
            SettingsError: The plan cannot be read or is of another library; another arrangement was
                cut short; or it cannot be done at all.
            StoreError: The library cannot be written.
        """
        shown = progress or NoProgress()
        wanted = read_plan(plan) if plan is not None else None
        with self._opened.writing():
            files = len(self._store.photos.held_files())
            if wanted is None:
                record = run.resume_plan(self._store, progress=shown, stop=stop)
            elif wanted.steps:
                record = run.apply_plan(self._store, wanted, progress=shown, stop=stop)
            else:
                return report_plan(wanted, files=files)
            return report_record(record, files=files)

    def undo(
        self, *, progress: Progress | None = None, stop: Callable[[], bool] = lambda: False
    ) -> ArrangeUndoReport:
        """Take the last arrangement back that stands; called again, the one before.

        What a person changed since is left where it is, and told.

        Raises:
            SettingsError: None stands.
            StoreError: The library cannot be written.
        """
        with self._opened.writing():
            record = undo_arrangement(self._store, progress=progress or NoProgress(), stop=stop)
            return report_undo(record)

    def read_back(
        self, to: Path, *, dry_run: bool = False, progress: Progress | None = None
    ) -> ReadBackReport:
        """Let clusters be as a person has put the files of an arranged folder since.

        Args:
            to: The folder.
            dry_run: Only tell what would be said.
            progress: Told how far it is.

        Raises:
            SettingsError: Nothing stands there, or its folders do not stand for clusters.
            ClusteringError: There are no clusters.
            StoreError: The library cannot be written.
        """
        shown = progress or NoProgress()
        if dry_run:
            return preview_read_back(self._store, to, settings=self._settings, progress=shown)
        with self._opened.writing():
            found = apply_read_back(self._store, to, settings=self._settings, progress=shown)
            self._opened.tidy()
        return found

    def unfinished(self) -> ArrangeRecord | None:
        """The last arrangement, if it was cut short."""
        return unfinished_record(self._store)

    def _planned(self, choice: ArrangeOptions, progress: Progress) -> run.PlannedArrangement:
        return run.plan_arrangement(self._store, choice, settings=self._settings, progress=progress)

    def _place_of_plan(self, plan: Path) -> Path:
        place = output_paths.resolve_output(self._store, plan, option="--plan")
        output_paths.require_suffix(place, ".csv", option="--plan")
        if os.path.lexists(place) and not place.is_dir():
            raise SettingsError(
                f"{plan} is there, and may hold what you edited",
                "choose another --plan, or remove it",
            )
        return output_paths.resolve_output_file(
            self._store, plan, option="--plan", kind="plan of organizer", is_ours=None
        )
