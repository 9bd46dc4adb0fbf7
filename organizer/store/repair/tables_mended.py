"""What is done about a damaged table; each is a transaction, or a file put in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from organizer.atomic import write_atomically
from organizer.durable import make_folders
from organizer.store.database import Database
from organizer.store.lance_files import version_files
from organizer.store.repair.aside import Aside
from organizer.store.repair.tables import TableState, examine_table
from organizer.store.safety.file_lines import KeptFile
from organizer.store.schemas import TABLES


def put_back_file(path: Path, name: str, content: bytes, aside: Aside) -> None:
    """Put the kept content of a file in its place.

    Args:
        path: The library's folder.
        name: The file, below it.
        content: The bytes.
        aside: Where the damaged one goes.
    """
    aside.move(path / name)
    make_folders((path / name).parent)
    write_atomically(path / name, content)


def drop_fragments(database: Database, name: str, ids: Sequence[int]) -> None:
    """Make a version of a table without some fragments; their rows are gone from it."""
    import lance

    def change(dataset: Any) -> Callable[[], object]:
        operation = lance.LanceOperation.Delete([], list(ids), "damaged")
        commit = lance.LanceDataset.commit
        return partial(commit, dataset.uri, operation, read_version=dataset.version)

    database.change_table(name, change)


def drop_indexes(database: Database, name: str, indexes: Sequence[str]) -> None:
    """Make a version of a table without some search indexes; upkeep makes them again."""

    def change(dataset: Any) -> Callable[[], object]:
        def drop() -> None:
            for index in indexes:
                dataset.drop_index(index)

        return drop

    database.change_table(name, change)


def roll_back(
    database: Database, name: str, kept: Mapping[str, KeptFile], aside: Aside
) -> TableState | None:
    """Commit the newest version of a table before the committed one that can be read.

    Where the file of the committed version is gone, a later one counts too: it was committed after
    the copy of the journal was made.

    Returns:
        That version; None where there is none.
    """
    folder = database.path / f"{name}.lance"
    current, versions = database.version(name), version_files(folder)
    for version in sorted(versions, reverse=True):
        if version == current or (version > current and current in versions):
            continue
        state = examine_table(database, name, kept, version=version)
        if not state.reason:
            for number, file in versions.items():
                if number > version:
                    aside.move(file)
            (folder / "_versions" / "latest_version_hint.json").unlink(missing_ok=True)
            database.close()
            _set_version(database, name, version)
            return state
    return None


def can_roll_back(database: Database, name: str) -> bool:
    """Whether `roll_back` has a version to look at."""
    current, versions = database.version(name), version_files(database.path / f"{name}.lance")
    return any(version < current or current not in versions for version in versions)


def reset_table(database: Database, name: str, aside: Aside) -> None:
    """Move a table aside; one that every library has is made again, without rows."""
    database.close()
    aside.move(database.path / f"{name}.lance")
    database.safety.files.forget_table(name)
    with database.transaction():
        database.journal.execute("DELETE FROM table_versions WHERE name = ?", [name])
    if name in TABLES:
        database.create_table(name, TABLES[name])


def adopt_lost(database: Database, aside: Aside) -> None:
    """Commit the tables as they are on the disk, of a library whose journal is new.

    The members, spaces and points of bases are moved aside: nothing says any more what they are.
    """
    known = {row["name"] for row in database.journal.rows("SELECT name FROM table_versions")}
    for folder in sorted(database.path.glob("*.lance")):
        if folder.stem in known:
            continue
        if folder.stem.startswith(("assignments_", "arrays_", "points_")):
            aside.move(folder)
            continue
        for version in sorted(version_files(folder), reverse=True):
            state = examine_table(database, folder.stem, {}, version=version)
            if not state.reason:
                _set_version(database, folder.stem, version)
                break
        else:
            aside.move(folder)
    for name, schema in TABLES.items():
        if not database.has(name):
            database.create_table(name, schema)


def _set_version(database: Database, name: str, version: int) -> None:
    with database.transaction():
        row = {"name": name, "version": version}
        database.journal.insert("table_versions", [row], known="replace")
