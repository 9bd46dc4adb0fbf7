"""Arrangements where crops are clustered or detectors have results; and their read-back."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from organizer.arrange import ArrangeMode
from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.library.images.crops import PhotoGroup
from organizer.settings import Settings
from organizer.types import DecisionKind
from tests.arranged import cut_before_new_clusters, files_in, home_of, names_in
from tests.conftest import Run
from tests.scenes import Scenes, Thing, season
from tests.test_arranging import arrange
from tests.test_detecting import COLOUR, CROPS, clusters_of, path_of, seen
from tests.typed import in_this_process

EACH = 3
FILES = 2 * (3 * EACH + 5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """A small season whose crops are three clusters, named; made once."""
    home = tmp_path_factory.mktemp("season")
    found = season(home / "photos", each=EACH)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([found.folder], embedder=COLOUR)
        library.detections.add(seen(library, found))
        library.recluster(k=3, embedder=CROPS, reduce="none")
        for species in ("fox", "crow", "heron"):
            library.corrections.rename(cluster_of(library, found, f"brook/{species}0.jpg"), species)
    return found


@pytest.fixture
def scenes(tmp_path: Path, made: Scenes) -> Scenes:
    shutil.copytree(made.folder.parent, tmp_path, dirs_exist_ok=True)
    return Scenes(tmp_path / "photos", dict(made.things))


@pytest.fixture
def animals(scenes: Scenes) -> Iterator[Library]:
    """A copy of the season."""
    with Library.open(scenes.folder.parent, Settings()) as library:
        yield library


def image_of(library: Library, scenes: Scenes, path: str) -> str:
    found = library.store.photos.image_at(scenes.folder / path)
    assert found is not None
    return found


def cluster_of(library: Library, scenes: Scenes, path: str) -> int:
    place = library.detections.locations()[image_of(library, scenes, path)].where
    assert isinstance(place, int)
    return place


def called(library: Library, scenes: Scenes) -> dict[str, list[str | None]]:
    """The names of the clusters of the crops of each photo, the surest first."""
    return {
        path_of(library, scenes, image_id): [
            library.clusters.name_of(crop.cluster_id) if crop.cluster_id is not None else None
            for crop in photo.crops
        ]
        for image_id, photo in library.detections.locations().items()
    }


def by_folder(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names_in(folder):
        top = name.split("/")[0]
        found[top] = found.get(top, 0) + 1
    return found


def file_at(folder: Path, scenes: Scenes, path: str) -> Path:
    """Where the photo that was animals from a path lies in an arranged folder of links."""
    (found,) = [f for f in folder.rglob("*.jpg") if f.samefile(scenes.folder / path)]
    return found


def drag(folder: Path, scenes: Scenes, path: str, to: str) -> None:
    file = file_at(folder, scenes, path)
    (folder / to).mkdir(exist_ok=True)
    file.rename(folder / to / f"{path.replace('/', '-')}")


# What goes where ----------------------------------------------------------------------------


def test_a_photo_goes_to_its_surest_animal_and_people_stay_where_they_are(
    animals: Library, scenes: Scenes
) -> None:
    told = animals.folders.arrange(ArrangeOptions(home_of(animals) / "sorted"))
    assert (told.files, told.done, told.withheld, told.is_whole) == (FILES, FILES - 4, 4, True)
    assert told.left == {
        "people in the photo (--with-people)": 2, "a vehicle in the photo (--with-people)": 2,
    }  # fmt: skip
    assert not told.refusals, "they are not held up to the eye either"
    note = "2 photos show animals of several clusters: a file is where its surest animal is"
    assert told.notes == [note]
    folder = home_of(animals) / "sorted"
    assert by_folder(folder) == {
        "crow": 2 * EACH + 2,
        "empty": 4,
        "fox": 2 * EACH,
        "heron": 2 * EACH,
    }
    assert file_at(folder, scenes, "brook/pair.jpg").parent.name == "crow"


def test_people_are_arranged_where_it_is_asked_for(animals: Library) -> None:
    home = home_of(animals)
    with Library.open(home, Settings(with_people=True)) as asked:
        told = asked.folders.arrange(ArrangeOptions(home / "sorted"))
        assert (told.done, told.withheld) == (FILES, 0)
        assert by_folder(home / "sorted") == {
            "crow": 2 * EACH + 2, "empty": 4, "fox": 2 * EACH, "heron": 2 * EACH, "people": 2,
            "vehicles": 2,
        }  # fmt: skip
        numbers = asked.folders.arrange(
            ArrangeOptions(home / "numbers", template="{cluster:03}/{stem}")
        )
        assert {"001", "002", "003", "empty", "people", "vehicles"} == {
            name.split("/")[0] for name in names_in(home / "numbers")
        }
        assert numbers.is_whole
    by_camera = animals.folders.arrange(ArrangeOptions(home / "cameras", by="camera"))
    assert (by_camera.done, by_camera.withheld, by_camera.notes) == (FILES - 4, 4, [])


@pytest.mark.slow
def test_photos_that_no_detector_has_seen_are_told_apart_from_empty_ones(
    animals: Library, scenes: Scenes
) -> None:
    scenes.add("brook", "late.jpg", Thing("fox", 60, 30), seed=77)
    animals.ingest([scenes.folder])
    folder = arrange(animals, by="name")
    assert names_in(folder / "no detector result") == ["late.jpg"]
    assert by_folder(folder)["empty"] == 4


@pytest.mark.slow
def test_a_cluster_with_the_name_of_a_folder_beside_them_has_its_id_behind(
    animals: Library, scenes: Scenes
) -> None:
    crow = cluster_of(animals, scenes, "brook/crow0.jpg")
    animals.corrections.rename(crow, "Empty")
    animals.corrections.rename(cluster_of(animals, scenes, "brook/fox0.jpg"), "people")
    folder = arrange(animals)
    assert by_folder(folder) == {
        f"Empty ({crow})": 2 * EACH + 2, "empty": 4, "people": 2 * EACH, "heron": 2 * EACH,
    }  # fmt: skip
    drag(folder, scenes, "ridge/empty0.jpg", f"Empty ({crow})")
    told = animals.folders.read_back(folder)
    assert [(to.cluster_id, count) for _, to, count in told.moved] == [(crow, 1)]


def test_of_whole_photos_the_empty_ones_have_a_folder_unless_a_person_moved_them(
    animals: Library, scenes: Scenes
) -> None:
    for _ in range(3):
        animals.corrections.undo()  # the names of the crops, which would hold for their photos
    animals.recluster(k=2, reduce="none", embedder=COLOUR)
    brook = cluster_of(animals, scenes, "brook/fox0.jpg")
    ridge = cluster_of(animals, scenes, "ridge/fox0.jpg")
    animals.corrections.rename(
        brook, "brook"
    )  # an empty photo may represent it: no decision about that photo
    animals.corrections.move([scenes.folder / "ridge/empty0.jpg"], brook)
    folder = arrange(animals)
    assert by_folder(folder) == {
        "brook": 3 * EACH + 2, f"cluster {ridge}": 3 * EACH + 1, "empty": 3,
    }  # fmt: skip
    assert file_at(folder, scenes, "ridge/empty0.jpg").parent.name == "brook"
    drag(folder, scenes, "ridge/empty0.jpg", "empty")
    drag(folder, scenes, "brook/empty1.jpg", "brook")
    told = animals.folders.read_back(folder)
    assert (told.left[0][1], told.moved[0][2]) == (1, 1)
    again = arrange(animals, to="again")
    assert file_at(again, scenes, "ridge/empty0.jpg").parent.name == "empty"
    assert file_at(again, scenes, "brook/empty1.jpg").parent.name == "brook"
    assert not animals.folders.read_back(folder).has_decisions


def test_a_move_takes_no_people_along_and_comes_back(animals: Library, scenes: Scenes) -> None:
    before = files_in(scenes.folder)
    plan = home_of(animals) / "plan.csv"
    animals.folders.arrange(
        ArrangeOptions(home_of(animals) / "sorted", ArrangeMode.MOVE), plan=plan
    )
    rows = list(csv.DictReader(plan.read_text("utf-8-sig").splitlines()))
    why = {row["source"].rpartition("/")[2]: row["why"] for row in rows}
    assert why["person.jpg"] == "people in the photo (--with-people)"
    assert why["empty0.jpg"].startswith("empty: it is in no cluster")
    told = animals.folders.apply(plan)
    assert (told.done, told.withheld, told.is_whole) == (FILES - 4, 4, True)
    assert names_in(scenes.folder) == [
        f"{station}/{name}.jpg" for station in ("brook", "ridge") for name in ("car", "person")
    ]
    folder = home_of(animals) / "sorted"
    next((folder / "empty").iterdir()).rename(folder / "heron" / "mine.jpg")
    told_back = animals.folders.read_back(folder)  # its file is looked at where it lies now
    assert told_back.moved[0][2] == 1
    assert animals.folders.undo().is_whole
    assert files_in(scenes.folder) == before


# The way back -------------------------------------------------------------------------------


def test_a_photo_that_is_dragged_takes_the_animal_of_its_folder_along(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    before = called(animals, scenes)
    assert before["brook/pair.jpg"] == ["crow", "fox"]
    drag(folder, scenes, "brook/pair.jpg", "heron")
    preview = animals.folders.read_back(folder, dry_run=True)
    assert [(s.name, t.name, n) for s, t, n in preview.moved] == [("crow", "heron", 1)]
    assert preview.remarks == ("1 photo shows other animals too: those stay in their clusters",)
    assert called(animals, scenes) == before
    animals.folders.read_back(folder)
    assert called(animals, scenes) == {**before, "brook/pair.jpg": ["heron", "fox"]}
    assert not animals.folders.read_back(folder).has_decisions
    animals.recluster(k=3, embedder=CROPS, reduce="none")
    assert called(animals, scenes)["brook/pair.jpg"] == ["heron", "fox"]
    again = arrange(animals, to="again")
    assert file_at(again, scenes, "brook/pair.jpg").parent.name == "heron", "where it was put"


@pytest.mark.slow
def test_a_photo_put_to_the_kind_of_its_other_animal_is_noted(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    drag(folder, scenes, "brook/pair.jpg", "fox")
    told = animals.folders.read_back(folder)
    assert any("another animal is in that cluster already" in line for line in told.remarks)
    assert called(animals, scenes)["brook/pair.jpg"] == ["fox", "fox"]
    drag(folder, scenes, "brook/pair.jpg", "heron")
    told = animals.folders.read_back(folder)
    assert told.remarks == ("in 1 photo more than one animal is meant: 2 crops",)
    assert called(animals, scenes)["brook/pair.jpg"] == ["heron", "heron"]


def test_an_empty_photo_that_is_dragged_out_becomes_a_crop_of_all_of_it(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    drag(folder, scenes, "brook/empty0.jpg", "fox")
    drag(folder, scenes, "ridge/empty0.jpg", "hare")
    drag(folder, scenes, "ridge/empty1.jpg", "hare")
    drag(folder, scenes, "ridge/fox0.jpg", "hare")
    told = animals.folders.read_back(folder)
    assert [(s.name, t.name, n) for s, t, n in told.moved] == [(None, "fox", 1)]
    assert told.new_clusters == [("hare", 3)]
    assert told.remarks == ("3 photos have no crop: all of the photo is meant",)
    after = called(animals, scenes)
    assert after["brook/empty0.jpg"] == ["fox"]
    assert after["ridge/empty0.jpg"] == after["ridge/fox0.jpg"] == ["hare"]
    assert not animals.folders.read_back(folder).has_decisions
    locations = animals.detections.locations()
    assert locations[image_of(animals, scenes, "ridge/empty1.jpg")].group is PhotoGroup.ANIMALS
    drag(folder, scenes, "brook/empty0.jpg", "empty")
    animals.folders.read_back(folder)
    assert (
        animals.detections.locations()[image_of(animals, scenes, "brook/empty0.jpg")].where
        == "empty"
    )


def test_a_photo_put_to_the_empty_ones_shows_nothing_of_any_cluster(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    drag(folder, scenes, "brook/pair.jpg", "empty")
    drag(folder, scenes, "brook/heron0.jpg", "empty")
    told = animals.folders.read_back(folder)
    assert sorted((c.name or "", n) for c, n in told.left) == [
        ("crow", 1), ("fox", 1), ("heron", 1),
    ]  # fmt: skip
    assert "in 2 photos put to the empty ones a detector saw something" in told.remarks[0]
    after = called(animals, scenes)
    assert "heron" not in after["brook/heron0.jpg"]
    assert not {"crow", "fox"} & {*after["brook/pair.jpg"]}
    assert not animals.folders.read_back(folder).has_decisions


@pytest.mark.slow
def test_a_photo_put_to_the_empty_ones_while_the_kind_of_its_other_animal_is_merged(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    drag(folder, scenes, "brook/pair.jpg", "empty")
    (folder / "fox").rename(folder / "heron" / "fox")
    told = animals.folders.read_back(folder)
    assert [(s.name, t.name) for s, t, _ in told.merged] == [("fox", "heron")]
    assert sorted(c.name or "" for c, _ in told.left) == ["crow", "heron"]
    assert not {"crow", "heron"} & {*called(animals, scenes)["brook/pair.jpg"]}
    assert called(animals, scenes)["ridge/pair.jpg"] == ["crow", "heron"]


@pytest.mark.slow
def test_photos_put_to_people_are_left_as_they_are(animals: Library, scenes: Scenes) -> None:
    folder = arrange(animals)
    before, decisions = called(animals, scenes), len(animals.store.decisions.all())
    drag(folder, scenes, "brook/fox0.jpg", "People")
    drag(folder, scenes, "brook/empty0.jpg", "vehicles")
    drag(folder, scenes, "brook/fox1.jpg", "no detector result")
    told = animals.folders.read_back(folder)
    assert not told.has_decisions
    assert told.not_applied == (
        "1 image put into 'People': what a detector saw stays as it is",
        "1 image put into 'no detector result': what a detector saw stays as it is",
        "1 image put into 'vehicles': what a detector saw stays as it is",
    )
    assert (called(animals, scenes), len(animals.store.decisions.all())) == (before, decisions)
    assert not animals.folders.read_back(folder).not_applied, "it is told once"
    drag(folder, scenes, "brook/fox0.jpg", "heron")
    animals.folders.read_back(folder)
    assert called(animals, scenes)["brook/fox0.jpg"] == ["heron"]


@pytest.mark.slow
def test_an_animal_beside_people_is_decided_about_and_the_photo_stays_in_its_group(
    animals: Library, scenes: Scenes
) -> None:
    with Library.open(home_of(animals), Settings(with_people=True)) as asked:
        folder = arrange(asked)
        drag(folder, scenes, "brook/person.jpg", "fox")
        told = asked.folders.read_back(folder)
        assert "stays in the folder of people or vehicles" in told.remarks[0]
        assert called(asked, scenes)["brook/person.jpg"] == ["fox"]
        assert (
            asked.detections.locations()[image_of(asked, scenes, "brook/person.jpg")].where
            == "people"
        )


def test_a_whole_folder_put_into_another_merges_what_is_not_to_be_seen_too(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals)
    (folder / "fox").rename(folder / "heron" / "fox")
    told = animals.folders.read_back(folder)
    assert [(s.name, t.name, n) for s, t, n in told.merged] == [("fox", "heron", 2 * EACH)]
    assert animals.store.decisions.all()[-1].kind is DecisionKind.MERGE
    assert called(animals, scenes)["brook/pair.jpg"] == ["crow", "heron"]
    assert not animals.folders.read_back(folder).has_decisions


@pytest.mark.slow
def test_a_folder_renamed_to_empty_names_its_cluster(animals: Library, scenes: Scenes) -> None:
    """Stones that a detector takes for animals, over and over, are a cluster with a name."""
    for empty in ("brook/empty0", "brook/empty1", "ridge/empty0", "ridge/empty1"):
        animals.corrections.move(
            [scenes.folder / f"{empty}.jpg"], cluster_of(animals, scenes, "brook/fox0.jpg")
        )
    folder = arrange(animals)
    assert "empty" not in by_folder(folder)
    (folder / "crow").rename(folder / "empty")
    told = animals.folders.read_back(folder)
    assert [(cluster.name, name) for cluster, name in told.renamed] == [("crow", "empty")]
    assert not told.left


def test_an_interruption_between_two_decisions_moves_no_other_animal(
    animals: Library, scenes: Scenes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = arrange(animals)
    drag(folder, scenes, "brook/pair.jpg", "heron")
    drag(folder, scenes, "ridge/empty0.jpg", "heron")
    drag(folder, scenes, "ridge/fox0.jpg", "hare")
    cut_before_new_clusters(animals, folder, monkeypatch)
    with Library.open(home_of(animals), Settings()) as next_one:
        told = next_one.folders.read_back(folder)
        assert (len(told.moved), told.new_clusters) == (2, [("hare", 1)])
        assert called(next_one, scenes)["brook/pair.jpg"] == ["heron", "fox"]
        assert not next_one.folders.read_back(folder).has_decisions


@pytest.mark.slow
def test_a_photo_that_must_be_embedded_and_is_gone_stops_all_before_a_decision_is_made(
    animals: Library, scenes: Scenes
) -> None:
    folder = arrange(animals, ArrangeMode.SYMLINK)
    for name, to in (("empty", "fox"), ("fox", "heron")):
        next((folder / name).iterdir()).rename(folder / to / f"{name}.jpg")
    decisions, before = len(animals.store.decisions.all()), clusters_of(animals)
    for station in ("brook", "ridge"):
        for name in ("empty0.jpg", "empty1.jpg"):
            (scenes.folder / station / name).unlink()
    with pytest.raises(SettingsError, match="cannot be read any more"):
        animals.folders.read_back(folder)
    assert (len(animals.store.decisions.all()), clusters_of(animals)) == (decisions, before)


# As typed -----------------------------------------------------------------------------------


@pytest.fixture
def typed(animals: Library, scenes: Scenes) -> Run:
    del animals
    return partial(in_this_process, scenes.folder.parent)


def test_arranged_and_read_back_as_typed(typed: Run, scenes: Scenes) -> None:
    ran = typed("arrange", "--to", "sorted")
    left = ("2 left: a vehicle in the photo", "2 left: people in the photo")
    account = ", ".join(
        [f"{FILES} files: {FILES - 4} linked", *(f"{x} (--with-people)" for x in left)]
    )
    assert (ran.code, ran.out.splitlines()[-1]) == (0, account)
    assert "2 photos show animals of several clusters" in ran.err
    folder = scenes.folder.parent / "sorted"
    drag(folder, scenes, "brook/pair.jpg", "heron")
    drag(folder, scenes, "ridge/fox1.jpg", "people")
    ran = typed("arrange", "--read-back", "sorted", "--yes")
    assert ran.out.splitlines()[1:] == [
        "  1 photo shows other animals too: those stay in their clusters",
        "not applied: 1 image put into 'people': what a detector saw stays as it is",
    ]
    assert typed("arrange", "--undo").code == 0
    ran = typed("arrange", "--to", "all", "--with-people", "--json")
    assert (ran.code, ran.json["done"], ran.json["left"]) == (0, FILES, {})
    ran = typed("arrange", "--undo", "--with-people")
    assert ran.code == 2
    assert "--with-people does not go with --undo" in ran.err


def test_a_new_cluster_is_made_as_typed(typed: Run, animals: Library, scenes: Scenes) -> None:
    ran = typed("clusters", "new", "photos/brook/fox0.jpg", "photos/ridge/empty0.jpg",
                "--name", "Cub")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0].startswith("2 images moved to cluster 4 'Cub'")
    assert "empty0.jpg: no crop, all of the photo is meant" in ran.err
    ran = typed("clusters", "new", "photos/brook/crow0.jpg", "--json")
    assert (ran.json["images"], ran.json["name"], ran.json["cluster_id"]) == (1, None, 5)
    for name in ("Cub", "", " "):
        ran = typed("clusters", "new", "photos/brook/crow1.jpg", "--name", name)
        assert ran.code == 2, name
        assert ran.err.count("\n") == 2
    assert typed("clusters", "new", "photos/brook/nothing.jpg").code == 2
    with Library.open(home_of(animals), Settings()) as library:
        assert called(library, scenes)["ridge/empty0.jpg"] == ["Cub"]
