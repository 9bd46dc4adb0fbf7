"""Examine and mend a library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from organizer.arguments import require_path
from organizer.errors import StoreError
from organizer.library.backups import BackupFolder
from organizer.library.doctor.contents import KeptContents
from organizer.library.doctor.examine_files import examine_files
from organizer.library.doctor.examine_rows import examine_rows
from organizer.library.doctor.findings import Diagnosis, Finding, Remedy
from organizer.library.doctor.mend import Mender
from organizer.library.locate import library_path
from organizer.library.progress import NoProgress, Progress
from organizer.settings import Settings, load_settings
from organizer.store import Store
from organizer.store.database import Database
from organizer.store.repair import Aside, require_current_format

_ROUNDS = 8
"""What is mended may show what was hidden behind it: the rows of a table that could not be read."""
_TRIES = 3
"""Looks at a library in which another process commits meanwhile."""


@dataclass(frozen=True, slots=True)
class MendReport:
    """What was mended.

    Attributes:
        mended: What was done something about, in order.
        left: What the doctor finds after it.
        aside: The folder that damaged files were moved to; None where none was.
    """

    mended: tuple[Finding, ...]
    left: Diagnosis
    aside: Path | None


class Doctor:
    """Examines a library, and mends it.

    Args:
        path: The library, or the folder that holds it.
        settings: The settings; those of the environment and the configuration file where None.
        backup: A folder of backups, from which files are put back that nothing else has.

    Examples:
        >>> Doctor("photos").examine().is_sound  # doctest: +SKIP
        True
    """

    def __init__(
        self,
        path: str | Path = ".",
        settings: Settings | None = None,
        *,
        backup: Path | None = None,
    ) -> None:
        self.path = library_path(require_path("path", path))
        self._settings = settings
        self._backup = None if backup is None else BackupFolder(backup)

    def examine(self) -> Diagnosis:
        """Read every file of the library and compare it with what was written.

        Nothing is changed, and others may write meanwhile.

        Raises:
            StoreError: It is of another format, or there is none.
        """
        require_current_format(self.path)
        for _ in range(_TRIES):
            database = Database(self.path)
            try:
                before = _revision(database)
                with database.reading():
                    found = self._examine(database)
                if found.is_sound or _revision(database) == before:
                    break
            finally:
                database.close()
        return found

    def mend(
        self,
        *,
        progress: Progress | None = None,
        before: Callable[[Finding], None] = lambda _: None,
    ) -> MendReport:
        """Mend what can be mended; damaged files are moved aside, none is deleted.

        Args:
            progress: Receives the progress where clusters are made anew.
            before: Called with each finding before something is done about it.

        Raises:
            StoreError: Another process writes to the library, it cannot be written, or it is of
                another format.
        """
        require_current_format(self.path)
        database, aside = Database(self.path), Aside(self.path)
        settings = self._settings or load_settings()
        kept = KeptContents(database, self._backup)
        mender = Mender(database, kept, aside, settings, progress or NoProgress())
        mended: list[Finding] = []
        try:
            with database.locked():
                for _ in range(_ROUNDS):
                    found = self._examine(database)
                    todo = [f for f in found.damage if f.remedy is not Remedy.NONE]
                    todo = [finding for finding in todo if finding not in mended]
                    if not todo:
                        break
                    for finding in todo:
                        before(finding)
                        mender.mend(finding)
                    mended += todo
                if mended:
                    database.safety.follow()
        finally:
            database.close()
        return MendReport(tuple(mended), found, aside.folder if aside.folder.exists() else None)

    def _examine(self, database: Database) -> Diagnosis:
        database.close()  # what is mended is read anew
        findings = list(examine_files(database, KeptContents(database, self._backup)))
        if not any(finding.is_damage for finding in findings):
            try:
                findings += examine_rows(Store(database))
            except StoreError as error:
                findings.append(Finding("table", str(self.path), error.message))
        there = [f for f in database.safety.files.all() if (database.path / f).is_file()]
        ordered = sorted(findings, key=lambda finding: not finding.is_damage)
        return Diagnosis(tuple(ordered), len(there))


def _revision(database: Database) -> int:
    try:
        return database.journal.revision()
    except StoreError:
        return -1
