"""Bad pictures, broken embedders and failing readers of metadata, as they are seen in a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faulty_embedders
from tests.conftest import Run, Site, make_photo
from tests.faulty_embedders import YELLOW
from tests.test_ingest import some_photos

_READER = """
class Reader:
    def read(self, content):
        raise IndexError("out of the note")
"""


@pytest.fixture
def faulty(site: Site, tmp_path: Path) -> str:
    """A plugin with embedders that fail; and three photos and a yellow one in ``photos``."""
    some_photos(tmp_path / "photos", 3)
    make_photo(tmp_path / "photos" / "yellow.jpg", 77, colour=YELLOW)
    dist = f"faulty-{tmp_path.name.replace('_', '-')}"  # Python imports a module once
    code = Path(faulty_embedders.__file__).read_text("utf-8")
    site.install(dist, code, nan="GivesNaN", broken="AlwaysRaises", small="SmallBatches")
    return dist


@pytest.mark.usefixtures("faulty")
def test_a_picture_without_a_vector_ends_an_ingest_with_3_and_is_listed(
    typed: Run, tmp_path: Path
) -> None:
    for added in (3, 0):
        ran = typed("ingest", "photos", "--embedder", "nan", "--json")
        assert (ran.code, ran.json["added"], ran.json["broken"]) == (3, added, 1), ran.err
        assert ran.json["images"] == 3
        assert "1 file could not be used; each with its reason: organizer problems" in ran.err
    (problem,) = typed("problems", "--json").json["problems"]
    assert problem == {
        "path": str(tmp_path / "photos" / "yellow.jpg"),
        "outcome": "broken",
        "reason": "the embedder 'nan' gave numbers that are not finite",
    }
    assert typed("status", "--json").json["problems"] == 1
    ran = typed("ingest", "photos", "--embedder", "channel-mean")
    assert ran.code == 0, ran.err
    assert typed("problems", "--json").json == {"problems": [], "damaged": []}


@pytest.mark.usefixtures("faulty")
def test_an_embedder_that_fails_on_every_picture_is_an_error_of_two_lines(typed: Run) -> None:
    ran = typed("ingest", "photos", "--embedder", "broken")
    assert (ran.code, ran.out) == (1, "")
    error, hint = [line for line in ran.err.splitlines() if not line.startswith("new library")]
    assert error == (
        "error: the embedder 'broken' fails on every picture, first with: the embedder 'broken' "
        "failed: AttributeError: no such layer (of 1)"
    )
    assert hint.startswith("hint: no file was noted as unusable")
    assert typed("problems", "--json").json == {"problems": [], "damaged": []}
    traced = typed("ingest", "photos", "--embedder", "broken", "--debug")
    assert "faulty_embedders" in traced.err or "raise AttributeError" in traced.err
    assert typed("ingest", "photos", "--embedder", "channel-mean").code == 0


@pytest.mark.usefixtures("faulty")
def test_a_batch_that_does_not_fit_is_no_problem_of_any_file(typed: Run, tmp_path: Path) -> None:
    some_photos(tmp_path / "photos", 9)
    ran = typed("ingest", "photos", "--embedder", "small", "--batch-size", "9", "--json")
    assert (ran.code, ran.json["added"], ran.json["broken"]) == (0, 10, 0)
    assert "CUDA out of memory" in ran.err
    assert "a lower --batch-size may be quicker" in ran.err
    quiet = typed(
        "ingest", "photos", "--embedder", "small", "--batch-size", "4", "--library", "other"
    )
    assert (quiet.code, "CUDA" in quiet.err) == (0, False)


def test_a_reader_of_metadata_that_fails_is_told_while_and_after_the_ingest(
    typed: Run, faulty: str, site: Site
) -> None:
    dist = f"reader-{faulty}"
    site.install(dist, _READER, group="organizer.metadata_readers", note="Reader")
    ran = typed("ingest", "photos", "--embedder", "channel-mean", "--json")
    assert (ran.code, ran.json["added"], ran.json["broken"]) == (0, 4, 0)
    (failed,) = ran.json["failed_readers"]
    assert (failed["reader"], failed["photos"]) == ("note", 4)
    assert failed["reason"] == "IndexError: out of the note"
    assert Path(failed["path"]).name == "000.jpg"
    assert f"the metadata reader 'note' of {dist} failed on" in ran.err
    assert "4 photos went in without what the metadata reader 'note' would find" in ran.err
    assert typed("ingest", "photos", "--json").json["failed_readers"] == []
