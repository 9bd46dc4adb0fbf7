"""The journal of a library: is it as it was written, and what takes its place where it is not."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import dataclass
from typing import Any

from organizer.atomic import replace_atomically
from organizer.errors import StoreError
from organizer.identity import file_hash
from organizer.store.database import Database
from organizer.store.journal import JOURNAL, LibraryJournal, Row, changed_tables
from organizer.store.repair.aside import Aside
from organizer.store.safety import JournalCopy
from organizer.store.safety.decision_lines import GROWING, WHOLE, best_decisions

_MADE_BY_STEPS = ("steps", "decisions", "answers", "ingests")


@dataclass(frozen=True, slots=True)
class JournalDamage:
    """What is wrong with a journal.

    Attributes:
        why: The damage.
        copied: Whether a copy of it as it was after the last write is there.
        decisions: How many decisions the readable lines have; None where there are no lines.
    """

    why: str
    copied: bool
    decisions: int | None


def examine_journal(database: Database) -> JournalDamage | None:
    """What is wrong with the journal of a library; None where nothing is."""
    why = _damage(database)
    if not why:
        return None
    kept = best_decisions(database.safety.decisions.files())
    decisions = None if kept is None else len(kept["decisions"])
    return JournalDamage(why, has_journal_copy(database), decisions)


def has_journal_copy(database: Database) -> bool:
    """Whether there is a copy of the journal that is as it was written."""
    return database.safety.journal.state() is not None


def _damage(database: Database) -> str:
    journal = database.journal
    if not journal.exists:
        return "it is not there"
    try:
        return _structure_damage(journal) or _difference(database)
    except StoreError as error:
        return error.message
    except (sqlite3.Error, UnicodeDecodeError, TypeError, ValueError) as error:
        return str(error)


def _structure_damage(journal: LibraryJournal) -> str:
    found = [str(row["integrity_check"]) for row in journal.rows("PRAGMA integrity_check")]
    if found != ["ok"]:
        return f"SQLite finds {found[0]}"
    changed = changed_tables(journal.file)
    if changed:
        return f"tables of it are not there, or have other columns: {', '.join(changed)}"
    return ""


def _difference(database: Database) -> str:
    """In what a journal differs from its copy, where the copy is not older."""
    noted, revision = database.safety.journal.state(), database.journal.revision()
    if noted is None or noted.revision < revision:
        return ""
    if noted.revision > revision:
        return "it is older than its copy"
    is_same = file_hash(database.journal.image()) == noted.hash
    return "" if is_same else "it has other bytes than were written"


def put_back_journal(database: Database, aside: Aside) -> None:
    """Put the copy of the journal in its place; the damaged one is moved aside."""
    copy: JournalCopy = database.safety.journal
    _take_away(database, aside)
    with replace_atomically(database.path / JOURNAL) as partial:
        shutil.copyfile(copy.file, partial)


def journal_from_decisions(database: Database, aside: Aside) -> int:
    """Make a journal of what people decided, without clusters; returns the number of decisions.

    The tables are to be committed by `organizer.store.repair.adopt_lost`.
    """
    kept = best_decisions(database.safety.decisions.files())
    _take_away(database, aside)
    LibraryJournal.create(database.path)
    return restore_decisions(database, kept) if kept is not None else 0


def lacking_decisions(database: Database) -> dict[str, list[Row]]:
    """The rows that the readable lines of decisions have and the journal has not."""
    kept = best_decisions(database.safety.decisions.files())
    if kept is None:
        return {}
    found = {}
    for table in _MADE_BY_STEPS:
        number = GROWING[table]
        last = database.journal.value(f"SELECT max({number}) FROM {table}") or 0  # noqa: S608
        rows = [row for row in kept[table] if row[number] > last]
        if rows:
            found[table] = rows
    return found


def restore_decisions(database: Database, kept: dict[str, list[Any]]) -> int:
    """Add decisions to a journal, as steps that move no image: a recluster follows them.

    Args:
        database: The library.
        kept: Rows of the tables of the journal, as `read_decisions` gives them.

    Returns:
        The number of decisions.
    """
    journal = database.journal
    query = "SELECT clustering_id FROM steps ORDER BY step_id DESC LIMIT 1"
    current = int(journal.value(query) or 0)
    now = {row["image_id"]: row["now"] for row in kept.get("former_ids", ())}
    with database.transaction():
        for table in GROWING:
            rows = kept.get(table, [])
            if table == "steps":
                rows = [{**row, "clustering_id": current, "former_id": current} for row in rows]
            if table == "decisions" and now:
                rows = [_with_ids(row, now) for row in rows]
            journal.insert(table, rows, known="ignore")
        for table in WHOLE:
            journal.insert(table, kept.get(table, []), known="replace")
    return len(kept.get("decisions", ()))


def _with_ids(row: Row, now: dict[str, str]) -> Row:
    ids = [now.get(image_id, image_id) for image_id in json.loads(row["image_ids"])]
    return {**row, "image_ids": json.dumps(ids)}


def _take_away(database: Database, aside: Aside) -> None:
    database.close()
    aside.move(database.path / JOURNAL)
    aside.move(database.path / f"{JOURNAL}-journal")
