"""Tables as other programs save them, and those that are broken."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer.library import csv_tables

ROWS = [["path", "label"], ["a b.jpg", "F\u00e4he"], ["c;d.jpg", 'the "old" one'], ["e.jpg", "x,y"]]


def saved(delimiter: str, end: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(ROWS)
    return text.getvalue()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [True, False])
def test_every_form_is_read(
    tmp_path: Path, delimiter: str, end: str, encoding: str, mark: bool
) -> None:
    first = f"sep={delimiter}{end}" if mark else ""
    (tmp_path / "t.csv").write_bytes((first + saved(delimiter, end)).encode(encoding))
    table = csv_tables.read_csv(tmp_path / "t.csv", hint="")
    assert table.header == ROWS[0]
    assert [line.cells for line in table.lines] == ROWS[1:]
    assert [line.number for line in table.lines] == [2 + mark, 3 + mark, 4 + mark]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('path,label\na,fox\nb,fox\nc,"fox\nd,fox\n', "line 4 is not CSV"),
        ('path,label\na,"fox"es\n', "line 2 is not CSV"),
        ("path,label\na,fo\0x\n", "is no text"),
        ('path,"label\na,fox\n', "line 1 is not CSV"),
    ],
)
def test_what_is_broken_is_refused_with_its_line(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(SettingsError, match=told):
        csv_tables.read_csv(tmp_path / "t.csv", hint="")


def test_a_line_that_swallowed_others_is_found(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('path,label\na,fox\nb,"fox\nc,fox\nd,"\ne,wolf\n')
    table = csv_tables.read_csv(tmp_path / "t.csv", hint="")
    with pytest.raises(SettingsError, match="line 3: the column label holds several lines"):
        table.require_single_lines([1])
    table.require_single_lines([0])
    assert [line.number for line in table.lines] == [2, 3, 6]


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            min_size=2,
            max_size=2,
        ),
        max_size=6,
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["path", "label"], *rows])
    file = tmp_path_factory.getbasetemp() / "law.csv"
    file.write_bytes(text.getvalue().encode())
    found = [list(line.cells) for line in csv_tables.read_csv(file, hint="").lines]
    assert found == [row for row in rows if any(map(str.strip, row))]
