"""Which photos the paths of a detector's results mean; never guessed where it is not plain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer_camera_trap.matching import match_paths

_CARDS = {
    "/photos/card1/DCIM/IMG_0001.JPG": "a",
    "/photos/card1/DCIM/IMG_0002.JPG": "b",
    "/photos/card2/DCIM/IMG_0001.JPG": "c",
}


@pytest.mark.parametrize(
    ("paths", "base", "ids"),
    [
        (["card1/DCIM/IMG_0001.JPG", "card2/DCIM/IMG_0001.JPG"], "/photos", "ac"),
        (["card1\\DCIM\\IMG_0001.JPG", "card2\\DCIM\\IMG_0001.JPG"], "/photos", "ac"),
        (["./card1//DCIM/IMG_0002.JPG"], "/photos", "b"),
        (["IMG_0002.JPG"], "/photos/card1/DCIM", "b"),
        (["photos/card2/DCIM/IMG_0001.JPG"], "/", "c"),
        (["D:\\field\\card1\\DCIM\\IMG_0001.JPG", "D:\\field\\card2\\DCIM\\IMG_0001.JPG"],
         "/photos", "ac"),
        (["/mnt/disk/photos/card1/DCIM/IMG_0001.JPG"], "/", "a"),
    ],
)  # fmt: skip
def test_the_folder_is_found_out(paths: list[str], base: str, ids: str) -> None:
    found = match_paths(paths, _CARDS, base=None)
    assert [found.image_ids[path] for path in paths] == list(ids)
    assert found.base is not None
    assert found.base == Path(base)
    assert not found.unmatched


def test_whole_paths_of_here_need_no_folder() -> None:
    found = match_paths(list(_CARDS), _CARDS, base=None)
    assert found.image_ids == _CARDS
    assert found.base is None


@pytest.mark.parametrize(
    "paths",
    [
        ["IMG_0001.JPG"],
        ["IMG_0001.JPG", "IMG_0002.JPG"],  # only one card has both: the other may be half away
        ["DCIM/IMG_0001.JPG"],
        ["D:/DCIM/IMG_0001.JPG"],
    ],
)
def test_the_same_names_on_several_cards_are_refused(paths: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        match_paths(paths, _CARDS, base=None)
    assert "2 folders fit" in caught.value.message
    assert "--base /photos/card1" in caught.value.hint


def test_a_folder_that_is_named_decides() -> None:
    found = match_paths(["IMG_0001.JPG", "IMG_0009.JPG"], _CARDS, base=Path("/photos/card2/DCIM"))
    assert found.image_ids == {"IMG_0001.JPG": "c"}
    assert found.unmatched == ("IMG_0009.JPG",)
    with pytest.raises(SettingsError, match="below /photos/card3"):
        match_paths(["IMG_0001.JPG"], _CARDS, base=Path("/photos/card3"))


def test_copies_of_one_photo_are_no_doubt() -> None:
    files = {"/photos/a/1.JPG": "x", "/backup/a/1.JPG": "x", "/photos/a/2.JPG": "y"}
    found = match_paths(["a/1.JPG", "a/2.JPG"], files, base=None)
    assert found.image_ids == {"a/1.JPG": "x", "a/2.JPG": "y"}
    assert found.base is None


def test_names_that_are_nowhere_are_told() -> None:
    with pytest.raises(SettingsError) as caught:
        match_paths(["card9/X.JPG"], _CARDS, base=None)
    assert "card9/X.JPG" in caught.value.message
    assert "ingest" in caught.value.hint
    assert match_paths([], _CARDS, base=Path("/photos")).image_ids == {}


def test_letters_are_the_same_however_they_are_composed() -> None:
    files = {"/photos/f\u00e4hre/1.JPG": "a"}
    assert match_paths(["fa\u0308hre/1.JPG"], files, base=None).image_ids == {
        "fa\u0308hre/1.JPG": "a"
    }


_NAMES = st.sampled_from(["a", "b", "IMG_1.JPG", "IMG_2.JPG"])
_TREES = st.sets(st.lists(_NAMES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=8)


@given(_TREES, st.lists(_NAMES, max_size=2).map(tuple), st.booleans())
def test_what_is_matched_is_what_was_meant_or_refused(
    tree: set[tuple[str, ...]], base: tuple[str, ...], windows: bool
) -> None:
    """The detector was run on a folder of a library that holds other files too."""
    files = {"/" + "/".join(("root", *parts)): str(number) for number, parts in enumerate(tree)}
    below = ["/".join(p[len(base) :]) for p in tree if p[: len(base)] == base and p != base]
    if not below:
        return
    paths = [path.replace("/", "\\") if windows else path for path in below]
    try:
        found = match_paths(paths, files, base=None)
    except SettingsError:
        found = match_paths(paths, files, base=Path("/", "root", *base))
    meant = {path: files["/" + "/".join(("root", *base, b))]
             for path, b in zip(paths, below, strict=True)}  # fmt: skip
    assert found.image_ids == meant
    assert not found.unmatched


def test_of_several_folders_it_is_that_in_which_the_results_lie() -> None:
    home = Path("/photos/card2/DCIM")
    found = match_paths(["IMG_0001.JPG"], _CARDS, base=None, results_folder=home)
    assert (found.image_ids, found.base) == ({"IMG_0001.JPG": "c"}, home)
    with pytest.raises(SettingsError, match="2 folders fit"):
        match_paths(["IMG_0001.JPG"], _CARDS, base=None, results_folder=Path("/photos"))


def test_paths_of_another_machine_cost_about_what_those_below_a_folder_do() -> None:
    names = [f"card{i:02}/DCIM/IMG_{j:04}.JPG" for i in range(80) for j in range(80)]
    files = {f"/photos/{name}": name for name in names}
    below = _seconds(names, files)
    elsewhere = _seconds([f"D:/{name}" for name in names], files)
    assert elsewhere < 8 * below, "every card has the same names"


def _seconds(paths: list[str], files: dict[str, str]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        assert list(match_paths(paths, files, base=None).image_ids.values()) == list(files.values())
        best = min(best, time.perf_counter() - start)
    return best
