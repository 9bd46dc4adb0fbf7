"""Clusters -> folders: a plan that a person can read and edit, apply, undo.

`plan` touches nothing. `apply` never overwrites, writes in a journal what it is about to do, and
can be killed at any moment: `resume` finishes it, `undo` takes it back. Pure work on files, on data
that is given: nothing here knows of the library or its store.
"""

from organizer.arrange.types import (
    Item,
    Left,
    Mode,
    Plan,
    Record,
    Result,
    Step,
    Value,
)

__all__ = [
    "Item",
    "Left",
    "Mode",
    "Plan",
    "Record",
    "Result",
    "Step",
    "Value",
]
