"""Folders: clusters written out as folders, and read back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from organizer.arguments import require_flag, require_function, require_object, require_path
from organizer.arrange import ArrangeMode, ArrangeRecord, read_plan, write_plan
from organizer.errors import SettingsError
from organizer.library import output_paths
from organizer.library.arrangements.active import unfinished_record
from organizer.library.duplicates.aside import files_aside, files_to_set_aside
from organizer.library.duplicates.find import find_duplicates
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
from organizer.library.folders.update import plan_update, save_kept
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none


class Folders:
    """Clusters written out as folders, and read back. No file is ever overwritten or lost.

    Examples:
        >>> options = ArrangeOptions(Path("sorted"), by="name")  # doctest: +SKIP
        >>> library.folders.arrange(options).done  # doctest: +SKIP
        24
        >>> library.folders.undo().undone  # doctest: +SKIP
        24
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def arrange(
        self,
        options: ArrangeOptions,
        *,
        plan: str | Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ArrangeReport:
        """Arrange the files of the library in folders, or write a plan of it and change nothing.

        Every file is arranged: of an image with several files, each. Where crops are clustered, a
        photo goes to the cluster of its surest one, and those in which a detector saw nothing have
        a folder beside the clusters. Photos with people or vehicles stay where they are unless the
        settings say `with_people`; then they have folders of their own too.

        Args:
            options: Where to and how.
            plan: A CSV file for the plan; None to apply it at once, which a move never is.
            progress: Receives the progress.
            stop: Asked before every file; True ends the run, which `apply` can go on with.

        Raises:
            SettingsError: It cannot be done so, or an arrangement was interrupted before.
            ClusteringError: The template names the cluster, and there are none yet.
            StoreError: The library cannot be written.
        """
        options = require_object("options", options, ArrangeOptions).checked()
        require_function("stop", stop)
        shown = progress_or_none(progress)
        if plan is not None:
            plan = require_path("plan", plan)
            file = self._plan_file(plan)
            planned = self._plan(options, shown, self._only(options, shown))
            try:
                write_plan(planned.plan, file)
            except OSError as error:
                raise output_paths.unwritable(plan, error, option="--plan") from error
            notes = run.plan_notes(planned)
            return report_plan(planned.plan, files=planned.files, file=file, notes=notes)
        if options.mode is ArrangeMode.MOVE:
            raise SettingsError(
                "files are moved by a plan that you have seen",
                "--plan plan.csv writes it; then organizer arrange --apply plan.csv",
            )
        only = self._only(options, shown)
        with self._opened.writing():
            planned = self._plan(options, shown, only)
            notes = run.plan_notes(planned)
            if not planned.plan.steps:
                return report_plan(planned.plan, files=planned.files, notes=notes)
            record = run.apply_plan(self._store, planned.plan, progress=shown, stop=stop)
            return report_record(record, files=planned.files, notes=notes)

    def apply(
        self,
        plan: str | Path | None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ArrangeReport:
        """Apply a plan, or go on with the arrangement that was interrupted.

        After a move the library knows the new places of its files.

        Args:
            plan: The CSV file; None to go on with the last arrangement.
            progress: See `arrange`.
            stop: See `arrange`.

        Raises:
            SettingsError: The plan cannot be read or is of another library; another arrangement was
                interrupted; or it cannot be applied at all.
            StoreError: The library cannot be written.
        """
        require_function("stop", stop)
        shown = progress_or_none(progress)
        wanted = read_plan(require_path("plan", plan)) if plan is not None else None
        with self._opened.writing():
            files = len(self._store.photos.held_files())
            if wanted is not None and run.is_set_aside(wanted):
                files = wanted.photos
            if wanted is None:
                record = run.resume_plan(self._store, progress=shown, stop=stop)
                files = record.plan.photos if run.is_set_aside(record.plan) else files
            elif wanted.steps:
                record = run.apply_plan(self._store, wanted, progress=shown, stop=stop)
            else:
                return report_plan(wanted, files=files)
            return report_record(record, files=files)

    def update(
        self,
        to: str | Path,
        options: ArrangeOptions | None = None,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ArrangeReport:
        """Bring an arranged folder up to date with the clusters of now.

        New photos come, those of other clusters now go to other folders, and links and copies that
        belong into none any more are removed, with the folders that this empties. What a person
        put into the folder, changed in it or took out of it stays as it is and is counted. `undo`
        takes all of it back; one that was interrupted goes on with `apply`.

        Args:
            to: The folder.
            options: How folders are named; None as when it was arranged. The folder and the mode
                stay what they are.
            dry_run: Only report what would be done.
            progress: Receives the progress.
            stop: See `arrange`.

        Raises:
            SettingsError: Nothing is arranged there, an arrangement was interrupted before, or what
                a person moved in the folder was not read back.
            ClusteringError: The template names the cluster, and there are none.
            StoreError: The library cannot be written.
        """
        folder = require_path("to", to)
        if options is not None:
            options = require_object("options", options, ArrangeOptions).checked()
        require_function("stop", stop)
        shown = progress_or_none(progress)
        if require_flag("dry_run", dry_run):
            return self._report_update(self._plan_update(options, folder, shown))
        with self._opened.writing():
            planned = self._plan_update(options, folder, shown)
            if not planned.plan.steps:
                save_kept(self._store, planned)
                return self._report_update(planned)
            record = run.apply_plan(self._store, planned.plan, progress=shown, stop=stop)
            if record.applied:
                save_kept(self._store, planned)
            return report_record(
                record,
                files=planned.files,
                unknown_files=planned.unknown_files,
                notes=run.several_notes(planned),
            )

    def undo(
        self, *, progress: Progress | None = None, stop: Callable[[], bool] = lambda: False
    ) -> ArrangeUndoReport:
        """Undo the last active arrangement; called again, the one before.

        What the system refused to take back is tried again first.

        Files that a person changed since are left where they are, and reported. A moved photo of
        which only the metadata were edited goes back with what was written into it.

        Args:
            progress: See `arrange`.
            stop: See `arrange`.

        Raises:
            SettingsError: None is active.
            StoreError: The library cannot be written.
        """
        require_function("stop", stop)
        shown = progress_or_none(progress)
        with self._opened.writing():
            record = undo_arrangement(self._store, progress=shown, stop=stop)
            return report_undo(record)

    def read_back(
        self, to: str | Path, *, dry_run: bool = False, progress: Progress | None = None
    ) -> ReadBackReport:
        """Turn what a person did to the files of an arranged folder into decisions.

        Args:
            to: The folder.
            dry_run: Only report the decisions that would be made.
            progress: Receives the progress.

        Raises:
            SettingsError: Nothing is arranged there, or its folders are not those of clusters.
            ClusteringError: There are no clusters.
            StoreError: The library cannot be written.
        """
        folder = require_path("to", to)
        shown = progress_or_none(progress)
        if require_flag("dry_run", dry_run):
            return preview_read_back(self._store, folder, settings=self._settings, progress=shown)
        with self._opened.writing():
            found = apply_read_back(self._store, folder, settings=self._settings, progress=shown)
            self._opened.tidy()
        return found

    def unfinished(self) -> ArrangeRecord | None:
        """The last arrangement, if it was interrupted; else None."""
        return unfinished_record(self._store)

    def _plan(
        self, options: ArrangeOptions, progress: Progress, only: Mapping[Path, str] | None
    ) -> run.PlannedArrangement:
        return run.plan_arrangement(
            self._store, options, settings=self._settings, progress=progress, only=only
        )

    def _only(self, options: ArrangeOptions, progress: Progress) -> dict[Path, str] | None:
        """The files that are arranged, each with the reason; None for all."""
        if options.duplicates is None:
            return None
        found = find_duplicates(self._opened, options.duplicates, progress=progress)
        return files_to_set_aside(self._store, found, files_aside(self._store))

    def _plan_update(
        self, options: ArrangeOptions | None, to: Path, progress: Progress
    ) -> run.PlannedArrangement:
        return plan_update(self._store, options, to, settings=self._settings, progress=progress)

    def _report_update(self, planned: run.PlannedArrangement) -> ArrangeReport:
        return report_plan(
            planned.plan,
            files=planned.files,
            unknown_files=planned.unknown_files,
            notes=run.several_notes(planned),
        )

    def _plan_file(self, plan: Path) -> Path:
        place = output_paths.resolve_output(self._store, plan, option="--plan")
        output_paths.require_suffix(place, ".csv", option="--plan")
        if os.path.lexists(place) and not place.is_dir():
            raise SettingsError(
                f"{plan} is there, and may hold what you edited",
                "choose another --plan",
            )
        return output_paths.resolve_output_file(
            self._store, plan, option="--plan", kind="plan of organizer", is_ours=None
        )
