"""Names and paths in hints are typed as they stand, in the shells of all systems."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.typed import as_typed


@given(st.text(min_size=1))
def test_a_shell_reads_one_word_and_that_word(word: str) -> None:
    assert shlex.split(as_typed(word, windows=False)) == [word]


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("Fox", "Fox"),
        ("Red fox", '"Red fox"'),
        ("Oak Hill May/DCIM/IMG_0001.JPG", '"Oak Hill May/DCIM/IMG_0001.JPG"'),
        ("Steller's jay", '"Steller\'s jay"'),
        ("/cards/{deployment}/...", '"/cards/{deployment}/..."'),
    ],
)
@pytest.mark.parametrize("windows", [True, False])
def test_double_quotes_which_cmd_knows_too(word: str, typed: str, *, windows: bool) -> None:
    assert as_typed(word, windows=windows) == typed


def test_a_path_of_windows_keeps_its_backslashes() -> None:
    assert as_typed(r"D:\DCIM\IMG_0001.JPG", windows=True) == r"D:\DCIM\IMG_0001.JPG"
    assert as_typed(r"D:\Oak Hill\IMG_0001.JPG", windows=True) == r'"D:\Oak Hill\IMG_0001.JPG"'
