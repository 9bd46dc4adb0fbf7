"""The timeline: events against a plain count, groups, people, filters."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.images.crops import PhotoGroup
from organizer.settings import Settings
from tests.scenes import season
from tests.test_detecting import seen
from tests.traps import BOAR, COLOUR, FOX, OWL, frame

_GAP = timedelta(minutes=30)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Two cameras: foxes and owls in the evening, boars a day later, one photo without a time."""
    folder = tmp_path / "card"
    clocks = ["19:00:00", "19:00:20", "19:25:00", "19:56:00", "23:50:00"]
    for number, (camera, first) in enumerate((("A", FOX), ("B", OWL))):
        for i, clock in enumerate(clocks):
            colour = first if i < 3 else BOAR
            at = f"2024:05:01 {clock}"
            frame(folder / camera / f"{i}.jpg", colour, at=at, camera=camera, seed=number)
    frame(folder / "A" / "later.jpg", FOX, at="2024:05:02 00:10:00", camera="A", seed=7)
    frame(folder / "A" / "no-time.jpg", OWL, at=None, camera="A", seed=8)
    return folder


@pytest.fixture
def made(library: Library, card: Path) -> Library:
    library.ingest([card], embedder=COLOUR)
    library.recluster(k=3, reduce="none")
    return library


def test_events_are_what_a_plain_count_of_the_photos_gives(made: Library) -> None:
    current = made.store.clusterings.current()
    assert current is not None
    members = made.store.clusterings.assignments(current.clustering_id)
    cluster_of = dict(zip(members.image_ids, members.cluster_ids.tolist(), strict=True))
    distance_of = dict(zip(members.image_ids, members.distances.tolist(), strict=True))
    photos: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for image in made.images:
        if image.facts.taken_at is not None:
            taken = datetime.fromisoformat(image.facts.taken_at)
            photos[image.facts.camera or ""].append((taken, image.id))
    expected = []
    for camera, listed in sorted(photos.items()):
        events: list[list[tuple[datetime, str]]] = []
        for taken, image_id in sorted(listed):
            if not events or taken - events[-1][-1][0] > _GAP:
                events.append([])
            events[-1].append((taken, image_id))
        for event in events:
            counts = Counter(cluster_of[i] for _, i in event)
            most = min(counts, key=lambda c: (-counts[c], c))
            inside = [i for _, i in event if cluster_of[i] == most]
            medoid = min(inside, key=distance_of.__getitem__)
            times = [t.isoformat() for t, _ in event]
            expected.append((camera, times[0], times[-1], len(event), dict(counts), medoid))
    found = made.images.timeline()
    assert [
        (e.camera, e.start, e.end, e.images, dict(e.clusters), e.medoid) for e in found.events
    ] == expected
    assert len(expected) == 6
    assert [e.event for e in found.events] == list(range(6))
    assert found.cameras == ("A", "B")
    assert {e.group for e in found.events} == {PhotoGroup.UNKNOWN}


def test_photos_without_a_time_are_of_no_event(made: Library, card: Path) -> None:
    found = made.images.timeline()
    assert found.untimed == 1
    assert found.untimed_images == (made.images[card / "A" / "no-time.jpg"].id,)
    assert sum(event.images for event in found.events) == len(made.images) - 1


def test_infrared_photos_are_the_night(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    for i, colour in enumerate(((90, 90, 90), (95, 95, 95), FOX, (100, 100, 100))):
        frame(folder / f"{i}.jpg", colour, at=f"2024:05:01 19:00:0{i}", noise=0 if i != 2 else 30)
    frame(folder / "day.jpg", FOX, at="2024:05:02 12:00:00", noise=30)
    library.ingest([folder], embedder=COLOUR)
    assert [event.night for event in library.images.timeline().events] == [0.75, 0.0]


def test_it_is_limited_to_a_camera(made: Library) -> None:
    found = made.images.timeline(camera="B")
    assert {event.camera for event in found.events} == {"B"}
    assert (len(found.events), found.untimed) == (3, 0)
    assert found.cameras == ("A", "B")
    with pytest.raises(SettingsError, match="camera cannot be 'C'") as error:
        made.images.timeline(camera="C")
    assert error.value.hint is not None
    assert "A, B" in error.value.hint
    with pytest.raises(SettingsError, match="deployment cannot be"):
        made.images.timeline(deployment="ridge")


def test_it_is_limited_to_a_deployment(made: Library) -> None:
    made.deployments.set_template("{camera}")
    found = made.images.timeline()
    assert found.deployments == ("A", "B")
    some = made.images.timeline(deployment="A")
    assert [event.event for event in some.events] == [
        event.event for event in found.events if event.deployment == "A"
    ]
    assert some.untimed == 1


def test_without_clusters_and_without_photos_there_are_events_too(
    library: Library, card: Path
) -> None:
    assert library.images.timeline().events == ()
    library.ingest([card], embedder=COLOUR)
    events = library.images.timeline().events
    assert [dict(event.clusters) for event in events] == [{}] * 6
    assert events[0].medoid == library.images[card / "A" / "0.jpg"].id


# Detections ------------------------------------------------------------------------------------


@pytest.fixture
def trap(library: Library, tmp_path: Path) -> Library:
    """The scenes with results of a detector: each photo an event of its own."""
    scenes = season(tmp_path / "season", each=4)
    for number, path in enumerate(sorted(scenes.things)):
        file = scenes.folder / path
        at = datetime(2024, 5, 1) + number * timedelta(hours=1)  # noqa: DTZ001
        _with_time(file, at.strftime("%Y:%m:%d %H:%M:%S"), path.split("/")[0])
    library.ingest([scenes.folder], embedder=COLOUR)
    library.detections.add(seen(library, scenes))
    return library


def _with_time(file: Path, at: str, camera: str) -> None:
    from PIL import Image

    with Image.open(file) as picture:
        exif = picture.getexif()
        exif[0x0110] = camera
        exif.get_ifd(0x8769)[0x9003] = at
        picture.save(file, quality=95, exif=exif)


def test_people_empties_and_animals_are_told_apart(trap: Library) -> None:
    events = trap.images.timeline().events
    groups = Counter(event.group for event in events)
    assert groups == {
        PhotoGroup.ANIMALS: 26,
        PhotoGroup.EMPTY: 4,
        PhotoGroup.PEOPLE: 2,
        PhotoGroup.VEHICLES: 2,
    }
    hidden = [event for event in events if event.hidden]
    assert {event.group for event in hidden} == {PhotoGroup.PEOPLE, PhotoGroup.VEHICLES}
    assert all(event.medoid is None and not event.clusters for event in hidden)


@pytest.mark.usefixtures("trap")
def test_people_are_shown_where_the_settings_say_so(tmp_path: Path) -> None:
    with Library.open(tmp_path, Settings(with_people=True)) as library:
        events = library.images.timeline().events
    assert not any(event.hidden for event in events)
    assert all(event.medoid for event in events)


def test_where_crops_are_clustered_the_animals_are_counted(trap: Library) -> None:
    trap.recluster(k=3, embedder=f"crops:{COLOUR}", reduce="none")
    events = trap.images.timeline().events
    pairs = [event for event in events if sum(event.clusters.values()) + event.unassigned == 2]
    assert len(pairs) == 2
    crops = trap.store.detections.crops()
    for event in events:
        is_animal = event.group is PhotoGroup.ANIMALS
        assert (event.medoid in crops) == is_animal
        assert bool(event.clusters) <= is_animal
