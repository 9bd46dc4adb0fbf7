"""What the doctor found: what it is, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    """What is done about a finding."""

    WRITE_MANIFEST = "write library.json anew"
    PUT_BACK_JOURNAL = "put the copy of the journal in its place"
    JOURNAL_FROM_DECISIONS = "make the journal anew of all that was decided"
    ADD_DECISIONS = "add the decisions that the journal lacks"
    PUT_BACK_FILE = "put a copy in its place"
    DROP_INDEX = "drop the search index; it is made again"
    DROP_FRAGMENTS = "take the damaged rows out of the table"
    ROLL_BACK = "go back to the version of the table before"
    RESET_TABLE = "make the table anew"
    PUT_BACK_ARRANGEMENT = "put the copy of the arrangement's journal in its place"
    MOVE_ASIDE = "move it aside"
    RESTORE_ROOTS = "write down the folders of photos again"
    DESCRIBE_IMAGES = "keep the images; the next ingest reads their files again"
    REBUILD_MEMBERS = "assign the images to the clusters again; decisions hold"
    RECLUSTER = "make the clusters anew of vectors and decisions"
    RESTORE_CROPS = "write down the crops again"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor found.

    Attributes:
        kind: What it is about, for programs: "journal", "file", "table", and so on.
        where: The file, table or folder that it is about.
        what: What is wrong, for a person.
        remedy: What `fix` does about it.
        is_damage: Whether something is wrong; otherwise it is only worth knowing.
        advice: What else to do, or what is not as before after the repair.
    """

    kind: str
    where: str
    what: str
    remedy: Remedy = Remedy.NONE
    is_damage: bool = True
    advice: str = ""


def note(kind: str, where: str, what: str, advice: str = "") -> Finding:
    """A finding that is only worth knowing."""
    return Finding(kind, where, what, is_damage=False, advice=advice)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the doctor found in a library.

    Attributes:
        findings: What was found, the damage first.
        checked_files: The files whose content was compared with what was written.
    """

    findings: tuple[Finding, ...]
    checked_files: int

    @property
    def damage(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(finding for finding in self.findings if finding.is_damage)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is only worth knowing."""
        return tuple(finding for finding in self.findings if not finding.is_damage)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage
