"""Errors: one line and a hint on stderr, the right exit code, nothing on stdout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Ran, Run, make_groups, make_photo

_HOLD = """
import sys, time
import portalocker
with portalocker.Lock(sys.argv[1], mode="a", timeout=5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of six clustered photos; only to be copied."""
    home = tmp_path_factory.mktemp("sound")
    make_groups(home / "photos", each=2)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """The library's folder in `tmp_path`, to damage."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / ".organizer"


def _is_refused(ran: Ran, code: int, message: str) -> None:
    """Exactly one error, at most one hint, no traceback, nothing on stdout."""
    lines = ran.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert ran.code == code, ran.err
    assert len(errors) == 1, ran.err
    assert message in errors[0]
    assert sum(line.startswith("hint: ") for line in lines) <= 1
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert all(line.startswith(("error: ", "hint: ")) for line in lines), ran.err


# What there is to ingest ---------------------------------------------------------------------


def test_a_path_that_does_not_exist(typed: Run, tmp_path: Path) -> None:
    _is_refused(typed("ingest", "nowhere"), 2, "nowhere")
    assert not (tmp_path / ".organizer").exists()


def test_one_wrong_path_among_right_ones_stops_before_the_work(
    typed: Run, photos: Path, tmp_path: Path
) -> None:
    _is_refused(typed("ingest", photos, "nowhere"), 2, "nowhere")
    assert not (tmp_path / ".organizer").exists()


def test_an_empty_folder(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _is_refused(typed("ingest", "empty"), 2, "there are no images in")
    assert not (tmp_path / ".organizer").exists()


def test_a_folder_without_images_is_refused_with_its_contents(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    for name in ("a.txt", "b.txt", "c.csv"):
        (tmp_path / "text" / name).write_text("text")
    ran = typed("ingest", "text")
    _is_refused(ran, 2, "2 .txt")
    assert "jpg" in ran.err
    assert not (tmp_path / ".organizer").exists()


def test_an_unknown_embedder_leaves_no_library_behind(
    typed: Run, photos: Path, tmp_path: Path
) -> None:
    ran = typed("ingest", photos, "--embedder", "chanel-mean")
    _is_refused(ran, 2, "there is no embedder 'chanel-mean'")
    assert "did you mean channel-mean" in ran.err
    assert "new library" not in ran.err
    assert not (tmp_path / ".organizer").exists()


def test_weights_that_cannot_be_had_are_refused_in_time(
    run: Run, photos: Path, tmp_path: Path
) -> None:
    # A closed port stands for a machine without a network.
    closed = "http://127.0.0.1:9"
    env = {"https_proxy": closed, "HTTPS_PROXY": closed, "ORGANIZER_WEIGHTS": str(photos)}
    started = time.monotonic()
    ran = run("ingest", photos, "--embedder", "mobilenet_v2", env=env)
    assert time.monotonic() - started < 10
    _is_refused(ran, 2, "the weights of mobilenet_v2 cannot be had")
    assert f"{photos}/mobilenet_v2.pth" in ran.err
    assert str(tmp_path / "no-torch") in ran.err
    assert "download.pytorch.org" in ran.err
    assert "--embedder efficientnet_lite2" in ran.err


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--embedder", "mobilenet_v2"), ("--embedder", "hog+vgg16")])
def test_a_weights_path_that_does_not_exist(
    typed: Run, photos: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = typed("ingest", photos, *words, "--weights", "lost.pth")
    _is_refused(ran, 2, "there are no weights at lost.pth")
    assert not (tmp_path / ".organizer").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--device", "toaster"), ("--threads", "-1"), ("--batch-size", "0")]
)
def test_a_setting_that_cannot_be(typed: Run, photos: Path, option: str, value: str) -> None:
    _is_refused(typed("ingest", photos, option, value), 2, option[2:].replace("-", "_"))


def test_a_setting_in_the_environment_that_cannot_be(typed: Run) -> None:
    ran = typed("status", env={"ORGANIZER_SEED": "many"})
    _is_refused(ran, 2, "seed")
    assert "ORGANIZER_SEED" in ran.err


@pytest.mark.parametrize(
    "words", [["fly"], ["ingest"], ["search"], ["status", "--fast"], ["clusters", "show"]]
)
def test_unknown_commands_and_missing_arguments(typed: Run, words: list[str]) -> None:
    ran = typed(*words)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    assert ran.err


# The library ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["recluster"],
        ["undo"],
        ["clusters"],
        ["clusters", "show", "1"],
        ["clusters", "rename", "1", "fox"],
        ["report"],
        ["status"],
        ["problems"],
        ["search", "x.jpg"],
        ["browse", "x.jpg"],
    ],
    ids=" ".join,
)
def test_no_library(typed: Run, tmp_path: Path, words: list[str]) -> None:
    message = f"there is no library in {tmp_path} or above it"
    ran = typed(*words, "--json")
    assert ran.json["error"]["message"] == message
    _is_refused(replace(ran, out=""), 1, message)
    assert "hint: make one: organizer ingest FOLDER" in ran.err
    _is_refused(typed(*words, "--library", "elsewhere"), 1, "elsewhere")
    assert list(tmp_path.iterdir()) == []


def test_a_newer_library(typed: Run, own: Path) -> None:
    manifest = json.loads((own / "library.json").read_text())
    (own / "library.json").write_text(json.dumps({**manifest, "schema": 99}))
    for words in (["status"], ["ingest", "photos"], ["recluster"]):
        ran = typed(*words)
        _is_refused(ran, 1, "newer organizer")
        assert "hint: update organizer" in ran.err


def test_a_manifest_that_was_cut(typed: Run, own: Path) -> None:
    for text in ("", '{"schema": ', "[]", '{"schema": null}'):
        (own / "library.json").write_text(text)
        _is_refused(typed("status"), 1, "is damaged")
        _is_refused(typed("ingest", "photos"), 1, "is damaged")


@pytest.mark.parametrize("table", ["images", "files", "roots", "crops"])
def test_a_table_that_is_gone(typed: Run, own: Path, table: str) -> None:
    shutil.rmtree(own / f"{table}.lance")
    for words in (["status"], ["clusters"], ["ingest", "photos"]):
        _is_refused(typed(*words), 1, "is damaged")


def _data_files(library: Path, table: str) -> list[Path]:
    files = [file for file in library.glob(f"{table}*.lance/data/*") if file.is_file()]
    assert files, f"no data of {table}"
    return files


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("files", ["clusters"]),
        ("files", ["ingest", "photos"]),
        ("assignments_", ["clusters"]),
        ("assignments_", ["status"]),
        ("roots", ["status"]),
        ("vectors_", ["report"]),
        ("vectors_", ["recluster", "--k", "2"]),
        ("vectors_", ["search", "photos/red/000.jpg"]),
        ("vectors_", ["search", "query.jpg"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.parametrize("harm", ["zeros", "gone"])
def test_a_damaged_data_file(
    typed: Run, own: Path, tmp_path: Path, harm: str, table: str, words: list[str]
) -> None:
    make_photo(tmp_path / "query.jpg", 9)
    for file in _data_files(own, table):
        if harm == "zeros":
            file.write_bytes(bytes(file.stat().st_size))
        else:
            file.unlink()
    _is_refused(typed(*words), 1, "is damaged")


def test_a_locked_library_can_be_read_but_not_written(typed: Run, own: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(own / "lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for words in (
            ["ingest", "photos"],
            ["recluster"],
            ["undo"],
            ["clusters", "rename", "1", "fox"],
        ):
            ran = typed("--wait", "0.1", *words)
            _is_refused(ran, 1, "is being written by another organizer")
            assert "hint: wait" in ran.err
        assert typed("status", "--json").json["images"] == 6
        assert len(typed("clusters", "--json").json["clusters"]) == 3
    finally:
        holder.kill()
        holder.communicate()
    assert typed("ingest", "photos").code == 0


# Clusters ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("k", ["7", "1000000000", "0", "1", "-1", "x", "2.5", "", "AUTO"])
def test_a_k_that_cannot_be(typed: Run, k: str) -> None:
    before = typed("status", "--json").json
    ran = typed("recluster", "--k", k)
    _is_refused(ran, 2, k)
    assert "hint: " in ran.err
    assert typed("status", "--json").json == before


@pytest.mark.usefixtures("own")
def test_a_space_that_is_not_there(typed: Run) -> None:
    _is_refused(typed("recluster", "--reduce", "outer"), 2, "outer")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recluster", "--k-method", "luck"], "luck"),
        (["recluster", "--k", "2:x"], "2:x"),
        (["recluster", "--algorithm", "magic"], "magic"),
        (["clusters", "merge", "1"], "cannot be merged"),
        (["clusters", "merge", "1", "99"], "no cluster 99"),
        (["clusters", "split", "1", "--k", "1"], "cannot be split"),
        (["clusters", "move", "nowhere.jpg", "--to", "1"], "nowhere.jpg"),
        (["clusters", "exclude", "nowhere.jpg", "--in", "1"], "nowhere.jpg"),
        (["clusters", "new", "nowhere.jpg"], "nowhere.jpg"),
        (["clusters", "retire", "99"], "no cluster 99"),
        (["clusters", "pin", "99"], "no cluster 99"),
        (["clusters", "history", "99"], "no cluster ever"),
    ],
)
def test_decisions_that_cannot_be_are_refused(typed: Run, words: list[str], message: str) -> None:
    _is_refused(typed(*words), 2, message)


def test_too_few_images_to_choose_a_number(typed: Run, tmp_path: Path) -> None:
    for i in range(2):
        make_photo(tmp_path / "two" / f"{i}.jpg", i)
    typed("ingest", "two", "--embedder", "channel-mean")
    _is_refused(typed("recluster"), 1, "too few different images")


@pytest.mark.usefixtures("own")
def test_a_cluster_that_is_not_there(typed: Run) -> None:
    for words in (["show", "99"], ["rename", "99", "fox"], ["show", "0"]):
        ran = typed("clusters", *words)
        _is_refused(ran, 2, f"there is no cluster {words[1]}")
        assert "hint: there are: 1, 2, 3" in ran.err


@pytest.mark.usefixtures("own")
def test_names_that_cannot_be(typed: Run) -> None:
    assert typed("clusters", "rename", "1", "fox").code == 0
    _is_refused(typed("clusters", "rename", "2", "fox"), 2, "'fox' already")
    _is_refused(typed("clusters", "rename", "2", "  "), 2, "cannot be called")


@pytest.mark.usefixtures("own")
def test_nothing_to_undo(typed: Run) -> None:
    _is_refused(typed("undo"), 1, "nothing to undo")
    _is_refused(typed("redo"), 1, "nothing to redo")


@pytest.mark.parametrize("harm", ["gone", "zeros", "half"])
def test_a_damaged_journal(typed: Run, own: Path, harm: str) -> None:
    journal = own / "journal.sqlite"
    content = journal.read_bytes()
    if harm == "gone":
        journal.unlink()
    else:
        journal.write_bytes(bytes(len(content)) if harm == "zeros" else content[:5_000])
    for words in (["status"], ["clusters"], ["ingest", "photos"], ["undo"]):
        _is_refused(typed(*words), 1, "is damaged")
    assert journal.exists() == (harm != "gone"), "nothing is made in its place"


def test_no_clusters_yet(typed: Run, photos: Path) -> None:
    typed("ingest", photos, "--embedder", "channel-mean")
    for words in (["clusters"], ["report"], ["clusters", "show", "1"]):
        _is_refused(typed(*words), 1, "there are no clusters yet")
    _is_refused(typed("undo"), 1, "nothing to undo")
    assert "hint: make them: organizer recluster" in typed("report", "--json").err
    _is_refused(typed("clusters", "rename", "1", "fox"), 1, "no clusters yet")


@pytest.mark.usefixtures("own")
def test_an_embedder_that_has_no_vectors_here(typed: Run) -> None:
    _is_refused(typed("recluster", "--embedder", "hog+hsv"), 2, "hog+hsv")
    _is_refused(typed("recluster", "--embedder", "none-such"), 2, "none-such")
    _is_refused(typed("search", "photos/red/000.jpg", "--embedder", "hog+hsv"), 2, "hog+hsv")


# Labels --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has: nothing"),
        (b"where,what\nphotos/red/000.jpg,fox\n", "it has: where, what"),
        (b"path;what\nphotos/red/000.jpg;fox\n", "path and label"),
        (b"path,label\nphotos/red/000.jpg,fo\x00x\n", "is no text"),
        (b"\xff\xfep\x00a\x00t\x00h", "is no text"),
        (b"path,label\n", "no image of the library has a label"),
        (b"path,label\nelsewhere.jpg,fox\n", "no image of the library has a label"),
        (b'path,label\n"' + b"x" * 200_000 + b'",fox\n', "labels.csv"),
    ],
    ids=["empty", "columns", "semicolons", "nul", "utf-16", "no rows", "no match", "huge field"],
)
def test_labels_that_cannot_be_read(
    typed: Run, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    _is_refused(typed("report", "--labels", "labels.csv"), 2, message)


@pytest.mark.usefixtures("own")
def test_labels_that_are_not_there(typed: Run) -> None:
    for name in ("lost.csv", "photos"):
        ran = typed("report", "--labels", name)
        _is_refused(ran, 2, f"cannot read the labels {name}")
        assert "the word folders" in ran.err


# Search --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("command", ["search", "browse"])
def test_what_cannot_be_searched_for(typed: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "text.txt").write_text("not a picture")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    _is_refused(typed(command, "lost.jpg"), 2, "lost.jpg")
    _is_refused(typed(command, "text.txt"), 2, "cannot be searched for")
    _is_refused(typed(command, "torn.jpg"), 2, "cannot be searched for")
    _is_refused(typed(command, "photos"), 2, "is a folder")


def test_a_library_without_images_cannot_be_searched(typed: Run, tmp_path: Path) -> None:
    Library.open_or_create(tmp_path, Settings()).close()
    make_photo(tmp_path / "query.jpg", 1)
    _is_refused(typed("search", "query.jpg"), 2, "no images in this library")
    _is_refused(typed("recluster"), 2, "no images in this library")


# Debug ---------------------------------------------------------------------------------------


def test_debug_shows_the_traceback(run: Run) -> None:
    ran = run("status", "--debug")
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback (most recent call last)" in ran.err
    assert "StoreError" in ran.err


def test_without_debug_there_is_no_traceback(run: Run) -> None:
    _is_refused(run("status"), 1, "there is no library")


@pytest.mark.usefixtures("own")
def test_debug_shows_the_traceback_of_wrong_use_too(typed: Run) -> None:
    ran = typed("clusters", "show", "99", "--debug")
    assert "SettingsError" in ran.err
    assert ran.err.startswith("Traceback")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("ingest", ""), "'PATH'"),
        (("ingest", "photos", ""), "'PATH'"),
        (("status", "--library", ""), "'--library'"),
        (("arrange", "--to", ""), "'--to'"),
        (("arrange", "--to="), "'--to'"),
        (("arrange", "--read-back", ""), "'--read-back'"),
        (("clusters", "suggest-names", "--labels", ""), "'--labels'"),
    ],
)
def test_an_empty_path_is_not_taken_for_the_current_folder(
    own: Path, typed: Run, words: tuple[str, ...], option: str
) -> None:
    before = sorted(own.parent.rglob("*"))
    ran = typed(*words)
    assert ran.code == 2
    assert option in ran.err
    assert "the path is empty" in ran.err
    assert sorted(own.parent.rglob("*")) == before


def test_the_current_folder_is_named_by_a_dot(own: Path, typed: Run) -> None:
    assert own.is_dir()
    assert typed("status", "--library", ".").code == 0
    assert typed("recluster", "--k", "2", "--library", ".", "--center", "").code == 2
