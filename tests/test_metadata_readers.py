"""Plugins that read metadata: what becomes of what they find, and of their bugs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from organizer.errors import PluginError
from organizer.library import Library, Progress
from organizer.library.ingest.report import IngestReport
from organizer.types import Outcome
from tests.conftest import Site, make_photo
from tests.test_ingest import Listening, counts

_GROUP = "organizer.metadata_readers"

_SIZE = """
class Reader:
    def read(self, content):
        return {"size": len(content.data), "format": content.format, "who": "%s"}
"""
_GIVES = """
class Reader:
    def read(self, content):
        return %s
"""
_RAISES = """
class Reader:
    def read(self, content):
        raise IndexError("out of the note")
"""


def _ingest(
    library: Library, tmp_path: Path, number: int = 3, *, progress: Progress | None = None
) -> IngestReport:
    for i in range(number):
        make_photo(tmp_path / "photos" / f"{i}.jpg", i)
    return library.ingest([tmp_path / "photos"], embedder="channel-mean", progress=progress)


def _installed(site: Site, code: str, tmp_path: Path) -> str:
    """A plugin of a name that no other test has: Python imports a module once."""
    dist = tmp_path.name.replace("_", "-")
    site.install(dist, code, group=_GROUP, bad="Reader")
    return dist


def test_what_all_readers_find_is_kept_with_the_image(
    library: Library, tmp_path: Path, site: Site
) -> None:
    site.install("a-reader", _SIZE % "a", group=_GROUP, first="Reader")
    site.install("b-reader", _SIZE % "b", group=_GROUP, second="Reader")
    site.install("c-reader", _GIVES % "{'temperature': -2.5, 'label': 'Höhle'}", group=_GROUP,
                 third="Reader")  # fmt: skip
    _ingest(library, tmp_path)
    facts = library.store.photos.facts_of(library.store.photos.files_of())
    assert len(facts) == 3
    for fact in facts.values():
        assert fact.extra == {
            "size": fact.bytes,
            "format": "JPEG",
            "who": "a",
            "temperature": -2.5,
            "label": "Höhle",
        }


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (_RAISES, "IndexError: out of the note"),
        (_GIVES % "None", "it gave NoneType, no mapping"),
        (_GIVES % "{'t': float('nan')}", "it gave nan as 't', which cannot be kept"),
        (_GIVES % "{'t': True}", "it gave True as 't', which cannot be kept"),
        (_GIVES % "{'t': b'raw'}", "it gave b'raw' as 't', which cannot be kept"),
        (_GIVES % "{'t': 'a' + chr(0xd800)}", "it gave 'a\\ud800' as 't', which cannot be kept"),
        (_GIVES % "{4: 'four'}", "it gave 'four' as 4, which cannot be kept"),
    ],
    ids=["raises", "nothing", "nan", "bool", "bytes", "surrogate", "key"],
)
def test_a_reader_with_a_bug_is_named_and_the_photos_are_in_without_what_it_finds(
    library: Library, tmp_path: Path, site: Site, code: str, said: str
) -> None:
    dist = _installed(site, code, tmp_path)
    site.install(f"{dist}-good", _GIVES % "{'label': 'here'}", group=_GROUP, good="Reader")
    heard = Listening()
    report = _ingest(library, tmp_path, progress=heard)
    assert (report.counts[Outcome.ADDED], report.unusable) == (3, 0)
    facts = library.store.photos.facts_of(library.store.photos.files_of())
    assert [fact.extra for fact in facts.values()] == [{"label": "here"}] * 3
    failed = report.failed_readers["bad"]
    assert (failed.reader, failed.photos, failed.reason) == ("bad", 3, said)
    assert failed.file == tmp_path / "photos" / "0.jpg"
    (note,) = heard.notes
    assert f"the metadata reader 'bad' of {dist} failed on {failed.file}: {said}" in note
    assert library.problems() == []


def test_only_new_photos_are_without_what_a_reader_would_find(
    library: Library, tmp_path: Path, site: Site
) -> None:
    _ingest(library, tmp_path)
    _installed(site, _RAISES, tmp_path)
    library.ingest(tmp_path / "photos", embedder="hsv")
    report = library.ingest(tmp_path / "photos", embedder="hog")
    assert (report.embedded, report.failed_readers) == (3, {})
    report = _ingest(library, tmp_path, 5)
    assert report.failed_readers["bad"].photos == 2


def test_a_reader_that_fails_on_one_photo_has_its_say_of_the_others(
    library: Library, tmp_path: Path, site: Site
) -> None:
    large = make_photo(tmp_path / "photos" / "1.jpg", 1).stat().st_size
    gives = "{'size': 1 // (len(content.data) != %d)}" % large  # noqa: UP031 - braces of a dict
    _installed(site, _GIVES % gives, tmp_path)
    report = _ingest(library, tmp_path)
    assert report.failed_readers["bad"].photos == 1
    assert report.failed_readers["bad"].file.name == "1.jpg"
    facts = library.store.photos.facts_of(library.store.photos.files_of())
    assert sorted(len(fact.extra) for fact in facts.values()) == [0, 1, 1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('no engine')", "cannot be loaded: no engine"),
        ("class Reader: pass", "is not a MetadataReader"),
    ],
)
def test_a_reader_that_cannot_be_had_stops_before_anything_is_read(
    library: Library, tmp_path: Path, site: Site, code: str, said: str
) -> None:
    dist = _installed(site, code, tmp_path)
    with pytest.raises(PluginError) as caught:
        _ingest(library, tmp_path)
    assert "metadata reader 'bad'" in caught.value.message
    assert dist in caught.value.message + caught.value.hint
    assert said in caught.value.message
    assert library.store.photos.count_images() == 0


_CRASHES = """
import ctypes


class Reader:
    def read(self, content):
        if content.data.endswith(b"crash"):
            ctypes.string_at(0)
        return {"seen": 1}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_photo_on_which_code_in_c_crashes_is_a_problem_and_all_others_are_in(
    library: Library, tmp_path: Path, site: Site
) -> None:
    site.install("crashing", _CRASHES, group="organizer.metadata_readers", crashing="Reader")
    for number in range(6):
        make_photo(tmp_path / "photos" / f"{number}.jpg", number)
    hostile = tmp_path / "photos" / "3-hostile.jpg"
    hostile.write_bytes(make_photo(hostile, 50).read_bytes() + b"crash")
    for known in (0, 6):
        report = library.ingest(tmp_path / "photos", embedder="channel-mean")
        assert counts(report) == ({"unchanged": known} if known else {"added": 6}) | {"broken": 1}
        assert [(path.name, outcome, reason) for path, outcome, reason in library.problems()] == [
            (hostile.name, "broken", "the decoder crashes on it (SIGSEGV)")
        ]
