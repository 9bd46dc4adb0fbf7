"""``organizer suggest`` as typed: to look, to accept, and through a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Ran, Run, make_photo
from tests.e2e.test_review import is_an_error
from tests.shades import NAMES, make_shades
from tests.typed import in_this_process

Row = dict[str, str]
Rows = list[Row]
FOX, OWL = NAMES["fox"], NAMES["owl"]
COLUMNS = ["path", "image_id", "name", "cluster_id", "confidence", "current_cluster", "guess"]


@pytest.fixture(scope="session")
def shades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shades(tmp_path_factory.mktemp("shades"))


@pytest.fixture
def home(shades: Path, tmp_path: Path) -> Path:
    """A copy of it in `tmp_path`."""
    shutil.copytree(shades, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def typed(home: Path) -> Run:
    return partial(in_this_process, home)


@pytest.fixture
def file(typed: Run, home: Path) -> Path:
    """The suggestions as a table."""
    assert typed("suggest", "--out", "suggestions.csv").code == 0
    return home / "suggestions.csv"


@pytest.fixture
def questions(typed: Run, home: Path) -> Path:
    """Eight questions as a table."""
    assert typed("suggest", "--ask", 8, "--out", "names.csv").code == 0
    return home / "names.csv"


def rows_of(file: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


def save(
    file: Path,
    change: Callable[[Rows], object] = len,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8-sig",
    end: str = "\r\n",
) -> None:
    """Change the lines, and save them as another program does."""
    rows = rows_of(file)
    changed = change(rows)
    rows = changed if isinstance(changed, list) else rows
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(text.getvalue().encode(encoding))


def table_lines(ran: Ran) -> list[str]:
    """The lines of a printed table, with single spaces; its header is the first."""
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    return [line for line in lines if line.strip("\u2500 ")]


def kind_of(row: Row) -> str:
    return Path(row["path"]).parent.name


def where(home: Path) -> dict[str, int | None]:
    with Library.open(home, Settings()) as library:
        table = library.assignments().to_pylist()
    return {row["image_id"]: row["cluster_id"] for row in table}


def named(home: Path) -> dict[str, int]:
    with Library.open(home, Settings()) as library:
        return {cluster.name: cluster.id for cluster in library.clusters if cluster.name}


def not_changed(home: Path) -> Iterator[None]:
    before = where(home), named(home)
    yield
    assert (where(home), named(home)) == before


@pytest.fixture
def unchanged(home: Path) -> Iterator[None]:
    """After the test every image is where it was, and every name what it was."""
    yield from not_changed(home)


# Looking -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_the_suggestions_are_counted_by_name(typed: Run) -> None:
    ran = typed("suggest")
    assert ran.code == 0
    lines = table_lines(ran)
    assert lines[0] == "name images now in confidence"
    found = typed("suggest", "--json").json["suggestions"]
    for name in (FOX, OWL):
        mine = [one for one in found if one["name"] == name]
        (line,) = [line for line in lines if line.startswith(name)]
        assert line.startswith(f"{name} {len(mine)} cluster {mine[0]['current_cluster']} (")
    assert ran.err.splitlines() == [
        "of 8 images that you moved, 8 would be given the same name by the others",
        "to accept all: organizer suggest --accept all",
        "to choose: organizer suggest --out suggestions.csv",
    ]


@pytest.mark.usefixtures("unchanged")
def test_of_one_name_the_images_are_listed(typed: Run) -> None:
    ran = typed("suggest", "--name", "OWL")
    found = typed("suggest", "--name", "OWL", "--json").json["suggestions"]
    assert {one["name"] for one in found} == {OWL}
    for one, line in zip(found, table_lines(ran)[1:], strict=True):
        assert line.split()[0] == f"{one['confidence']:.2f}"
        assert line.endswith(Path(one["path"]).name)
    assert "organizer suggest --name OWL --accept all" in ran.err


def test_the_json_has_every_suggestion_and_how_far_to_trust_them(typed: Run, home: Path) -> None:
    report = typed("suggest", "--json").json
    assert list(report) == ["suggestions", "held_out", "right", "alike", "lone", "file"]
    assert len(report["suggestions"]) == 7
    ids, at = named(home), where(home)
    for one in report["suggestions"]:
        assert Path(one["path"]).is_file()
        assert one["name"] == NAMES[kind_of(one)]
        assert one["cluster_id"] == ids[one["name"]]
        assert one["current_cluster"] == at[one["image_id"]]
        assert 0.9 <= one["confidence"] <= 1
        assert one["box"] is None
    assert (report["held_out"], report["right"], report["file"]) == (8, 8, None)
    assert typed("suggest", "--json").json == report


@pytest.mark.usefixtures("unchanged")
def test_where_nothing_is_sure_enough_that_is_said(typed: Run) -> None:
    ran = typed("suggest", "--min-confidence", 1)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("nothing to suggest: name more (organizer suggest --ask 20)")
    accepted = typed("suggest", "--min-confidence", 1, "--accept", "all")
    assert (accepted.code, accepted.out, accepted.err) == (0, "", "nothing to accept\n")


@pytest.mark.usefixtures("unchanged")
def test_what_to_answer_next_is_listed_with_a_guess(typed: Run) -> None:
    ran = typed("suggest", "--ask", 5)
    assert ran.code == 0
    assert table_lines(ran)[0] == "path now in guess"
    assert "organizer clusters move PHOTO --to CLUSTER" in ran.err
    found = typed("suggest", "--ask", 5, "--json").json
    assert found["file"] is None
    assert len(found["questions"]) == 5
    for one, line in zip(found["questions"], table_lines(ran)[1:], strict=True):
        assert one["guess"] in {FOX, OWL}
        assert line.split()[0].endswith(Path(one["path"]).name)
        assert f"{one['guess']} ({one['confidence']:.2f})" in line


def test_before_any_name_the_most_typical_images_are_asked(tmp_path: Path) -> None:
    for place, colour in enumerate([(200, 30, 30), (30, 200, 30)]):
        for seed in range(6):
            name = f"{place}{seed}.jpg"
            make_photo(tmp_path / "photos" / name, 10 * place + seed, colour=colour)
    typed = partial(in_this_process, tmp_path)
    typed("ingest", "photos", "--embedder", "channel-mean")
    is_an_error(typed("suggest", "--ask", 3), 1, "there are no clusters yet", "recluster --k auto")
    typed("recluster", "--k", 2)
    clusters = typed("clusters", "--json").json["clusters"]
    asked = typed("suggest", "--ask", 2, "--json").json["questions"]
    assert [one["path"] for one in asked] == [cluster["medoid"] for cluster in clusters]
    assert [one["guess"] for one in asked] == [None, None]
    is_an_error(typed("suggest"), 2, "no cluster has a name yet", "organizer suggest --ask 20")
    typed("clusters", "rename", clusters[0]["cluster_id"], "Fox")
    is_an_error(typed("suggest"), 2, "all decided images are of one cluster, 'Fox'", "second")
    is_an_error(typed("suggest", "--accept", "all"), 2, "all decided images are of one cluster")
    typed("clusters", "rename", clusters[1]["cluster_id"], "Owl")
    report = typed("suggest", "--json").json
    assert (report["suggestions"], report["held_out"]) == ([], 0)


# Accepting -----------------------------------------------------------------------------------


def test_all_are_accepted_and_one_undo_takes_them_back(typed: Run, home: Path) -> None:
    before = where(home)
    found = typed("suggest", "--json").json["suggestions"]
    ran = typed("suggest", "--accept", "all")
    assert ran.code == 0
    ids = named(home)
    assert ran.out.splitlines() == [
        f"{sum(o['name'] == name for o in found)} images to cluster {ids[name]} {name}"
        for name in (FOX, OWL)
    ]
    assert ran.err == "to take it back: organizer undo\n"
    after = where(home)
    assert {o["image_id"]: o["cluster_id"] for o in found} == {
        o["image_id"]: after[o["image_id"]] for o in found
    }
    assert typed("suggest", "--json").json["suggestions"] == []
    assert typed("undo").code == 0
    assert where(home) == before
    assert typed("redo").code == 0
    assert where(home) == after


def test_those_of_one_name_are_accepted(typed: Run, home: Path) -> None:
    found = typed("suggest", "--json").json["suggestions"]
    report = typed("suggest", "--name", "owl", "--accept", "all", "--json").json
    owls = [one for one in found if one["name"] == OWL]
    assert report == {
        "accepted": len(owls),
        "clusters": [{"cluster_id": named(home)[OWL], "name": OWL, "images": len(owls)}],
        "blank": 0,
        "left_out": [],
        "notes": [],
    }
    left = typed("suggest", "--json").json["suggestions"]
    assert {one["name"] for one in left} == {FOX}


# Through a spreadsheet -----------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_suggestions_go_out(typed: Run, home: Path) -> None:
    ran = typed("suggest", "--out", "out.csv")
    found = typed("suggest", "--json").json["suggestions"]
    assert (ran.code, ran.out.splitlines()[-1]) == (0, f"{len(found)} images in out.csv")
    assert "delete or change what is wrong, then: organizer suggest --accept out.csv" in ran.err
    rows = rows_of(home / "out.csv")
    assert list(rows[0]) == COLUMNS
    for row, one in zip(rows, found, strict=True):
        assert (row["path"], row["image_id"]) == (one["path"], one["image_id"])
        assert (row["name"], row["guess"]) == (one["name"], one["name"])
        assert int(row["cluster_id"]) == one["cluster_id"]
        assert float(row["confidence"]) == pytest.approx(one["confidence"], abs=1e-3)
        assert int(row["current_cluster"]) == one["current_cluster"]
    only = typed("suggest", "--name", OWL, "--out", "owls.csv", "--json").json
    assert only["file"] == "owls.csv"
    assert {row["name"] for row in rows_of(home / "owls.csv")} == {OWL}


def test_a_file_as_it_is_accepts_what_all_accepts(typed: Run, home: Path, file: Path) -> None:
    whole = home / "whole"
    shutil.copytree(home / ".organizer", whole / ".organizer")
    ran = typed("suggest", "--accept", file)
    assert ran.code == 0
    typed("suggest", "--accept", "all", "--library", whole)
    assert where(home) == where(whole)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "\t", "encoding": "utf-16"},
        {"delimiter": ";", "encoding": "cp1252"},
        {"encoding": "utf-8", "end": "\n"},
    ],
    ids=["as it was", "semicolons", "UTF-16", "Windows", "plain"],
)
def test_a_file_comes_back_as_programs_save_it(
    typed: Run, home: Path, file: Path, how: dict[str, str]
) -> None:
    kept: Rows = []

    def edit(rows: Rows) -> Rows:
        """Delete one line, empty the name of one, move one to the other name."""
        rows[1]["name"] = ""
        rows[2]["name"] = "OWL" if rows[2]["name"] == FOX else FOX
        rows[3]["cluster_id"] += ".0"  # as a spreadsheet does where a column has gaps
        kept.extend(rows[1:])
        return rows[1:]

    first = rows_of(file)[0]
    before = where(home)
    save(file, edit, **how)
    ran = typed("suggest", "--accept", file)
    assert ran.code == 0, ran.err
    assert "1 line without a name left out" in ran.err
    after, ids = where(home), {name.lower(): i for name, i in named(home).items()}
    untouched = {first["image_id"], kept[0]["image_id"]}
    assert all(after[i] == before[i] for i in untouched)
    assert all(after[row["image_id"]] == ids[row["name"].lower()] for row in kept[1:])
    assert {i for i in after if after[i] != before[i]} == {row["image_id"] for row in kept[1:]}
    typed("undo")
    assert where(home) == before


def test_answers_to_questions_come_back_and_new_names_make_clusters(
    typed: Run, home: Path, questions: Path
) -> None:
    asked = rows_of(questions)
    assert len(asked) == 8
    assert {(row["name"], row["cluster_id"]) for row in asked} == {("", "")}
    assert {row["guess"] for row in asked} <= {FOX, OWL}
    unnamed = next(i for i in set(where(home).values()) if i not in named(home).values())
    before = where(home)

    def answer(rows: Rows) -> None:
        rows[0]["name"] = "  Genet "
        rows[1]["name"] = "genet"
        rows[2]["name"] = "owl"
        rows[3]["cluster_id"] = str(unnamed)
        rows[4]["name"] = "Weiße Eule"

    save(questions, answer, delimiter=";")
    ran = typed("suggest", "--accept", questions)
    assert ran.code == 0, ran.err
    assert "3 lines without a name left out" in ran.err
    after, ids = where(home), named(home)
    assert ids.keys() == {FOX, OWL, "Genet", "Weiße Eule"}
    wanted = [ids["Genet"], ids["Genet"], ids[OWL], unnamed, ids["Weiße Eule"]]
    assert [after[row["image_id"]] for row in asked[:5]] == wanted
    assert [after[row["image_id"]] for row in asked[5:]] == [
        before[row["image_id"]] for row in asked[5:]
    ]
    assert re.search(rf"^2 images to cluster {ids['Genet']} Genet$", ran.out, re.MULTILINE)
    typed("undo")
    assert where(home) == before
    assert named(home).keys() == {FOX, OWL}


def test_a_name_with_an_accent_made_of_two_characters_is_the_same_name(
    typed: Run, home: Path, questions: Path
) -> None:
    save(questions, lambda rows: rows[0].update(name="Fu\u0308chse; rot"))
    assert typed("suggest", "--accept", questions).code == 0
    assert where(home)[rows_of(questions)[0]["image_id"]] == named(home)[FOX]


def test_a_cluster_that_was_renamed_since_is_still_meant(
    typed: Run, home: Path, file: Path
) -> None:
    owl = named(home)[OWL]
    typed("clusters", "rename", owl, "Eagle owl")
    rows = [row for row in rows_of(file) if row["name"] == OWL]
    ran = typed("suggest", "--accept", file)
    assert f"{len(rows)} images to cluster {owl} Eagle owl" in ran.out
    assert named(home).keys() == {FOX, "Eagle owl"}


def test_a_cluster_that_was_merged_since_is_said_to_be_gone(
    typed: Run, home: Path, file: Path
) -> None:
    ids = named(home)
    rows = rows_of(file)
    typed("clusters", "merge", ids[FOX], ids[OWL])
    ran = typed("suggest", "--accept", file)
    assert f"cluster {ids[OWL]} is gone" in ran.err
    assert "history" in ran.err
    foxes = [row for row in rows if row["name"] == FOX]
    assert f"{len(foxes)} images to cluster {ids[FOX]}" in ran.out
    assert f"{len(rows) - len(foxes)} lines were left out" in ran.err


def test_a_file_of_blank_names_accepts_nothing(typed: Run, home: Path, questions: Path) -> None:
    before = where(home)
    ran = typed("suggest", "--accept", questions)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.splitlines() == ["8 lines without a name left out", "nothing to accept"]
    report = typed("suggest", "--accept", questions, "--json").json
    nothing = {"accepted": 0, "clusters": [], "blank": 8, "left_out": [], "notes": []}
    assert report == nothing
    assert where(home) == before


def test_a_name_that_begins_like_a_formula_goes_out_and_comes_back(typed: Run, home: Path) -> None:
    typed("clusters", "rename", named(home)[OWL], "=1+1")
    typed("suggest", "--out", "out.csv")
    rows = [row for row in rows_of(home / "out.csv") if row["name"].endswith("=1+1")]
    assert {row["name"] for row in rows} == {"'=1+1"}
    assert typed("suggest", "--accept", "out.csv").code == 0
    assert named(home).keys() == {FOX, "=1+1"}
    assert {where(home)[row["image_id"]] for row in rows} == {named(home)["=1+1"]}


def test_a_decision_that_a_file_takes_back_is_said(typed: Run, home: Path, file: Path) -> None:
    row = next(row for row in rows_of(file) if row["name"] == OWL)
    typed("clusters", "exclude", row["path"], "--in", named(home)[OWL])
    ran = typed("suggest", "--accept", file)
    assert ran.code == 0
    assert "for 1 image this takes back an earlier decision, such as a name or a move" in ran.err
    assert where(home)[row["image_id"]] == named(home)[OWL]


def test_all_images_of_a_cluster_without_a_name_can_be_given_away(typed: Run, home: Path) -> None:
    """Also where the last lines still name it by its id."""
    at = where(home)
    small = next(i for i in set(at.values()) if i not in named(home).values())
    mine = [i for i, c in at.items() if c == small]
    lines = [f"x,{i},Owl,," for i in mine]
    (home / "all.csv").write_text("\n".join(["path,image_id,name,cluster_id,", *lines]))
    assert typed("suggest", "--accept", "all.csv").code == 0
    assert {where(home)[i] for i in mine} == {named(home)[OWL]}
    assert typed("suggest").code == 0


def test_a_file_that_is_there_is_not_written_over(typed: Run, home: Path, file: Path) -> None:
    file.write_text("mine")
    is_an_error(typed("suggest", "--out", file), 2, "is there already", "--force", "--accept")
    assert file.read_text() == "mine"
    assert typed("suggest", "--out", file, "--force").code == 0
    assert len(rows_of(file)) == 7
    photo = home / "photos" / "fox" / "00.jpg"
    is_an_error(typed("suggest", "--out", home / "photos"), 2)
    assert photo.is_file()


# What cannot be ------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--ask 5 --name Owl", "--ask asks about images of any name"),
        ("--ask 5 --min-confidence .5", "--ask asks about images of any name"),
        ("--ask 5 --accept all", "--ask asks about images of any name"),
        ("--accept all --out x.csv", "--accept and --out are two steps"),
        ("--accept x.csv --name Owl", "takes every line of the file that has a name"),
        ("--accept x.csv --min-confidence .5", "takes every line of the file"),
        ("--force", "--force belongs to --out"),
        ("--accept nowhere.csv", "cannot read nowhere.csv"),
        ("--accept photos", "cannot read photos"),
        ("--accept photos/fox/00.jpg", "is no text"),
        ("--name Lynx", "no cluster is called 'Lynx'"),
        ("--name Lynx --accept all", "no cluster is called 'Lynx'"),
        ("--out nowhere/x.csv", "nowhere"),
    ],
)
def test_what_cannot_be_is_refused_with_a_line_and_a_hint(
    typed: Run, home: Path, words: str, said: str
) -> None:
    is_an_error(typed("suggest", *words.split()), 2, said)
    assert not (home / "x.csv").exists()


@pytest.mark.parametrize(
    "words", ["--ask 0", "--ask x", "--min-confidence 2", "--min-confidence x"]
)
def test_numbers_that_cannot_be_are_refused(typed: Run, words: str) -> None:
    ran = typed("suggest", *words.split())
    assert ran.code == 2
    assert "Traceback" not in ran.err


def changed(**values: str) -> Callable[[Rows], object]:
    return lambda rows: rows[0].update(values)


@pytest.mark.parametrize(
    ("change", "said", "left"),
    [
        (changed(name="", cluster_id="999"), "line 2: there is no cluster 999", 1),
        (changed(name="", cluster_id="fox"), "line 2: 'fox' is no id of a cluster", 1),
        (changed(name="", cluster_id="9" * 5_000), "is no id of a cluster", 1),
        (changed(image_id="abc", path=""), "line 2: 'abc' is no image's id", 1),
        (changed(image_id="0" * 32), "line 2: there is no image", 1),
        (changed(image_id="", path="none.jpg"), "line 2: none.jpg is not in the library", 1),
        (changed(name="a\x1b[31mb"), "line 2: a cluster cannot be called", 1),
        (lambda rows: [*rows, rows[0] | {"name": "Genet"}], "lines 2 and 9 contradict", 2),
    ],
)
def test_a_line_that_cannot_be_is_named_and_the_others_are_accepted(
    typed: Run, file: Path, change: Callable[[Rows], object], said: str, left: int
) -> None:
    save(file, change)
    report = typed("suggest", "--accept", file, "--json").json
    assert (report["accepted"], report["blank"], len(report["left_out"])) == (6, 0, left)
    assert typed("undo").code == 0
    assert said in typed("suggest", "--accept", file).err


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(name="two\nlines"), "the column name holds several lines"),
        (
            lambda rows: [rows[0] | {"image_id": "abc", "path": ""}],
            "line 2: 'abc' is no image's id",
        ),
        (lambda rows: [dict.fromkeys(rows[0], "x")], "line 2: x is not in the library"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_refused(
    typed: Run, file: Path, change: Callable[[Rows], object], said: str
) -> None:
    save(file, change)
    is_an_error(typed("suggest", "--accept", file), 2, said)


@pytest.mark.usefixtures("unchanged")
def test_a_line_without_a_name_is_left_out(typed: Run, file: Path) -> None:
    save(file, lambda _: [{"path": "x", "image_id": "y"}])
    ran = typed("suggest", "--accept", file)
    assert ran.code == 0
    assert "1 line without a name left out" in ran.err


@pytest.mark.usefixtures("unchanged")
def test_the_same_line_twice_is_no_contradiction(typed: Run, file: Path) -> None:
    save(file, lambda rows: [rows[0], rows[0] | {"name": rows[0]["name"].upper()}])
    assert typed("suggest", "--accept", file, "--json").json["accepted"] == 1
    assert typed("undo").code == 0


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,name\nx,Owl\n", "has no column image_id, cluster_id"),
        ("", "has no column image_id, name, cluster_id"),
        ('path,image_id,name,cluster_id\nx,"y,Owl,1\n', "unclosed quote"),
    ],
)
def test_a_file_that_is_no_table_of_suggestions_is_refused(
    typed: Run, home: Path, text: str, said: str
) -> None:
    (home / "other.csv").write_text(text)
    is_an_error(typed("suggest", "--accept", "other.csv"), 2, said)


def test_another_library_s_file_is_refused(home: Path, file: Path) -> None:
    for seed in range(6):
        make_photo(home / "else" / "photos" / f"{seed}.jpg", 900 + seed)
    other = partial(in_this_process, home / "else")
    assert other("ingest", "photos", "--embedder", "channel-mean", "--library", ".").code == 0
    is_an_error(other("suggest", "--accept", file, "--library", "."), 1, "no clusters yet")
    assert other("recluster", "--k", 2, "--library", ".").code == 0
    ran = other("suggest", "--accept", file, "--library", ".")
    is_an_error(ran, 2, "there is no image", "another library's table")
    is_an_error(other("suggest", "--library", "."), 2, "no cluster has a name yet")


def test_without_a_library_that_is_said(tmp_path: Path) -> None:
    for words in ([], ["--ask", 5], ["--accept", "all"], ["--accept", "x.csv"]):
        is_an_error(in_this_process(tmp_path, "suggest", *words), 1, "there is no library")


# Names with little behind them ---------------------------------------------------------------


def test_a_name_with_one_image_is_said(typed: Run) -> None:
    one = typed("suggest", "--json").json["suggestions"][0]
    assert typed("clusters", "new", one["path"], "--name", "Genet").code == 0
    ran = typed("suggest")
    assert ran.code == 0
    assert "one image alone stands for Genet: move another one there" in ran.err
    assert typed("suggest", "--json").json["lone"] == ["Genet"]


def test_two_names_for_what_looks_the_same_are_said_with_the_figure(typed: Run, home: Path) -> None:
    files = sorted((home / "photos" / "fox").iterdir())
    mixed = np.random.default_rng(1).permutation(len(files))[:20]
    typed("clusters", "new", *(files[row] for row in mixed[:10]), "--name", "Marten")
    typed("clusters", "new", *(files[row] for row in mixed[10:]), "--name", "Mink")
    (pair,) = [p for p in typed("suggest", "--json").json["alike"] if p["first"] == "Marten"]
    assert (pair["second"], pair["decided"]) == ("Mink", 20)
    assert pair["wrong"] >= 5
    assert (
        f"Marten and Mink are hard to tell apart: {pair['wrong']} of the 20 images that stand "
        "for them would be given the other name" in typed("suggest").err
    )


def test_after_a_change_of_embedder_suggestions_are_of_its_vectors(typed: Run, home: Path) -> None:
    before = typed("suggest", "--json").json
    assert typed("ingest", "photos", "--embedder", "hsv").code == 0
    assert typed("suggest", "--json").json == before, "the clusters are still those of the first"
    assert typed("recluster", "--k", 4, "--embedder", "hsv", "--reduce", "none").code == 0
    report = typed("suggest", "--min-confidence", 0, "--json").json
    assert report["held_out"] == 8
    assert all(one["current_cluster"] not in named(home).values() for one in report["suggestions"])


def test_a_recluster_says_how_many_images_followed(typed: Run) -> None:
    report = typed("recluster", "--k", 2, "--reduce", "none", "--json").json
    assert report["learned"] == 0, "nobody has to: the clusters are right about all that was moved"
