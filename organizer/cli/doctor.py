"""``organizer doctor``: what is damaged in a library, and mending it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command,
    quiet_natives,
    settings_of,
)
from organizer.errors import EXIT_DAMAGED, StoreError

if TYPE_CHECKING:
    from organizer.library.doctor import Doctor


def doctor(
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend what can be mended; each step is printed before."),
    ] = False,
    backup: Annotated[
        Path | None,
        typer.Option(
            "--backup", metavar="FOLDER", help="Backups, for files that are nowhere else."
        ),
    ] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Examine the library: is every file as it was written, do the tables fit each other?

    It changes nothing, and works where nothing else does. Exit code 0: nothing is
    wrong; 4: something is. With --fix, nothing is deleted: damaged files are moved
    into a folder of the library. Names, moves and answers are kept. Photos are not
    touched.
    """
    with command(debug=debug), quiet_natives(debug=debug):
        from organizer.cli import doctor_output as output

        found = _doctor(library, backup)
        if not fix:
            diagnosis = found.examine()
            output.print_diagnosis(found.path, diagnosis, json=json)
            if not diagnosis.is_sound:
                raise typer.Exit(EXIT_DAMAGED)
            return
        report = found.mend(before=output.say_step)
        output.print_mended(found.path, report, json=json)
        if not report.left.is_sound:
            raise typer.Exit(EXIT_DAMAGED)


def _doctor(library: Path | None, backup: Path | None) -> Doctor:
    from organizer.library.doctor import Doctor
    from organizer.library.locate import find_remains, library_path

    settings = settings_of(library)
    path = find_remains(settings.library, below=Path.cwd())
    if path is None:
        named = settings.library
        where = f"at {library_path(named)}" if named else f"in {Path.cwd()} or above it"
        raise StoreError(f"there is no library {where}", "make one: organizer ingest FOLDER")
    return Doctor(path, settings, backup=backup)
