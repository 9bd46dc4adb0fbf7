"""Paths of Windows, as far as they can be told on any system."""

from __future__ import annotations

import ntpath
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from organizer.arrange import ArrangeMode
from organizer.arrange.disk import plain_path
from organizer.arrange.names import is_safe_name, is_too_long, room_in, safe_name
from organizer.arrange.photo_units import PhotoUnit
from organizer.arrange.plan_csv import _below
from organizer.arrange.unique_names import TargetNames
from organizer.library.arrangements.relocation import rewrite_path
from organizer.library.ingest.run import _is_below
from organizer.paths import folder_prefix, path_below
from organizer.spelling import name_key
from organizer.types import ImageRef
from tests.arrange_trees import item_of, make

_FOLDER = r"C:\Users\ann\Pictures"


@pytest.mark.parametrize(
    ("folder", "prefix"),
    [
        (PureWindowsPath("D:\\"), "D:/"),
        (PureWindowsPath(r"D:\DCIM"), "D:/DCIM/"),
        (PureWindowsPath(r"\\nas\photos"), "//nas/photos/"),
        (PureWindowsPath(r"\\nas\photos\2024"), "//nas/photos/2024/"),
        (PurePosixPath("/"), "/"),
        (PurePosixPath("/data"), "/data/"),
    ],
)
def test_the_files_of_a_folder_begin_with_it_also_on_a_drive(folder: PurePath, prefix: str) -> None:
    assert folder_prefix(folder) == prefix
    file = folder / "100RECNX" / "a.jpg"
    assert file.as_posix().startswith(prefix)
    assert path_below(folder, file) == "100RECNX/a.jpg"
    assert prefix + path_below(folder, file) == file.as_posix()


def test_a_folder_with_a_longer_name_is_not_below() -> None:
    assert (
        not PureWindowsPath(r"D:\DCIM2\a.jpg")
        .as_posix()
        .startswith(folder_prefix(PureWindowsPath(r"D:\DCIM")))
    )


@pytest.mark.parametrize(
    "name", ["CON", "con", "PRN", "AUX", "nul", "COM1", "lpt9", "COM¹", "CONIN$"]
)
@pytest.mark.parametrize("tail", ["", ".jpg", ".jpg.xmp", " .jpg", "."])
def test_names_of_devices_are_changed(name: str, tail: str) -> None:
    safe = safe_name(name, tail=tail)
    assert ntpath.basename(safe).split(".")[0].rstrip(" ").upper() != name.upper()
    assert is_safe_name(safe)


@pytest.mark.parametrize("character", list('<>:"/\\|?*\0\n\x1f'))
def test_characters_that_windows_forbids_are_replaced(character: str) -> None:
    assert safe_name(f"fox{character}den", tail=".jpg") == "fox_den.jpg"


@pytest.mark.parametrize("name", ["fox.", "fox ", "fox. .", "fox..."])
def test_dots_and_blanks_at_the_end_of_a_folder_are_cut(name: str) -> None:
    assert safe_name(name) == "fox"


@pytest.mark.parametrize(("one", "other"), [("Fox.JPG", "fox.jpg"), ("É.jpg", "e\u0301.jpg")])
def test_names_that_differ_only_by_case_are_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"C:\Users\ann\Pictures\fox\a.jpg", ("fox", "a.jpg")),
        (r"c:\users\ANN\pictures\fox\a.jpg", ("fox", "a.jpg")),
        ("C:/Users/ann/Pictures/fox/a.jpg", ("fox", "a.jpg")),
        (r"fox\a.jpg", ("fox", "a.jpg")),
        (r"D:\fox\a.jpg", ()),
        (r"\fox\a.jpg", ()),
        (r"\\nas\fox\a.jpg", ()),
        (r"C:\Users\ann\Pictures2\a.jpg", ()),
    ],
)
def test_a_target_of_an_edited_plan_is_below_its_folder(text: str, inside: tuple[str, ...]) -> None:
    assert _below(text, PureWindowsPath(_FOLDER)) == inside


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"\\?\C:\photos\a.jpg", r"C:\photos\a.jpg"),
        (r"\\?\UNC\nas\photos\a.jpg", r"\\nas\photos\a.jpg"),
        (r"C:\photos\a.jpg", r"C:\photos\a.jpg"),
        (r"..\photos\a.jpg", r"..\photos\a.jpg"),
    ],
)
def test_a_link_leads_to_the_path_that_it_was_given(text: str, plain: str) -> None:
    assert plain_path(text) == plain


