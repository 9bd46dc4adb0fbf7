"""Commands that are harmed at one of their system calls: killed, or refused by the system.

A session of all commands that write is typed once. Of every command the folder before it is kept,
what the library reported before and after it, and how many calls it made that change a file. Any
of these calls can then be harmed, as often as is wanted, and what is left be compared with a
library that nobody disturbed.
"""

from __future__ import annotations

import errno
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Ran
from tests.library_facts import REPORTS, Facts, look, what_failed
from tests.power_cuts import Step
from tests.warm import Warm

CHANGES = "write sync create rename link unlink mkdir truncate"
"""The kinds of calls that change a file or a folder."""

_FOLDERS = ("photos", "card", "sorted", "moved")
"""The folders of the session in which files count."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:\+00:00|Z)?")
_SIZE = re.compile(r'"(?:library_bytes|bytes|size_bytes|seconds)": [\d.]+')


def compile_faults(folder: Path) -> Path:
    """Build the library that harms system calls; skip the test where that cannot be done."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("NOT TESTED: no C compiler, or not Linux")
    made = folder / "faulty_calls.so"
    source = Path(__file__).with_name("faulty_calls.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


@dataclass(frozen=True)
class Fault:
    """What is done to a command; see `faulty_calls.c`.

    Attributes:
        do: What is done to its calls.
        at: The number of the call at which it begins; 0 for all.
        code: The number of the error.
        once: Whether only one call fails, and all others work again.
        calls: The kinds of calls that count.
    """

    do: str
    at: int = 0
    code: int = 0
    once: bool = False
    calls: str = CHANGES

    def settings(self, home: Path) -> dict[str, str]:
        """The environment variables that have it done to the files in a folder."""
        found = {
            "FAULT_DO": self.do,
            "FAULT_PATHS": f"{home}/",
            "FAULT_CALLS": self.calls,
            "FAULT_CODE": str(self.code),
            "FAULT_FOLDER": str(home / ".organizer"),
        }
        found |= {"FAULT_AT": str(self.at)} if self.at else {}
        return found | ({"FAULT_ONCE": "1"} if self.once else {})


def plain(facts: Facts) -> dict[str, str]:
    """What a library reports, without what differs from one run to the next: the time."""
    reports = {name: _TIME.sub("TIME", text) for name, text in facts.reports.items()}
    return {name: _SIZE.sub("SIZE", text) for name, text in reports.items()} | facts.files


FULL = Fault("fail", code=errno.ENOSPC, calls="write create mkdir link truncate")
READ_ONLY = Fault("fail", code=errno.EROFS, calls="write create rename link unlink mkdir truncate")
BROKEN = Fault("fail", code=errno.EIO)
BROKEN_ONCE = Fault("fail", code=errno.EIO, once=True)
FULL_ONCE = replace(FULL, once=True)
GONE = Fault("vanish")
ERRORS = {
    "full": FULL,
    "full once": FULL_ONCE,
    "read-only": READ_ONLY,
    "broken": BROKEN,
    "broken once": BROKEN_ONCE,
    "gone": GONE,
}
"""What becomes of a disk, from a call on."""

KILL, TEAR = Fault("kill"), Fault("tear")


@dataclass(frozen=True)
class Stage:
    """A command of the session.

    Attributes:
        step: The command.
        words: What is typed.
        kept: A copy of the folder before it.
        before: What the library reported before it.
        after: What it reported after it.
        calls: The calls that it made, by kind and path.
    """

    step: Step
    words: Sequence[str]
    kept: Path
    before: Facts
    after: Facts
    calls: Sequence[str]

    def __str__(self) -> str:
        return self.step.name

    def points(self, fault: Fault) -> list[str]:
        """The calls that a fault may begin at."""
        return [call for call in self.calls if call.split()[0] in fault.calls.split()]

    def some(self, fault: Fault, count: int, *, seed: int = 0) -> list[Fault]:
        """A fault at some of the calls, evenly, the last one among them."""
        n = len(self.points(fault))
        places = np.linspace(1 + (seed + len(self.step.name)) % 5, n, min(count, n)).astype(int)
        return [replace(fault, at=int(place)) for place in sorted({*places.tolist()})]


class Session:
    """A session of commands, each of which can be harmed again and again.

    Args:
        warm: What types the commands; it has preloaded what harms calls.
        home: The folder with photos and library; it is empty.
        kept: A folder for the copies.
        reports: What the library is asked for after each; see `tests.library_facts`.
    """

    def __init__(
        self, warm: Warm, home: Path, kept: Path, *, reports: Sequence[str] = (*REPORTS,)
    ) -> None:
        self.warm, self.home, self._kept, self._reports = warm, home, kept, reports

    def record(self, steps: Sequence[Step]) -> Iterator[Stage]:
        """Type the commands, one after another; photos are there already."""
        facts = Facts({})
        log = self._kept / "log"
        for number, step in enumerate(steps):
            if step.before is not None:
                step.before(self.home)
            kept = self._kept / f"{number:02}"
            _copy(self.home, kept)
            words = list(map(str, step.words(facts)))
            before = self.look() if number else Facts({})
            self._put(kept)  # who looks brings a library of an older format up
            log.write_text("")
            settings = Fault("log").settings(self.home) | {"FAULT_LOG": str(log)}
            ran = self.warm.run(*words, cwd=self.home, **settings, **step.settings)
            assert ran.code == 0, f"{step.name}: {ran.err}"
            facts = self.look()
            yield Stage(step, words, kept, before, facts, log.read_text().splitlines())

    def restore(self, stage: Stage) -> None:
        """Put the folder back as it was before a command."""
        self._put(stage.kept)

    def _put(self, kept: Path) -> None:
        shutil.rmtree(self.home)
        _copy(kept, self.home)

    def harmed(self, stage: Stage, fault: Fault) -> Ran:
        """Type a command and harm it."""
        self.restore(stage)
        settings = fault.settings(self.home) | stage.step.settings
        return self.warm.run(*stage.words, cwd=self.home, **settings)

    def type(self, stage: Stage, *words: object) -> Ran:
        """Type a command that nobody harms, or another one in place of it."""
        return self.warm.run(*(words or stage.words), cwd=self.home, **stage.step.settings)

    def look(self) -> Facts:
        """What the library reports now."""
        return look(self.warm, self.home, folders=_FOLDERS, reports=self._reports)


def _copy(folder: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", folder, to], check=True)


def differences(found: Facts, expected: Facts, *, in_parts: bool = False) -> list[str]:
    """What a library reports otherwise than another one.

    Args:
        found: What one reports.
        expected: What the other one reports.
        in_parts: Whether images came in several ingests in place of one, so that they were
            compared with clusters that had grown otherwise: distances differ, clusters do not.
    """
    if found.failure or not expected.reports:
        return [] if found.reports == expected.reports else [found.failure]
    if in_parts:
        columns = ("path", "cluster_id", "cluster_name", "state")
        members, expected_members = (
            sorted(tuple(row.get(name, "") for name in columns) for row in facts.rows)
            for facts in (found, expected)
        )
        return [] if members == expected_members else ["images"]
    ours, theirs = plain(found), plain(expected)
    return [name for name in theirs.keys() | ours.keys() if ours.get(name) != theirs.get(name)]


# What is wrong after it ----------------------------------------------------------------------

_GRADUAL = frozenset(
    [
        *("first ingest", "second ingest", "ingest with upkeep", "detections import", "migration"),
        *("arrange", "update", "arrange --undo", "apply", "undo of moves"),
        # What these read is kept at once, whether or not the rest can be done.
        *("review --in", "review --correct", "deployments read"),
    ]
)
"""Commands of several transactions, or of many files: what they have done so far counts."""

_AGAIN = dict.fromkeys(("arrange", "update", "apply"), ("arrange", "--resume"))
"""What finishes a command that was interrupted, where that is not the command itself."""


def wrong_after_a_kill(session: Session, stage: Stage, fault: Fault) -> str:
    """Kill a command at a call; what is wrong then, for a reader and after it was finished."""
    ran = session.harmed(stage, fault)
    if ran.code != -signal.SIGKILL:
        return f"it was not killed: {ran.code} {ran.err}"
    return _wrong_now(session, stage) or _wrong_when_finished(session, stage)


def wrong_after_an_error(session: Session, stage: Stage, fault: Fault) -> str:
    """Let calls of a command fail; what is wrong with what it says, and with what it leaves."""
    if _is_after_the_commit(stage, fault):
        return ""
    ran = session.harmed(stage, fault)
    away = Path(f"{session.home}/.organizer.away")
    if away.exists():  # the disk is connected again
        shutil.rmtree(session.home / ".organizer", ignore_errors=True)
        away.rename(session.home / ".organizer")
    return (
        _wrong_with_the_words(ran)
        or _wrong_now(session, stage, ran)
        or _wrong_when_finished(session, stage)
    )


def _is_after_the_commit(stage: Stage, fault: Fault) -> bool:
    """Whether SQLite has committed, and cannot tell that it will hold: both answers are right.

    What rolls a commit back is emptied, which commits it, and synchronised then.
    """
    if not (fault.once and fault.at):
        return False
    call = stage.points(fault)[fault.at - 1]
    before = stage.points(fault)[fault.at - 2] if fault.at > 1 else ""
    is_of_journal = call.endswith("journal.sqlite-journal")
    return is_of_journal and call.startswith("sync") and before == call.replace("sync", "truncate")


def _wrong_with_the_words(ran: Ran) -> str:
    """What a person cannot understand of what a command said."""
    if "Traceback" in ran.err or "panicked" in ran.err:
        return f"traceback: {ran.err.strip().splitlines()[-1]}"
    if ran.code == 0:
        return ""
    if ran.code == 1 and "not finished; organizer arrange --resume continues" in ran.err:
        return ""  # the files that are left are counted beside those that are done
    said = [line for line in ran.err.splitlines() if line.startswith(("error: ", "hint: "))]
    if ran.code not in (1, 3) or (ran.code == 1 and len(said) != 2):
        return f"exit code {ran.code}: {ran.err[-300:]}"
    return "called damaged: " + said[0] if said and "damaged" in said[0] else ""


def _wrong_now(session: Session, stage: Stage, ran: Ran | None = None) -> str:
    """What a reader finds that was neither before the command nor after it."""
    now = session.look()
    if now.failure and (stage.before.reports or "no library" not in now.failure):
        return f"a reader: {now.failure}"
    if stage.step.name in _GRADUAL:
        return ""
    is_before = not differences(now, stage.before)
    is_after = not differences(now, stage.after)
    if not is_before and not is_after:
        return f"a reader sees neither: {differences(now, stage.after)}"
    if ran is not None and is_before != is_after and is_after == bool(ran.code):
        return f"exit code {ran.code}, and it is {'done' if is_after else 'not done'}: {ran.err}"
    return ""


def _wrong_when_finished(session: Session, stage: Stage) -> str:
    """What is otherwise than in a library that nobody disturbed, when the command is finished."""
    name = stage.step.name
    if not differences(session.look(), stage.after):
        return ""
    ran = session.type(stage)
    if ran.code and name in _AGAIN:
        ran = session.type(stage, *_AGAIN[name])
    lacking = differences(session.look(), stage.after, in_parts=name == "ingest with upkeep")
    if not lacking:  # also where it had been done but for the rows, which the next writer repairs
        return ""
    return f"typed again, it is not as if undisturbed: {lacking}; {what_failed(ran)}"
