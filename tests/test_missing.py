"""Images whose files are gone: marked wherever a path is shown; they stand for no others."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups
from tests.typed import in_this_process


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three clusters of eight; of two of them the medoid's file is gone, of one all files are."""
    make_groups(tmp_path / "photos", each=8)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest(tmp_path / "photos", embedder="channel-mean")
        library.recluster(k=3)
        first, second, third = library.clusters.summaries()
        for summary in (first, second):
            assert summary.medoid is not None
            summary.medoid.unlink()
        for member in library.clusters.members(third.cluster_id):
            member.path.unlink()
        library.ingest(tmp_path / "photos")
    return tmp_path


@pytest.fixture
def library(home: Path) -> Any:
    with Library.open(home, Settings()) as library:
        yield library


@pytest.fixture
def typed(home: Path) -> Run:
    return partial(in_this_process, home)


def test_what_is_shown_for_a_cluster_is_there(library: Library) -> None:
    first, second, third = sorted(library.clusters.summaries(), key=lambda c: c.missing)
    for summary in (first, second):
        assert summary.medoid is not None
        assert summary.medoid.exists()
        assert all(path.exists() for path in summary.examples)
    assert third.missing
    assert third.medoid is not None
    assert not third.medoid.exists()


def test_the_nearest_that_is_there_stands_in_for_a_medoid(library: Library) -> None:
    for summary in library.clusters.summaries():
        members = library.clusters.members(summary.cluster_id)
        there = [member.path for member in members if not member.missing]
        assert [member.path.exists() for member in members] == [not m.missing for m in members]
        assert summary.medoid == (there[0] if there else members[0].path)


def test_profiles_show_what_is_there_first(library: Library) -> None:
    gone = {image.id for image in library.images if image.is_missing}
    for profile in library.clusters.profiles(samples=8):
        order = [image_id in gone for image_id in profile.typical]
        assert order == sorted(order)
        assert profile.medoid == profile.typical[0]
    listed = library.images.find().images(0, 24)
    assert {image.image_id for image in listed if image.missing} == gone


def test_commands_mark_the_paths(typed: Run, library: Library) -> None:
    gone = [s.cluster_id for s in library.clusters.summaries() if s.missing]
    shown = typed("clusters").out
    assert shown.count("(missing)") == 3
    assert typed("clusters", "show", gone[0]).out.count("(missing)") == 8
    fields = typed("clusters", "show", gone[0], "--json").json["images"]
    assert [row["missing"] for row in fields] == [True] * 8
    summaries = typed("clusters", "--json").json["clusters"]
    assert sorted(row["missing"] for row in summaries) == [False, False, True]


def test_unassigned_questions_and_reviews_too(typed: Run) -> None:
    asked = typed("suggest", "--ask", "24", "--json").json["questions"]
    for row in asked:
        assert row["missing"] == (not Path(row["path"]).exists())
    for row in typed("review", "--sample", "9", "--json").json["images"]:
        assert all(Path(path).exists() for path in row["typical"])
        assert row["missing"] == (not Path(row["path"]).exists())


def test_a_report_s_sheets_show_what_is_there(typed: Run, home: Path) -> None:
    ran = typed("report", "--html", "report.html")
    assert ran.code == 0, ran.err
    page = (home / "report.html").read_text(encoding="utf-8")
    assert "(missing)" in page
