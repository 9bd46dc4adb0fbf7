"""A plan as a CSV table that a person edits."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeStep,
    FolderTemplate,
    make_plan,
    read_plan,
    write_plan,
)
from organizer.errors import SettingsError
from tests.arrange_trees import item_of, make

BY_NAME = FolderTemplate.parse("{cluster_name}/{stem}")


def planned(
    items: list[ArrangeItem],
    to: Path,
    mode: ArrangeMode = ArrangeMode.LINK,
    template: FolderTemplate = BY_NAME,
) -> ArrangePlan:
    return make_plan(items, to=to, mode=mode, template=template)


@pytest.fixture
def made(tmp_path: Path) -> ArrangePlan:
    files = [make(tmp_path / f"in/IMG_{n}.JPG", b"%d" % n) for n in range(4)]
    return planned([item_of(f, cluster_name="=fox, red") for f in files], tmp_path / "out")


Rows = list[dict[str, str]]


def edited(
    made: ArrangePlan, tmp_path: Path, change: Callable[[Rows], None], *, delimiter: str = ",",
    encoding: str = "utf-8-sig",
) -> ArrangePlan:  # fmt: skip
    """The plan as it is read after a person changed the table and another program saved it."""
    file = tmp_path / "plan.csv"
    write_plan(made, file, over=True)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    change(rows)
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return read_plan(file)


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-16"), (";", "cp1252")],
)
def test_a_table_that_a_spreadsheet_saved_is_the_same_plan(
    made: ArrangePlan, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    read = edited(made, tmp_path, lambda _: None, delimiter=delimiter, encoding=encoding)
    assert (read.digest, read.steps) == (made.digest, made.steps)


def test_no_cell_begins_a_formula_or_holds_a_number_that_a_spreadsheet_rounds(
    made: ArrangePlan, tmp_path: Path
) -> None:
    file = write_plan(made, tmp_path / "plan.csv")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.reader(opened):
            for cell in row:
                assert not cell.startswith(("=", "+", "-", "@"))
                assert not (cell.isdigit() and len(cell) > 15)
    with pytest.raises(FileExistsError):
        write_plan(made, file)


def test_deleted_lines_and_edited_targets_are_respected(made: ArrangePlan, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["target"] = "badger/mine.jpg"
        rows[1]["do"] = "leave"
        rows.reverse()
        del rows[0]

    read = edited(made, tmp_path, change)
    assert [s.source for s in read.steps] == [made.steps[2].source, made.steps[0].source]
    assert read.steps[1].target == made.to / "badger/mine.jpg"
    assert (read.steps[0].cluster_folder, read.steps[1].cluster_folder) == ("=fox, red", "")
    assert [left.source for left in read.left] == [made.steps[1].source]


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("target", "../a.jpg", "not inside"),
        ("target", "/etc/a.jpg", "not inside"),
        ("target", "x/../../a.jpg", "not inside"),
        ("target", "", "no target"),
        ("target", "fox/a?.jpg", "every system"),
        ("target", "CON/a.jpg", "every system"),
        ("target", "x" * 300 + ".jpg", "every system"),
        ("target", "fox/a.png", "does not end in"),
        ("target", "fox/.a.jpg", "every system"),
        ("target", "=FOX, red/img_1.jpg", "target of line"),
        ("do", "erase", "erase cannot be"),
        ("do", "move", "more than one value"),
        ("to", "elsewhere", "more than one value"),
        ("mtime", "1.7E+18", "cannot be in the column mtime"),
        ("size", "", "cannot be in the column size"),
        ("image", "1.2E+30", "cannot be in the column image"),
        ("source", "IMG_1.JPG", "not absolute"),
    ],
)
def test_what_is_edited_is_checked_as_what_is_planned(
    made: ArrangePlan, tmp_path: Path, column: str, value: str, why: str
) -> None:
    """A line that cannot be applied is left out with its reason; the others are applied."""
    read = edited(made, tmp_path, lambda rows: rows[2].update({column: value}))
    kept = {step.source for step in read.steps}
    left = {item.source: item.why for item in read.left}
    assert len(kept) == len(made.steps) - len(left)
    odd = Path(value) if column == "source" else made.steps[2].source
    assert left[odd].startswith("line 4: ")
    assert why in left[odd]
    if column != "target" or why != "target of line":
        assert list(left) == [odd]
    else:
        assert len(left) == 2, "which of two lines with one target is meant is not known"


def test_a_plan_of_which_no_line_can_be_applied_is_refused(
    made: ArrangePlan, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        for row in rows:
            row["size"] = "large"

    with pytest.raises(SettingsError, match="line 2: 'large' cannot be in the column size"):
        edited(made, tmp_path, change)


@pytest.mark.parametrize("column", ["to", "do"])
def test_a_plan_for_two_folders_or_of_two_modes_is_refused(
    made: ArrangePlan, tmp_path: Path, column: str
) -> None:
    def change(rows: Rows) -> None:
        for row in rows[: len(rows) // 2 + 1]:
            row[column] = {"to": "/elsewhere", "do": "copy"}[column]
        for row in rows[:1]:
            row[column] = {"to": "/third", "do": "symlink"}[column]

    with pytest.raises(SettingsError, match=f"the column {column} has more than one value"):
        edited(made, tmp_path, change)


def test_what_belongs_to_a_photo_that_is_left_out_is_left_too(tmp_path: Path) -> None:
    rows = []
    for name in ("a.jpg", "a.jpg.xmp", "a.json", "b.jpg", "ab.jpg"):
        make(tmp_path / "in" / name, name.encode())
        image_id = "ab" * 16 if name.endswith(".jpg") else ""
        target = tmp_path / "out" / name
        rows.append(ArrangeStep(tmp_path / "in" / name, target, "", image_id, 1, 5, 5, ""))
    plan = ArrangePlan(tmp_path / "out", ArrangeMode.MOVE, tuple(rows))
    read = edited(plan, tmp_path, lambda rows: rows[0].update({"target": "fox/a?.jpg"}))
    assert [step.source.name for step in read.steps] == ["b.jpg", "ab.jpg"]
    assert [item.why for item in read.left][1:] == [
        "line 3: it belongs to the file of line 2, which is left out",
        "line 4: it belongs to the file of line 2, which is left out",
    ]


def test_targets_of_which_one_is_a_folder_of_another(made: ArrangePlan, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["target"], rows[1]["target"] = "A.jpg", "a.JPG/b.jpg"

    read = edited(made, tmp_path, change)
    assert ["a folder of other targets" in item.why for item in read.left] == [True]


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    with pytest.raises(SettingsError, match="cannot read"):
        read_plan(file)
    for content, why in (
        (b"a,b\n1,2\n", "not a plan"),
        (b"", "not a plan"),
        (b"\x89PNG\0", "not a text file"),
    ):
        file.write_bytes(content)
        with pytest.raises(SettingsError, match=why):
            read_plan(file)
