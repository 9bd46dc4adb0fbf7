"""What all commands share: options, errors in two lines, interruption, the library to work on."""

from __future__ import annotations

import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from organizer.errors import EXIT_FAILED, EXIT_INTERRUPTED, OrganizerError, SettingsError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.settings import Settings

_STDERR = 2

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="PATH",
        help="The library, or the folder that holds it. Otherwise ORGANIZER_LIBRARY, or the "
        ".organizer found from the current folder upwards.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
EmbedderOption = Annotated[
    str | None,
    typer.Option("--embedder", metavar="NAME", help="An embedder; see organizer models."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="PATH",
        help="A weights file, or a folder with NAME.pth or NAME.safetensors. Otherwise "
        "ORGANIZER_WEIGHTS.",
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or mps."),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="NAME",
        help="What networks compute in: auto, float32 or bfloat16.",
    ),
]
PeopleOption = Annotated[
    bool,
    typer.Option(
        "--with-people",
        help="Also photos on which a detector saw a person or a vehicle. Otherwise "
        "ORGANIZER_WITH_PEOPLE.",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of everything that draws; 0 if not given.")
]


@contextmanager
def command(*, debug: bool) -> Iterator[None]:
    """Run a command: an error becomes two lines and an exit code, a bug stays a traceback.

    What is still to be written to stdout is written before the command ends, so that a full disk
    is told of.
    """
    if not debug:
        # A dependency's advice to programmers is not for the person at the terminal.
        warnings.simplefilter("ignore")
    with _watched_stdout() as stdout:
        try:
            yield
            sys.stdout.flush()
        except OrganizerError as error:
            if debug:
                raise
            complain(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            if debug:
                raise
            say("interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except BrokenPipeError as error:
            # The reader of the pipe has seen enough (| head).
            _give_up_stdout()
            raise typer.Exit(0) from error
        except OSError as error:
            if debug or stdout is None or stdout.failed is None:
                raise
            say(f"error: cannot write to stdout: {stdout.failed.strerror}")
            say("hint: make room on that disk, or write to another place")
            _give_up_stdout()
            raise typer.Exit(EXIT_FAILED) from error


class _Watched(io.FileIO):
    """A file that remembers what kept it from being written: stdout tells it of no other one."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


@contextmanager
def _watched_stdout() -> Iterator[_Watched | None]:
    """Let stdout remember what kept it from being written; None where it is no file or pipe."""
    before = sys.stdout
    buffer = getattr(before, "buffer", None)
    if not isinstance(before, io.TextIOWrapper) or not isinstance(
        getattr(buffer, "raw", buffer), io.FileIO
    ):
        yield None
        return
    raw = _Watched(before.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=before.line_buffering,
    )
    try:
        yield raw
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        sys.stdout = before


def _give_up_stdout() -> None:
    """Let what is left for stdout go nowhere: Python would complain of it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def opened(library: Path | None, **flags: Any) -> Iterator[Library]:
    """The library that a command works on; there must be one."""
    from organizer.library import Library, require_library

    settings = settings_of(library, **flags)
    path = require_library(settings.library, below=Path.cwd())
    with Library.open(path, settings) as found:
        yield found


def settings_of(library: Path | None, **flags: Any) -> Settings:
    """The settings in force."""
    from organizer.settings import load_settings

    return load_settings(library=library, **flags)


@contextmanager
def stop_on_interrupt(tell: Callable[[str], None]) -> Iterator[Event]:
    """Let the first Ctrl-C ask for an orderly end, and tell so; a second one does not wait."""
    event = Event()

    def ask(number: int, frame: Any) -> None:
        del frame
        if event.is_set():
            raise KeyboardInterrupt
        event.set()
        tell("stopping after what is in hand; once more to stop at once")
        del number

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet_natives(*, debug: bool) -> Iterator[None]:
    """Keep C libraries from the terminal: libtiff writes a line for every oddity of a file.

    What this program says on stderr goes on to the same place through a second handle.
    """
    try:
        is_process_stderr = sys.stderr.fileno() == _STDERR
    except (OSError, ValueError):
        is_process_stderr = False
    if debug or not is_process_stderr:
        yield
        return
    sys.stderr.flush()
    before = sys.stderr
    with os.fdopen(os.dup(_STDERR), "w", encoding=before.encoding, buffering=1) as own:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        sys.stderr = own
        try:
            yield
        finally:
            own.flush()
            os.dup2(own.fileno(), _STDERR)
            sys.stderr = before


def parse_id(text: str) -> int:
    """A cluster's id as it is typed."""
    if not text.isdecimal():
        raise SettingsError(f"{text!r} is no cluster", "organizer clusters lists them by id")
    return int(text)


def complain(error: OrganizerError) -> None:
    """What happened, and what to do."""
    say(f"error: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


def say(text: str) -> None:
    """A line for the person, not for the pipe."""
    typer.echo(plain(text), err=True)


def plain(text: str) -> str:
    """Text without what a terminal would obey: a file name may hold anything."""
    return "".join(c if c.isprintable() else "?" for c in text)
