"""``organizer backup`` and ``organizer restore``: a library in another folder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened
from organizer.errors import EXIT_DAMAGED


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder of backups, on another disk.")
    ],
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Keep the last N backups; otherwise all."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Make none; read the backups and compare with their hashes."),
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Back the library up into a folder, while other commands go on.

    Photos are not copied. What a backup of that folder has already is not copied
    again, so a daily one takes seconds. It is whole or not there. Beside it lies
    decisions.jsonl: what you decided, in lines that can be read without organizer.
    """
    with command(debug=debug):
        from organizer.cli import backup_output as output
        from organizer.cli.progress_bar import progress_bar

        if check:
            from organizer.library.backups import check_backups

            with progress_bar() as bar:
                checks = check_backups(folder, progress=bar)
            output.print_checks(checks, json=json)
            if not all(found.is_whole for found in checks):
                raise typer.Exit(EXIT_DAMAGED)
            return
        with opened(library) as found, progress_bar() as bar:
            report = found.backup(folder, keep=keep, progress=bar)
        output.print_backup(report, json=json)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of backups.")],
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="PATH",
            help="Where the library is to be: the folder that is to hold it. There is none yet.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="DATE", help="The backup, or how its name begins."),
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Restore a library from the newest backup of a folder, or that of a date.

    Each file is compared with its hash. Nothing is restored over a library: one
    that is there has to be moved aside first. Photos are not touched.
    """
    with command(debug=debug):
        from organizer.cli.backup_output import print_restore
        from organizer.cli.progress_bar import progress_bar
        from organizer.library.backups import restore_backup

        with progress_bar() as bar:
            report = restore_backup(folder, to.absolute(), at=at, progress=bar)
        print_restore(report, json=json)
