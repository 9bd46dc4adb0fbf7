"""`organizer report` as it is typed, with a page and plots."""

from __future__ import annotations

import os
import re
import resource
import shutil
import stat
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups
from tests.typed import in_this_process

_NO_SUCH_NUMBER = re.compile(r"\b(nan|inf|None)\b", re.IGNORECASE)


@pytest.fixture
def made(tmp_path: Path, typed: Run) -> Path:
    """A library of 24 photos of three colours in three clusters."""
    _make(tmp_path, typed)
    return tmp_path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `made`, for tests in which nothing is written or only where nobody else writes."""
    home = tmp_path_factory.mktemp("kept")
    _make(home, partial(in_this_process, home))
    return home


def _make(home: Path, typed: Run) -> None:
    make_groups(home / "photos")
    assert typed("ingest", "photos", "--embedder", "channel-mean", cwd=home).code == 0
    assert typed("recluster", "--k", "3", cwd=home).code == 0


def test_a_page_and_plots_are_written(typed: Run, made: Path) -> None:
    words = ("report", "--labels", "folders", "--html", "report.html", "--plots", "plots")
    ran = typed(*words, "--map", "pca", cwd=made)
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


def test_the_page_of_an_earlier_report_is_replaced_and_nothing_else(typed: Run, made: Path) -> None:
    words = ("report", "--html", "report.html", "--map", "none")
    assert typed(*words, cwd=made).code == 0
    first = (made / "report.html").read_bytes()
    assert typed(*words, cwd=made).code == 0
    assert first[:200] == (made / "report.html").read_bytes()[:200]
    (made / "diary.html").write_text("<p>mine</p>")
    ran = typed("report", "--html", "diary.html", "--map", "none", cwd=made)
    assert ran.code == 2
    assert "error: diary.html is there and no report of organizer" in ran.err
    assert (made / "diary.html").read_text() == "<p>mine</p>"
    assert typed("report", "--html", "diary.html", "--map", "none", "--force", cwd=made).code == 0
    assert "mine" not in (made / "diary.html").read_text(encoding="utf-8")


def test_a_page_has_the_rights_of_any_file(typed: Run, made: Path) -> None:
    typed("report", "--html", "report.html", "--map", "none", cwd=made)
    (made / "plain").touch()
    rights = [stat.S_IMODE((made / name).stat().st_mode) for name in ("report.html", "plain")]
    assert rights[0] == rights[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--map", "lda", "--html", "r.html"], "--map cannot be 'lda'"),
        (["--map", "pca"], "there is nothing to draw"),
        (["--html", "photos"], "photos is a folder"),
        (["--html", "no/where.html"], "there is no folder no"),
        (["--plots", "file"], "file is a file"),
        (["--labels", "nothing.csv", "--html", "r.html"], "cannot read the labels"),
    ],
)
def test_wrong_use_is_an_error_and_a_hint(
    typed: Run, made: Path, words: list[str], message: str
) -> None:
    (made / "file").write_text("x")
    ran = typed("report", *words, cwd=made)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.strip().splitlines()) == 2
    assert ran.out == ""
    assert not (made / "r.html").exists()


def test_photos_that_are_gone_or_changed_are_counted_as_gaps(typed: Run, made: Path) -> None:
    shutil.rmtree(made / "photos" / "red")
    Image.new("RGB", (9, 9)).save(made / "photos" / "green" / "000.jpg")
    ran = typed("report", "--html", "report.html", "--map", "pca", "--json", cwd=made)
    assert ran.code == 0
    assert ran.json["files"] == ["report.html"]
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "9 of 24 pictures could not be read again" in page


def test_an_image_among_images_of_another_cluster_is_shown(typed: Run, made: Path) -> None:
    names = [f"photos/green/{i:03}.jpg" for i in range(2)]
    # Two green photos that a person put among the red ones.
    listed = typed("clusters", "--json", cwd=made).json["clusters"]
    red = next(c["cluster_id"] for c in listed if "red" in c["medoid"])
    green = next(c["cluster_id"] for c in listed if "green" in c["medoid"])
    assert typed("clusters", "move", *names, "--to", red, cwd=made).code == 0
    typed("report", "--html", "report.html", "--plots", "plots", "--map", "none", cwd=made)
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "2 of 2 images" in page
    assert f"near cluster {green} (" in page
    assert (made / "plots" / "sheet_doubtful.png").exists()


def test_a_target_without_permission_is_refused_before_the_work(
    typed: Run, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    locked = made / "locked"
    locked.mkdir(mode=0o555)
    ran = typed("report", "--html", "locked/report.html", cwd=made)
    assert ran.code == 2
    assert "cannot write" in ran.err
    (made / "secret.html").touch(mode=0o000)
    monkeypatch.chdir(made)
    ran = typed("report", "--html", "secret.html", cwd=made)
    assert ran.code == 2
    assert "secret.html" in ran.err
    with (
        Library.open(made, Settings()) as library,
        pytest.raises(SettingsError, match=r"cannot write secret\.html: Permission denied"),
    ):
        library.reports.write(html=Path("secret.html"))


def test_clusters_of_one_and_images_that_are_nearly_equal(tmp_path: Path, typed: Run) -> None:
    for i, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250), (0, 0, 251)]):
        (tmp_path / f"{i % 2}").mkdir(exist_ok=True)
        Image.new("RGB", (20 + i, 20), colour).save(tmp_path / f"{i % 2}" / f"{i}.png")
    assert typed("ingest", ".", "--embedder", "channel-mean", cwd=tmp_path).code == 0
    assert typed("recluster", "--k", "3", cwd=tmp_path).code == 0
    for method in ("pca", "tsne", "none"):
        words = ("--html", "report.html", "--plots", ".plots", "--map", method)
        ran = typed("report", *words, "--labels", "folders", cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert not _NO_SUCH_NUMBER.search(ran.out)


_LONG = "x" * 251 + ".html"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--html", "photos/red/000.jpg", "--force"], "is a photo of the library"),
        (["--html", "link.html", "--force"], "is a photo of the library"),
        (["--html", ".organizer/r.html"], "is inside the library itself"),
        (["--plots", ".organizer/plots"], "is inside the library itself"),
        (["--html", "stranger.jpg", "--force"], "ends in .html"),
        (["--html", "stranger.html", "--force"], "stranger.html is a link to"),
        (["--html", "/dev/stdout", "--force"], "ends in .html"),
        (["--html", "pipe.html"], "is no file that could be replaced"),
        (["--html", "pipe.html", "--force"], "is no file that could be replaced"),
        (["--html", "/proc/r.html"], "cannot write /proc/r.html"),
        (["--plots", "/proc/plots"], "cannot write /proc/plots"),
        (["--html", _LONG], "is too long for a file"),
        (["--plots", _LONG], "is too long for a file"),
        (["--html", f"{_LONG}/r.html"], "is too long for a file"),
        (["--plots", "photos/plots"], "photos/plots is among the photos of"),
        (["--plots", "photos"], "photos is among the photos of"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_the_work(
    kept: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    _odd_places(kept)
    before = _all_files(kept)
    monkeypatch.setattr("organizer.library.reports.publish.report_contents", _never)
    ran = in_this_process(kept, "report", *words)
    assert ran.code == 2, ran.err
    assert message in ran.err
    assert len(ran.err.strip().splitlines()) == 2
    assert _all_files(kept) == before


def _never(*_: object, **__: object) -> None:
    raise AssertionError("the work was begun")


def _odd_places(home: Path) -> None:
    (home / "stranger.jpg").write_bytes(b"a photo that no library knows")
    links = {
        "stranger.html": home / "stranger.jpg",
        "link.html": home / "photos" / "red" / "000.jpg",
    }
    for name, to in links.items():
        (home / name).unlink(missing_ok=True)
        (home / name).symlink_to(to)
    (home / "pipe.html").unlink(missing_ok=True)
    os.mkfifo(home / "pipe.html")


def _all_files(home: Path) -> dict[Path, bytes | None]:
    photos = [file for file in home.rglob("*") if ".organizer" not in file.relative_to(home).parts]
    outside = {file: file.read_bytes() if file.is_file() else None for file in photos}
    return {**outside, **dict.fromkeys((home / ".organizer").iterdir())}


def test_a_link_to_a_page_is_followed(kept: Path, tmp_path: Path) -> None:
    words = ("report", "--map", "none", "--library", kept, "--html")
    assert in_this_process(tmp_path, *words, "real.html").code == 0
    (tmp_path / "real.html").write_bytes((tmp_path / "real.html").read_bytes() + b"<!-- old -->")
    (tmp_path / "link.html").symlink_to("real.html")
    assert in_this_process(tmp_path, *words, "link.html").code == 0
    assert (tmp_path / "link.html").is_symlink()
    assert b"<!-- old -->" not in (tmp_path / "real.html").read_bytes()


def test_plots_that_ingest_passes_over_may_lie_among_photos(made: Path, typed: Run) -> None:
    words = ("report", "--map", "none", "--plots", "photos/.plots")
    assert typed(*words, cwd=made).code == 0
    before = typed("status", "--json", cwd=made).json["images"]
    assert typed("ingest", cwd=made).code == 0
    assert typed("status", "--json", cwd=made).json["images"] == before


def test_a_full_disk_leaves_no_half_of_a_page_or_plot(kept: Path, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for words in (("--html", "report.html"), ("--plots", "plots")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, limits[1]))
        try:
            ran = in_this_process(tmp_path, "report", "--map", "none", *words, "--library", kept)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert ran.code == 2
        assert "File too large" in ran.err
        assert len(ran.err.strip().splitlines()) == 2
        left = [file.name for file in tmp_path.rglob("*") if file.is_file()]
        assert not [name for name in left if name.startswith(".")], left
        assert "report.html" not in left


def test_what_a_killed_report_left_is_cleared_by_the_next(kept: Path, tmp_path: Path) -> None:
    left = [tmp_path / ".report.html.12.partial", tmp_path / "plots" / ".silhouette.png.12.partial"]
    (tmp_path / "plots").mkdir()
    for file in left:
        file.write_bytes(b"half")
        os.utime(file, (0, 0))
    words = ("--html", "report.html", "--plots", "plots")
    ran = in_this_process(tmp_path, "report", "--map", "none", *words, "--library", kept)
    assert ran.code == 0, ran.err
    assert not [file for file in left if file.exists()]
