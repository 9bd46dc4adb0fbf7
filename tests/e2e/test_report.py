"""`organizer report` as it is typed, with a page and plots."""

from __future__ import annotations

import os
import re
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Run, make_groups
from tests.e2e.test_commands import in_this_process

_NO_SUCH_NUMBER = re.compile(r"\b(nan|inf|None)\b", re.IGNORECASE)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The program in this process: without the second that a start takes."""
    return partial(in_this_process, tmp_path)


@pytest.fixture
def made(tmp_path: Path, run: Run) -> Path:
    """A library of 24 photos of three colours in three clusters."""
    make_groups(tmp_path / "photos")
    assert run("ingest", "photos", "--embedder", "channel-mean", cwd=tmp_path).code == 0
    assert run("recluster", "--k", "3", cwd=tmp_path).code == 0
    return tmp_path


def test_a_page_and_plots_are_written(run: Run, made: Path) -> None:
    words = ("report", "--labels", "folders", "--html", "report.html", "--plots", "plots")
    ran = run(*words, "--map", "pca", cwd=made)
    assert ran.code == 0, ran.err
    page = (made / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert page.count("data:image/jpeg;base64") >= 24
    assert "written: report.html" in ran.err
    names = {file.name for file in (made / "plots").iterdir()}
    assert {"silhouette.png", "map.png", "confusion.png"} <= names
    for file in (made / "plots").iterdir():
        with Image.open(file) as picture:
            picture.verify()
    assert not _NO_SUCH_NUMBER.search(ran.out)


def test_the_page_of_an_earlier_report_is_replaced_and_nothing_else(run: Run, made: Path) -> None:
    words = ("report", "--html", "report.html", "--map", "none")
    assert run(*words, cwd=made).code == 0
    first = (made / "report.html").read_bytes()
    assert run(*words, cwd=made).code == 0
    assert first[:200] == (made / "report.html").read_bytes()[:200]
    (made / "diary.html").write_text("<p>mine</p>")
    ran = run("report", "--html", "diary.html", "--map", "none", cwd=made)
    assert ran.code == 2
    assert "error: diary.html is there and no report of organizer" in ran.err
    assert (made / "diary.html").read_text() == "<p>mine</p>"
    assert run("report", "--html", "diary.html", "--map", "none", "--force", cwd=made).code == 0
    assert "mine" not in (made / "diary.html").read_text(encoding="utf-8")


def test_a_page_has_the_rights_of_any_file(run: Run, made: Path) -> None:
    run("report", "--html", "report.html", "--map", "none", cwd=made)
    (made / "plain").touch()
    rights = [stat.S_IMODE((made / name).stat().st_mode) for name in ("report.html", "plain")]
    assert rights[0] == rights[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--map", "lda", "--html", "r.html"], "--map cannot be 'lda'"),
        (["--map", "pca"], "there is nothing to draw"),
        (["--html", "photos"], "photos is a folder"),
        (["--html", "no/where.html"], "there is no folder no"),
        (["--plots", "file"], "file is a file"),
        (["--labels", "nothing.csv", "--html", "r.html"], "cannot read the labels"),
    ],
)
def test_what_cannot_be_is_told_in_two_lines(
    run: Run, made: Path, words: list[str], says: str
) -> None:
    (made / "file").write_text("x")
    ran = run("report", *words, cwd=made)
    assert ran.code == 2
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) == 2
    assert ran.out == ""
    assert not (made / "r.html").exists()


def test_photos_that_are_gone_or_changed_leave_gaps_that_are_told(run: Run, made: Path) -> None:
    shutil.rmtree(made / "photos" / "red")
    Image.new("RGB", (9, 9)).save(made / "photos" / "green" / "000.jpg")
    ran = run("report", "--html", "report.html", "--map", "pca", "--json", cwd=made)
    assert ran.code == 0
    assert ran.json["files"] == ["report.html"]
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "9 of 24 pictures could not be read again" in page


def test_an_image_among_strangers_is_shown(run: Run, made: Path) -> None:
    names = [f"photos/green/{i:03}.jpg" for i in range(2)]
    # Two green photos that a person put among the red ones.
    listed = run("clusters", "--json", cwd=made).json["clusters"]
    red = next(c["cluster_id"] for c in listed if "red" in c["medoid"])
    green = next(c["cluster_id"] for c in listed if "green" in c["medoid"])
    assert run("clusters", "move", *names, "--to", red, cwd=made).code == 0
    run("report", "--html", "report.html", "--plots", "plots", "--map", "none", cwd=made)
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "2 of 2 images of whose ten nearest neighbours" in page
    assert f"in cluster {green}" in page
    assert (made / "plots" / "sheet_doubtful.png").exists()


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(run: Run, made: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    locked = made / "locked"
    locked.mkdir(mode=0o555)
    ran = run("report", "--html", "locked/report.html", cwd=made)
    assert ran.code == 2
    assert "cannot write" in ran.err


def test_clusters_of_one_and_images_that_cannot_be_told_apart(tmp_path: Path, run: Run) -> None:
    for i, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250), (0, 0, 251)]):
        Image.new("RGB", (20 + i, 20), colour).save(tmp_path / f"{i}.png")
    assert run("ingest", ".", "--embedder", "channel-mean", cwd=tmp_path).code == 0
    assert run("recluster", "--k", "3", cwd=tmp_path).code == 0
    for method in ("pca", "tsne", "none"):
        words = ("--html", "report.html", "--plots", "plots", "--map", method)
        ran = run("report", *words, "--labels", "folders", cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert not _NO_SUCH_NUMBER.search(ran.out)
