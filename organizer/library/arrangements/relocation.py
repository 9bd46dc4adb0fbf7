"""Journals follow a library that was moved, or copied, together with its photos.

The rows of files are relative to the folder that holds the library; journals tell absolute places.
Where that folder is another one now, the places below it are rewritten: all journals or none.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

from organizer.arrange import journals, read_journal
from organizer.atomic import remove_leftovers, replace_atomically, write_atomically
from organizer.errors import StoreError
from organizer.library.arrangements.active import journal_folder
from organizer.store import Store

_FILE = "home.json"


def save_location(store: Store) -> None:
    """Write down where the library is while it is arranged.

    Raises:
        StoreError: It cannot be written.
    """
    file = journal_folder(store) / _FILE
    if _told(store) == _home(store):
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(_home(store)).encode())
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror or error}", "make room") from error


def has_moved(store: Store) -> bool:
    """Whether the library is elsewhere than when it was last arranged."""
    return _told(store) not in {None, _home(store)}


def follow_library(store: Store) -> None:
    """Let the journals tell places where the library is now, if files are there.

    Raises:
        StoreError: They cannot be read or written.
    """
    former, now = _told(store), _home(store)
    if former is None or former == now or not _is_here(store, former, now):
        return
    folder = journal_folder(store)
    try:
        with replace_atomically(folder, folder=True) as fresh:
            for file in sorted(folder.iterdir()):
                if file.suffix in {".json", ".jsonl"} and file.is_file():
                    lines = file.read_bytes().splitlines(keepends=True)
                    moved = b"".join(_moved_line(line, former, now) for line in lines)
                    (fresh / file.name).write_bytes(moved)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder}: {error.strerror or error}", "make room"
        ) from error


def _home(store: Store) -> str:
    return os.path.realpath(store.path.parent)


def _told(store: Store) -> str | None:
    folder = journal_folder(store)
    if not folder.exists():  # a kill amid the exchange left the former one beside it
        remove_leftovers(folder)
    try:
        told = json.loads((folder / _FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, str) and told != os.sep else None


def _is_here(store: Store, former: str, now: str) -> bool:
    """Whether anything that was arranged moved along, and not the library by itself."""
    for file in journals(journal_folder(store)):
        with suppress(StoreError):  # of a damaged one its own commands tell
            plan = read_journal(file).plan
            places = (p for s in (*plan.steps, *plan.there) for p in (s.target, s.source))
            if any(_is_place_here(str(place), former, now) for place in places):
                return True
    return False


def _is_place_here(place: str, former: str, now: str) -> bool:
    moved = _moved(place, former, now)
    return bool(moved != place) and os.path.lexists(moved)


def _moved_line(line: bytes, former: str, now: str) -> bytes:
    try:
        told = json.loads(line)
    except ValueError:  # torn by a kill: as one that was never written
        return line
    # One without its end is torn as well, and stays so.
    end = line[len(line.rstrip(b"\n")) :]
    return json.dumps(_moved(told, former, now), separators=(",", ":")).encode() + end


def _moved(told: Any, former: str, now: str) -> Any:
    if isinstance(told, str):
        is_below = told == former or told.startswith(former + os.sep)
        return now + told[len(former) :] if is_below else told
    if isinstance(told, list):
        return [_moved(part, former, now) for part in told]
    if isinstance(told, dict):
        return {_moved(k, former, now): _moved(part, former, now) for k, part in told.items()}
    return told
