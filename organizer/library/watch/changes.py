"""Wait for changes below folders."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from pathlib import Path

_TICK = 0.25
"""Seconds of one wait: how soon a stop, or a folder that goes, is noticed."""


class FileSystemEvents:
    """Waits for changes below folders, by the events of the file system.

    Args:
        folders: Folders that are there.
        ignored: What happens at or below this path counts for nothing: the library.
        poll: Take no events: `wait` only waits.

    Attributes:
        refusal: Why the file system gives no events; empty where it does, or was not asked.
    """

    def __init__(self, folders: Sequence[Path], *, ignored: Path, poll: bool) -> None:
        self._ignored = ignored
        self._batches = None if poll else _batches(folders)
        self.refusal = ""

    def wait(self) -> frozenset[Path]:
        """Wait for a quarter of a second; the files and folders that changed."""
        if self._batches is not None:
            try:
                return frozenset(filter(self._counts, next(self._batches)))
            except FileNotFoundError:  # a folder went before it could be watched
                pass
            except (OSError, RuntimeError) as error:  # too many folders, or no such thing there
                self.refusal = " ".join(str(error).split())
            self.close()
        time.sleep(_TICK)
        return frozenset()

    def close(self) -> None:
        """Take no more events."""
        if self._batches is not None:
            self._batches.close()
        self._batches = None

    def _counts(self, path: Path) -> bool:
        return path != self._ignored and self._ignored not in path.parents


def _batches(folders: Sequence[Path]) -> Generator[set[Path]]:
    """The paths that changed, every quarter of a second; often none."""
    import watchfiles

    # No filter of its own: what is filtered out is waited through there, however long.
    batches = watchfiles.watch(
        *folders,
        watch_filter=None,
        debounce=int(_TICK * 1_000),
        rust_timeout=int(_TICK * 1_000),
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    for batch in batches:
        yield {Path(path) for _, path in batch}
