"""What a person chose for a library, by name, and other small values that it has to keep."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from organizer.store.database import Database
from organizer.store.schemas import CHOICES


class ChoiceTable:
    """The choices of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> Any:
        """What was chosen; None where nothing was."""
        table = self._database.read("choices")
        chosen = dict(zip(table["name"].to_pylist(), table["value"].to_pylist(), strict=True))
        return json.loads(chosen[name]) if name in chosen else None

    def set(self, name: str, value: Any) -> None:
        """Choose, in place of what was chosen; a value that JSON can hold, None for no choice."""
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        row = pa.Table.from_pylist([{"name": name, "value": text}], schema=CHOICES)
        self._database.upsert("choices", ["name"], row)
