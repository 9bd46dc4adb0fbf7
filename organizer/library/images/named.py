"""Images by the names of their files, wherever in the library these lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer.errors import SettingsError
from organizer.store import Store

_SHOWN = 5


def image_called(store: Store, named: str | Path) -> str | None:
    """The image of the one file of the library that is called so; None where there is none.

    Args:
        store: The library.
        named: The name of a file, or the end of its path: "fox.jpg", "card 3/fox.jpg".

    Raises:
        SettingsError: Files of several images are called so.
    """
    path = Path(named)
    if path.is_absolute() or not path.name or ".." in path.parts:
        return None
    rows = store.photos.files_ending(path.as_posix())
    rows = [row for row in rows if not row.is_missing] or rows
    found = {row.image_id: row.file for row in rows}
    if len(found) > 1:
        ends = _different_ends(sorted(found.values()))
        more = " ..." if len(ends) > _SHOWN else ""
        raise SettingsError(
            f"{len(found)} photos are called {named}",
            f"add the folder, as in one of: {', '.join(ends[:_SHOWN])}{more}",
        )
    return next(iter(found), None)


def _different_ends(files: Sequence[Path]) -> list[str]:
    """The ends of paths, as long as it takes to tell all of them apart."""
    longest = max(len(file.parts) for file in files)
    for length in range(2, longest):
        ends = ["/".join(file.parts[-length:]) for file in files]
        if len(set(ends)) == len(ends):
            return ends
    return [file.as_posix() for file in files]
