"""Relocate journals with a library that was moved, or copied, together with its photos.

File rows are relative to the folder that holds the library; journals hold absolute paths. Where
that folder is another one now, the paths below it are rewritten: in all journals or in none.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

from organizer.arrange import journals, read_journal
from organizer.atomic import remove_leftovers, replace_atomically, write_atomically
from organizer.durable import make_folders
from organizer.errors import StoreError
from organizer.library.arrangements.active import journal_folder
from organizer.store import Store

_FILE = "home.json"


def save_location(store: Store) -> None:
    """Store where the library is while it is arranged.

    Raises:
        StoreError: It cannot be written.
    """
    file = journal_folder(store) / _FILE
    if _saved_location(store) == _location(store):
        return
    try:
        make_folders(file.parent)
        write_atomically(file, json.dumps(_location(store)).encode())
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror or error}", "make room") from error


def has_moved(store: Store) -> bool:
    """Whether the library is elsewhere than when it was last arranged."""
    return _saved_location(store) not in {None, _location(store)}


def follow_library(store: Store) -> None:
    """Rewrite the journals to where the library is now, if arranged files moved along.

    Raises:
        StoreError: They cannot be read or written.
    """
    former, now = _saved_location(store), _location(store)
    if former is None or former == now or not _is_here(store, former, now):
        return
    folder = journal_folder(store)
    try:
        with replace_atomically(folder, folder=True) as fresh:
            for file in sorted(folder.iterdir()):
                if file.suffix in {".json", ".jsonl"} and file.is_file():
                    lines = file.read_bytes().splitlines(keepends=True)
                    rewritten = b"".join(_rewrite_line(line, former, now) for line in lines)
                    (fresh / file.name).write_bytes(rewritten)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder}: {error.strerror or error}", "make room"
        ) from error
    store.copy_arrangements_anew()


def _location(store: Store) -> str:
    """The folder that holds the library."""
    return os.path.realpath(store.path.parent)


def _saved_location(store: Store) -> str | None:
    """The folder that held the library when it was last arranged; None where it never was."""
    folder = journal_folder(store)
    if not folder.exists():  # a writer that was interrupted amid the exchange left the former one
        remove_leftovers(folder)
    try:
        saved = json.loads((folder / _FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return saved if isinstance(saved, str) and saved != os.sep else None


def _is_here(store: Store, former: str, now: str) -> bool:
    """Whether arranged files moved along, and not the library by itself."""
    for file in journals(journal_folder(store)):
        with suppress(StoreError):  # the commands that use a damaged one report it
            plan = read_journal(file).plan
            paths = (p for s in (*plan.steps, *plan.there) for p in (s.target, s.source))
            if any(_is_path_here(str(path), former, now) for path in paths):
                return True
    return False


def _is_path_here(path: str, former: str, now: str) -> bool:
    rewritten = _rewrite(path, former, now)
    return bool(rewritten != path) and os.path.lexists(rewritten)


def _rewrite_line(line: bytes, former: str, now: str) -> bytes:
    try:
        content = json.loads(line)
    except ValueError:  # cut off by an interrupted write: counts as one that was never written
        return line
    # One without its end is torn as well, and stays so.
    end = line[len(line.rstrip(b"\n")) :]
    return json.dumps(_rewrite(content, former, now), separators=(",", ":")).encode() + end


def _rewrite(content: Any, former: str, now: str) -> Any:
    """JSON content whose paths below a folder are below another one."""
    if isinstance(content, str):
        return rewrite_path(content, former, now)
    if isinstance(content, list):
        return [_rewrite(part, former, now) for part in content]
    if isinstance(content, dict):
        return {
            _rewrite(key, former, now): _rewrite(part, former, now) for key, part in content.items()
        }
    return content


def rewrite_path(path: str, former: str, now: str, *, sep: str = os.sep) -> str:
    r"""A path below a folder, which may be a whole drive (``D:\``), as one below another.

    Args:
        path: The path; one that is not below the folder stays as it is.
        former: The folder.
        now: The other one.
        sep: What the system writes between the names of a path.
    """
    if path == former:
        return now
    start = former.rstrip(sep) + sep
    if not path.startswith(start):
        return path
    return now.rstrip(sep) + sep + path[len(start) :]
