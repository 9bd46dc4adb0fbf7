"""An ingest in a process of its own, so that decoding and embedding keep no page waiting.

The process has a lower priority: where people look at photos and the cores are taken, they come
first. A decoder that crashes on a hostile file ends it, and not the service. What was asked for
goes to its standard input, a line of JSON; there follows nothing, and the end of it ends the
ingest in order. Progress and result come back from its standard output, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from organizer import errors
from organizer.errors import OrganizerError, StoreError
from organizer.fields.ingest import ingest_fields
from organizer.library import Library, Progress
from organizer.settings import Settings
from organizer.workers.process import command_of

_LOWER_PRIORITY = 19
_ASK_SECONDS = 0.1


def run_ingest_process(
    library: Library,
    paths: Sequence[Path],
    *,
    embedder: str | None,
    confirm_missing: bool = False,
    verify: bool = False,
    reread_metadata: bool = False,
    time_from_name: str | None = None,
    progress: Progress,
    stop: Callable[[], bool],
) -> dict[str, Any]:
    """Ingest into a library that is open here; see `Library.ingest`.

    Args:
        library: The library.
        paths: Folders and files.
        embedder: The name of an embedder; the library's own where None.
        confirm_missing: As in `Library.ingest`.
        verify: As there.
        reread_metadata: As there.
        time_from_name: As there.
        progress: Receives the progress.
        stop: Asked several times a second; True ends it with what was done so far committed.

    Returns:
        The JSON fields of the report.

    Raises:
        OrganizerError: As `Library.ingest` raises, or the process was ended by somebody else.
    """
    request = {
        "library": str(library.store.path),
        "settings": library.settings.model_dump(mode="json"),
        "paths": [str(path) for path in paths],
        "options": {
            "embedder": embedder,
            "confirm_missing": confirm_missing,
            "verify": verify,
            "reread_metadata": reread_metadata,
            "time_from_name": time_from_name,
        },
    }
    with _process() as process, _output(process) as lines:
        _send(process, request)
        for message in _messages(process, lines, stop):
            if (result := _received(message, progress)) is not None:
                return result
    raise _ended(process.returncode)


@contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    """The process; it is over when the context ends."""
    # Ctrl-C in the terminal of the service ends the service, which ends this. Not a session of its
    # own: Linux shares the cores out by session, and priorities count inside of one only.
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        lower = subprocess.BELOW_NORMAL_PRIORITY_CLASS
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | lower}
    with subprocess.Popen(  # noqa: S603 - this program
        command_of(__name__, ingest_as_asked.__name__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **apart,
    ) as process:
        yield process


@contextmanager
def _output(process: subprocess.Popen[str]) -> Iterator[queue.SimpleQueue[str]]:
    """The lines that the process writes, "" for the end; the context ends when it has ended.

    What it has committed is kept.
    """
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    output, lines = process.stdout, queue.SimpleQueue[str]()

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put("")

    reader = threading.Thread(target=read, name="ingest output", daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        _close(process)
        reader.join()


def _close(process: subprocess.Popen[str]) -> None:
    """Ask the process to end; one that has ended already needs not be asked."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        process.stdin.close()
    except OSError:
        return


def _send(process: subprocess.Popen[str], request: Mapping[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    try:
        process.stdin.write(f"{json.dumps(request)}\n")
        process.stdin.flush()
    except OSError:
        return  # it has ended: its exit code tells


def _messages(
    process: subprocess.Popen[str], lines: queue.SimpleQueue[str], stop: Callable[[], bool]
) -> Iterator[Mapping[str, Any]]:
    """What the process says, until it ends; it is asked to end where `stop` says so."""
    has_stopped = False
    while True:
        if not has_stopped and stop():
            has_stopped = True
            _close(process)
        try:
            line = lines.get(timeout=_ASK_SECONDS)
        except queue.Empty:
            continue
        if not line:
            return
        yield json.loads(line)


def _received(message: Mapping[str, Any], progress: Progress) -> dict[str, Any] | None:
    """Pass a message on; the result where it is that."""
    if "begin" in message:
        progress.begin(message["begin"], message["total"])
    elif "advance" in message:
        progress.advance(message["advance"])
    elif "note" in message:
        progress.note(message["note"])
    elif "error" in message:
        raise _error(message)
    return message.get("result")


def _error(message: Mapping[str, Any]) -> OrganizerError:
    kind = getattr(errors, message["error"], None)
    if not (isinstance(kind, type) and issubclass(kind, OrganizerError)):
        kind = OrganizerError  # one of a plugin
    return kind(message["message"], message["hint"])


def _ended(code: int) -> Exception:
    """What to raise for a process that ended without a word."""
    if code > 0:  # it has printed its traceback
        return RuntimeError(f"the process of the ingest failed with exit code {code}")
    return StoreError(
        f"the process of the ingest was ended by the system (signal {-code})",
        "what was committed is kept: ingest again; where memory is short, with fewer --threads",
    )


# In the process ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends the progress of an ingest as lines of JSON; see `Progress`."""

    stream: TextIO

    def begin(self, task: str, total: int | None) -> None:
        """See `Progress.begin`."""
        self.send({"begin": task, "total": total})

    def advance(self, steps: int = 1) -> None:
        """See `Progress.advance`."""
        self.send({"advance": steps})

    def note(self, text: str) -> None:
        """See `Progress.note`."""
        self.send({"note": text})

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; where nobody listens any more the ingest is about to end."""
        try:
            self.stream.write(f"{json.dumps(message)}\n")
            self.stream.flush()
        except BrokenPipeError:
            return


def ingest_as_asked() -> None:
    """Ingest what the standard input asks for."""
    if sys.platform != "win32":
        os.nice(_LOWER_PRIORITY)
    request = json.loads(sys.stdin.readline())
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as stream:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a plugin prints is no message
        sender = _Sender(stream)
        try:
            sender.send({"result": _ingest(request, sender)})
        except OrganizerError as error:
            kind = type(error).__name__
            sender.send({"error": kind, "message": error.message, "hint": error.hint})


def _ingest(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    ended = threading.Event()

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # not by Python's buffer, whose lock the end would wait for
        ended.set()

    threading.Thread(target=wait, name="end of input", daemon=True).start()
    with Library.open(request["library"], Settings(**request["settings"])) as library:
        # The service does it when nobody waits for it.
        library.defer_upkeep()
        report = library.ingest(
            request["paths"],
            progress=progress,
            stop=ended.is_set,
            **request["options"],
        )
        return ingest_fields(report)
