"""Clusters -> folders: a plan that a person can read and edit, apply, undo.

`plan` touches nothing. `apply` never overwrites, writes in a journal what it is about to do, and
can be killed at any moment: `resume` finishes it, `undo` takes it back. Pure work on files, on data
that is given: nothing here knows of the library or its store.
"""

from organizer.arrange.applying import apply, resume
from organizer.arrange.disk import Disk
from organizer.arrange.journal import journals, next_journal, placed, read_journal
from organizer.arrange.plan_csv import read_plan, write_plan
from organizer.arrange.planning import plan
from organizer.arrange.template import FIELDS, Field, Template
from organizer.arrange.types import Item, Left, Mode, Plan, Record, Result, Step, Value
from organizer.arrange.undoing import undo

__all__ = [
    "FIELDS",
    "Disk",
    "Field",
    "Item",
    "Left",
    "Mode",
    "Plan",
    "Record",
    "Result",
    "Step",
    "Template",
    "Value",
    "apply",
    "journals",
    "next_journal",
    "placed",
    "plan",
    "read_journal",
    "read_plan",
    "resume",
    "undo",
    "write_plan",
]
