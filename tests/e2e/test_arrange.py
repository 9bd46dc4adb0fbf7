"""``organizer arrange`` as typed: what it prints, what it refuses, which exit code it gives."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from organizer.arrange import Disk
from organizer.library import Library
from organizer.settings import Settings
from tests.arranged import EACH, cluster_at, home, made, names_in
from tests.conftest import Run
from tests.typed import in_this_process

__all__ = ["home", "made"]

ALL = 3 * EACH


@pytest.fixture
def typed(home: Path) -> Run:
    """The program as typed beside a library of 18 clustered photos."""
    return partial(in_this_process, home)


def test_arranged_folders_are_edited_and_read_back(typed: Run, home: Path) -> None:
    ran = typed("arrange", "--to", "sorted")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, f"{ALL} files: {ALL} linked")
    folders = sorted(path.name for path in (home / "sorted").iterdir())
    assert folders == ["cluster 1", "cluster 2", "cluster 3"]
    assert typed("arrange", "--to", "sorted").out == f"{ALL} files: 0 linked, {ALL} already there\n"
    (home / "sorted" / "cluster 1").rename(home / "sorted" / "fox")
    (home / "sorted" / "fox" / "000.jpg").rename(home / "sorted" / "cluster 2" / "f.jpg")
    decisions = [
        "rename cluster 1 to 'fox'",
        "move 1 image from cluster 1 to cluster 2",
    ]
    ran = typed("arrange", "--read-back", "sorted", "--dry-run")
    assert (ran.code, ran.out.splitlines()) == (0, decisions)
    ran = typed("arrange", "--read-back", "sorted")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert typed("clusters", "--json").json["clusters"][0]["name"] is None
    ran = typed("arrange", "--read-back", "sorted", "--yes", "--json")
    assert ran.json["renamed"] == [{"cluster_id": 1, "name": None, "to": "fox"}]
    assert (ran.json["said"], ran.json["moved"][0]["images"]) == (True, 1)
    assert typed("arrange", "--read-back", "sorted", "--yes").out == "nothing changed\n"
    ran = typed("arrange", "--undo")
    assert ran.code == 0
    assert ran.out.endswith(f"{ALL} undone\n")
    assert not (home / "sorted").exists()


def test_a_move_is_planned_and_applied(typed: Run, home: Path) -> None:
    ran = typed("arrange", "--to", "sorted", "--mode", "move")
    assert (ran.code, "--plan" in ran.err) == (2, True)
    ran = typed("arrange", "--to", "sorted", "--mode", "move", "--plan", "plan.csv")
    assert ran.out == f"{ALL} files: {ALL} to be moved\n"
    assert "organizer arrange --apply plan.csv" in ran.err
    (home / "photos" / "red" / "000.jpg").write_bytes(b"changed since")
    (home / "photos" / "red" / "001.jpg").unlink()
    ran = typed("arrange", "--apply", "plan.csv")
    assert ran.code == 3
    accounts = ran.out.splitlines()[-1]
    assert accounts.startswith(f"{ALL} files: {ALL - 2} moved, ")
    assert "1 missing" in accounts
    assert "1 changed since the plan" in accounts
    assert (home / "photos" / "red" / "000.jpg").read_bytes() == b"changed since"
    ran = typed("arrange", "--undo", "--json")
    assert (ran.code, ran.json["undone"]) == (0, ALL - 2)
    assert len(names_in(home / "photos")) == ALL - 1


def _refusing(name: str, times: int) -> Callable[[Disk, str, str], None]:
    """A `Disk.rename` that does not give one file its former name, for so many times."""
    rename, left = Disk.rename, [OSError(errno.EIO, os.strerror(errno.EIO))] * times

    def refusing(disk: Disk, path: str, to: str) -> None:
        if to.endswith(name) and left:
            raise left.pop()
        rename(disk, path, to)

    return refusing


@pytest.fixture
def moved_twice(typed: Run, home: Path) -> Path:
    """Photos that were moved, and linked by another arrangement before it."""
    for words in (
        ("--to", "linked"),
        ("--to", "moved", "--mode", "move", "--plan", "plan.csv"),
        ("--apply", "plan.csv"),
    ):
        assert typed("arrange", *words).code == 0
    return home


def test_a_file_that_the_disk_refused_is_taken_back_by_the_next_undo(
    moved_twice: Path, typed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "rename", _refusing("red/000.jpg", 1))
    ran = typed("arrange", "--undo")
    assert (ran.code, f"{ALL - 1} undone, 1 failed" in ran.out) == (3, True)
    assert ran.err.endswith("to try again what failed: organizer arrange --undo\n")
    assert not (moved_twice / "photos/red/000.jpg").exists()
    ran = typed("arrange", "--undo")
    assert (ran.code, ran.out.endswith(f"{ALL} undone\n")) == (0, True)
    assert (moved_twice / "photos/red/000.jpg").exists()
    assert not (moved_twice / "moved").exists()
    assert names_in(moved_twice / "linked"), "the arrangement before it is there"
    assert typed("status", "--json").json["missing"] == 0


def test_it_is_taken_back_also_where_a_later_arrangement_was_undone_before(
    typed: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for to in ("first", "second"):
        assert typed("arrange", "--to", to).code == 0
    assert typed("arrange", "--undo").code == 0
    remove, left = Disk.remove, [OSError(errno.EIO, os.strerror(errno.EIO))]

    def refusing(disk: Disk, path: str) -> None:
        if left:
            raise left.pop()
        remove(disk, path)

    monkeypatch.setattr(Disk, "remove", refusing)
    assert typed("arrange", "--undo").code == 3
    assert len(names_in(home / "first")) == 1
    assert typed("arrange", "--undo").code == 0
    assert not (home / "first").exists()
    assert typed("arrange", "--undo").code == 2


def test_what_the_disk_refuses_for_good_does_not_keep_the_undo_from_the_one_before(
    moved_twice: Path, typed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "rename", _refusing("red/000.jpg", 9))
    assert typed("arrange", "--undo").code == 3
    ran = typed("arrange", "--undo")
    assert f"{ALL - 1} undone, 1 kept, the last copy of a photo" in ran.out
    assert len(names_in(moved_twice / "linked")) == 1
    assert len(names_in(moved_twice / "moved")) == 1, "it is where the library knows it to be"
    assert typed("status", "--json").json["missing"] == 0
    monkeypatch.undo()
    assert typed("arrange", "--undo").code == 0
    assert (moved_twice / "photos/red/000.jpg").exists()


def test_an_interrupted_arrangement_is_reported_with_how_to_continue(
    typed: Run, home: Path
) -> None:
    from organizer.library.folders.options import ArrangeOptions

    with Library.open(home, Settings()) as library:
        asked = iter([False] * 5)
        library.folders.arrange(ArrangeOptions(home / "sorted"), stop=lambda: next(asked, True))
    for message in (typed("status").err, typed("arrange", "--to", "other").err):
        assert "interrupted" in message
        assert "--resume" in message
        assert "--undo" in message
    assert typed("status", "--json").json["unfinished_arrangement"] == str(home / "sorted")
    ran = typed("arrange", "--resume")
    assert (ran.code, ran.out) == (0, f"{ALL} files: {ALL} linked\n")
    assert typed("status", "--json").json["unfinished_arrangement"] is None


def test_an_arranged_folder_is_brought_up_to_date(typed: Run, home: Path) -> None:
    typed("arrange", "--to", "sorted")
    assert typed("clusters", "rename", "1", "fox").code == 0
    (home / "sorted" / "mine.txt").write_text("mine")
    shown = typed("arrange", "--update", "sorted", "--dry-run")
    assert shown.out.splitlines() == [
        f"cluster 1 -> fox: {EACH} files",
        "1 other file in the folder, left as it is",
        f"{ALL} files: {EACH} to be put into another folder, {ALL - EACH} already there",
    ]
    asked = typed("arrange", "--update", "sorted")
    assert (asked.code, "add --yes" in asked.err) == (2, True)
    as_json = typed("arrange", "--update", "sorted", "--json")
    assert (as_json.code, as_json.json["relocated"]) == (2, EACH), "one JSON value, and why"
    assert "add --yes" in as_json.err
    assert not (home / "sorted" / "fox").exists()
    ran = typed("arrange", "--update", "sorted", "--yes")
    assert f"{EACH} put into another folder" in ran.out
    assert "to take it back: organizer arrange --undo" in ran.err
    assert typed("arrange", "--update", "sorted").code == 0, "there is nothing to ask"
    undone = typed("arrange", "--undo")
    assert undone.out.startswith(f"{EACH} files of the update in sorted on ")
    assert (home / "sorted" / "cluster 1").is_dir()
    (home / "sorted" / "cluster 1" / "000.jpg").rename(home / "sorted" / "cluster 2" / "x.jpg")
    refused = typed("arrange", "--update", "sorted", "--yes")
    assert (refused.code, "organizer arrange --read-back sorted" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "--to"),
        ("--to a --undo", "two actions"),
        ("--undo --mode copy", "--mode"),
        ("--to a --mode hardlink", "hardlink"),
        ("--to a --by species", "species"),
        ("--to a --by name --template {stem}", "--template"),
        ("--to a --dry-run", "--read-back"),
        ("--undo --yes", "--yes"),
        ("--to photos", "was ingested"),
        ("--update nowhere", "nothing is arranged"),
        ("--update a --mode copy", "--mode"),
        ("--to a --template {cluster_nam}/{stem}", "cluster_name"),
        ("--apply nowhere.csv", "nowhere.csv"),
        ("--read-back nowhere", "nothing is arranged"),
        ("--resume", "nothing is arranged"),
        ("--undo", "there is no arrangement to take back"),
        ("--to .organizer", "inside the library"),
    ],
)
def test_wrong_use_is_an_error_and_a_hint(typed: Run, words: str, message: str) -> None:
    ran = typed("arrange", *words.split())
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("answer", "kept"), [("y", True), pytest.param("n", False, marks=pytest.mark.slow)]
)
def test_on_a_terminal_the_user_is_asked(
    typed: Run, home: Path, answer: str, *, kept: bool
) -> None:
    typed("arrange", "--to", "sorted")
    (home / "sorted" / "cluster 1").rename(home / "sorted" / "fox")
    master, slave = pty.openpty()
    os.write(master, f"{answer}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "organizer", "arrange", "--read-back", "sorted"],
        cwd=home,
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(master)
    os.close(slave)
    assert (done.returncode, "rename cluster 1 to 'fox'" in done.stdout) == (0, True)
    assert "apply these decisions?" in done.stderr
    with Library.open(home, Settings()) as library:
        assert (library.clusters.name_of(1) == "fox") is kept
        assert cluster_at(library, "photos/red/000.jpg") > 0
