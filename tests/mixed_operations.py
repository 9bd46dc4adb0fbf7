"""Several programs at once on one library: what each typed, and what is left of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.library import Library
from tests.conftest import make_groups, make_photo
from tests.crashes import COLOUR, SMALL, assert_nothing_twice, assert_paths_once, members
from tests.warm import Warm

PROGRAMS = 4
_WAIT = ("--wait", "100")
_SHARES = {
    "new": 0.24, "rename": 0.2, "move": 0.12, "undo": 0.1, "ingest": 0.1, "recluster": 0.03,
    "clusters": 0.09, "export": 0.08, "status": 0.04,
}  # fmt: skip
"""How often each kind of command is typed."""

DECIDES = frozenset({"new", "rename", "undo", "recluster"})
"""The commands that make one step of the history each."""


@dataclass(frozen=True)
class Typed:
    """A command, and what came of it.

    Attributes:
        kind: What it does.
        name: The name that it gives, or the folder that it ingests; empty for others.
        code: Its exit code.
        err: What it said on stderr, with that of the others of its program.
    """

    kind: str
    name: str
    code: int
    err: str


def _words(kind: str, name: str, draw: np.random.Generator) -> Sequence[object]:
    photo = f"photos/{draw.choice(['red', 'green', 'blue'])}/{draw.integers(0, 8):03}.jpg"
    typed: dict[str, Sequence[object]] = {
        "new": ("clusters", "new", photo, "--name", name),
        "rename": ("clusters", "rename", int(draw.integers(1, 4)), name),
        "move": ("clusters", "move", photo, "--to", int(draw.integers(1, 4))),
        "undo": ("undo",),
        "ingest": ("ingest", name),
        "recluster": ("recluster", "--k", 12, "--drop-names"),
        "clusters": ("clusters", "--json"),
        "export": ("export", "csv", "--to", "-"),
        "status": ("status", "--json"),
    }
    return (*_WAIT, *typed[kind])


def type_at_once(warm: Warm, home: Path, *, count: int, seed: int = 0) -> list[Typed]:
    """Make a library, and have four programs type so many commands in all."""
    make_groups(home / "photos")
    for words in (("ingest", "photos", "--embedder", COLOUR), ("recluster", "--k", "3")):
        ran = warm.run(*words, cwd=home)
        assert ran.code == 0, ran.err
    programs = []
    for program in range(PROGRAMS):
        draw = np.random.default_rng([seed, program])
        kinds = draw.choice([*_SHARES], count // PROGRAMS, p=[*_SHARES.values()]).tolist()
        names = [f"new/{program}/{n}" if k == "ingest" else f"p{program} {n}" * (k in DECIDES)
                 for n, k in enumerate(kinds)]  # fmt: skip
        for n, kind in enumerate(kinds):
            if kind == "ingest":
                make_photo(home / names[n] / "a.jpg", 10_000 + program * 1_000 + n)
        commands = [_words(kind, name, draw) for kind, name in zip(kinds, names, strict=True)]
        programs.append((kinds, names, warm.begin(*commands, cwd=home)))
    found = []
    for kinds, names, running in programs:
        ran = running.finish(at_most=1_500.0)
        codes = [int(part.rpartition("exit code ")[2]) for part in ran.out.split("\0")[:-1]]
        assert len(codes) == len(kinds), f"it hangs after {len(codes)} commands: {ran.err[-300:]}"
        found += [Typed(*row, ran.err) for row in zip(kinds, names, codes, strict=True)]
    return found


def assert_nothing_lost(home: Path, typed: Sequence[Typed]) -> Counter[str]:
    """All that was reported is there, once; how many commands of each kind were done."""
    for one in typed:
        assert "Traceback" not in one.err, one.err[-2_000:]
        assert "is being written" not in one.err, one.err[-2_000:]
        assert one.code in (0, 1, 2), one
        if one.kind in ("ingest", "clusters", "export", "status"):
            assert one.code == 0, (one, one.err[-2_000:])
    done = Counter(one.kind for one in typed if one.code == 0)
    with Library.open(home, SMALL) as library, library.store.writing():
        steps = library.store.steps.all()
        kinds = Counter(step.kind.value for step in steps)
        made = {one.name for one in typed if one.kind in ("new", "rename") and one.code == 0}
        assert kinds["undo"] == done["undo"], kinds
        assert kinds["recluster"] == done["recluster"] + 1, kinds
        named = [d.name for d in library.store.decisions.all() if d.name]
        assert Counter(named) == Counter(made)
        assert library.status().files == 24 + done["ingest"]
        assert_nothing_twice(library)
        assert_paths_once(library)
        assert len(members(library)) == 24 + done["ingest"]
    return done