@pytest.mark.parametrize(
    ("path", "former", "now", "wanted"),
    [
        (r"D:\out\a.jpg", "D:\\", "E:\\", r"E:\out\a.jpg"),
        ("D:\\", "D:\\", "E:\\", "E:\\"),
        (r"D:\lib\a.jpg", r"D:\lib", "E:\\", r"E:\a.jpg"),
        (r"D:\lib", r"D:\lib", "E:\\", "E:\\"),
        (r"D:\library\a.jpg", r"D:\lib", "E:\\", r"D:\library\a.jpg"),
        (r"\\nas\p\a.jpg", r"\\nas\p", r"\\nas\q", r"\\nas\q\a.jpg"),
    ],
)
def test_a_library_that_moved_to_another_drive_finds_its_files(
    path: str, former: str, now: str, wanted: str
) -> None:
    assert rewrite_path(path, former, now, sep="\\") == wanted


# Long paths ---------------------------------------------------------------------------------------


def test_windows_counts_the_whole_path_and_in_its_own_units() -> None:
    assert room_in(_FOLDER, is_windows=False) == 255
    assert room_in("C:\\", is_windows=True) == 255
    folder = "C:\\" + "a" * 100
    assert room_in(folder, is_windows=True) == 155
    assert room_in("C:\\" + "🦊" * 50, is_windows=True) == 155
    assert not is_too_long(folder + "\\" + "b" * 155, is_windows=True)
    assert is_too_long(folder + "\\" + "b" * 156, is_windows=True)
    assert not is_too_long("b" * 4000, is_windows=False)


def _unit(tmp_path: Path, folder: str, stem: str) -> PhotoUnit:
    item = item_of(make(tmp_path / "in" / f"{stem[:40]}.jpg", stem.encode()))
    return PhotoUnit(item, folder, stem, ".jpg", (), "")


def test_a_name_is_cut_to_what_windows_has_room_for_and_stays_unique(tmp_path: Path) -> None:
    folder = str(tmp_path / ("deep" * 30))
    stems = ["x" * 200 + end for end in "ab"]
    units = [_unit(tmp_path, folder, stem) for stem in stems]
    units[1].item = item_of(make(tmp_path / "in/other.jpg", b"other"))
    names = TargetNames(tmp_path, ArrangeMode.COPY, {}, is_windows=True)
    kept, left = names.choose(units)
    assert not left
    assert len({unit.target for unit in kept}) == 2
    for unit in kept:
        assert not is_too_long(unit.target, is_windows=True)
        assert unit.target.endswith(".jpg")


def test_a_folder_that_leaves_no_room_for_a_name_is_refused_with_the_reason(tmp_path: Path) -> None:
    folder = str(tmp_path / ("a" * 100) / ("b" * 100))
    names = TargetNames(tmp_path, ArrangeMode.COPY, {}, is_windows=True)
    names.choose([_unit(tmp_path, folder, "fox")])
    assert "too long for Windows" in names.why_unlisted(folder)
    elsewhere = TargetNames(tmp_path, ArrangeMode.COPY, {}, is_windows=False)
    elsewhere.choose([_unit(tmp_path, folder, "fox")])
    assert elsewhere.why_unlisted(folder) == ""


def test_a_photo_on_a_drive_is_of_the_ingested_folder_that_is_deepest() -> None:
    ref = ImageRef(PureWindowsPath("D:\\"), "DCIM/100RECNX/a.jpg", 1, 1)  # type: ignore[arg-type]
    for folder, is_below in (
        (r"D:\DCIM", True),
        (r"D:\DCIM\100RECNX", True),
        (r"D:\DCI", False),
        (r"E:\DCIM", False),
    ):
        assert _is_below(ref, PureWindowsPath(folder)) == is_below  # type: ignore[arg-type]
