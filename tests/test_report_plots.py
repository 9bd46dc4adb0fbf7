"""The plots as files: which are written, over what, and that they show what they should."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer.errors import SettingsError
from organizer.report.contents import ReportContents
from organizer.report.drawing import text_of
from organizer.report.plots import write_plots
from organizer.report.plots_map import map_png
from tests.pages import bare, contents, without

_ALL = {
    "silhouette.png",
    "evidence.png",
    "factors.png",
    "composition.png",
    "pies.png",
    "confusion.png",
    "map.png",
    "sheet_3.png",
    "sheet_4.png",
    "sheet_5.png",
    "sheet_doubtful.png",
    "sheet_unsure.png",
}
_ODD = ("東京 🦊 $x^{2}$", "שועל $", "a\nb\tc \udcff _under <b>")


@pytest.fixture(scope="module")
def full() -> ReportContents:
    return contents(sizes=(40, 25, 12), names=_ODD, classes=(*_ODD, "cat"), pictures=3, spots=6)


@pytest.fixture(scope="module")
def written(full: ReportContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plots") / "new"
    assert {file.name for file in write_plots(full, folder)} == _ALL
    return folder


def test_all_is_drawn_whatever_the_names(written: Path) -> None:
    assert {file.name for file in written.iterdir()} == _ALL
    for file in written.iterdir():
        with Image.open(file) as image:
            assert image.format == "PNG"
            assert min(image.size) > 150
            # Something is drawn: not one colour only.
            assert len(set(image.convert("L").resize((64, 64)).tobytes())) > 4, file.name


def test_what_has_nothing_to_show_is_not_written(tmp_path: Path) -> None:
    assert write_plots(bare(), tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_plots_of_an_earlier_run_are_replaced_and_nothing_else(
    written: Path, full: ReportContents
) -> None:
    (written / "notes.txt").write_text("mine")
    (written / "my map.png").write_bytes(b"mine too")
    before = (written / "factors.png").read_bytes()
    fewer = without(
        full, "silhouette", "evidence", "truth", "map", "sheets", "doubtful", "unassigned_pictures"
    )
    assert fewer.explanation is not None
    fewer = replace(
        fewer, explanation=replace(fewer.explanation, factors=fewer.explanation.factors[:1])
    )
    assert [file.name for file in write_plots(fewer, written)] == ["factors.png"]
    assert {file.name for file in written.iterdir()} == {"factors.png", "notes.txt", "my map.png"}
    assert (written / "factors.png").read_bytes() != before
    assert (written / "my map.png").read_bytes() == b"mine too"


@pytest.mark.parametrize("name", ["map.png", "sheet_7.png"])
@pytest.mark.parametrize("kind", ["a picture", "no picture", "a folder"])
def test_a_file_of_another_hand_is_never_written_over(
    full: ReportContents, tmp_path: Path, name: str, kind: str
) -> None:
    file = tmp_path / name
    if kind == "a picture":
        Image.new("RGB", (3, 3), "red").save(file)
    elif kind == "no picture":
        file.write_bytes(b"x")
    else:
        file.mkdir()
    with pytest.raises(SettingsError, match="organizer did not make it"):
        write_plots(full, tmp_path)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_said_plainly(full: ReportContents, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="plots cannot be written to"):
        write_plots(full, tmp_path / "file")


def test_the_map_shows_its_pictures_in_their_places(tmp_path: Path) -> None:
    shown = contents(sizes=(30,), unassigned=0, spots=1)
    assert shown.map is not None
    spot = shown.map.spots[0]
    xy = np.zeros_like(shown.map.xy)
    alone = replace(shown.map, xy=xy, spot_size=0.5, spots=(replace(spot, row=0),))
    png = map_png(replace(shown, map=alone))
    assert png is not None
    file = tmp_path / "map.png"
    file.write_bytes(png)
    with Image.open(file) as image, Image.open(io.BytesIO(spot.picture.jpeg)) as picture:
        pixels = np.asarray(image.convert("RGB")).astype(int)
        corner = np.asarray(picture.convert("RGB")).astype(int)[-4, -4]
    near = (np.abs(pixels - corner).max(axis=2) < 16).mean()
    # The ground of the picture is a good part of a square of a quarter of the map's side.
    assert near > 0.01


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain", "plain"),
        ("a$b$", r"a\$b\$"),
        ("one\n two\tthree", "one two three"),
        ("\udcff\u202eevil", "evil"),
        ("x" * 40, "x" * 27 + "…"),
    ],
)
def test_a_name_in_a_plot_is_one_short_line(name: str, shown: str) -> None:
    assert text_of(name) == shown
