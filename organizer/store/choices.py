"""What a person chose for a library, by name, and other small values that it has to keep."""

from __future__ import annotations

import json
from typing import Any

from organizer.store.database import Database


class ChoiceTable:
    """The choices of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> Any:
        """What was chosen; None where nothing was."""
        query = "SELECT value FROM choices WHERE name = ?"
        chosen = self._database.journal.value(query, [name])
        return None if chosen is None else json.loads(chosen)

    def all(self) -> dict[str, Any]:
        """All that was chosen, by name."""
        rows = self._database.journal.rows("SELECT * FROM choices ORDER BY name")
        return {row["name"]: json.loads(row["value"]) for row in rows}

    def set(self, name: str, value: Any) -> None:
        """Choose, in place of what was chosen; a value that JSON can hold, None for no choice."""
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        with self._database.transaction():
            row = {"name": name, "value": text}
            self._database.journal.insert("choices", [row], known="replace")
