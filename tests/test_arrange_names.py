"""Names that every system can hold, and where a long one may be cut."""

from __future__ import annotations

import unicodedata

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.arrange.names import cut_name, is_safe_name, safe_name
from organizer.spelling import name_key

FAMILY = "👨\u200d👩\u200d👧\u200d👦"

texts = st.text(max_size=40) | st.lists(
    st.sampled_from(
        ["é", "e\u0301", "🦊", "🦊🏽", FAMILY, "🇩🇪", "각", "\u1100\u1161\u11a8", "न", "."]
    ),
    max_size=120,
).map("".join)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("fox", "fox"),
        ("Fähe 🦊🏽", "Fähe 🦊🏽"),
        ("e\u0301", "é"),
        ("a/b\\c:d", "a_b_c_d"),
        ('<>"|?*', "______"),
        ("a\x00b\nc\x7f", "a_b_c_"),
        ("fox. . ", "fox"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("   ", "_"),
        (".organizer", "_organizer"),
        ("CON", "CON_"),
        ("con.fox", "con_.fox"),
        ("Aux ", "Aux_"),
        ("COM¹", "COM¹_"),
        ("CONSOLE", "CONSOLE"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("lone \udcff", "lone _"),
        ("=1+1", "=1+1"),
    ],
)
def test_what_some_system_forbids_is_replaced_and_the_rest_stays(name: str, made: str) -> None:
    assert safe_name(name) == made


def test_the_suffix_stays_whatever_is_cut() -> None:
    assert safe_name("x" * 300, tail=".jpg") == "x" * 251 + ".jpg"
    assert safe_name("CON", tail=".JPG") == "CON_.JPG"
    made = safe_name("ä" + FAMILY * 20, tail="_1a2b3c4d.jpg")
    assert made.endswith(FAMILY + "_1a2b3c4d.jpg")
    assert 255 - len(FAMILY.encode()) < len(made.encode()) <= 255


@settings(deadline=None)
@given(texts, st.sampled_from(["", ".jpg", "_12345678.JPEG", ".jpg.xmp"]))
def test_a_safe_name_is_safe_and_stays(name: str, tail: str) -> None:
    made = safe_name(name, tail=tail)
    assert is_safe_name(made)
    assert made.endswith(tail)
    assert made not in {"", ".", ".."}
    assert len(made.encode()) <= 255
    assert made == unicodedata.normalize("NFC", made)
    assert not set(made) & set('<>:"/\\|?*')
    assert not made.endswith((" ", "."))


@settings(deadline=None)
@given(texts, st.integers(0, 300))
def test_no_character_that_a_reader_sees_is_cut_in_two(text: str, longest: int) -> None:
    made = cut_name(text, longest)
    assert text.startswith(made)
    assert len(made.encode()) <= longest or not made
    if made and len(regex.match(r"\X", text)[0].encode()) <= longest:
        places = {0, *(found.end() for found in regex.finditer(r"\X", text))}
        assert len(made) in places


def test_names_that_some_system_takes_for_one_have_one_key() -> None:
    assert name_key("IMG_1.JPG") == name_key("img_1.jpg")
    assert name_key("É.jpg") == name_key("e\u0301.JPG")
    assert name_key("straße") == name_key("STRASSE")
    assert name_key("a.jpg") != name_key("b.jpg")
