"""The tables of a library, each in the version that is committed: are its files as they were?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from organizer.errors import StoreError
from organizer.store.database import Database
from organizer.store.lance_errors import explain, translated
from organizer.store.lance_files import places_of
from organizer.store.lance_files import version_files as versions_of
from organizer.store.opened_tables import OpenedTables
from organizer.store.safety.file_lines import KeptFile
from organizer.store.safety.sealed_lines import content_digest

_DATA, _DELETION, _INDEX = "data file", "deletion file", "index file"


@dataclass(slots=True)
class TableState:
    """A table in its committed version.

    Attributes:
        name: The table.
        version: The version.
        reason: Why it cannot be opened; empty where it can.
        damaged: Why each damaged file is damaged, by its path in the library's folder.
        fragments: The fragments that damaged files belong to.
        indexes: The search indexes that damaged files belong to, by name.
        rows: Its rows.
        lost: Those of the damaged fragments.
        small: Its small fragments.
    """

    name: str
    version: int
    reason: str = ""
    damaged: dict[str, str] = field(default_factory=dict)
    fragments: list[int] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    rows: int = 0
    lost: int = 0
    small: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not (self.reason or self.damaged or self.fragments)


def table_names(database: Database) -> list[str]:
    """The tables that are committed."""
    rows = database.journal.rows("SELECT name FROM table_versions ORDER BY name")
    return [row["name"] for row in rows]


def stray_tables(database: Database) -> list[str]:
    """Folders of tables that are not committed."""
    names = set(table_names(database))
    return sorted(f.stem for f in database.path.glob("*.lance") if f.stem not in names)


def files_in_version(dataset: Any) -> dict[str, str]:
    """The files of a version of a table: what each is, by its path in the table's folder."""
    rows = dataset.tracked_files(min_version=dataset.version).read_all().to_pylist()
    return {row["path"]: row["type"] for row in rows if row["version"] == dataset.version}


def examine_table(
    database: Database,
    name: str,
    kept: Mapping[str, KeptFile],
    *,
    version: int | None = None,
) -> TableState:
    """Compare the files of a table with what was noted of them; read those that were not.

    Args:
        database: The library.
        name: The table.
        kept: What was noted of each file.
        version: Another version than the committed one.
    """
    state = TableState(name, database.version(name) if version is None else version)
    folder = database.path / f"{name}.lance"
    manifest = versions_of(folder).get(state.version)
    if manifest is None:
        state.reason = f"version {state.version} of it is not there"
        names = (_name(place, database.path) for place in places_of(folder, state.version))
        state.damaged = {name: "is not there" for name in names if name in kept}
        return state
    why = _damage(manifest, kept, database.path)
    if why:
        state.damaged[_name(manifest, database.path)] = why
        state.reason = f"the list of its files {why}"
        return state
    try:
        with translated(database.path):
            dataset = OpenedTables(database.path).open(name, state.version)
            files = files_in_version(dataset)
            state.rows = int(dataset.count_rows())
            state.small = sum(f.physical_rows < 65_536 for f in dataset.get_fragments())
    except StoreError as error:
        state.reason = error.message
        state.damaged[_name(manifest, database.path)] = "cannot be read"
        return state
    for file, kind in files.items():
        if kind in {_DATA, _DELETION, _INDEX}:
            why = _damage(folder / file, kept, database.path)
            if why:
                state.damaged[_name(folder / file, database.path)] = why
    _place(state, dataset, folder, database.path)
    _read_all(state, dataset, folder, kept, database.path)
    return state


def _name(file: Path, path: Path) -> str:
    return file.relative_to(path).as_posix()


def _damage(file: Path, kept: Mapping[str, KeptFile], path: Path) -> str:
    """What is wrong with a file; empty where nothing is, or nothing is known of it."""
    noted = kept.get(_name(file, path))
    try:
        size = file.stat().st_size
        if noted is not None and noted.size != size:
            return f"has {size:,} bytes of {noted.size:,}"
        if noted is not None and content_digest(file)[1] != noted.hash:
            return "has other bytes than were written"
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""


def _place(state: TableState, dataset: Any, folder: Path, path: Path) -> None:
    """Find the fragments and indexes that damaged files belong to."""
    data = _name(folder / "data", path)
    for fragment in dataset.get_fragments():
        files = [f"{data}/{file.path}" for file in fragment.metadata.files]
        deletion = fragment.deletion_file()
        files += [_name(folder / deletion, path)] if deletion else []
        if any(file in state.damaged for file in files):
            _lose(state, fragment)
    for index in dataset.describe_indices():
        places = [_name(folder / "_indices" / str(part.uuid), path) for part in index.segments]
        if any(file.startswith(f"{place}/") for file in state.damaged for place in places):
            state.indexes.append(index.name)


def _lose(state: TableState, fragment: Any) -> None:
    state.fragments.append(int(fragment.fragment_id))
    state.lost += int(fragment.physical_rows)


def _read_all(
    state: TableState, dataset: Any, folder: Path, kept: Mapping[str, KeptFile], path: Path
) -> None:
    """Read the fragments of which nothing was noted: by the errors of Lance, and no more."""
    data = _name(folder / "data", path)
    for fragment in dataset.get_fragments():
        names = [f"{data}/{file.path}" for file in fragment.metadata.files]
        if fragment.fragment_id in state.fragments or all(name in kept for name in names):
            continue
        try:
            for _ in fragment.to_batches():
                pass
        except BaseException as error:
            if explain(path, error) is None:
                raise
            state.damaged |= dict.fromkeys(names, "cannot be read")
            _lose(state, fragment)
