"""Plugins that look at what an ingest brought: what they say, and what becomes of their bugs."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.library import Library
from organizer.library.ingest.remarks import FailedCheck, IngestRemark
from organizer.types import Outcome
from tests.conftest import Site, make_photo
from tests.typed import in_this_process

_GROUP = "organizer.ingest_checks"

_COUNTS = """
class Check:
    def check(self, library, image_ids):
        yield f"{len(image_ids)} came\\nof {len(library.images)}"
"""
_FAILS = """
class Check:
    def check(self, library, image_ids):
        yield "half of"
        raise IndexError("out of the card")
"""
_TALKS = """
class Check:
    def check(self, library, image_ids):
        return [f"{n} " + "x" * 1000 for n in range(50)]
"""
_GIVES = """
class Check:
    def check(self, library, image_ids):
        return [4]
"""


def _photos(folder: Path, *numbers: int) -> Path:
    for number in numbers:
        make_photo(folder / f"{number}.jpg", number)
    return folder


def test_a_check_is_given_what_came_and_nothing_else(
    library: Library, tmp_path: Path, site: Site
) -> None:
    site.install("counting-check", _COUNTS, group=_GROUP, counting="Check")
    photos = _photos(tmp_path / "photos", 1, 2, 3)
    report = library.ingest([photos], embedder="channel-mean")
    assert IngestRemark("counting", "3 came of 3") in report.remarks
    assert library.ingest([photos]).remarks == ()
    report = library.ingest([_photos(photos, 4)])
    assert IngestRemark("counting", "1 came of 4") in report.remarks


@pytest.mark.parametrize(
    ("code", "reason"),
    [(_FAILS, "IndexError: out of the card"), (_GIVES, "TypeError: a remark is a text, not int")],
)
def test_a_check_that_fails_is_named_and_stops_nothing(
    tmp_path: Path, site: Site, code: str, reason: str
) -> None:
    dist = tmp_path.name.replace("_", "-")
    site.install(dist, code, group=_GROUP, failing="Check")
    site.install(f"{dist}-b", _TALKS, group=_GROUP, talking="Check")
    _photos(tmp_path / "photos", 1, 2)
    with Library.open_or_create(tmp_path) as library:
        report = library.ingest([tmp_path / "photos"], embedder="channel-mean")
    assert report.counts[Outcome.ADDED] == 2
    assert report.failed_checks == (FailedCheck("failing", reason),)
    said = [remark.text for remark in report.remarks if remark.check == "talking"]
    assert len(said) == 10
    assert max(map(len, said)) < 310
    make_photo(tmp_path / "photos" / "3.jpg", 3)
    told = in_this_process(tmp_path, "ingest", "photos")
    assert told.code == 0
    assert f"the check 'failing' of a plugin failed, and says nothing: {reason}" in told.err
    assert told.out.count("look at: ") == 10
