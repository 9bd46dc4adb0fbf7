"""Files sorted into folders and back, each a method of `Library`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from organizer.arrange import Mode, Record, read_plan, write_plan
from organizer.errors import SettingsError
from organizer.library import places
from organizer.library.arrangement import accounts, reading_back, running, taking_back
from organizer.library.arrangement.accounts import Arranged, TakenBack
from organizer.library.arrangement.choosing import Choice
from organizer.library.arrangement.standing import unfinished
from organizer.library.arrangement.telling import ReadBack
from organizer.library.opened import Opened
from organizer.library.progress import Progress, Silent


class Folders(Opened):
    """Arrangements of the files of a library. None of them overwrites or loses a file."""

    def arrange(
        self,
        choice: Choice,
        *,
        plan: Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Arranged:
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
        shown = progress or Silent()
        if plan is not None:
            file = self._place_of_plan(plan)
            found = self._planned(choice, shown)
            try:
                write_plan(found.plan, file)
            except OSError as error:
                raise places.cannot_write(plan, error, option="--plan") from error
            notes = running.notes_on(found)
            return accounts.plan_told(found.plan, files=found.files, file=file, notes=notes)
        if choice.mode is Mode.MOVE:
            raise SettingsError(
                "files are moved by a plan that you have seen",
                "--plan plan.csv writes it; then organizer arrange --apply plan.csv",
            )
        with self._writing():
            found = self._planned(choice, shown)
            notes = running.notes_on(found)
            if not found.plan.steps:
                return accounts.plan_told(found.plan, files=found.files, notes=notes)
            record = running.carried_out(self.store, found.plan, progress=shown, stop=stop)
            return accounts.record_told(record, files=found.files, notes=notes)

    def apply_plan(
        self,
        plan: Path | None,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Arranged:
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
        shown = progress or Silent()
        wanted = read_plan(plan) if plan is not None else None
        with self._writing():
            files = len(self.store.photos.held_files())
            if wanted is None:
                record = running.resumed(self.store, progress=shown, stop=stop)
            elif wanted.steps:
                record = running.carried_out(self.store, wanted, progress=shown, stop=stop)
            else:
                return accounts.plan_told(wanted, files=files)
            return accounts.record_told(record, files=files)

    def undo_arrangement(
        self, *, progress: Progress | None = None, stop: Callable[[], bool] = lambda: False
    ) -> TakenBack:
        """Take the last arrangement back that stands; called again, the one before.

        What a person changed since is left where it is, and told.

        Raises:
            SettingsError: None stands.
            StoreError: The library cannot be written.
        """
        with self._writing():
            record = taking_back.taken_back(self.store, progress=progress or Silent(), stop=stop)
            return accounts.undo_told(record)

    def read_back(
        self, to: Path, *, dry_run: bool = False, progress: Progress | None = None
    ) -> ReadBack:
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
        shown = progress or Silent()
        if dry_run:
            return reading_back.previewed(self.store, to, settings=self.settings, progress=shown)
        with self._writing():
            found = reading_back.said(self.store, to, settings=self.settings, progress=shown)
            self._tidy()
        return found

    def unfinished_arrangement(self) -> Record | None:
        """The last arrangement, if it was cut short."""
        return unfinished(self.store)

    def _planned(self, choice: Choice, progress: Progress) -> running.Planned:
        return running.planned(self.store, choice, settings=self.settings, progress=progress)

    def _place_of_plan(self, plan: Path) -> Path:
        place = places.require_own(self.store, plan, option="--plan")
        places.require_suffix(place, ".csv", option="--plan")
        if os.path.lexists(place) and not place.is_dir():
            raise SettingsError(
                f"{plan} is there, and may hold what you edited",
                "choose another --plan, or remove it",
            )
        return places.require_file(
            self.store, plan, option="--plan", kind="plan of organizer", is_ours=None
        )
