"""The fields of ``--json`` are a promise: programs of others read them.

`json_fields.json` holds those of version 0.1.0. A field that is added is added there too; one that
goes or gets another name breaks somebody's program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_groups, make_photo
from tests.e2e.test_commands import in_this_process
from tests.shades import make_shades

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
    "clusters merge": "clusters merge 1 2",
    "undo": "undo",
    "redo": "redo",
    "undo of it": "undo",
    "clusters split": "clusters split 1 --k 2",
    "clusters history": "clusters history",
    "recluster dry": "recluster --k 3 --dry-run",
    "status": "status",
    "problems": "problems",
    "search": "search photos/red/001.jpg -n 2",
    "report": "report --labels folders",
    "review": "review --sample 3",
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


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The fields that each command prints."""
    home = tmp_path_factory.mktemp("json")
    make_photos(home)
    suggesting = make_shades(tmp_path_factory.mktemp("shades"))
    return fields_printed(home, COMMANDS) | fields_printed(suggesting, SUGGESTING)


def fields_printed(home: Path, commands: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, words in commands.items():
        ran = in_this_process(home, *words.split(), "--json")
        assert ran.code in {0, 3}, (words, ran.err)
        found[name] = sorted(fields_of(ran.json))
    return found


@pytest.mark.parametrize("name", [*COMMANDS, *SUGGESTING])
def test_the_fields_of_json_are_those_that_were_promised(
    printed: dict[str, list[str]], name: str
) -> None:
    assert printed[name] == _EXPECTED[name]
