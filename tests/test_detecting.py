"""Detections in a library: crops of photos, groups, quarantine, a person's decisions."""

from __future__ import annotations

import importlib
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import normalized_mutual_info_score

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.detections.importing import with_crops
from organizer.library.images.capture import read_capture_info
from organizer.library.images.crops import PhotoGroup, locate_photos
from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.progress import NoProgress
from organizer.settings import Settings
from organizer.types import NOISE, Box, Crop, Detected, Detection, ImageDetections, crop_id
from tests.conftest import Site
from tests.scenes import STATIONS, Scenes, Thing, season

COLOUR, CROPS = "channel-mean", "crops:channel-mean"
_NUMBERS = {"person": "person", "vehicle": "vehicle"}


def _detection(thing: Thing) -> Detection:
    x, y, width, height = thing.box
    return Detection(_NUMBERS.get(thing.what, "animal"), thing.confidence, x, y, width, height)


def seen(library: Library, scenes: Scenes, *, detector: str = "eye") -> list[ImageDetections]:
    """What a detector that sees everything says of the photos in a library."""
    found = []
    for path, things in scenes.things.items():
        image_id = library.store.photos.image_at(scenes.folder / path)
        if image_id is None:
            continue
        boxes = tuple(_detection(thing) for thing in things)
        outcome = Detected.FOUND if boxes else Detected.EMPTY
        found.append(ImageDetections(image_id, outcome, boxes, detector=detector))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenes]:
    """The season ingested, and with its detections clustered by its crops; made once."""
    found = {}
    for name in ("ingested", "cropped"):
        home = tmp_path_factory.mktemp(name)
        found[name] = season(home / "photos")
        with Library.open_or_create(home, Settings()) as library:
            library.ingest([found[name].folder], embedder=COLOUR)
            if name == "cropped":
                library.detections.add(seen(library, found[name]))
                library.recluster(k=3, embedder=CROPS, reduce="none")
    return found


@pytest.fixture
def scenes(tmp_path: Path, made: dict[str, Scenes]) -> Scenes:
    return Scenes(tmp_path / "photos", dict(made["cropped"].things))


@pytest.fixture
def ingested(made: dict[str, Scenes], scenes: Scenes) -> Iterator[Library]:
    """A copy of the season, embedded by its mean colours."""
    yield from _copied(made["ingested"], scenes)


@pytest.fixture
def cropped(made: dict[str, Scenes], scenes: Scenes) -> Iterator[Library]:
    """A copy of the season with its detections, clustered by its crops."""
    yield from _copied(made["cropped"], scenes)


def _copied(made: Scenes, scenes: Scenes) -> Iterator[Library]:
    home = scenes.folder.parent
    shutil.copytree(made.folder.parent, home, dirs_exist_ok=True)
    with Library.open(home, Settings()) as library:
        yield library


def path_of(library: Library, scenes: Scenes, image_id: str) -> str:
    file = library.store.photos.files_of([image_id], with_people=True)[image_id][0].file
    return file.relative_to(scenes.folder).as_posix()


def what_of(library: Library, scenes: Scenes) -> dict[str, str]:
    """The species of each crop of the present clustering, by its place in the photo."""
    found = {}
    for name, crop in library.store.detections.crops().items():
        things = scenes.things[path_of(library, scenes, name)]
        (thing,) = [t for t in things if t.box == [
            crop.box.x, crop.box.y, crop.box.width, crop.box.height,
        ]]  # fmt: skip
        found[name] = thing.what
    return found


def clusters_of(library: Library) -> dict[str, int]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    return dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))


def test_whole_frames_cluster_by_place_and_crops_by_species(
    ingested: Library, scenes: Scenes
) -> None:
    ingested.recluster(k=2, reduce="none")
    whole = clusters_of(ingested)
    stations = [path_of(ingested, scenes, i).partition("/")[0] for i in whole]
    assert normalized_mutual_info_score(stations, list(whole.values())) == pytest.approx(1)
    report = ingested.detections.add(seen(ingested, scenes))
    assert report.embedder is not None
    assert report.embedder.name == CROPS
    made = ingested.recluster(k=3, embedder=CROPS, reduce="none")
    assert made.images == len(ingested.store.detections.current_crops()) == 2 * (3 * 6 + 2 + 1)
    crops = clusters_of(ingested)
    what = what_of(ingested, scenes)
    species = [what[i] for i in crops]
    assert normalized_mutual_info_score(species, list(crops.values())) == pytest.approx(1)
    places = [path_of(ingested, scenes, i).partition("/")[0] for i in crops]
    assert normalized_mutual_info_score(places, list(crops.values())) < 0.05


