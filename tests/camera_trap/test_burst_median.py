"""Boxes from bursts: what moved is found where it was put, and nothing is said of what is still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer.library import Library
from organizer.library.images.crops import PhotoGroup
from organizer.settings import Settings
from organizer.types import Box
from organizer_camera_trap.burst_median import find_moved, group_by_light
from organizer_camera_trap.from_bursts import DETECTOR, from_bursts
from organizer_camera_trap.importing import import_results
from tests.scenes import HEIGHT, WIDTH, Scenes, Thing, scene


def _burst(*things: list[Thing], station: str = "brook") -> list[np.ndarray]:
    return [scene(station, some, seed=i) for i, some in enumerate(things)]


@pytest.mark.parametrize("length", [3, 5, 12])
def test_what_moved_is_boxed_where_it_is(length: int) -> None:
    fox, heron = Thing("fox", 20, 60), Thing("heron", 90, 10, 50, 30)
    found = find_moved(_burst([fox], [heron], *[[] for _ in range(length - 2)]))
    for thing, what in zip((fox, heron), found, strict=False):
        assert what is not None
        assert what.box.overlap(Box(*thing.box)) > 0.6
        assert what.share > 0.8
    assert found[2:] == [None] * (length - 2)


def test_of_two_things_the_larger_change_is_boxed_and_its_share_tells_of_the_other() -> None:
    small, large = Thing("fox", 5, 5, 24, 24), Thing("fox", 90, 50, 60, 60)
    found = find_moved(_burst([small, large], [], []))
    assert found[0] is not None
    assert found[0].box.overlap(Box(*large.box)) > 0.6
    assert 0.5 < found[0].share < 0.95


def test_light_noise_and_nothing_give_no_box() -> None:
    draw = np.random.default_rng(3)
    place = scene("ridge", [], seed=0).astype(float)
    frames = [
        np.clip(place * gain + draw.normal(0, 4, place.shape), 0, 255).astype(np.uint8)
        for gain in (0.85, 1.0, 1.1, 1.15)
    ]
    assert find_moved(frames) == [None] * 4
    same = [frames[0]] * 3
    assert find_moved(same) == [None] * 3


def test_leaves_that_wave_are_not_boxed_but_the_animal_before_them_is() -> None:
    draw = np.random.default_rng(5)
    frames = _burst(*[[] for _ in range(6)], [Thing("heron", 100, 60)])
    for frame in frames:
        leaves = draw.integers(0, 90, (HEIGHT // 4, WIDTH // 8, 1)).repeat(4, 0).repeat(4, 1)
        frame[:, : WIDTH // 2] = np.clip(leaves + 60, 0, 255)
    *still, last = find_moved(frames)
    assert sum(what is not None for what in still) <= 1
    assert last is not None
    assert last.box.overlap(Box(*Thing("heron", 100, 60).box)) > 0.5


def test_a_change_of_everything_is_no_animal() -> None:
    other = scene("ridge", [], seed=9)
    assert find_moved([*_burst([], []), other])[2] is None
    with pytest.raises(ValueError, match="median"):
        find_moved(_burst([], []))


def test_photos_of_one_light_are_compared() -> None:
    assert group_by_light([100, 20, 104, 22, 99]) == [[1, 3], [0, 2, 4]]
    assert group_by_light([]) == []


# In a library ---------------------------------------------------------------------------------


def _photo(scenes: Scenes, name: str, at: str, *things: Thing, seed: int) -> None:
    path = scenes.add("brook", name, *things, seed=seed)
    file = scenes.folder / path
    with Image.open(file) as image:
        exif = image.getexif()
        exif[0x010F], exif[0x0110] = "RECONYX", "HC500"
        exif.get_ifd(0x8769)[0x9003] = f"2026:05:01 {at}"
        image.load()
        image.save(file, quality=95, exif=exif)


@pytest.fixture
def bursts(tmp_path: Path) -> Scenes:
    """A burst of four with a fox in two, a burst of three without, a pair, one without a time."""
    scenes = Scenes(tmp_path / "photos")
    fox, later = Thing("fox", 20, 60), Thing("fox", 100, 50)
    for i, things in enumerate(([fox], [], [later], [])):
        _photo(scenes, f"a{i}.jpg", f"10:00:{i:02}", *things, seed=i)
    for i in range(3):
        _photo(scenes, f"b{i}.jpg", f"11:00:{i:02}", seed=10 + i)
    for i in range(2):
        _photo(scenes, f"c{i}.jpg", f"12:00:{i:02}", Thing("crow", 10 + 60 * i, 20), seed=20 + i)
    scenes.add("brook", "d.jpg", Thing("crow", 10, 20), seed=30)
    return scenes


def test_bursts_give_boxes_and_what_is_still_is_not_called_empty(
    library: Library, bursts: Scenes
) -> None:
    library.ingest([bursts.folder], embedder="channel-mean")
    done = from_bursts(library)
    assert (done.bursts, done.photos, done.still, done.alone) == (2, 7, 5, 3)
    assert done.report.images == done.report.cropped.embedded == 2
    assert done.report.counts.groups == {PhotoGroup.ANIMALS: 2, PhotoGroup.UNKNOWN: 8}
    assert done.report.counts.detectors == {DETECTOR: 2}
    again = from_bursts(library)
    assert (again.report.new, again.report.cropped.embedded) == (0, 0)


def test_a_real_detectors_word_stands_before_and_after(tmp_path: Path, bursts: Scenes) -> None:
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([bursts.folder], embedder="channel-mean")
        from_bursts(library)
        file = bursts.write(tmp_path / "md.json")
        import_results(library, file)
        real = library.store.detections.of()
        assert {one.detector for one in real.values()} == {"md_v5a.0.0.pt"}
        done = from_bursts(library)
        assert (done.bursts, done.known, done.report.new) == (0, 10, 0)
        assert library.store.detections.of() == real


def test_crops_of_a_burst_are_one_observation_as_their_photos_are(
    library: Library, tmp_path: Path, bursts: Scenes
) -> None:
    library.ingest([bursts.folder], embedder="channel-mean")
    import_results(library, bursts.write(tmp_path / "md.json"))
    made = library.recluster(
        k=2, embedder="crops:channel-mean", reduce="none", bursts=True, center="night"
    )
    assert made.images == 5
    assert sorted(count for _, _, count in made.clusters) == [2, 3]
    places = {home.where for home in library.detections.locations().values() if home.crops}
    assert places == {1, 2}
