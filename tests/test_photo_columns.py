"""Tables name photos as the programs of the field write them, and each line finds its photo."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.images.truth import read_truth, require_labelled
from tests.conftest import make_photo

_LABELS = {"": "empty", "sub1": "fox", "sub2": "deer"}
_NAMES = ("IMG_0000.JPG", "IMG_0001.JPG", "F\u00e4hre 2.JPG")


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of a card in which three folders have files of the same names."""
    home = tmp_path_factory.mktemp("card")
    for number, folder in enumerate(_LABELS):
        for place, name in enumerate(_NAMES):
            colour = (20 + 60 * number, 40 * place, 90)
            make_photo(home / "card" / folder / name, colour=colour)
    make_photo(home / "card" / "sub2" / "only.jpg", colour=(250, 250, 0))
    with Library.open_or_create(home) as library:
        library.ingest([home / "card"], embedder="channel-mean")
    return home


@pytest.fixture
def library(card: Path) -> Library:
    return Library.open(card)


def _rows(style: str, home: Path) -> list[dict[str, str]]:
    """A table of every file of the three folders, as some program writes it."""
    rows = []
    for folder, label in _LABELS.items():
        for name in _NAMES:
            below = f"{folder}/{name}" if folder else name
            whole = {
                "timelapse": {"RootFolder": "card", "File": name,
                              "RelativePath": folder, "DateTime": ""},
                "timelapse 2.2": {"File": name, "RelativePath": folder, "Folder": "card"},
                "camtrapR": {"Station": "x", "Directory": str(home / "card" / folder),
                             "FileName": name},
                "another machine": {"Directory": f"D:\\field\\card\\{folder}", "FileName": name},
                "exiftool": {"SourceFile": f"./card/{below}", "FileName": name,
                             "Directory": f"./card/{folder}"},
                "addaxai": {"absolute_path": str(home / "card"), "relative_path": below},
                "camtrap dp": {"mediaID": "m1", "filePath": f"card/{below}", "fileName": name},
                "windows": {"Image Path": f"card\\{folder}\\{name}"},
                "whole in both": {"folder": folder, "filename": below},
                "path of a folder": {"path": f"card/{folder}", "file": name},
                "deepfaune": {"filename": f"/mnt/disk/card/{below}"},
            }[style]  # fmt: skip
            rows.append({**whole, "Species": label})
    return rows


_STYLES = (
    "timelapse", "timelapse 2.2", "camtrapR", "another machine", "exiftool", "addaxai",
    "camtrap dp", "windows", "whole in both", "path of a folder", "deepfaune",
)  # fmt: skip


