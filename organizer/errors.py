"""What can go wrong.

    OrganizerError          exit 1   the root: a message, and a hint what to do
    |-- SettingsError       exit 2   the user asked for something that cannot be
    |   `-- WeightsError    exit 2   the weights of an embedder are not what they should be
    |       |-- WeightsMissingError  they are not on this machine and cannot be downloaded
    |       `-- WeightsDamagedError  a file in a cache of weights is not what its name says
    |-- PluginError         exit 1   a part is broken, missing or does not keep its contract
    |-- ImageError          exit 1   one file cannot be used; only the ingest loop catches it
    |-- StoreError          exit 1   no library, damaged, locked, too new
    |   `-- LibraryBusyError  exit 1  another process writes to it: later it can be written
    |-- StaleRevisionError  exit 1   another decision was faster; nothing was changed
    `-- ClusteringError     exit 1   the images cannot be clustered as asked

Anything else that is raised is a bug and is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from organizer.types import Outcome

_LONGEST = 300

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_SOME_UNUSABLE = 3
EXIT_DAMAGED = 4
EXIT_INTERRUPTED = 130


class OrganizerError(Exception):
    """Something that the user can understand and act on.

    Attributes:
        message: One line: what happened, with all items.
        what: The same without the items.
        items: Several things that are wrong, where it takes a line for each to read them.
        hint: One line: what to do about it; empty where there is nothing to do.
        exit_code: The exit code of a command that ends with it.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, hint: str = "", *, items: Sequence[str] = ()) -> None:
        self.what, self.hint = _one_line(message), _one_line(hint)
        self.items = tuple(map(_one_line, items))
        self.message = f"{self.what}: {'; '.join(self.items)}" if items else self.what
        super().__init__(self.message)


def _one_line(text: str) -> str:
    """Text in one line: a path or a name in it may hold line breaks."""
    return " ".join(text.splitlines())


class SettingsError(OrganizerError):
    """The user asked for something that cannot be: wrong use, not a failure."""

    exit_code = EXIT_USAGE


class WeightsError(SettingsError):
    """The weights of an embedder are not what they should be."""


class WeightsMissingError(WeightsError):
    """The weights of an embedder are nowhere on this machine and cannot be downloaded."""


class WeightsDamagedError(WeightsError):
    """A file in a cache of weights is not what its name says."""


class PluginError(OrganizerError):
    """A part (built-in or plugin) is broken or does not keep its contract."""


class StoreError(OrganizerError):
    """The library cannot be opened, read or written."""


class LibraryBusyError(StoreError):
    """Another process writes to the library; when it has ended, this one can."""


class StaleRevisionError(OrganizerError):
    """What was decided refers to a state that is not the current one any more; nothing was changed.

    Attributes:
        expected: The revision that the decision refers to.
        revision: The current one.
    """

    def __init__(self, expected: int, revision: int) -> None:
        super().__init__(
            f"the clusters have changed since revision {expected}: revision {revision} is current",
            "look at what changed, and decide again",
        )
        self.expected = expected
        self.revision = revision


class ClusteringError(OrganizerError):
    """The images cannot be clustered as asked."""


class ImageError(OrganizerError):
    """One file cannot be used. It becomes an outcome of the run and never ends it.

    Attributes:
        too_large: Whether only its size speaks against it.
        lasting: False where the same bytes may work next time (no permission, a read error), so
            that the next ingest tries again.
    """

    def __init__(self, message: str, *, too_large: bool = False, lasting: bool = True) -> None:
        super().__init__(message)
        self.too_large = too_large
        self.lasting = lasting

    @property
    def outcome(self) -> Outcome:
        """What becomes of the file: BROKEN or TOO_LARGE."""
        # Imported here: types brings numpy along, and every command imports the errors.
        from organizer.types import Outcome

        return Outcome.TOO_LARGE if self.too_large else Outcome.BROKEN


def one_line(error: BaseException) -> str:
    """What somebody else's code raised, in one line: the type, and its text where it has one."""
    text = " ".join(str(error).split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
