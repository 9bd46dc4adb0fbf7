"""Lists of images and details of one, profiles and revisions, in Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from organizer.errors import SettingsError, StaleRevisionError
from organizer.library import Library
from organizer.library.images.filters import ImageFilter
from organizer.settings import Settings
from tests.service.field import make_field


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library that nothing changes for good."""
    home = make_field(tmp_path_factory.mktemp("lists"))
    with Library.open(home, Settings()) as found:
        yield found


def test_a_decision_that_refers_to_another_revision_changes_nothing(field: Library) -> None:
    seen = field.revision
    with field.at_revision(seen):
        field.corrections.rename(1, "Fox")
    assert field.revision == seen + 1
    for write in (
        lambda: field.corrections.rename(1, "Dog"),
        field.corrections.undo,
        lambda: field.recluster(k=2),
        lambda: field.corrections.move([next(iter(field.images.find())).image_id], 1),
    ):
        with pytest.raises(StaleRevisionError) as raised, field.at_revision(seen):
            write()
        assert (raised.value.expected, raised.value.revision) == (seen, seen + 1)
    assert field.clusters[1].name == "Fox"
    with field.at_revision(seen + 1):
        field.undo()
    assert field.clusters[1].name is None


def test_only_the_thread_that_asked_is_held_to_a_revision(field: Library) -> None:
    import threading

    seen = field.revision
    with field.at_revision(seen):
        other = threading.Thread(target=field.corrections.rename, args=(1, "Fox"))
        other.start()
        other.join()
        with pytest.raises(StaleRevisionError):
            field.corrections.rename(1, "Dog")
    assert field.clusters[1].name == "Fox"
    field.undo()


def test_pages_of_a_list_and_the_place_after_a_key(field: Library) -> None:
    for order in ("typical", "border", "time", "path", "newest"):
        found = field.images.find(order=order)
        assert len(found) == 41
        ids = found.image_ids.tolist()
        assert [image.image_id for image in found] == ids
        for place in range(41):
            assert found.place_after(found.key(place)) == place + 1
        assert [i.image_id for i in found.images(5, 3)] == ids[5:8]
        assert found.images(100, 3) == []


def test_filters_are_and(field: Library) -> None:
    both = field.images.find(ImageFilter(camera="A", text="fox1"))
    one = {i.image_id for i in field.images.find(ImageFilter(camera="A"))}
    other = {i.image_id for i in field.images.find(ImageFilter(text="fox1"))}
    assert {i.image_id for i in both} == one & other
    assert len(both) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"cluster": "1"},
        {"state": "sure"},
        {"after": "May"},
        {"before": "2024-05-32"},
        {"light": "dusk"},
        {"text": ""},
        {"ingest": -1},
        {"labels": "nonsense", "label": "x"},
    ],
    ids=str,
)
def test_a_filter_that_cannot_be(field: Library, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        field.images.find(ImageFilter(**wrong))


def test_details_of_an_image(field: Library) -> None:
    (listed,) = field.images.find(ImageFilter(text="late"))
    found = field.images.details(listed.image_id)
    assert found is not None
    assert found.listed == listed
    assert [(path.name, there) for path, there in found.paths] == [("late.jpg", True)]
    assert (found.facts["width"], found.facts["format"]) == (32, "JPEG")
    assert field.images.details("0" * 32) is None
    with pytest.raises(SettingsError):
        field.images.details("../late.jpg")


def test_a_file_that_holds_an_image(field: Library, tmp_path: Path) -> None:
    (listed,) = field.images.find(ImageFilter(text="late"))
    data = listed.path.read_bytes()
    assert field.images.present_file(listed.image_id) == listed.path
    try:
        listed.path.write_bytes(b"other")
        assert field.images.present_file(listed.image_id) is None
        listed.path.write_bytes(data)
        assert field.images.present_file(listed.image_id) == listed.path, "as it was, but later"
        listed.path.rename(tmp_path / "away.jpg")
        assert field.images.present_file(listed.image_id) is None
    finally:
        listed.path.write_bytes(data)
    assert field.images.present_file("0" * 32) is None


def test_profiles_and_news(field: Library) -> None:
    profiles = field.clusters.profiles(order="name", samples=2)
    assert sum(p.count for p in profiles) == 40
    assert all(len(p.typical) == 2 for p in profiles)
    with pytest.raises(SettingsError):
        field.clusters.profiles(order="nonsense")  # type: ignore[arg-type]
    with pytest.raises(SettingsError):
        field.clusters.profiles(samples=0)
    near = field.clusters.near(profiles[0].cluster_id, limit=2)
    assert len(near) == 2
    assert near == sorted(near, key=lambda pair: pair[1])
    news = field.clusters.news()
    assert news is not None
    fields = asdict(news)
    assert (fields["images"], fields["unassigned"], sum(news.grown.values())) == (2, 1, 1)
