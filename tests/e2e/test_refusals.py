"""A command that is refused leaves no trace: not a byte of the library differs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from organizer.cli.app import app
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_groups, make_photo
from tests.damages import make_sound
from tests.typed import in_this_process

_REFUSALS = [
    "ingest nowhere",
    "ingest empty",
    "ingest photos --embedder bogus",
    "ingest new --embedder vgg16",
    "ingest photos --batch-size 0",
    "watch nowhere",
    "watch photos --embedder bogus",
    "recluster --k bogus",
    "recluster --k 0",
    "recluster --k 999",
    "recluster --k 3 --algorithm bogus",
    "recluster --k 3 --reduce bogus",
    "recluster --k 3 --embedder bogus",
    "recluster --k 3 --center moon",
    "clusters rename 999 Fox",
    "clusters rename 2 first",
    "clusters rename 2 FIRST",
    "clusters rename 2 12",
    "clusters rename first unassigned",
    "clusters rename 2 ' '",
    "clusters pin 999",
    "clusters pin nobody",
    "clusters merge 1 999",
    "clusters merge 1",
    "clusters split 999",
    "clusters split 1 --k 999",
    "clusters move nowhere.jpg --to 1",
    "clusters move photos/red --to 999",
    "clusters exclude nowhere.jpg --in 1",
    "clusters exclude photos/red --in 999",
    "clusters new nowhere.jpg",
    "clusters new photos/red --name first",
    "clusters retire 999",
    "undo --library nowhere",
    "backup .organizer/backups",
    "restore nowhere --to elsewhere",
    "doctor --library nowhere",
    "unlock --library nowhere",
    "redo",
    "review --in nowhere.csv",
    "review --cluster 999 --correct",
    "suggest --accept all",
    "suggest --accept nowhere.csv",
    "suggest --accept photos",
    "suggest --ask 5 --accept all",
    "duplicates --wanted nowhere.jpg",
    "arrange --to aside --duplicates --kind bogus",
    "deployments read nowhere.csv",
    "deployments template {}",
    "deployments shift nowhere +60s",
    "deployments split nowhere --gap 5d",
    "deployments remove nowhere",
    "detections import nowhere.json",
    "detections from-bursts --embedder bogus",
    "arrange --to sorted --by bogus",
    "arrange --to sorted --template {bogus}",
    "arrange --apply nowhere.csv",
    "arrange --undo",
    "arrange --resume",
    "arrange --read-back nowhere --yes",
    "arrange --update nowhere --yes",
    "arrange --to photos",
    "open bogus",
    "serve --host 0.0.0.0",
]
"""One for each way in which a command that writes refuses."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sound(tmp_path_factory.mktemp("refusing"))
    (folder / "empty").mkdir()
    make_photo(folder / "new" / "a.jpg", 900)
    with Library.open(folder, Settings()) as library, library.store.writing():
        pass
    return folder


@pytest.fixture(params=_REFUSALS)
def refused(request: pytest.FixtureRequest, sound: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    before = _bytes_of(tmp_path)
    words = [word.strip("'") for word in str(request.param).replace("' '", "'\0'").split()]
    ran = in_this_process(tmp_path, *(word.replace("\0", " ") for word in words))
    assert ran.code in {1, 2}, ran
    assert "error:" in ran.err.lower(), ran.err
    assert "Traceback" not in ran.err, ran.err
    yield tmp_path
    after = _bytes_of(tmp_path)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []


def test_a_refused_command_leaves_no_trace(refused: Path) -> None:
    with Library.open(refused, Settings()) as library, library.store.writing() as was_interrupted:
        assert not was_interrupted


def test_every_command_that_can_be_refused_is_tried() -> None:
    tried = {tuple(text.split()) for text in _REFUSALS}
    for path in _paths_of(typer.main.get_command(app)):
        if path[0] not in _READING and path not in _READING:
            assert any(words[: len(path)] == path for words in tried), path


_READING: set[object] = {
    *("status", "problems", "search", "show", "browse", "report", "compare", "export", "models"),
    *("events", "counts"),
    *(("clusters", "show"), ("clusters", "history"), ("clusters", "suggest-names")),
    *(("clusters", "not"), ("clusters", "gather")),  # aliases
    ("deployments", "write-csv"),
}


def _paths_of(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield above
        return
    for name, found in command.commands.items():
        yield from _paths_of(found, (*above, name))


def test_a_first_ingest_that_is_refused_makes_no_library(tmp_path: Path) -> None:
    make_groups(tmp_path / "photos", each=1)
    for words in (
        ["ingest", "nowhere"],
        ["ingest", "photos", "--embedder", "bogus"],
        ["ingest", "photos", "--batch-size", "0"],
    ):
        assert in_this_process(tmp_path, *words).code == 2
        assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
