"""``organizer review`` as typed: on a terminal, through a spreadsheet, in a pipe."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Ran, Run, make_groups
from tests.typed import in_this_process

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 photos in three clusters, the first of which has a name."""
    home = tmp_path_factory.mktemp("reviewed")
    make_groups(home / "photos")
    shutil.copy(home / "photos" / "red" / "000.jpg", home / "photos" / "red" / "copy.jpg")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        library.corrections.rename(1, "F\u00fcchse; rot")
    return home


@pytest.fixture
def home(reviewed: Path, tmp_path: Path) -> Path:
    """A copy of it in `tmp_path`."""
    shutil.copytree(reviewed, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def typed(home: Path) -> Run:
    return partial(in_this_process, home)


def rows_of(file: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


def fill(
    file: Path,
    answer: Callable[[int], str],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8-sig",
    end: str = "\r\n",
    first: str = "",
) -> None:
    """Answer the lines, and save them as another program does."""
    rows = rows_of(file)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    for place, row in enumerate(rows):
        writer.writerow(row | {"belongs": answer(place)})
    file.write_bytes((first + text.getvalue()).encode(encoding))


def is_an_error(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ["error", "hint"]
    for word in words:
        assert word in ran.err, ran.err


# Through a spreadsheet -----------------------------------------------------------------------


def test_a_sample_goes_out_and_comes_back(typed: Run, home: Path) -> None:
    ran = typed("review", "--sample", 12, "--out", "review.csv")
    assert (ran.code, ran.out) == (0, "12 images in review.csv\n")
    rows = rows_of(home / "review.csv")
    assert len(rows) == 12
    assert {row["belongs"] for row in rows} == {""}
    assert {row["drawn"] for row in rows} == {"random"}
    for row in rows:
        assert Path(row["path"]).is_file()
        assert all(Path(path).is_file() for path in row["typical"].split(" | "))
        assert row["cluster_name"] == ("F\u00fcchse; rot" if row["cluster_id"] == "1" else "")
    fill(home / "review.csv", lambda place: ["y", "n", ""][place % 3])
    ran = typed("review", "--in", "review.csv", "--json")
    assert ran.code == 0
    assert ran.json["read"] == {
        "new": 8,
        "known": 0,
        "blank": 4,
        "elsewhere": 0,
        "differing": 0,
        "left_out": [],
    }
    assert (ran.json["wrong"], ran.json["corrected"]) == (4, 0)
    found = ran.json["audit"]
    assert (found["purity"]["answered"], found["purity"]["right"]) == (8, 4)
    assert 0 < found["purity"]["low"] < found["purity"]["share"] < found["purity"]["high"] < 1
    assert sum(row["answered"] for row in found["per_cluster"]) == 8
    # The same file again holds nothing new.
    again = typed("review", "--in", "review.csv", "--json").json
    assert again["read"] == {
        "new": 0,
        "known": 8,
        "blank": 4,
        "elsewhere": 0,
        "differing": 0,
        "left_out": [],
    }
    assert again["audit"] == found == typed("review", "--json").json["audit"]


def test_the_sample_is_that_of_its_seed(typed: Run, home: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert typed("review", "--sample", 9, "--seed", seed, "--out", f"{name}.csv").code == 0
    a, b, c = ((home / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    "saved",
    [
        {"delimiter": ";", "encoding": "utf-8-sig"},
        {"delimiter": ";", "encoding": "cp1252"},
        {"delimiter": "\t", "encoding": "utf-16"},
        {"delimiter": ";", "encoding": "utf-8-sig", "first": "sep=;\r\n"},
        {"end": "\n", "encoding": "utf-8"},
        {"end": "\r", "encoding": "utf-8"},
    ],
    ids=["german", "german-ansi", "unicode-text", "sep", "unix", "old-mac"],
)
def test_what_other_programs_save_is_read(typed: Run, home: Path, saved: dict[str, str]) -> None:
    typed("review", "--sample", 10, "--out", "review.csv")
    words = ["ja", "WAHR", "1", "Yes", "true", "nein", "FALSCH", "0", "1.0", "N"]
    fill(home / "review.csv", lambda place: words[place], **saved)
    ran = typed("review", "--in", "review.csv", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["read"]["new"] == 10
    assert ran.json["audit"]["purity"]["right"] == 6


def test_columns_may_move_and_lines_go_and_numbers_change_their_form(
    typed: Run, home: Path
) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    rows = rows_of(home / "review.csv")[1:]
    lines = ["Belongs,cluster_id,drawn,IMAGE_ID"]
    lines += [f"y,{row['cluster_id']}.0,random,{row['image_id'].upper()}" for row in rows]
    (home / "review.csv").write_text("\n".join([*lines, "", ",,,"]) + "\n")
    ran = typed("review", "--in", "review.csv", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["read"] == {
        "new": 5,
        "known": 0,
        "blank": 0,
        "elsewhere": 0,
        "differing": 0,
        "left_out": [],
    }


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("belongs", "maybe", ["line 4", "'maybe'", "y, yes, 1"]),
        ("cluster_id", "fox", ["line 4", "cluster_id", "'fox'"]),
        ("cluster_id", "99", ["line 4", "cluster_id", "'99'"]),
        ("drawn", "", ["line 4", "drawn"]),
        ("image_id", "0" * 32, ["line 4", "there is no image"]),
    ],
)
def test_a_line_that_cannot_be_is_named_and_the_others_are_taken(
    typed: Run, home: Path, column: str, value: str, words: list[str]
) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda _: "y")
    rows = rows_of(home / "review.csv")
    rows[2][column] = value
    with (home / "review.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    ran = typed("review", "--in", "review.csv")
    assert ran.code == 0
    assert "5 answers read" in ran.out
    assert all(word in ran.err for word in ["1 line was left out", *words])
    assert typed("review", "--json").json["audit"]["purity"]["answered"] == 5


def test_an_id_that_a_spreadsheet_rounded_is_found_by_its_path(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda place: "ny"[place > 0])
    file = home / "review.csv"
    rows = rows_of(file)
    image_id, cluster_id = rows[0]["image_id"], rows[0]["cluster_id"]
    text = file.read_text(encoding="utf-8-sig").replace(image_id, '"1,2E+30"')
    folder, name = rows[1]["path"].rsplit("/", 1)
    file.write_text(text.replace(rows[1]["image_id"], "").replace(f"{folder}/{name}", name))
    read = typed("review", "--in", "review.csv", "--json").json
    # Each colour has a photo of that name: it is none of them.
    assert (read["read"]["new"], read["wrong"]) == (5, 1)
    (left,) = read["read"]["left_out"]
    assert (left["line"], left["why"]) == (
        3, f"{name} fits several photos; write its folder too"
    )  # fmt: skip
    typed("review", "--correct")
    shown = typed("clusters", "show", cluster_id, "--json").json["images"]
    assert image_id not in {row["image_id"] for row in shown}


def test_a_table_of_which_nothing_can_be_read_is_refused(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda _: "maybe")
    is_an_error(
        typed("review", "--in", "review.csv"), 2, "line 2: 'maybe'", "and 5 more lines like it"
    )
    assert typed("review", "--json").json["audit"] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["no column image_id"]),
        (b"path,label\na.jpg,fox\n", ["no column image_id, cluster_id, drawn, belongs"]),
        (b'image_id,cluster_id,drawn,belongs\n"a' + b"x" * 200_000, ["not CSV"]),
        (b"\xff\xfe\x00", ["no text"]),
    ],
    ids=["empty", "other", "quote", "broken"],
)
def test_a_file_that_is_no_review_is_refused(
    typed: Run, home: Path, content: bytes, words: list[str]
) -> None:
    (home / "review.csv").write_bytes(content)
    is_an_error(typed("review", "--in", "review.csv"), 2, *words)


def test_a_file_is_never_written_over_unasked(typed: Run, home: Path) -> None:
    (home / "review.csv").write_text("mine")
    is_an_error(typed("review", "--sample", 6, "--out", "review.csv"), 2, "is there already")
    assert (home / "review.csv").read_text() == "mine"
    assert typed("review", "--sample", 6, "--out", "review.csv", "--force").code == 0
    assert len(rows_of(home / "review.csv")) == 6
    is_an_error(typed("review", "--out", "no/such/folder.csv"), 2, "there is no folder")
    is_an_error(typed("review", "--in", "no-such.csv"), 2, "cannot read")
    is_an_error(typed("review", "--in", "photos"), 2, "cannot read")


def test_an_answer_about_an_image_that_left_is_kept_and_not_counted(typed: Run, home: Path) -> None:
    typed("review", "--sample", 9, "--out", "review.csv")
    fill(home / "review.csv", lambda _: "y")
    gone = rows_of(home / "review.csv")[0]
    other = "2" if gone["cluster_id"] == "1" else "1"
    assert typed("clusters", "move", gone["path"], "--to", other).code == 0
    ran = typed("review", "--in", "review.csv")
    assert "1 answer kept but not counted: the image left that cluster" in ran.err
    assert typed("review", "--json").json["audit"]["purity"]["answered"] == 8
    assert "review" in typed("undo").err, "the answers came last"
    typed("undo", "--step")
    assert typed("review", "--json").json["audit"]["purity"]["answered"] == 9


def test_a_correction_holds_through_a_recluster(typed: Run, home: Path) -> None:
    typed("review", "--sample", 12, "--out", "review.csv")
    fill(home / "review.csv", lambda place: "n" if place < 2 else "y")
    ran = typed("review", "--in", "review.csv")
    assert "2 images do not belong to their clusters, by your answers" in ran.err
    assert "organizer review --correct" in ran.err
    ran = typed("review", "--correct", "--json")
    assert (ran.code, ran.json["corrected"], ran.json["wrong"]) == (0, 2, 0)
    # 12 of 24 were seen, two were wrong: as many may be among the other twelve.
    assert ran.json["audit"]["purity"]["share"] == pytest.approx(20 / 22, abs=0.01)
    assert ran.json["audit"]["purity"]["high"] < 1
    excluded = {row["image_id"]: row["cluster_id"] for row in rows_of(home / "review.csv")[:2]}
    typed("recluster", "--k", 3)
    for image_id, cluster_id in excluded.items():
        shown = typed("clusters", "show", cluster_id, "--json").json["images"]
        assert image_id not in {row["image_id"] for row in shown}


def test_an_unclosed_quote_swallows_no_answers(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda _: "y", end="\n")
    lines = (home / "review.csv").read_text().splitlines()
    broken = [line.removesuffix("y") + '"y' if i == 2 else line for i, line in enumerate(lines)]
    (home / "review.csv").write_text("\n".join(broken) + "\n")
    is_an_error(typed("review", "--in", "review.csv"), 2, "line 3 is not CSV")
    closed = [line + '"' if i == 5 else line for i, line in enumerate(broken)]
    (home / "review.csv").write_text("\n".join(closed) + "\n")
    is_an_error(typed("review", "--in", "review.csv"), 2, "line 3: the column belongs holds")
    # The same in a column that may hold a line break.
    cells = [line.split(",") for line in lines]
    cells[2][1], cells[4][1] = f'"{cells[2][1]}', f'{cells[4][1]}"'
    (home / "review.csv").write_text("\n".join(",".join(row) for row in cells) + "\n")
    is_an_error(typed("review", "--in", "review.csv"), 2, "line 3: the column path holds")
    assert typed("review", "--json").json["audit"] is None


def test_an_old_table_does_not_replace_later_answers(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "yes.csv")
    shutil.copy(home / "yes.csv", home / "no.csv")
    fill(home / "yes.csv", lambda _: "y")
    fill(home / "no.csv", lambda place: "n" if place < 2 else "")
    assert typed("review", "--in", "yes.csv", "--json").json["read"]["new"] == 6
    ran = typed("review", "--in", "no.csv")
    assert "2 answers not read: you answered otherwise after the table was written" in ran.err
    assert typed("review", "--json").json["wrong"] == 0
    read = typed("review", "--in", "no.csv", "--force", "--json").json
    assert (read["read"]["new"], read["read"]["differing"], read["wrong"]) == (2, 0, 2)
    read = typed("review", "--in", "yes.csv", "--json").json
    assert (read["read"]["new"], read["read"]["differing"], read["wrong"]) == (0, 2, 2)


def test_a_later_table_replaces_earlier_answers(typed: Run, home: Path) -> None:
    strays = sorted((home / "photos" / "red").glob("00[12].jpg"))
    blue = _cluster_of(typed, home / "photos" / "blue" / "000.jpg")
    typed("clusters", "move", *strays, "--to", blue)
    typed("review", "--doubtful", 5, "--out", "doubt.csv")
    fill(home / "doubt.csv", lambda _: "n")
    assert typed("review", "--in", "doubt.csv", "--json").json["wrong"] == 2
    typed("review", "--sample", 99, "--out", "sample.csv")
    # Answers about doubtful images are none about the random sample.
    assert {row["belongs"] for row in rows_of(home / "sample.csv")} == {""}
    assert typed("review", "--in", "sample.csv", "--json").json["audit"] is None
    fill(home / "sample.csv", lambda _: "y")
    ran = typed("review", "--in", "sample.csv", "--json")
    assert (ran.json["read"]["differing"], ran.json["wrong"]) == (0, 0)


def test_two_lines_that_contradict_each_other_are_both_left_out(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda _: "y", end="\n")
    lines = (home / "review.csv").read_text(encoding="utf-8-sig").splitlines()
    lines.append(lines[2].removesuffix("y") + "n")
    (home / "review.csv").write_text("\n".join(lines) + "\n")
    ran = typed("review", "--in", "review.csv")
    assert "5 answers read" in ran.out
    assert "2 lines were left out" in ran.err
    assert "lines 3 and 8 contradict each other" in ran.err


def test_a_table_with_answers_that_were_not_read_in_is_kept(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda place: "y" if place < 4 else "")
    again = ("review", "--sample", 6, "--out", "review.csv", "--force")
    is_an_error(typed(*again), 2, "holds 4 answers that were not read in", "--in review.csv")
    assert [row["belongs"] for row in rows_of(home / "review.csv")].count("y") == 4
    typed("review", "--in", "review.csv")
    assert typed(*again).code == 0
    assert {row["belongs"] for row in rows_of(home / "review.csv")} == {""}
    # An answer that cannot be parsed is not lost either.
    fill(home / "review.csv", lambda place: "maybe" if place == 0 else "")
    is_an_error(typed(*again), 2, "holds an answer that was not read in")


def test_force_spares_photos_and_the_library_and_what_a_full_disk_leaves(
    typed: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = home / "photos" / "red" / "000.jpg"
    inside = next(iter(home.glob("*/library.json")))
    for target in (photo, inside):
        before = target.read_bytes()
        ran = typed("review", "--sample", 6, "--out", target, "--force")
        is_an_error(ran, 2, "--out")
        assert target.read_bytes() == before
    (home / "review.csv").write_text("mine")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        ran = typed("review", "--sample", 6, "--out", "review.csv", "--force")
    is_an_error(ran, 2, "No space left", "--out")
    assert (home / "review.csv").read_text() == "mine"


def test_a_name_is_no_formula(typed: Run, home: Path) -> None:
    assert typed("clusters", "rename", 2, '=HYPERLINK("http://x")').code == 0
    typed("review", "--sample", 12, "--out", "review.csv")
    names = {row["cluster_id"]: row["cluster_name"] for row in rows_of(home / "review.csv")}
    assert names["2"] == '\'=HYPERLINK("http://x")'
    fill(home / "review.csv", lambda _: "y")
    assert typed("review", "--in", "review.csv", "--json").json["read"]["new"] == 12


def test_missing_files_are_left_out_and_counted(typed: Run, home: Path) -> None:
    (home / "photos" / "blue" / "000.jpg").unlink()
    typed("ingest", "photos")
    ran = typed("review", "--sample", 99, "--json")
    assert len(ran.json["images"]) == 23
    assert "1 image left out: the files are missing" in ran.err


def test_one_line_is_blank(typed: Run, home: Path) -> None:
    typed("review", "--sample", 6, "--out", "review.csv")
    fill(home / "review.csv", lambda place: "" if place == 0 else "y")
    ran = typed("review", "--in", "review.csv")
    assert "5 answers read; 1 line blank" in ran.out
    assert "purity by your answers 1.000" in ran.out


def test_a_merge_reopens_answers(typed: Run, home: Path) -> None:
    typed("review", "--sample", 12, "--out", "review.csv")
    fill(home / "review.csv", lambda place: "n" if place == 0 else "y")
    typed("review", "--in", "review.csv")
    assert typed("clusters", "merge", 1, 2, 3).code == 0
    ran = typed("review", "--correct")
    assert "your answers exclude 1 image from a cluster that was merged since" in ran.err
    found = typed("review", "--json").json
    assert (found["reopened"], found["wrong"], found["audit"]["purity"]["right"]) == (1, 0, 11)


def test_doubtful_images_go_the_same_way_and_do_not_count(typed: Run, home: Path) -> None:
    strays = sorted((home / "photos" / "red").glob("00[12].jpg"))
    blue = _cluster_of(typed, home / "photos" / "blue" / "000.jpg")
    assert typed("clusters", "move", *strays, "--to", blue).code == 0
    ran = typed("review", "--doubtful", 5, "--json")
    assert [Path(row["path"]) for row in ran.json["images"]] == strays
    red = _cluster_of(typed, home / "photos" / "red" / "005.jpg")
    assert {row["other_id"] for row in ran.json["images"]} == {red}
    shown = typed("review", "--doubtful", 5)
    for row in ran.json["images"]:
        assert 0.6 <= row["disagreeing"] <= 1
        assert f"{row['disagreeing']:.0%}" in shown.out
    typed("review", "--doubtful", 5, "--out", "doubt.csv")
    assert {row["drawn"] for row in rows_of(home / "doubt.csv")} == {"doubtful"}
    fill(home / "doubt.csv", lambda _: "n")
    ran = typed("review", "--in", "doubt.csv", "--correct", "--json")
    assert (ran.json["audit"], ran.json["corrected"]) == (None, 2)
    assert typed("review", "--doubtful", 5, "--json").json == {"images": []}


def _cluster_of(typed: Run, photo: Path) -> int:
    for row in typed("clusters", "--json").json["clusters"]:
        shown = typed("clusters", "show", row["cluster_id"], "--json").json["images"]
        if str(photo) in {image["path"] for image in shown}:
            return int(row["cluster_id"])
    raise AssertionError(photo)


# In a pipe -----------------------------------------------------------------------------------


def test_in_a_pipe_the_images_are_listed(typed: Run) -> None:
    ran = typed("review", "--sample", 6)
    assert ran.code == 0
    assert ran.out.count(".jpg") == 12
    assert "--out review.csv" in ran.err
    listed = typed("review", "--sample", 6, "--json").json["images"]
    assert len(listed) == 6
    assert typed("review", "--sample", 6, "--json").json["images"] == listed


def test_identical_files_are_one_image(typed: Run) -> None:
    images = typed("review", "--sample", 1_000, "--json").json["images"]
    assert len(images) == len({image["image_id"] for image in images}) == 24


def test_when_all_are_answered_no_image_is_left(typed: Run, home: Path) -> None:
    typed("review", "--sample", 1_000, "--out", "all.csv")
    fill(home / "all.csv", lambda place: "n" if place == 0 else "y")
    found = typed("review", "--in", "all.csv", "--json").json["audit"]["purity"]
    assert found["low"] == found["share"] == found["high"] == pytest.approx(23 / 24)
    ran = typed("review", "--sample", 5)
    assert (ran.code, ran.out) == (0, "")
    assert "no image is left to look at" in ran.err
    ran = typed("review", "--sample", 5, "--out", "none.csv")
    assert (ran.code, rows_of(home / "none.csv")) == (0, [])
    assert typed("review", "--in", "none.csv").code == 0


def test_without_an_answer_the_purity_is_not_known(typed: Run) -> None:
    ran = typed("review")
    assert (ran.code, ran.out) == (0, "")
    assert "organizer review --sample 200" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--sample 5 --doubtful 5", "two reviews"),
        ("--in a.csv --sample 5", "--in reads answers"),
        ("--in a.csv --cluster 1", "--in reads answers"),
        ("--force", "--force belongs to --out"),
        ("--sample 5 --correct", "nobody can be asked"),
        ("--sample 5 --cluster 99", "there is no cluster 99"),
    ],
)
def test_wrong_use_is_an_error_and_a_hint(typed: Run, words: str, message: str) -> None:
    is_an_error(typed("review", *words.split()), 2, message)


def test_without_a_clustering(tmp_path: Path) -> None:
    make_groups(tmp_path / "photos", each=1)
    typed = partial(in_this_process, tmp_path)
    is_an_error(typed("review"), 1, "no library")
    typed("ingest", "photos", "--embedder", "channel-mean")
    for words in ("--sample 5", "--doubtful 5", "--correct", "--sample 5 --out a.csv"):
        is_an_error(typed("review", *words.split()), 1, "no clusters yet")
    (tmp_path / "a.csv").write_text("image_id,cluster_id,drawn,belongs\n")
    is_an_error(typed("review", "--in", "a.csv"), 1, "no clusters yet")
    assert typed("review", "--json").json["audit"] is None


# On a terminal -------------------------------------------------------------------------------


class AtTerminal:
    """The program with a person in front of it: stdin and stderr are a terminal of its own."""

    def __init__(self, *words: object, cwd: Path) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "organizer", *map(str, words)],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm"},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
        )
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Read until a text was shown; what came before it."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self._master], [], [], 0.2)[0]:
                self.seen += os.read(self._master, 65_536).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, *lines: str) -> None:
        for line in lines:
            self.wait_for("[y/n/s/o/m/b/q] ")
            os.write(self._master, f"{line}\n".encode())

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout, and what was shown since."""
        shown = self.seen
        limit = time.monotonic() + 60
        while True:
            assert time.monotonic() < limit, shown
            if not select.select([self._master], [], [], 0.2)[0]:
                continue
            try:
                got = os.read(self._master, 65_536)
            except OSError:  # Linux says so when the last writer has closed the terminal
                break
            if not got:
                break
            shown += got.decode()
        return self.close(), self._out, shown

    def close(self) -> int:
        """Wait for the end; whatever became of the test, nothing is left open."""
        assert self.process.stdout is not None
        if not self.process.stdout.closed:
            self._out = self.process.stdout.read().decode()
            self.process.stdout.close()
            os.close(self._master)
        return self.process.wait(60)


Sit = Callable[..., AtTerminal]


@pytest.fixture
def sit(home: Path) -> Iterator[Sit]:
    """A person at a terminal: ``sit("review", "--sample", 10)``."""
    people: list[AtTerminal] = []

    def begin(*words: object) -> AtTerminal:
        people.append(AtTerminal(*words, cwd=home))
        return people[-1]

    yield begin
    for person in people:
        person.process.kill()
        person.close()


def test_a_person_answers_goes_back_skips_opens_and_quits(typed: Run, sit: Sit, home: Path) -> None:
    opened = home / "opened.txt"
    script = home / "viewer.sh"
    script.write_text(f'#!/bin/sh\necho "$1" >> {shlex.quote(str(opened))}\n')
    script.chmod(0o755)
    wanted = typed("review", "--sample", 10, "--json").json["images"]
    person = sit("review", "--sample", 10, "--viewer", script)
    before = person.wait_for("[y/n/s/o/m/b/q] ")
    assert f"1/10  {Path(wanted[0]['path']).relative_to(home)}" in before
    assert f"cluster {wanted[0]['cluster_id']}" in before
    assert f"typical: {Path(wanted[0]['typical'][0]).relative_to(home)}" in before
    assert "b: back" in before
    os.write(person._master, b"o\n")
    person.type("m", "what?", "y", "s", "n", "b", "y", "q")
    code, out, shown = person.end()
    assert code == 0, shown
    assert "your answers are kept" in shown
    assert "2 images that you looked at belong" in out or "2 of 2 images" in out
    assert opened.read_text().splitlines() == [wanted[0]["path"], wanted[0]["typical"][0]]
    # The third was answered no, then yes; the second was skipped and is asked first again.
    left = typed("review", "--sample", 10, "--json").json["images"]
    answered = {wanted[0]["image_id"], wanted[2]["image_id"]}
    assert not answered & {image["image_id"] for image in left}
    assert wanted[1]["image_id"] in {image["image_id"] for image in left}


def test_an_answer_about_a_doubtful_image_counts_when_it_is_confirmed(
    typed: Run, sit: Sit, home: Path
) -> None:
    strays = sorted((home / "photos" / "red").glob("00[12].jpg"))
    blue = _cluster_of(typed, home / "photos" / "blue" / "000.jpg")
    typed("clusters", "move", *strays, "--to", blue)
    typed("review", "--doubtful", 5, "--out", "doubt.csv")
    fill(home / "doubt.csv", lambda _: "n")
    typed("review", "--in", "doubt.csv")
    person = sit("review", "--sample", 99)
    person.type("q")
    assert person.end()[0] == 0
    assert typed("review", "--json").json["audit"] is None
    wanted = typed("review", "--sample", 99, "--json").json["images"]
    place = next(i for i, image in enumerate(wanted) if image["belongs"] is False)
    person = sit("review", "--sample", 99)
    person.type(*["y"] * place)
    before = person.wait_for("[y/n/s/o/m/b/q] ")
    assert "you answered n; Enter keeps it" in before
    os.write(person._master, b"\n")
    person.type("b")
    assert "you answered n; Enter keeps it" in person.wait_for("[y/n/s/o/m/b/q] ")
    os.write(person._master, b"q\n")
    assert person.end()[0] == 0
    found = typed("review", "--json").json["audit"]["purity"]
    assert (found["answered"], found["right"]) == (place + 1, place)


def test_answers_outlive_a_kill(typed: Run, sit: Sit) -> None:
    wanted = typed("review", "--sample", 9, "--json").json["images"]
    person = sit("review", "--sample", 9)
    person.type("y", "n", "y", "y", "n")
    # The sixth is shown: five are answered.
    person.wait_for("[y/n/s/o/m/b/q] ")
    person.process.send_signal(signal.SIGKILL)
    assert person.close() == -signal.SIGKILL
    found = typed("review", "--json").json
    assert (found["audit"]["purity"]["answered"], found["wrong"]) == (5, 2)
    left = {image["image_id"] for image in typed("review", "--sample", 99, "--json").json["images"]}
    assert len(left) == 19
    assert not {image["image_id"] for image in wanted[:5]} & left


@pytest.mark.slow
def test_a_correction_at_the_end_of_a_dialogue_and_the_end_of_input(typed: Run, sit: Sit) -> None:
    person = sit("review", "--sample", 6, "--correct", "--cluster", 2)
    person.type("n", "y", "\x04")
    code, out, shown = person.end()
    assert code == 0, shown
    assert "1 image excluded" in shown
    assert "1 of 2 images" in out
    found = json.loads(typed("review", "--json").out)
    assert found["wrong"] == 0
    assert found["audit"]["per_cluster"][0]["share"] == pytest.approx(4 / 7)


@pytest.mark.slow
def test_ctrl_c_ends_it_and_keeps_the_answers(typed: Run, sit: Sit) -> None:
    person = sit("review", "--sample", 6)
    person.type("y")
    person.wait_for("[y/n/s/o/m/b/q] ")
    # Between the prompt and the reading a signal is only noted: a person presses once more.
    for _ in range(5):
        person.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            person.process.wait(4)
            break
    code, _, shown = person.end()
    assert code == 130
    assert "Traceback" not in shown
    assert typed("review", "--json").json["audit"]["purity"]["answered"] == 1
