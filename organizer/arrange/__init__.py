"""Clusters -> folders: make a plan that a person can edit, apply it, undo it.

`make_plan` touches nothing. `carry_out` never overwrites a file, writes to a journal before every
step, and may be killed at any moment: `resume_journal` finishes the work, `undo_journal` reverts
it. The package works on files only and knows nothing of the library or its store.
"""

from organizer.arrange.apply import carry_out, resume_journal
from organizer.arrange.disk import Disk
from organizer.arrange.journal import journals, next_journal, placed_by_journals, read_journal
from organizer.arrange.make_plan import make_plan
from organizer.arrange.plan_csv import read_plan, write_plan
from organizer.arrange.template import FIELDS, FolderTemplate, TemplateField
from organizer.arrange.types import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    LeftFile,
    StepAction,
    StepResult,
    Value,
)
from organizer.arrange.undo import undo_journal

__all__ = [
    "FIELDS",
    "ArrangeItem",
    "ArrangeMode",
    "ArrangePlan",
    "ArrangeRecord",
    "ArrangeStep",
    "Disk",
    "FolderTemplate",
    "LeftFile",
    "StepAction",
    "StepResult",
    "TemplateField",
    "Value",
    "carry_out",
    "journals",
    "make_plan",
    "next_journal",
    "placed_by_journals",
    "read_journal",
    "read_plan",
    "resume_journal",
    "undo_journal",
    "write_plan",
]
