"""The fields of ``--json`` are a promise: programs of others read them.

`json_fields.json` holds those of version 0.1.0. A field that is added is added there too; one that
goes or gets another name breaks somebody's program. Their types are those of
`organizer.fields.shapes`, for every command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from docs.make_commands import commands
from docs.make_json import PRINTED
from organizer.fields.shapes import ERROR
from organizer.fields.shapes.base import Shape
from tests.conftest import make_groups, make_photo
from tests.shades import make_shades
from tests.typed import in_this_process

_EXPECTED = json.loads(Path(__file__).with_name("json_fields.json").read_text(encoding="utf-8"))

COMMANDS = {
    "ingest": "ingest photos --embedder channel-mean",
    "recluster": "recluster --k 2:4",
    "clusters": "clusters",
    "clusters rename": "clusters rename 1 Fox",
    "ingest of more": "ingest photos more",
    "clusters show": "clusters show 1",
    "clusters show unsure": "clusters show unsure",
    "clusters move": "clusters move photos/red/000.jpg --to 2",
    "clusters of the last ingest": "clusters --new",
    "clusters pin": "clusters pin fox",
    "clusters new": "clusters new photos/blue/000.jpg --name Owl",
    "undo of the new one": "undo",
    "clusters exclude": "clusters exclude photos/blue/001.jpg --in 3",
    "undo of the exclusion": "undo",
    "clusters retire": "clusters retire 3",
    "undo of the retirement": "undo",
    "clusters merge": "clusters merge 1 2",
    "undo": "undo",
    "redo": "redo",
    "undo of it": "undo",
    "clusters split": "clusters split 1 --k 2",
    "clusters history": "clusters history",
    "duplicates": "duplicates",
    "duplicates wanted": "duplicates --wanted photos/red/001.jpg photos/red/002.jpg",
    "recluster dry": "recluster --k 3 --dry-run",
    "status": "status",
    "problems": "problems",
    "search": "search photos/red/001.jpg -n 2",
    "report": "report --labels folders",
    "show": "show photos/red/001.jpg",
    "browse": "browse photos/red/001.jpg -n 2",
    "review": "review --sample 3",
    "review to fill in": "review --sample 3 --out review.csv",
    "review filled in": "review --in review.csv",
    "report of a page": "report --html report.html --map none",
    "recipes": "compare --recipe list",
    "models where": "models where",
    "models where one is": "models where channel-mean",
    "models of a family": "models list torchvision",
    "group": "clusters show people",
    "unlock": "unlock",
    "arrange plan": "arrange --to planned --plan plan.csv",
    "compare": "compare --embedders channel-mean --k 2:3 --labels folders",
    "models": "models",
    "export": "export csv --to table.csv",
    "export options": "export csv --options",
    "events": "events",
    "counts": "counts --by species,month",
    "arrange": "arrange --to sorted",
    "arrange update": "arrange --update sorted --dry-run",
    "arrange read-back": "arrange --read-back sorted --dry-run",
    "arrange undo": "arrange --undo",
    "backup": "backup backups",
    "backup check": "backup backups --check",
    "restore": "restore backups --to restored",
    "deployments": "deployments",
    "deployments template": "deployments template {deployment}",
    "deployments write-csv": "deployments write-csv deployments.csv",
    "deployments read": "deployments read deployments.csv",
    "deployments shift": "deployments shift red +60s",
    "deployments check": "deployments check",
    "deployments remove": "deployments remove red",
    "detections": "detections",
    "detections import": "detections import found.json --embedder channel-mean",
    "doctor": "doctor",
    "doctor fix": "doctor --fix",
}
"""By name, in the order in which they are typed."""

SUGGESTING = {
    "suggest": "suggest",
    "suggest asks": "suggest --ask 3",
    "suggest accepts": "suggest --accept all",
}
"""In another library, which has something to suggest."""


def fields_of(value: Any, path: str = "") -> set[str]:
    """The paths of all fields below a JSON value; what is keyed by numbers or paths is ``*``."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            name = "*" if key.isdigit() or "/" in key else key
            below = f"{path}.{name}" if path else name
            found |= {below} | fields_of(inner, below)
    elif isinstance(value, list):
        for inner in value:
            found |= fields_of(inner, f"{path}[]")
    return found