def test_a_photo_with_two_animals_is_in_two_clusters_and_located_in_the_surer_one(
    cropped: Library, scenes: Scenes
) -> None:
    found = cropped.detections.locations()
    frame = cropped.store.photos.image_at(scenes.folder / "brook/pair.jpg")
    assert frame is not None
    photo = found[frame]
    what = what_of(cropped, scenes)
    assert [what[crop.crop_id] for crop in photo.crops] == ["crow", "fox"]
    assert len({crop.cluster_id for crop in photo.crops}) == 2
    assert photo.cluster_id == photo.where == photo.crops[0].cluster_id
    assert photo.group is PhotoGroup.ANIMALS


def test_a_name_moves_no_photo_and_a_move_does(cropped: Library, scenes: Scenes) -> None:
    frame = cropped.store.photos.image_at(scenes.folder / "brook/pair.jpg")
    assert frame is not None
    before = cropped.detections.locations()
    crow, fox = before[frame].crops
    assert crow.cluster_id is not None
    assert fox.cluster_id is not None
    cropped.corrections.rename(fox.cluster_id, "Fox")  # its crops stand for the name
    assert cropped.detections.locations() == before
    cropped.corrections.move([fox.crop_id], crow.cluster_id)
    cropped.corrections.move([fox.crop_id], fox.cluster_id)
    assert cropped.detections.locations()[frame].where == fox.cluster_id


def test_every_photo_is_located(cropped: Library, scenes: Scenes) -> None:
    found = {
        path_of(cropped, scenes, i): photo for i, photo in cropped.detections.locations().items()
    }
    assert found.keys() == scenes.things.keys()
    assert found["ridge/empty0.jpg"].where == "empty"
    assert found["ridge/person.jpg"].where == "people"
    assert found["ridge/person.jpg"].quarantined
    assert found["ridge/person.jpg"].cluster_id is not None
    assert found["ridge/car.jpg"].where == "vehicles"
    counts = cropped.detections.counts()
    assert counts.groups == {
        PhotoGroup.ANIMALS: 38, PhotoGroup.EMPTY: 4, PhotoGroup.PEOPLE: 2, PhotoGroup.VEHICLES: 2,
    }  # fmt: skip
    assert sum(counts.groups.values()) == counts.images == len(scenes.things)
    assert counts.crops == 42
    assert [(spec.name, n) for spec, n in counts.embedded] == [(CROPS, 42)]


def test_whole_photos_are_located_too(ingested: Library, scenes: Scenes) -> None:
    assert {photo.where for photo in locate_photos(ingested.store, None).values()} == {
        "no detector result"
    }
    ingested.recluster(k=2, reduce="none")
    assert {photo.where for photo in ingested.detections.locations().values()} == {1, 2}
    ingested.detections.add(seen(ingested, scenes))
    where = {
        path_of(ingested, scenes, i): photo.where
        for i, photo in ingested.detections.locations().items()
    }
    assert where["brook/person.jpg"] == "people"
    assert where["brook/empty0.jpg"] in {1, 2}


def test_a_picture_of_a_crop_is_what_lies_in_its_box(cropped: Library, scenes: Scenes) -> None:
    what = what_of(cropped, scenes)
    fox = next(i for i, species in what.items() if species == "fox")
    made = make_thumbnails(cropped.store, [fox], side=40, progress=NoProgress())[fox]
    assert (made.width, made.height) == (40, 40)
    facts = cropped.store.photos.facts_of([fox])[fox]
    assert (facts.width, facts.height, facts.image_id) == (40, 40, fox)
    middle = np.asarray(Image.open(io.BytesIO(made.jpeg)))[15:25, 15:25].mean((0, 1))
    assert np.abs(middle - (205, 95, 30)).max() < 25


