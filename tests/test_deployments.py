"""Folders to deployments, and shifts of clocks as people write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.deployments import (
    CameraPlace,
    CameraPlaces,
    DeploymentTemplate,
    complete_deployment,
    format_shift,
    parse_shift,
)
from organizer.errors import SettingsError
from organizer.types import Deployment

_ROOT = ["", "data", "cards"]


def _of(
    template: str, folders: str, *told: str, root: list[str] | None = None
) -> CameraPlace | None:
    places = CameraPlaces(DeploymentTemplate.parse(template), [Deployment(name) for name in told])
    return places.of(root or _ROOT, [f for f in folders.split("/") if f])


# Templates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "folders", "expected"),
    [
        (
            "{site}/{camera}/...",
            "ridge/cam1/DCIM/100RECNX",
            CameraPlace("ridge/cam1", "ridge", "cam1"),
        ),
        ("{site}/{camera}", "ridge/cam1", CameraPlace("ridge/cam1", "ridge", "cam1")),
        ("./{site}/{camera}/", "ridge/cam1", CameraPlace("ridge/cam1", "ridge", "cam1")),
        ("{site}\\{camera}\\...", "ridge/cam1", CameraPlace("ridge/cam1", "ridge", "cam1")),
        ("{location}/*/{camera}/…", "ridge/x/cam1", CameraPlace("ridge/cam1", "ridge", "cam1")),
        ("{deployment}/**", "R42_2019/DCIM", CameraPlace("R42_2019")),
        ("{site}/{deployment}", "ridge/R42", CameraPlace("R42", "ridge")),
        (
            "{year}/{site}_{camera}",
            "2024/ridge_cam_1",
            CameraPlace("ridge/cam_1", "ridge", "cam_1"),
        ),
        ("card {camera}", "card 7", CameraPlace("7", None, "7")),
        ("{site}", "ridge", CameraPlace("ridge", "ridge")),
        ("a.b/{site}", "a.b/ridge", CameraPlace("ridge", "ridge")),
        ("a.b/{site}", "axb/ridge", None),
        ("{site}/{camera}/...", "ridge", None),
        ("{site}/{camera}/...", "", None),
        ("/data/cards/{site}/...", "ridge/cam1", CameraPlace("ridge", "ridge")),
        ("/data/*/{site}/...", "", None),
        ("/other/*/{site}/...", "ridge", None),
    ],
)
def test_a_template_tells_the_place(
    template: str, folders: str, expected: CameraPlace | None
) -> None:
    assert _of(template, folders) == expected


def test_a_template_on_a_drive_is_compared_with_the_whole_path() -> None:
    found = _of("C:/cards/{site}/{camera}", "cam1", root=["C:", "cards", "ridge"])
    assert found == CameraPlace("ridge/cam1", "ridge", "cam1")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("", "it has none of"),
        ("...", "it has none of"),
        ("{sit}/{cam}", "it has none of"),
        ("{site}/{site}", "twice"),
        ("{site}/{location}", "twice"),
        ("{site/{camera}", "brace"),
        ("{site}}/x", "brace"),
        ("../{site}", "leaves it"),
        ("{site}/.../{camera}", "at its end"),
        ("{site}{camera}", "between them"),
        ("*{site}", "between them"),
    ],
)
def test_what_is_no_template_is_refused(template: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        DeploymentTemplate.parse(template)
    assert why in caught.value.message


_names = st.text(
    st.characters(exclude_characters="/\\{}*\0_", exclude_categories=("Cs", "Cc", "Zs")),
    min_size=1,
    max_size=12,
)


@given(_names, _names, st.lists(_names, max_size=3))
def test_what_folders_hold_comes_out_whatever_they_are_called(
    site: str, camera: str, deeper: list[str]
) -> None:
    places = CameraPlaces(DeploymentTemplate.parse("{site}/{camera}/..."), [])
    found = places.of(_ROOT, [site, camera, *deeper])
    site, camera = (unicodedata.normalize("NFC", name).strip() for name in (site, camera))
    if site and camera:
        assert found == CameraPlace(f"{site}/{camera}", site, camera)


@given(_names, _names)
def test_a_template_is_the_same_when_it_is_read_again(site: str, camera: str) -> None:
    text = f"{site}/{{site}}/{camera}{{camera}}/..."
    try:
        once = DeploymentTemplate.parse(text)
    except SettingsError:
        return
    assert DeploymentTemplate.parse(once.text) == once


# Folders that are named after deployments --------------------------------------------------------


def test_a_folder_of_the_name_of_a_deployment_is_of_it() -> None:
    places = CameraPlaces(None, [Deployment("R42"), Deployment("ridge/cam1"), Deployment("cards")])
    assert places.of(_ROOT, ["2024", "R42", "DCIM"]) == CameraPlace("R42")
    assert places.of(_ROOT, ["x", "ridge", "cam1"]) == CameraPlace("ridge/cam1")
    assert places.of(_ROOT, ["R42", "ridge", "cam1", "DCIM"]) == CameraPlace("ridge/cam1"), (
        "the deepest"
    )
    assert places.of(_ROOT, ["x42"]) == CameraPlace("cards"), (
        "the ingested folder's own name counts"
    )
    assert places.of(["", "cards", "photos"], ["x"]) is None, "what is above it does not"
    assert not CameraPlaces(None, [])


def test_the_words_of_a_person_go_before_what_a_template_tells() -> None:
    template = "{site}/{camera}/..."
    assert _of(template, "ridge/cam1", "cam1") == CameraPlace("cam1", "ridge", "cam1")
    assert _of(template, "ridge/cam1", "cam1", "ridge/cam1") == CameraPlace(
        "ridge/cam1", "ridge", "cam1"
    )
    assert _of(template, "ridge/cam2", "cam1") == CameraPlace("ridge/cam2", "ridge", "cam2")
    assert _of(template, "cam1", "cam1") == CameraPlace("cam1"), "too few folders for the template"


def test_a_name_in_either_spelling_of_unicode_is_one() -> None:
    composed, parted = "Höhle", unicodedata.normalize("NFD", "Höhle")
    assert composed != parted
    assert CameraPlaces(None, [Deployment(composed)]).of(_ROOT, [parted]) == CameraPlace(composed)


def test_what_a_person_told_is_not_replaced_by_folders() -> None:
    told = Deployment("a", location="Ridge north", shift=60)
    assert complete_deployment(told, CameraPlace("a", "ridge", "cam1")) == Deployment(
        "a", location="Ridge north", camera="cam1", shift=60
    )
    assert complete_deployment(told, None) == told


# Shifts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("+1h", 3600),
        ("1h", 3600),
        ("-30m", -1800),
        ("\N{MINUS SIGN}30m", -1800),
        ("+1d2h", 93_600),
        ("+1D2H3M4S", 93_784),
        ("+00:30:00", 1800),
        ("-1:05", -3900),
        ("90", 90),
        ("-7200", -7200),
        ("+8766h", 31_557_600),
        ("0", 0),
        (" + 1 h ", 3600),
    ],
)
def test_a_shift_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_shift(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "+", "h", "1x", "1h30", "2h1d", "1.5h", "+-1h", "00:61:00", "1:2:3:4", "--1h"]
)
def test_what_is_no_shift_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="no shift"):
        parse_shift(text)


@pytest.mark.parametrize("text", ["36601d", "-999999:00", "9" * 35])
def test_a_shift_of_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_shift(text)


@given(st.integers(-3_162_240_000, 3_162_240_000))
def test_a_shift_that_is_shown_is_the_shift_that_is_read(seconds: int) -> None:
    assert parse_shift(format_shift(seconds)) == seconds
