"""What is damaged in a library's files, and what is done about it without opening the library.

Nothing is deleted: what is damaged is moved aside, into a folder of the library named after the
time. `organizer.library.doctor` decides; here is what it can do.
"""

from __future__ import annotations

from organizer.store.repair.aside import ASIDE, Aside
from organizer.store.repair.journals import (
    JournalDamage,
    examine_journal,
    has_journal_copy,
    journal_from_decisions,
    lacking_decisions,
    put_back_journal,
    restore_decisions,
)
from organizer.store.repair.manifests import (
    complete_manifest,
    examine_manifest,
    require_current_format,
)
from organizer.store.repair.tables import (
    TableState,
    examine_table,
    files_in_version,
    stray_tables,
    table_names,
)
from organizer.store.repair.tables_mended import (
    adopt_lost,
    can_roll_back,
    drop_fragments,
    drop_indexes,
    put_back_file,
    reset_table,
    roll_back,
)

__all__ = [
    "ASIDE",
    "Aside",
    "JournalDamage",
    "TableState",
    "adopt_lost",
    "can_roll_back",
    "complete_manifest",
    "drop_fragments",
    "drop_indexes",
    "examine_journal",
    "examine_manifest",
    "examine_table",
    "files_in_version",
    "has_journal_copy",
    "journal_from_decisions",
    "lacking_decisions",
    "put_back_file",
    "put_back_journal",
    "require_current_format",
    "reset_table",
    "restore_decisions",
    "roll_back",
    "stray_tables",
    "table_names",
]