def test_people_are_shown_nowhere_unless_asked_for(cropped: Library, scenes: Scenes) -> None:
    people = {"brook/person.jpg", "ridge/person.jpg", "brook/car.jpg", "ridge/car.jpg"}

    def shown(library: Library) -> set[str]:
        """All paths that samples, clusters, searches and exports name."""
        paths = {look.path for look in library.review.sample(500)}
        for cluster in library.clusters.summaries():
            paths |= {*cluster.examples} | ({cluster.medoid} if cluster.medoid else set())
            paths |= {member.path for member in library.clusters.members(cluster.cluster_id)}
        hits = library.search(scenes.folder / "brook/heron0.jpg", limit=100)
        paths |= {hit.path for hit in hits}
        paths |= {Path(path) for path in library.assignments()["path"].to_pylist()}
        return {path.relative_to(scenes.folder).as_posix() for path in paths if path is not None}

    assert not shown(cropped) & people
    assert "brook/heron0.jpg" in shown(cropped)
    assert (
        sum(
            cropped.clusters.count_hidden(cluster.cluster_id)
            for cluster in cropped.clusters.summaries()
        )
        == 2
    )
    home = cropped.store.path.parent
    with Library.open(home, Settings(with_people=True)) as asked:
        assert {"brook/person.jpg", "ridge/person.jpg"} <= shown(asked)
        assert len(asked.assignments(with_people=False)) == len(cropped.assignments())
    assert len(cropped.assignments(with_people=True)) == len(cropped.assignments()) + 2


def test_a_decision_by_path_means_all_crops_of_the_photo(cropped: Library, scenes: Scenes) -> None:
    goal = cropped.clusters.summaries()[0].cluster_id
    report = cropped.corrections.move([scenes.folder / "brook/pair.jpg"], goal)
    assert len(report.decision.image_ids) == 2
    assert report.notes[0] == "pair.jpg: all its 2 crops are meant"
    at = clusters_of(cropped)
    assert {at[i] for i in report.decision.image_ids} == {goal}


def test_a_decision_by_crop_means_that_one(cropped: Library, scenes: Scenes) -> None:
    frame = cropped.store.photos.image_at(scenes.folder / "brook/pair.jpg")
    assert frame is not None
    first, second = cropped.detections.locations()[frame].crops
    assert second.cluster_id is not None
    report = cropped.corrections.move([first.crop_id[:10]], second.cluster_id)
    assert report.decision.image_ids == (first.crop_id,)
    assert not report.notes
    assert cropped.corrections.exclude([second.crop_id], second.cluster_id).decision.image_ids == (
        second.crop_id,
    )


def test_an_empty_photo_that_a_person_moves_becomes_a_crop_of_all_of_it(
    cropped: Library, scenes: Scenes
) -> None:
    empty = scenes.folder / "ridge/empty1.jpg"
    frame = cropped.store.photos.image_at(empty)
    assert frame is not None
    before = clusters_of(cropped)
    goal = cropped.clusters.summaries()[0].cluster_id
    report = cropped.corrections.move([empty], goal)
    assert report.notes[0] == "empty1.jpg: no crop, all of the photo is meant"
    photo = cropped.detections.locations()[frame]
    assert (photo.where, photo.group) == (goal, PhotoGroup.ANIMALS)
    assert photo.crops[0].decided
    assert clusters_of(cropped) == {**before, photo.crops[0].crop_id: goal}
    cropped.recluster(k=3, embedder=CROPS, reduce="none")
    assert cropped.detections.locations()[frame].where == goal
    cropped.undo()
    assert cropped.detections.locations()[frame].where == goal
    cropped.undo()
    assert cropped.detections.locations()[frame].where == "empty"
    assert clusters_of(cropped) == {**before, photo.crops[0].crop_id: NOISE}


@pytest.mark.slow
def test_a_folder_means_the_crops_in_it(cropped: Library, scenes: Scenes) -> None:
    goal = cropped.clusters.summaries()[0].cluster_id
    report = cropped.corrections.move([scenes.folder / "brook"], goal)
    assert len(report.decision.image_ids) == 21
    assert "3 photos without a crop are left out: name them one by one" in report.notes


def test_an_ingest_cannot_embed_crops_and_goes_on_with_photos(
    cropped: Library, scenes: Scenes
) -> None:
    with pytest.raises(SettingsError) as caught:
        cropped.ingest([scenes.folder], embedder=CROPS)
    assert "--embedder channel-mean" in caught.value.hint
    scenes.add("brook", "fox-late.jpg", Thing("fox", 60, 30), seed=77)
    scenes.add("brook", "late-empty.jpg", seed=78)
    before = clusters_of(cropped)
    report = cropped.ingest([scenes.folder])
    assert report.embedder.name == COLOUR
    assert report.compared == 0
    assert clusters_of(cropped) == before


