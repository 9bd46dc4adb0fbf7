"""All that people decided, as readable lines: written with each decision, a new file each day.

A line is a row of a table of the journal. Rows of tables that only grow are added; of the others
all rows are written again where one has changed. The last line says how far the file has come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from organizer.identity import file_hash
from organizer.store.safety.journal_copy import JournalSource
from organizer.store.safety.sealed_lines import (
    Line,
    append_lines,
    is_whole,
    last_line,
    read_lines,
    write_lines,
)

KEPT = 10
"""Files that are kept."""

GROWING = {
    "ingests": "ingest_id",
    "steps": "step_id",
    "decisions": "decision_id",
    "answers": "answer_id",
    "cluster_origins": "cluster_id",
}
"""Tables of the journal that only grow, with the number by which they do."""
WHOLE = {"choices": "name", "deployments": "deployment_id", "former_ids": "image_id"}
"""Tables of the journal whose rows may change, with the column that they are sorted by."""
ROOTS = "roots"
BASES = "bases"
"""How each recluster was made: rows of `clusterings`."""

_SELECT = {
    table: f"SELECT * FROM {table} WHERE {number} > ? ORDER BY {number}"  # noqa: S608
    for table, number in GROWING.items()
} | {
    BASES: "SELECT clustering_id, created_at, embedder, reducer, clusterer, algorithm "
    "FROM clusterings WHERE embedder IS NOT NULL AND clustering_id > ? ORDER BY clustering_id"
}
_NUMBER = GROWING | {BASES: "clustering_id"}

_LISTS = ("image_ids", "groups", "others")
"""Columns that are JSON: they are lists in a line."""

TableRows = Callable[[], list[dict[str, Any]]]


class DecisionLines:
    """The files of one library.

    Args:
        folder: Where they lie.
        journal: The journal of the library.
        roots: Reads the folders that were ingested.
    """

    def __init__(self, folder: Path, journal: JournalSource, roots: TableRows) -> None:
        self._folder, self._journal, self._roots = folder, journal, roots

    def files(self) -> list[Path]:
        """The files, the oldest first."""
        return sorted(self._folder.glob("decisions-*.jsonl"))

    def roots(self) -> list[Line]:
        """The folders that were ingested, as they were written last."""
        return (best_decisions(self.files()) or {}).get(ROOTS, [])

    def bases(self) -> list[Line]:
        """How each recluster was made, the oldest first."""
        return (best_decisions(self.files()) or {}).get(BASES, [])

    def follow(self) -> None:
        """Write what is committed and not in the file of today; begin one where there is none."""
        now = datetime.now(UTC)
        file, through = self._today(now)
        if file is None or through is None or self._is_ahead(through):
            file = self._folder / f"decisions-{now:%Y%m%dT%H%M%S%f}Z.jsonl"
            write_lines(file, [{"library": "organizer", "at": now.isoformat()}, *self.rows()])
            for former in self.files()[:-KEPT]:
                former.unlink(missing_ok=True)
        else:
            rows = list(self.rows(through))
            if len(rows) > 1:
                append_lines(file, rows, durably=any(row.get("table") != "ingests" for row in rows))

    def rows(self, through: Line | None = None) -> Iterator[Line]:
        """The rows since a last line, and the next last line."""
        known = {"through": {}, "whole": {}} if through is None else through
        reached, whole = dict(known["through"]), dict(known["whole"])
        for table, query in _SELECT.items():
            for row in self._journal.rows(query, [reached.get(table, 0)]):
                reached[table] = row[_NUMBER[table]]
                yield {"table": table, **_readable(row)}
        for table, rows in self._whole():
            found = file_hash(json.dumps(rows).encode())
            if whole.get(table, "" if rows else found) != found:
                yield {"table": table, "rows": rows}
            whole[table] = found
        yield {"through": reached, "whole": whole}

    def _whole(self) -> Iterator[tuple[str, list[Line]]]:
        for table, key in WHOLE.items():
            yield table, self._journal.rows(f"SELECT * FROM {table} ORDER BY {key}", [])  # noqa: S608
        yield ROOTS, sorted(self._roots(), key=lambda row: int(row["root_id"]))

    def _today(self, now: datetime) -> tuple[Path | None, Line | None]:
        files = [file for file in self.files() if file.name[10:18] == f"{now:%Y%m%d}"]
        return (files[-1], last_line(files[-1])) if files else (None, None)

    def _is_ahead(self, through: Line) -> bool:
        """Whether a file knows more than the journal: a copy took the place of that."""
        for table, number in GROWING.items():
            rows = self._journal.rows(f"SELECT max({number}) AS last FROM {table}", [])  # noqa: S608
            if through["through"].get(table, 0) > (rows[0]["last"] or 0):
                return True
        return False


def read_decisions(file: Path) -> dict[str, list[Line]]:
    """The rows of the tables in a file, as rows of the journal; the roots and bases besides.

    Lines that are not as they were written are left out.
    """
    found: dict[str, list[Line]] = {table: [] for table in (*_NUMBER, *WHOLE, ROOTS)}
    seen: dict[str, set[int]] = {table: set() for table in _NUMBER}
    for line in read_lines(file):
        table = line.pop("table", None)
        if table in _NUMBER:
            number = line[_NUMBER[table]]
            if number not in seen[table]:
                seen[table].add(number)
                found[table].append(_stored(line))
        elif table in found:
            found[table] = line["rows"]
    return found


def best_decisions(files: Sequence[Path]) -> dict[str, list[Line]] | None:
    """All that is known from the files of a library; None where there is none.

    The newest counts. What was lost of it is looked for in those before.

    Args:
        files: The files, the oldest first.
    """
    found: dict[str, list[Line]] | None = None
    for file in reversed(files):
        kept = read_decisions(file)
        if found is None:
            found = kept
        else:
            _fill(found, kept)
        if is_whole(file):
            break
    return found


def _fill(found: dict[str, list[Line]], older: dict[str, list[Line]]) -> None:
    for table, rows in older.items():
        if table not in _NUMBER:
            found[table] = found[table] or rows
            continue
        number = _NUMBER[table]
        known = {row[number] for row in found[table]}
        found[table] += [row for row in rows if row[number] not in known]
        found[table].sort(key=itemgetter(number))


def _readable(row: Line) -> Line:
    return {name: json.loads(value) if name in _LISTS else value for name, value in row.items()}


def _stored(row: Line) -> Line:
    return {name: json.dumps(value) if name in _LISTS else value for name, value in row.items()}
