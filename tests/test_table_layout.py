"""Tables fit their terminal, and lose nothing but the middle of paths."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from organizer.cli.table_layout import Column, fold, shorten_path, table_lines

_TEXTS = st.text(st.sampled_from("ab -/狐梟é7"), max_size=60)
_COLUMNS = (
    Column("id", right=True),
    Column("name"),
    Column("Calinski-Harabasz (space)", right=True),
    Column("path", path=True),
)
_ROWS = st.lists(
    st.tuples(
        st.integers(0, 99999).map(str), _TEXTS, st.floats(0, 99).map("{:.3f}".format), _TEXTS
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(rows=_ROWS, width=st.integers(60, 200))
def test_no_line_is_wider_than_the_terminal_and_numbers_stay_whole(
    rows: list[tuple[str, str, str, str]], width: int
) -> None:
    lines = list(table_lines(_COLUMNS, rows, width=width, dash="-", mark="…"))
    assert max(map(wcswidth, lines)) <= width
    words = [word for line in lines for word in line.split()]
    for row in rows:
        assert row[0] in words
        assert row[2] in words


@given(rows=_ROWS)
def test_without_a_terminal_every_row_is_one_whole_line(
    rows: list[tuple[str, str, str, str]],
) -> None:
    lines = list(table_lines(_COLUMNS, rows, width=None, dash="-", mark="…"))
    assert len(lines) == 2 + len(rows)
    for line, row in zip(lines[2:], rows, strict=True):
        assert all(cell.rstrip() in line for cell in row)


@given(text=_TEXTS, width=st.integers(2, 30))
def test_folding_keeps_every_character_but_spaces(text: str, width: int) -> None:
    lines = fold(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(wcswidth(line) <= width for line in lines)


@given(path=_TEXTS, width=st.integers(8, 40))
def test_a_short_path_has_both_ends_of_the_whole_one(path: str, width: int) -> None:
    short = shorten_path(path, width, "…")
    assert wcswidth(short) <= width
    head, mark, tail = short.partition("…")
    assert short == path or (mark and path.startswith(head) and path.endswith(tail) and head)


def test_folders_that_are_the_same_on_every_card_are_left_out_first() -> None:
    cards = ("Oak Hill May", "Oak Hill June", "Mill Creek June")
    rows = [[f"cards/{card}/DCIM/100RECNX/IMG_0001.JPG"] for card in cards]
    lines = list(table_lines([Column("path", path=True)], rows, width=40, dash="-", mark="…"))
    assert [line.strip() for line in lines[2:]] == [
        f"cards/{card}/…/IMG_0001.JPG" for card in cards
    ]


def test_of_one_folder_the_paths_are_cut_in_the_middle() -> None:
    rows = [[f"cards/Oak Hill May/DCIM/100RECNX/IMG_000{i}.JPG"] for i in range(2)]
    lines = list(table_lines([Column("path", path=True)], rows, width=30, dash="-", mark="…"))
    assert all(line.endswith(f"RECNX/IMG_000{i}.JPG") for i, line in enumerate(lines[2:]))


def test_what_is_said_of_a_path_is_folded_and_not_cut() -> None:
    rows = [["a/" * 30 + "fox.jpg\n(the only one with the whole animal in the picture)"]]
    lines = list(table_lines([Column("path", path=True)], rows, width=30, dash="-", mark="…"))
    said = " ".join(line.strip() for line in lines[3:])
    assert said == "(the only one with the whole animal in the picture)"


def test_no_word_of_a_heading_is_parted() -> None:
    columns = [Column("deployment"), Column("kind"), Column("path", path=True)]
    lines = list(table_lines(columns, [["DCIM", "x", "a/" * 60]], width=40, dash="-", mark="…"))
    assert lines[0].split() == ["deployment", "kind", "path"]