def test_crops_of_new_photos_are_assigned_to_the_current_clusters(
    cropped: Library, scenes: Scenes
) -> None:
    what = what_of(cropped, scenes)
    before = clusters_of(cropped)
    foxes = next(before[i] for i, species in what.items() if species == "fox")
    late = scenes.add("brook", "fox-late.jpg", Thing("fox", 60, 30), seed=77)
    cropped.ingest([scenes.folder])
    report = cropped.detections.add(seen(cropped, scenes))
    assert (report.new, report.cropped.embedded, report.late.compared) == (1, 1, 1)
    frame = cropped.store.photos.image_at(scenes.folder / late)
    assert frame is not None
    assert cropped.detections.locations()[frame].where == foxes
    after = clusters_of(cropped)
    assert {i: after[i] for i in before} == before


@pytest.mark.slow
def test_the_same_results_again_change_nothing(cropped: Library, scenes: Scenes) -> None:
    before = clusters_of(cropped)
    report = cropped.detections.add(seen(cropped, scenes))
    assert (report.new, report.cropped.embedded) == (0, 0)
    assert clusters_of(cropped) == before


def test_a_detector_that_fails_takes_nobody_out_of_quarantine(cropped: Library) -> None:
    groups_before = {i: photo.group for i, photo in cropped.detections.locations().items()}
    assert PhotoGroup.PEOPLE in groups_before.values()
    failed = [
        ImageDetections(i, Detected.FAILED, failure="image access failure", detector="another eye")
        for i in groups_before
    ]
    report = cropped.detections.add(failed)
    never = sum(group is PhotoGroup.UNKNOWN for group in groups_before.values())
    assert (report.images, report.left) == (len(failed), len(failed) - never)
    assert {i: photo.group for i, photo in cropped.detections.locations().items()} == groups_before


def _another_eye(
    library: Library, scenes: Scenes, with_a_box: str | None = None, *, height: float = 0.9
) -> list[ImageDetections]:
    """What another detector says: lower boxes, and something in a photo that was empty."""
    return [
        ImageDetections(
            one.image_id,
            Detected.FOUND if one.image_id == with_a_box else one.outcome,
            (Detection("animal", 0.3, 0.1, 0.1, 0.2, 0.2),)
            if one.image_id == with_a_box
            else tuple(replace(box, height=box.height * height) for box in one.detections),
            detector="another eye",
        )
        for one in seen(library, scenes)
    ]


def test_an_animal_that_another_detector_boxes_anew_is_the_crop_that_it_was(
    cropped: Library, scenes: Scenes
) -> None:
    """Vector, cluster, name and decisions stay; nothing is embedded again."""
    before = cropped.detections.locations()
    pair = cropped.store.photos.image_at(scenes.folder / "brook/pair.jpg")
    assert pair is not None
    first, second = before[pair].crops
    assert second.cluster_id is not None
    cropped.corrections.rename(second.cluster_id, "kept")
    cropped.corrections.move([first.crop_id], second.cluster_id)
    before = cropped.detections.locations()
    report = cropped.detections.add(_another_eye(cropped, scenes), embedder=COLOUR)
    assert (report.new, report.cropped.embedded, report.outdated) == (46, 0, 0)
    after = cropped.detections.locations()
    for image_id, photo in after.items():
        assert [(c.crop_id, c.cluster_id, c.decided) for c in photo.crops] == [
            (c.crop_id, c.cluster_id, c.decided) for c in before[image_id].crops
        ]
        for crop, old in zip(photo.crops, before[image_id].crops, strict=True):
            assert crop.box.height == pytest.approx(old.box.height * 0.9)
    assert cropped.detections.add(_another_eye(cropped, scenes), embedder=COLOUR).new == 0
    made = cropped.recluster(k=3, embedder=CROPS, reduce="none")
    assert made.images == 42
    assert "kept" in {name for _, name, _ in made.clusters}
    # The first detector again: the same crops once more.
    back = cropped.detections.add(seen(cropped, scenes), embedder=COLOUR)
    assert (back.cropped.embedded, back.counts.crops) == (0, 42)


