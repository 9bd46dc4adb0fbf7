"""``organizer watch``: folders watched, and what comes ingested."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    LibraryOption,
    TimeFromNameOption,
    WeightsOption,
    command,
    quiet_natives,
    settings_of,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED


def watch(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER", help="Folders; all that were ingested if none is given."),
    ] = None,
    settle: Annotated[
        float | None,
        typer.Option(
            "--settle",
            metavar="SECONDS",
            min=0,
            help="A file that stays as it is for so long is complete; 3 if not given.",
        ),
    ] = None,
    poll: Annotated[
        bool,
        typer.Option(
            "--poll", help="Look every few seconds: for a drive into which other machines write."
        ),
    ] = False,
    time_from_name: TimeFromNameOption = None,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one line for each event.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Watch folders: what comes is ingested once it is complete, until Ctrl-C.

    What is there already is ingested first. A file that goes becomes missing; a
    folder that goes as a whole is waited for. Prints a line for each event. Exit
    code 0 after SIGTERM, 130 after Ctrl-C; both end it when what is being
    embedded is stored.
    """
    with command(debug=debug):
        from organizer.capture_times import NamePattern
        from organizer.cli.watch_output import WatchOutput
        from organizer.library import Library, embedders, find_library
        from organizer.library.ingest.run import require_executor
        from organizer.library.watch.run import SETTLE, require_folders

        settings = settings_of(library, weights=weights)
        path = find_library(settings.library, below=Path.cwd())
        if path is None:
            # Refuse wrong arguments before a library is made for them.
            if time_from_name is not None:
                NamePattern.parse(time_from_name)
            require_folders(paths or [])
            require_executor(settings)
            embedders.ensure_weights(embedder, settings)
            path = settings.library or Path.cwd()
        with (
            Library.open_or_create(path, settings) as opened_library,
            quiet_natives(debug=debug),
            WatchOutput(json=json) as output,
            stop_on_interrupt(output.note) as interrupted,
            _stop_on_termination() as terminated,
        ):
            for event in opened_library.watch(
                paths or None,
                embedder=embedder,
                settle=SETTLE if settle is None else settle,
                poll=poll,
                time_from_name=time_from_name,
                progress=output,
                stop=lambda: interrupted.is_set() or terminated.is_set(),
            ):
                output.print(event)
        if interrupted.is_set():
            raise typer.Exit(EXIT_INTERRUPTED)


@contextmanager
def _stop_on_termination() -> Iterator[Event]:
    """Set an event at SIGTERM, by which a service or a container is ended."""
    event = Event()

    def stop(number: int, frame: Any) -> None:
        del number, frame
        event.set()

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, previous)
