"""What was done after the last step that undo would take back, and is no step itself.

Answers of a review change no cluster, an arrangement is files on the disk, and deployments and
detections have commands of their own: none is taken back with a step. Whoever undoes expects the
last act to be taken back, so the command names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from organizer.arrange import ArrangeRecord, journals, read_journal
from organizer.counts import count_text
from organizer.library.arrangements.active import journal_folder
from organizer.library.noted_acts import NotedAct, was_done_after
from organizer.store import Store
from organizer.types import Step

_COARSEST = timedelta(seconds=2)
"""By which a disk may round the time of a file."""


_NOTED = {
    NotedAct.DEPLOYMENTS: (
        "a change of deployments",
        "organizer deployments lists them; shift, read, template and remove change them",
    ),
    NotedAct.DETECTIONS: (
        "an import of detections",
        "organizer detections counts them; other results replace them",
    ),
}
"""Of each noted act what it was, and how it is taken back."""


@dataclass(frozen=True, slots=True)
class LaterAct:
    """Something that was done after a step, and that no undo takes back.

    Attributes:
        what: What it was, for a person.
        hint: How it is taken back.
    """

    what: str
    hint: str


def acts_after(store: Store, step: Step | None) -> tuple[LaterAct, ...]:
    """What was done after a step; all that was done where None."""
    at = step.at if step is not None else ""
    return (*_answers_after(store, at), *_arrangement_after(store, at), *_noted_after(store, at))


def _answers_after(store: Store, at: str) -> tuple[LaterAct, ...]:
    count = sum(given > at for given in store.answers.times().values())
    if not count:
        return ()
    what = count_text(count, "answer of a review", "answers of a review")
    return (LaterAct(what, "organizer review --sample: a later answer counts"),)


def _arrangement_after(store: Store, at: str) -> tuple[LaterAct, ...]:
    """The last arrangement that is in place, if it was made after a time."""
    for file in reversed(journals(journal_folder(store))):
        if at and _written(file) + _COARSEST < datetime.fromisoformat(at):
            return ()  # it was begun before, and so were those that are older: none has to be read
        record = read_journal(file)
        if not record.undone:
            break
    else:
        return ()
    if at and not _is_after(record, at):
        return ()
    files = count_text(len(record.plan.steps), "file")
    what = f"an arrangement of {files} in {record.plan.to}"
    return (LaterAct(what, "organizer arrange --undo"),)


def _noted_after(store: Store, at: str) -> tuple[LaterAct, ...]:
    return tuple(LaterAct(*told) for act, told in _NOTED.items() if was_done_after(store, act, at))


def _is_after(record: ArrangeRecord, at: str) -> bool:
    """Whether an arrangement was begun after a time; what its journal has of it are seconds."""
    begun = datetime.fromisoformat(record.created_at)
    then = datetime.fromisoformat(at)
    if begun != then.replace(microsecond=0):
        return begun > then
    return _written(record.file) > then


def _written(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