def test_each_crop_is_that_of_one_box_and_the_surest_box_chooses_first() -> None:
    frame = "ab" * 16
    old, other = Box(0.1, 0.1, 0.4, 0.4), Box(0.6, 0.6, 0.2, 0.2)
    known = [Crop.of(frame, box) for box in (old, other)]

    def ids(*boxes: Detection, active: Sequence[str] = ()) -> list[str]:
        one = ImageDetections(frame, Detected.FOUND, boxes)
        return [box.crop_id for box in with_crops(one, known, active).detections]

    near = Detection("animal", 0.2, 0.1, 0.1, 0.4, 0.39)
    farther = Detection("animal", 0.9, 0.1, 0.1, 0.4, 0.3)
    elsewhere = Detection("animal", 0.9, 0.6, 0.6, 0.05, 0.2)
    person = Detection("person", 0.9, 0.1, 0.1, 0.4, 0.4)
    assert ids(near) == [known[0].crop_id]
    assert ids(near, farther) == [crop_id(frame, near.box), known[0].crop_id]
    assert ids(farther, replace(near, height=0.4)) == [
        crop_id(frame, farther.box),
        known[0].crop_id,
    ]
    assert ids(elsewhere, person) == [crop_id(frame, elsewhere.box), ""]
    known.append(Crop.of(frame, Box(0.1, 0.1, 0.4, 0.38)))
    assert ids(near) == [known[0].crop_id]
    assert ids(near, active=[known[2].crop_id]) == [known[2].crop_id]


_BOXES = st.builds(
    Detection,
    st.sampled_from(["animal", "person"]),
    st.floats(0, 1),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.floats(0.01, 0.5),
    st.floats(0.01, 0.5),
)


@given(st.lists(_BOXES, max_size=4), st.lists(_BOXES, max_size=4))
def test_results_that_come_again_have_the_crops_that_they_had(
    first: list[Detection], second: list[Detection]
) -> None:
    frame = "cd" * 16
    store: dict[str, Crop] = {}

    def imported(boxes: list[Detection]) -> list[str]:
        one = ImageDetections(frame, Detected.FOUND, tuple(boxes))
        made = with_crops(one, list(store.values())).detections
        for box in made:
            if box.crop_id:
                store.setdefault(box.crop_id, Crop(box.crop_id, frame, box.box))
        return [box.crop_id for box in made]

    assert len(imported(first)) == len(first)
    before = imported(second)
    known = set(store)
    assert imported(second) == before
    assert set(store) == known
    for box, name in zip(second, before, strict=True):
        assert (name == "") is (box.category == "person")


@pytest.mark.slow
def test_another_detector_replaces_the_boxes_and_the_old_crops_are_counted(
    cropped: Library, scenes: Scenes
) -> None:
    cropped.corrections.rename(cropped.clusters.summaries()[0].cluster_id, "kept")
    report = cropped.detections.add(_another_eye(cropped, scenes, height=0.4), embedder=COLOUR)
    assert report.cropped.embedded == 42
    named = set(cropped.corrections.constraints().fixed)
    assert report.outdated == 42 - len(named)
    made = cropped.recluster(k=3, embedder=CROPS, reduce="none")
    assert made.images == 42 + len(named)
    assert "kept" in {name for _, name, _ in made.clusters}


def _boxes_in_an_export(library: Library, to: Path) -> dict[str, list[dict[str, Any]]]:
    library.exports.write("megadetector-json", to, force=True)
    images = json.loads(to.read_text())["images"]
    return {one["organizer"]["image_id"]: one["detections"] for one in images}


def test_a_representative_is_no_animal_where_a_later_detector_sees_none(
    cropped: Library, tmp_path: Path
) -> None:
    named = cropped.clusters.summaries()[0].cluster_id
    cropped.corrections.rename(named, "kept")
    standing = set(cropped.corrections.constraints().fixed)
    frames = {crop.image_id for crop in cropped.store.detections.crops(standing).values()}
    assert frames
    nothing = [ImageDetections(i, Detected.EMPTY, detector="another eye") for i in frames]
    cropped.detections.add(nothing)
    boxes = _boxes_in_an_export(cropped, tmp_path / "md.json")
    assert [boxes[i] for i in frames] == [[]] * len(frames)