def make_photos(home: Path) -> None:
    make_groups(home / "photos")
    for seed, name in enumerate(("broken", "odd")):
        make_photo(home / "more" / f"{name}.jpg", 700 + seed, colour=(250, 250, 20))
    (home / "more" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    box = {"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.5, 0.5]}
    found = {
        "images": [{"file": "photos/red/000.jpg", "detections": [box]}],
        "detection_categories": {"1": "animal"},
        "info": {"format_version": "1.3", "detector": "painter"},
    }
    (home / "found.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON that each command prints."""
    home = tmp_path_factory.mktemp("json")
    make_photos(home)
    suggesting = make_shades(tmp_path_factory.mktemp("shades"))
    return json_printed(home, COMMANDS) | json_printed(suggesting, SUGGESTING)


def json_printed(home: Path, commands: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, words in commands.items():
        ran = in_this_process(home, *words.split(), "--json")
        assert ran.code in {0, 3}, (words, ran.err)
        found[name] = ran.json
    return found


@pytest.mark.parametrize("name", sorted({*COMMANDS, *SUGGESTING} & _EXPECTED.keys()))
def test_the_fields_of_json_are_those_that_were_promised(
    printed: dict[str, Any], name: str
) -> None:
    assert sorted(fields_of(printed[name])) == _EXPECTED[name]


@pytest.mark.parametrize("name", [*COMMANDS, *SUGGESTING])
def test_the_json_is_of_the_types_that_are_documented(printed: dict[str, Any], name: str) -> None:
    words = ({**COMMANDS, **SUGGESTING})[name].split()
    command = " ".join(words[:2])
    shapes = PRINTED.get(command) or PRINTED[words[0]]
    wrong = [_what_is_wrong(shape, printed[name]) for shape in shapes]
    assert "" in wrong, min(wrong, key=len)


def _what_is_wrong(shape: type[Shape], value: Any) -> str:
    try:
        shape.model_validate(value)
    except ValidationError as error:
        return str(error)
    return ""


def test_every_command_has_documented_types() -> None:
    typed = {name.removeprefix("organizer ") for name, _ in commands()} - {"organizer"}
    assert typed == PRINTED.keys()


# Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "kind", "message"),
    [
        ("status", 1, "library-unavailable", "there is no library in"),
        ("ingest nowhere", 2, "invalid", "there is no folder or file nowhere"),
        ("recluster --kk 3", 2, "invalid", "No such option"),
        ("clusters show", 2, "invalid", "Missing argument"),
        ("search", 2, "invalid", "name a photo"),
        ("import photos", 2, "invalid", "there is no command organizer import"),
        ("clusters delete 3", 2, "invalid", "there is no command organizer clusters delete"),
    ],
)
def test_an_error_is_json_too(
    tmp_path: Path, words: str, code: int, kind: str, message: str
) -> None:
    ran = in_this_process(tmp_path, *words.split(), "--json")
    assert ran.code == code
    error = ERROR.model_validate(ran.json).error
    assert (error.type, error.exit_code) == (kind, code)
    assert message in error.message
    assert "rror: " in ran.err, "a person reads it as before"
    plain = in_this_process(tmp_path, *words.split())
    assert (plain.code, plain.out) == (code, "")


def test_what_is_behind_two_dashes_asks_for_no_json(tmp_path: Path) -> None:
    assert in_this_process(tmp_path, "search", "--", "--json").out == ""


def test_a_bug_is_json_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("organizer.library.require_library", broken)
    ran = in_this_process(tmp_path, "status", "--json")
    assert ran.code == 1
    error = ERROR.model_validate(ran.json).error
    assert (error.type, error.message) == ("bug", "ZeroDivisionError: division by zero")
    assert "Traceback" in ran.err
