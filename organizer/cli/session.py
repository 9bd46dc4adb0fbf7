"""What all commands share: options, errors, interruption, the library that they open."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from organizer.cli.completion import complete_clusters, complete_embedders
from organizer.errors import EXIT_INTERRUPTED, OrganizerError, StoreError
from organizer.fields.problem import interruption_fields, problem_fields
from organizer.refusals import explain_refusal

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
    typer.Option(
        "--embedder",
        metavar="NAME",
        help="An embedder; see organizer models.",
        autocompletion=complete_embedders,
    ),
]
ClusterArgument = Annotated[
    str,
    typer.Argument(
        metavar="CLUSTER", help="A cluster's name or id.", autocompletion=complete_clusters
    ),
]
TimeFromNameOption = Annotated[
    str | None,
    typer.Option(
        "--time-from-name",
        metavar="PATTERN",
        help="Times from file names, where there is no other: IMG_%Y%m%d_%H%M%S*",
    ),
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
ViewerOption = Annotated[
    str | None,
    typer.Option("--viewer", metavar="COMMAND", help="Opens a picture; otherwise the system's."),
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
        help="Also photos in which a detector found a person or a vehicle. Otherwise "
        "ORGANIZER_WITH_PEOPLE.",
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="Who decides: kept with what is decided. Otherwise ORGANIZER_USER, or the system's "
        "user name.",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Seed of the random numbers; 0 if not given.")
]


@contextmanager
def command(*, debug: bool) -> Iterator[None]:
    """Run a command: an error becomes two lines and an exit code, a bug stays a traceback.

    Stdout is flushed before the command ends, so that a full disk is reported.
    """
    if not debug:
        # Warnings of dependencies are for programmers, not for users.
        warnings.simplefilter("ignore")
    with _checked_stdout() as stdout:
        try:
            yield
            sys.stdout.flush()
        except OrganizerError as error:
            if debug:
                raise
            print_failure(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            if debug:
                raise
            say("interrupted")
            print_failure_json(interruption_fields())
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except BrokenPipeError as error:
            # The reader of the pipe has read enough (| head).
            _discard_stdout()
            raise typer.Exit(0) from error
        except OSError as error:
            failed = None if stdout is None else stdout.failed
            refused = _unwritable(failed) if failed is not None else explain_refusal(error)
            if debug or refused is None:
                raise
            if failed is not None:
                print_error(refused)
                _discard_stdout()
            else:
                print_failure(refused)
            raise typer.Exit(refused.exit_code) from error


def _unwritable(error: OSError) -> OrganizerError:
    return OrganizerError(
        f"cannot write to stdout: {error.strerror}", "free space on that disk, or write elsewhere"
    )


class _CheckedFile(io.FileIO):
    """A file that keeps the error of a failed write, to tell it from any other OSError."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


@contextmanager
def _checked_stdout() -> Iterator[_CheckedFile | None]:
    """Let stdout keep the error of a failed write; None where it is no file or pipe."""
    original = sys.stdout
    buffer = getattr(original, "buffer", None)
    if not isinstance(original, io.TextIOWrapper) or not isinstance(
        getattr(buffer, "raw", buffer), io.FileIO
    ):
        yield None
        return
    raw = _CheckedFile(original.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=original.encoding,
        errors=original.errors,
        line_buffering=original.line_buffering,
    )
    try:
        yield raw
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        sys.stdout = original


def _discard_stdout() -> None:
    """Discard what is left for stdout; Python would report it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def opened(library: Path | None, **flags: Any) -> Iterator[Library]:
    """Open the library that a command works on.

    Args:
        library: The option ``--library``.
        **flags: Settings by name; None where an option was not given.

    Raises:
        StoreError: There is no library, or it cannot be opened.
    """
    from organizer.library import Library, require_library

    settings = settings_of(library, **flags)
    path = require_library(settings.library, below=Path.cwd())
    with Library.open(path, settings) as found:
        try:
            yield found
        except FileNotFoundError as error:
            if (path / "library.json").exists():
                raise
            raise StoreError(
                f"the library {path} is not there any more", "check whether its disk is connected"
            ) from error


def settings_of(library: Path | None, **flags: Any) -> Settings:
    """The settings that result from options, environment and defaults."""
    from organizer.settings import load_settings

    return load_settings(library=library, **flags)


@contextmanager
def stop_on_interrupt(notify: Callable[[str], None]) -> Iterator[Event]:
    """Set an event at the first Ctrl-C, for an orderly end; a second Ctrl-C ends at once.

    Args:
        notify: Called with a message for the user at the first one.
    """
    event = Event()

    def stop(number: int, frame: Any) -> None:
        del number, frame
        if event.is_set():
            raise KeyboardInterrupt
        event.set()
        notify("stopping after the current step; press Ctrl-C again to stop at once")

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def quiet_natives(*, debug: bool) -> Iterator[None]:
    """Discard what C libraries write to stderr: libtiff writes a line for every oddity of a file.

    Messages of this program still reach stderr, through a second file descriptor.
    """
    try:
        is_process_stderr = sys.stderr.fileno() == _STDERR
    except (OSError, ValueError):
        is_process_stderr = False
    if debug or not is_process_stderr:
        yield
        return
    sys.stderr.flush()
    original = sys.stderr
    with os.fdopen(
        os.dup(_STDERR), "w", encoding=original.encoding, errors=original.errors, buffering=1
    ) as own:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        sys.stderr = own
        try:
            yield
        finally:
            own.flush()
            os.dup2(own.fileno(), _STDERR)
            sys.stderr = original


def print_failure(error: OrganizerError) -> None:
    """Print an error with which a command ends, as JSON too if that was asked for."""
    print_error(error)
    print_failure_json(problem_fields(error))


def print_failure_json(fields: Mapping[str, object]) -> None:
    """Print an error to stdout as one line of JSON, if JSON was asked for."""
    words = sys.argv[1:]
    if "--json" not in words[: words.index("--") if "--" in words else None]:
        return
    with suppress(OSError):  # stdout may be what failed
        sys.stdout.write(json.dumps(fields, ensure_ascii=not writes_unicode(sys.stdout)) + "\n")
        sys.stdout.flush()


def print_error(error: OrganizerError) -> None:
    """Print an error and its hint to stderr; what it lists on lines of their own."""
    say(f"error: {error.what}{':' if error.items else ''}")
    for item in error.items:
        say(f"  {item}")
    if error.hint:
        say(f"hint: {error.hint}")


def say(text: str) -> None:
    """Print a line to stderr."""
    typer.echo(plain(text), err=True)


def writes_unicode(stream: TextIO) -> bool:
    """Whether a stream takes any character; what the code page of others lacks is escaped."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def plain(text: str) -> str:
    """Text without control characters, which a file name may hold and a terminal would run."""
    return "".join(c if c.isprintable() else "?" for c in text)