def test_an_animal_that_two_detectors_box_is_in_an_export_once_with_its_decision(
    cropped: Library, scenes: Scenes, tmp_path: Path
) -> None:
    pair, empty = (
        cropped.store.photos.image_at(scenes.folder / path)
        for path in ("brook/pair.jpg", "ridge/empty1.jpg")
    )
    assert pair is not None
    assert empty is not None
    first, second = cropped.detections.locations()[pair].crops
    assert second.cluster_id is not None
    cropped.corrections.move([first.crop_id], second.cluster_id)
    cropped.corrections.move([scenes.folder / "ridge/empty1.jpg"], second.cluster_id)
    before = _boxes_in_an_export(cropped, tmp_path / "md.json")
    cropped.detections.add(_another_eye(cropped, scenes, empty))
    after = _boxes_in_an_export(cropped, tmp_path / "md.json")
    assert {i: len(boxes) for i, boxes in after.items()} == {i: len(b) for i, b in before.items()}
    edges = [first.box.x, first.box.y, first.box.width, first.box.height * 0.9]
    (moved,) = [box for box in after[pair] if box["bbox"] == pytest.approx(edges, abs=1e-5)]
    assert moved["conf"] == pytest.approx(first.confidence)
    assert moved["classifications"] == [[str(second.cluster_id), 1.0]]
    (found,) = after[empty]
    assert (found["conf"], found["category"]) == (0.3, "1")
    assert found["classifications"] == [[str(second.cluster_id), 1.0]]


@pytest.mark.slow
def test_results_that_yield_leave_those_of_another_detector(
    cropped: Library, scenes: Scenes
) -> None:
    scenes.add("brook", "fox-late.jpg", Thing("fox", 60, 30), seed=77)
    cropped.ingest([scenes.folder])
    report = cropped.detections.add(
        seen(cropped, scenes, detector="median"), keep_other_detectors=True
    )
    assert (report.new, report.left) == (1, len(scenes.things) - 1)
    assert cropped.detections.counts().detectors == {"eye": len(scenes.things) - 1, "median": 1}


def test_the_threshold_decides_what_is_empty_and_who_is_hidden(
    library: Library, tmp_path: Path
) -> None:
    scenes = Scenes(tmp_path / "photos")
    scenes.add("brook", "a.jpg", Thing("fox", 10, 10, confidence=0.15), seed=1)
    scenes.add("brook", "b.jpg", Thing("person", 10, 10, confidence=0.3), seed=2)
    scenes.add("ridge", "c.jpg", Thing("fox", 10, 10, confidence=0.8), seed=3)
    library.ingest([scenes.folder], embedder=COLOUR)
    library.detections.add(seen(library, scenes), usual_threshold=0.1)
    assert library.detections.counts().groups == {PhotoGroup.ANIMALS: 2, PhotoGroup.PEOPLE: 1}
    report = library.detections.add(seen(library, scenes), threshold=0.4, usual_threshold=0.1)
    assert report.counts.threshold == 0.4
    assert report.counts.groups == {PhotoGroup.ANIMALS: 1, PhotoGroup.EMPTY: 2}
    again = library.detections.add(seen(library, scenes), usual_threshold=0.1)
    assert again.counts.threshold == 0.4
    with pytest.raises(SettingsError):
        library.detections.add([], threshold=1.5)


@pytest.mark.slow
def test_a_frame_that_is_gone_is_counted_and_done_when_it_is_back(
    ingested: Library, scenes: Scenes
) -> None:
    away = scenes.folder / "brook/pair.jpg"
    kept = away.read_bytes()
    away.unlink()
    report = ingested.detections.add(seen(ingested, scenes))
    assert (report.cropped.unreadable, report.cropped.embedded) == (2, 40)
    away.write_bytes(kept)
    report = ingested.detections.add(seen(ingested, scenes))
    assert (report.cropped.unreadable, report.cropped.embedded) == (0, 2)


_NO_HERONS = """
import numpy as np

class NoHerons:
    dim = 6
    mended = False

    def prepare(self, image):
        channels = image.reshape(-1, 3) / 255
        return np.concatenate([channels.mean(axis=0), channels.std(axis=0)]).astype(np.float32)

    def embed(self, batch):
        vectors = np.asarray(batch, dtype=np.float32).reshape(len(batch), 6)
        if (vectors[:, 2] > 0.55).any() and not NoHerons.mended:
            raise ValueError("herons are too bright")
        return vectors
"""


