"""Are the files of a library as they were written? Nothing of it has to be readable for that."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from organizer.arrange import read_journal
from organizer.counts import count_text
from organizer.errors import StoreError
from organizer.library.doctor.contents import KeptContents
from organizer.library.doctor.findings import Finding, Remedy, note
from organizer.store.database import Database
from organizer.store.locks import noted_locks
from organizer.store.repair import (
    TableState,
    can_roll_back,
    examine_journal,
    examine_manifest,
    examine_table,
    lacking_decisions,
    stray_tables,
    table_names,
)

_MANY_FRAGMENTS = 64


def examine_files(database: Database, contents: KeptContents) -> Iterator[Finding]:
    """What is wrong with the files of a library.

    Args:
        database: The library, which need not be one that opens.
        contents: What is known of its files.

    Raises:
        StoreError: It was written by a newer organizer.
    """
    manifest = examine_manifest(database.path)
    if manifest:
        yield Finding("manifest", "library.json", manifest, Remedy.WRITE_MANIFEST)
    journal = list(_journal(database))
    yield from journal
    if not journal:  # it says which version of each table is to be there
        kept = contents.all()
        for name in table_names(database):
            state = examine_table(database, name, kept)
            known = {name for name in state.damaged if contents.has(kept.get(name))}
            yield from _table(database, state, known)
        for name in stray_tables(database):
            yield note(
                "table",
                f"{name}.lance",
                "no command has committed it",
                "the next command that writes removes it",
            )
        lacking = lacking_decisions(database)
        if "steps" in lacking:
            count = len(lacking.get("decisions", ()))
            what = f"it lacks {count_text(count, 'decision')} written down beside it"
            yield Finding("decisions", "journal.sqlite", what, Remedy.ADD_DECISIONS)
    yield from _arrangements(database)
    yield from _copies(database)
    yield from _locks(database)


def _journal(database: Database) -> Iterator[Finding]:
    damage = examine_journal(database)
    if damage is None:
        return
    if damage.copied:
        remedy, advice = Remedy.PUT_BACK_JOURNAL, ""
    else:
        remedy = Remedy.JOURNAL_FROM_DECISIONS
        known = count_text(damage.decisions or 0, "decision is", "decisions are")
        advice = (
            f"{known} written down beside it; the clusters are made anew, those "
            "with a name keep name and number, and older steps cannot be undone any more"
        )
    yield Finding("journal", "journal.sqlite", damage.why, remedy, advice=advice)


def _table(database: Database, state: TableState, known: Set[str]) -> Iterator[Finding]:
    unkept = []
    for name, why in state.damaged.items():
        if name in known:
            yield Finding("file", name, why, Remedy.PUT_BACK_FILE)
        else:
            unkept.append(name)
    folder = f"{state.name}.lance"
    if state.reason and not (state.damaged and not unkept):
        can = can_roll_back(database, state.name)
        remedy = Remedy.ROLL_BACK if can else Remedy.RESET_TABLE
        yield Finding("table", folder, state.reason, remedy, advice=_advice(state.name, whole=True))
    elif unkept:
        yield from _damaged_rows(state, unkept, folder)
    if state.small > _MANY_FRAGMENTS:
        yield note("table", folder, f"it has {state.small} small parts", "upkeep joins them")


def _damaged_rows(state: TableState, unkept: list[str], folder: str) -> Iterator[Finding]:
    lists = f"{unkept[0]} {state.damaged[unkept[0]]}"
    if state.indexes and not state.fragments:
        yield Finding("index", folder, lists, Remedy.DROP_INDEX)
    elif state.name.startswith(("arrays_", "points_")):
        advice = _advice(state.name, whole=True)
        yield Finding("table", folder, lists, Remedy.RESET_TABLE, advice=advice)
    elif state.fragments:
        what = f"{lists}: {state.lost:,} of {state.rows:,} rows are lost"
        advice = _advice(state.name, whole=False)
        yield Finding("table", folder, what, Remedy.DROP_FRAGMENTS, advice=advice)


def _advice(name: str, *, whole: bool) -> str:
    """What a person should know of a table whose rows are lost."""
    if name.startswith("vectors_"):
        return "the next organizer ingest embeds the images anew that lost their vectors"
    if name.startswith("assignments_"):
        return "images that lost their cluster are assigned anew; what was decided holds"
    if name.startswith("arrays_"):
        return "its clusters are made anew; those with a name keep name and number"
    if name.startswith("points_"):
        return "they are computed again where they are needed"
    return {
        "images": "the next organizer ingest reads the files of these images again",
        "files": "organizer ingest of the same folders finds the files again",
        "problems": "the next organizer ingest tries these files again",
        "roots": "they are known from what is written down beside the journal",
        "detected": "organizer detections import of the same results brings them back",
        "crops": "they are known from what detectors saw",
    }.get(name, "its rows are lost" if whole else "these rows are lost")


def _arrangements(database: Database) -> Iterator[Finding]:
    copies = database.safety.arrangements
    for file in copies.journals():
        where = file.relative_to(database.path).as_posix()
        why = copies.damage(file) or _unreadable(file)
        if why and copies.copy_of(file) is not None:
            yield Finding("arrangement", where, why, Remedy.PUT_BACK_ARRANGEMENT)
        elif why:
            advice = "that arrangement cannot be undone or read back any more"
            yield Finding("arrangement", where, why, Remedy.MOVE_ASIDE, advice=advice)


def _unreadable(file: Path) -> str:
    try:
        read_journal(file)
    except StoreError as error:
        return error.message
    except (ValueError, KeyError, TypeError) as error:  # bytes that are JSON, and no journal
        return str(error)
    return ""


def _copies(database: Database) -> Iterator[Finding]:
    for file in database.safety.damaged():
        yield note(
            "copy",
            file.relative_to(database.path).as_posix(),
            "this safety copy is not as it was written",
            "the library needs it only where another file is damaged, too; it is made anew as the "
            "library is written",
        )


def _locks(database: Database) -> Iterator[Finding]:
    for name, holder, is_held in noted_locks(database.path):
        if holder.is_this_process:
            continue
        if is_held:
            what, advice = f"the library is being written by {holder}", ""
        elif holder.is_elsewhere:
            what = f"it was left by another computer: {holder}"
            advice = "if that has ended there, type organizer unlock"
        else:
            what = f"{holder} ended before it had finished"
            advice = (
                "what it had committed is kept; the next command that writes goes on from there"
            )
        yield note("lock", name, what, advice)
