"""A session of all commands that write, for the power cuts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.library_facts import Facts
from tests.power_cuts import Interruption, Step
from tests.test_migrate_6 import to_format_6
from tests.traps import BOAR, COLOUR, FOX, OWL, frame

_KINDS = {"fox": FOX, "owl": OWL, "boar": BOAR}


def make_photos(home: Path) -> None:
    """Two cards of photos of three kinds, and the tables that are read in a session."""
    _card(home / "photos", each=5, seed=0)
    _card(home / "card", each=3, seed=1)
    boxes = [{"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.6, 0.7]}]
    images = [{"file": f"fox/fox{i}.jpg", "detections": boxes} for i in range(3)]
    categories = {"1": "animal", "2": "person", "3": "vehicle"}
    (home / "md.json").write_text(
        json.dumps(
            {
                "images": images,
                "detection_categories": categories,
                "info": {"format_version": "1.4", "detector": "md_v5a.0.0.pt"},
            }
        )
    )
    (home / "deployments.csv").write_text("id,latitude,longitude\nfox,47.5,8.5\n")


def _card(folder: Path, *, each: int, seed: int) -> None:
    for place, (kind, colour) in enumerate(_KINDS.items()):
        for i in range(each):
            at = f"2024:05:{seed + 1:02} {8 + place:02}:{i:02}:00"
            frame(folder / kind / f"{kind}{i}.jpg", colour, at=at, camera=kind, seed=seed, noise=6)


def _typed(*words: object) -> Callable[[Facts], Sequence[object]]:
    return lambda _: words


def _of(kind: str) -> Callable[[Facts], int]:
    return lambda facts: facts.cluster_with(f"/{kind}/{kind}4")


_PHOTOS = ("photos", "card", "moved")

FIRST_INGEST = Step("first ingest", _typed("ingest", "photos", "--embedder", COLOUR))
RECLUSTER = Step("recluster", _typed("recluster", "--k", 3))
SECOND_INGEST = Step("second ingest", _typed("ingest", "card"))
RENAME = Step("rename", lambda f: ("clusters", "rename", _of("fox")(f), "Red fox"))
MERGE = Step("merge", lambda f: ("clusters", "merge", _of("fox")(f), _of("owl")(f)))
UNDO = Step("undo", _typed("undo"))


def _answer(home: Path) -> None:
    """Answer a sample: the first image does not belong."""
    file = home / "review.csv"
    with file.open(encoding="utf-8-sig", newline="") as read:
        rows = list(csv.DictReader(read))
    with file.open("w", encoding="utf-8", newline="") as written:
        writer = csv.DictWriter(written, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"belongs": "ny"[bool(i)]} for i, row in enumerate(rows))


def _drag(home: Path) -> None:
    """Drag two files into a folder of their own, and rename another folder."""
    folders = sorted(path for path in (home / "sorted").iterdir() if path.is_dir())
    files = sorted(folders[0].iterdir())
    (home / "sorted" / "Odd").mkdir()
    for file in files[:2]:
        file.rename(home / "sorted" / "Odd" / file.name)


PIN = Step("pin", lambda f: ("clusters", "pin", _of("owl")(f)))
MOVE = Step("move", lambda f: ("clusters", "move", "photos/fox/fox0.jpg", "--to", _of("owl")(f)))
EXCLUDE = Step(
    "exclude", lambda f: ("clusters", "exclude", "photos/boar/boar0.jpg", "--in", _of("boar")(f))
)
SPLIT = Step("split", lambda f: ("clusters", "split", _of("owl")(f), "--k", 2))
NEW = Step("new cluster", _typed("clusters", "new", "photos/owl/owl1.jpg", "--name", "Barn owl"))
RETIRE = Step("retire", lambda f: ("clusters", "retire", f.cluster_with("/owl/owl1.jpg")))
REDO = Step("redo", _typed("redo"))
TEMPLATE = Step("template", _typed("deployments", "template", "{deployment}"))
READ = Step("deployments read", _typed("deployments", "read", "deployments.csv"))
SHIFT = Step("shift", _typed("deployments", "shift", "fox", "+1h"))
DETECTIONS = Step(
    "detections import", _typed("detections", "import", "md.json", "--base", "photos")
)
SAMPLE = Step("review --out", _typed("review", "--sample", 6, "--out", "review.csv"))
ANSWERS = Step("review --in", _typed("review", "--in", "review.csv"), before=_answer)
CORRECT = Step(
    "review --correct", _typed("review", "--in", "review.csv", "--correct"), before=_answer
)
ARRANGE = Step("arrange", _typed("arrange", "--to", "sorted"), folders=("sorted",))
READ_BACK = Step("read back", _typed("arrange", "--read-back", "sorted", "--yes"), before=_drag)
NAME_AGAIN = Step("rename again", lambda f: ("clusters", "rename", _of("boar")(f), "Wild boar"))
UPDATE = Step("update", _typed("arrange", "--update", "sorted", "--yes"), folders=("sorted",))
UNDO_LINKS = Step("arrange --undo", _typed("arrange", "--undo"))
PLAN = Step("plan", _typed("arrange", "--to", "moved", "--mode", "move", "--plan", "plan.csv"))
APPLY = Step("apply", _typed("arrange", "--apply", "plan.csv"), folders=_PHOTOS)
UNDO_MOVES = Step("undo of moves", _typed("arrange", "--undo"), folders=_PHOTOS)


def _age(home: Path) -> None:
    """Make the library one of format 6."""
    to_format_6(home)


MIGRATE = Step("migration", _typed("status"), before=_age, is_final=False)
UPKEEP = replace(
    SECOND_INGEST,
    name="ingest with upkeep",
    settings={"ORGANIZER_COMMIT_IMAGES": "1", "ORGANIZER_BATCH_SIZE": "1"},
)
"""Each image is a fragment of each table; they are joined at the end."""

FEW = (FIRST_INGEST, RECLUSTER, RENAME, MERGE)
SOME = (*FEW, UNDO, REDO, SECOND_INGEST, DETECTIONS, ARRANGE, READ_BACK)
ALL = (
    *(
        FIRST_INGEST,
        RECLUSTER,
        RENAME,
        PIN,
        MOVE,
        EXCLUDE,
        SPLIT,
        UNDO,
        REDO,
        UNDO,
        MERGE,
        UNDO,
        NEW,
        RETIRE,
    ),
    *(UNDO, UPKEEP, TEMPLATE, READ, SHIFT, DETECTIONS, SAMPLE, ANSWERS, CORRECT),
    *(
        ARRANGE,
        READ_BACK,
        NAME_AGAIN,
        UPDATE,
        UNDO_LINKS,
        UNDO_LINKS,
        PLAN,
        APPLY,
        UNDO_MOVES,
        RECLUSTER,
        MIGRATE,
    ),
)
"""Every command that writes to a library."""


_OFTEN = {"ORGANIZER_COMMIT_IMAGES": "4", "ORGANIZER_BATCH_SIZE": "2"}

INTERRUPTIONS = (
    Interruption("first ingest", (), FIRST_INGEST.words, settings=_OFTEN, is_gradual=True),
    Interruption(
        "second ingest",
        (FIRST_INGEST, RECLUSTER),
        SECOND_INGEST.words,
        settings=_OFTEN,
        is_gradual=True,
    ),
    Interruption(
        "detections",
        (FIRST_INGEST, RECLUSTER),
        DETECTIONS.words,
        is_gradual=True,
    ),
    Interruption("apply", (FIRST_INGEST, RECLUSTER, PLAN), APPLY.words),
    Interruption("recluster", (FIRST_INGEST, RECLUSTER, MERGE), RECLUSTER.words),
    Interruption(
        "move of many",
        (FIRST_INGEST, RECLUSTER),
        lambda f: ("clusters", "move", "photos/fox", "--to", _of("owl")(f)),
    ),
    Interruption(
        "read back",
        (FIRST_INGEST, RECLUSTER, ARRANGE),
        READ_BACK.words,
        before=_drag,
    ),
)
"""Commands that take long enough to be cut."""
