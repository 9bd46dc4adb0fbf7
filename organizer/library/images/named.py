"""Images by the names of their files, wherever in the library these lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer.errors import SettingsError
from organizer.near_words import near_words
from organizer.store import Store
from organizer.typed import as_typed

_SHOWN = 5
_MOST_COMPARED = 50_000
"""Names that are compared letter by letter, which takes a second."""


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
            f"add the folder, as in one of: {', '.join(map(as_typed, ends[:_SHOWN]))}{more}",
        )
    return next(iter(found), None)


def names_near(store: Store, named: str | Path) -> list[str]:
    """Names of files of the library that hold what was typed, or are spelled like it."""
    typed = Path(named).name.casefold()
    names = sorted({path.rpartition("/")[2] for path in store.photos.file_columns("path")["path"]})
    holding = [name for name in names if typed and typed in name.casefold()][:_SHOWN]
    return holding or (near_words(typed, names) if len(names) <= _MOST_COMPARED else [])


def _different_ends(files: Sequence[Path]) -> list[str]:
    """The ends of paths, as long as it takes to tell all of them apart."""
    longest = max(len(file.parts) for file in files)
    for length in range(2, longest):
        ends = ["/".join(file.parts[-length:]) for file in files]
        if len(set(ends)) == len(ends):
            return ends
    return [file.as_posix() for file in files]