def _text(rows: Sequence[dict[str, str]], *, delimiter: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _found(library: Library, table: Path, below: Path) -> dict[str, str]:
    """Label by path below the card."""
    truth = read_truth(library.store, str(table), below=below)
    files = library.store.photos.files_of()
    return {
        files[i][0].file.relative_to(library.store.path.parent / "card").as_posix(): label
        for i, label in truth.of.items()
    }


def _meant() -> dict[str, str]:
    return {
        f"{folder}/{name}" if folder else name: label
        for folder, label in _LABELS.items()
        for name in _NAMES
    }


@pytest.mark.parametrize("style", _STYLES)
@pytest.mark.parametrize("place", ["card", "elsewhere"])
def test_every_line_finds_its_photo(
    library: Library, card: Path, tmp_path: Path, style: str, place: str
) -> None:
    table = (card / "card" if place == "card" else tmp_path) / "labels.csv"
    rows = _rows(style, card)
    table.write_text(_text(rows), encoding="utf-8")
    assert _found(library, table, tmp_path) == _meant()
    # The first line of a table says nothing that the others do not.
    table.write_text(_text(rows[::-1]), encoding="utf-8")
    assert _found(library, table, tmp_path) == _meant()
    table.unlink()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_in_whatever_form_the_table_is_saved(
    library: Library, card: Path, tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    text = _text(_rows("timelapse", card), delimiter=delimiter, end=end)
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    assert _found(library, tmp_path / "labels.csv", tmp_path) == _meant()


def test_a_name_that_several_files_have_is_none_of_them(
    library: Library, card: Path, tmp_path: Path
) -> None:
    for folder in (tmp_path, card / "card", card / "card" / "sub1"):
        table = folder / "labels.csv"
        table.write_text("File,Species\nIMG_0000.JPG,fox\nonly.jpg,deer\n")
        assert _found(library, table, folder) == {"sub2/only.jpg": "deer"}
        truth = read_truth(library.store, str(table), below=folder)
        assert truth.unmatched == 1
        (reason,) = truth.reasons
        assert reason.startswith("1 label fits several photos and was left out")
        table.write_text("File,Species\nIMG_0000.JPG,fox\n")
        truth = read_truth(library.store, str(table), below=folder)
        with pytest.raises(SettingsError, match="fits several photos"):
            require_labelled(truth, library.store.photos.files_of(), str(table))
        table.unlink()


def test_a_column_about_something_else_is_no_folder(library: Library, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "folder,file,label\nday 1,sub1/IMG_0000.JPG,fox\nday 2,sub2/IMG_0000.JPG,deer\n"
    )
    found = _found(library, tmp_path / "labels.csv", tmp_path)
    assert found == {"sub1/IMG_0000.JPG": "fox", "sub2/IMG_0000.JPG": "deer"}
    # A folder that is not in the library is not left away.
    (tmp_path / "labels.csv").write_text("folder,file,label\nsub3,only.jpg,fox\n")
    assert _found(library, tmp_path / "labels.csv", tmp_path) == {}


def test_links_that_lead_to_themselves_end_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "labels.csv").write_text("path,label\nloop.jpg,fox\nsub1/IMG_0000.JPG,fox\n")
    truth = read_truth(library.store, "labels.csv", below=tmp_path)
    assert (len(truth.of), truth.unmatched) == (1, 1)


def test_why_labels_match_nothing_is_told_apart(library: Library, tmp_path: Path) -> None:
    (tmp_path / "new.jpg").touch()
    (tmp_path / "labels.csv").write_text(
        "File,Species\nsub1/IMG_0000.JPG,fox\nsub3/only.jpg,deer\nnew.jpg,owl\ngone.jpg,owl\n"
    )
    truth = read_truth(library.store, "labels.csv", below=tmp_path)
    assert (list(truth.of.values()), truth.unmatched) == (["fox"], 3)
    assert [reason.rsplit(": ", 1)[-1] for reason in truth.reasons] == [
        "sub3/only.jpg", "new.jpg", "gone.jpg"
    ]  # fmt: skip


_SPELLED = st.lists(
    st.tuples(
        st.sampled_from(list(_LABELS)),
        st.sampled_from(_NAMES),
        st.sampled_from(["/", "\\"]),
        st.sampled_from([str, str.upper, str.lower]),
        st.sampled_from(["", "./", "card/", "D:/x/card/", "CARD\\"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_SPELLED, st.booleans())
def test_a_line_finds_its_photo_or_none(
    library: Library, tmp_path: Path, lines: list[tuple[str, str, str, type[str], str]], two: bool
) -> None:
    """Whatever the slashes, capitals, prefixes and columns, and mixed from line to line."""
    rows = []
    for folder, name, slash, case, prefix in lines:
        meant = f"{folder}/{name}" if folder else name
        above = f"{prefix}{folder}".strip("/\\").replace("/", slash)
        if two:
            rows.append({"RelativePath": case(above), "File": case(name), "label": meant})
        else:
            path = f"{above}{slash}{name}" if above and above != "." else name
            rows.append({"path": case(path), "label": meant})
    (tmp_path / "labels.csv").write_text(_text(rows), encoding="utf-8")
    for path, meant in _found(library, tmp_path / "labels.csv", tmp_path).items():
        assert path == meant