def test_a_crop_that_gets_no_vector_is_counted_and_tried_again(
    library: Library, tmp_path: Path, site: Site
) -> None:
    site.install("no-herons", _NO_HERONS, **{"no-herons": "NoHerons"})
    few = Scenes(tmp_path / "few")
    for seed, what in enumerate(["fox", "crow", "heron", "fox"]):
        few.add("brook", f"{seed}.jpg", Thing(what, 20 + 10 * seed, 30), seed=seed)
    library.ingest([few.folder], embedder=COLOUR)
    for _ in range(2):
        report = library.detections.add(seen(library, few), embedder="no-herons").cropped
        assert (report.failed, report.unreadable) == (1, 0)
        assert report.first_failure.endswith("ValueError: herons are too bright")
        assert library.detections.counts().embedded[0][1] == 3
    assert library.problems() == []
    importlib.import_module("no_herons").NoHerons.mended = True
    report = library.detections.add(seen(library, few), embedder="no-herons").cropped
    assert (report.failed, report.embedded) == (0, 1)


def test_a_whole_photo_that_gets_no_vector_is_not_moved_to_a_cluster_of_crops(
    library: Library, tmp_path: Path, site: Site
) -> None:
    site.install("no-herons-either", _NO_HERONS, **{"no-herons-either": "NoHerons"})
    few = Scenes(tmp_path / "few")
    for seed in range(6):
        what = "fox" if seed % 2 else "crow"
        few.add("brook", f"{seed}.jpg", Thing(what, 10 + 10 * seed, 30), seed=seed)
    bright = few.folder / "brook" / "bright.jpg"
    Image.new("RGB", (160, 120), (250, 250, 250)).save(bright)
    library.ingest([few.folder], embedder=COLOUR)
    library.detections.add(seen(library, few), embedder="no-herons-either")
    library.recluster(k=2, embedder="crops:no-herons-either", reduce="none")
    with pytest.raises(SettingsError, match=r"1 of the photos got no vector: .*too bright"):
        library.corrections.move([bright], 1)
    assert not library.store.decisions.all()


def test_crops_need_photos_and_an_embedder_that_is_there(library: Library, scenes: Scenes) -> None:
    with pytest.raises(SettingsError, match="no images"):
        library.detections.add([])
    scenes.add("brook", "a.jpg", Thing("fox", 10, 10), seed=1)
    library.ingest([scenes.folder], embedder=COLOUR)
    with pytest.raises(SettingsError, match="crops:channel-mean") as caught:
        library.recluster(k=2, embedder=CROPS)
    assert "detections import" in caught.value.hint
    for name in ("crops:", "crops:crops:hog", "crops:nothing", "crops:hog+hsv", "hog+crops:hsv"):
        with pytest.raises(SettingsError):
            library.detections.add(seen(library, scenes), embedder=name)


@pytest.mark.slow
def test_an_interrupted_run_is_gone_on_with(ingested: Library, scenes: Scenes) -> None:
    stops: Iterator[bool] = iter([False, True])
    report = ingested.detections.add(seen(ingested, scenes), stop=lambda: next(stops))
    assert report.cropped.interrupted
    assert report.cropped.embedded == 42  # two batches of 32 hold all
    assert len(STATIONS) == 2


def test_contexts_and_labels_of_a_crop_are_those_of_its_photo(
    cropped: Library, scenes: Scenes
) -> None:
    what = what_of(cropped, scenes)
    taken = read_capture_info(cropped.store, list(what), settings=cropped.settings)
    assert taken.image_ids == tuple(what)
    assert not np.isnan(taken.brightness).any()
    report = cropped.reports.make(labels="folders")
    assert report.truth is not None
    assert report.labelled == 42
    assert report.truth.nmi < 0.05


def test_what_an_interruption_leaves_to_be_swept_is_never_a_crop_of_a_real_photo(
    cropped: Library,
) -> None:
    before = clusters_of(cropped)
    with suppress(ZeroDivisionError), cropped.store.writing():
        cropped.store.mark_unfinished()
        raise ZeroDivisionError
    with cropped.store.writing() as was_interrupted:
        assert was_interrupted
    assert clusters_of(cropped) == before
    counts = cropped.detections.counts()
    assert [count for _, count in counts.embedded] == [counts.crops] == [42]


def test_a_photo_is_searched_for_by_its_surest_crop(cropped: Library, scenes: Scenes) -> None:
    what = what_of(cropped, scenes)
    hits = cropped.search(scenes.folder / "brook/pair.jpg", limit=6)
    assert {what[hit.image_id] for hit in hits} == {"crow"}
    assert "pair.jpg" not in {hit.path.name for hit in hits if hit.path.parent.name == "brook"}
