"""Plugins that read metadata: what becomes of what they find, and of their bugs."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.errors import PluginError
from organizer.library import Library
from tests.conftest import Site, make_photo

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


def _ingest(library: Library, tmp_path: Path, number: int = 3) -> None:
    for i in range(number):
        make_photo(tmp_path / "photos" / f"{i}.jpg", i)
    library.ingest([tmp_path / "photos"], embedder="channel-mean")


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
        (_RAISES, "failed with IndexError: out of the note"),
        (_GIVES % "None", "gave NoneType, no mapping"),
        (_GIVES % "{'t': float('nan')}", "gave nan as 't', which cannot be kept"),
        (_GIVES % "{'t': True}", "gave True as 't'"),
        (_GIVES % "{'t': b'raw'}", "gave b'raw' as 't'"),
        (_GIVES % "{'t': 'a' + chr(0xd800)}", "as 't', which cannot be kept"),
        (_GIVES % "{4: 'four'}", "gave 'four' as 4"),
    ],
    ids=["raises", "nothing", "nan", "bool", "bytes", "surrogate", "key"],
)
def test_a_reader_with_a_bug_is_named_and_ends_the_ingest(
    library: Library, tmp_path: Path, site: Site, code: str, said: str
) -> None:
    dist = _installed(site, code, tmp_path)
    with pytest.raises(PluginError) as caught:
        _ingest(library, tmp_path)
    assert caught.value.message.startswith(f"the metadata reader 'bad' of {dist}")
    assert said in caught.value.message
    assert "0.jpg" in caught.value.message
    assert f"update or remove {dist}" in caught.value.hint


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
