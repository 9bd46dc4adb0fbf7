"""A season: decisions about whole photos, then their crops, then whole photos again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.library.images.crops import PhotoLocation
from organizer.settings import Settings
from organizer.types import NOISE
from organizer_camera_trap.importing import import_results
from tests.conftest import Ran
from tests.scenes import SPECIES, Scenes, Thing
from tests.typed import in_this_process

WHOLE, CROPS = "channel-mean", "crops:channel-mean"
MOVED = ("brook/fox0.jpg", "brook/pair0.jpg")
EXCLUDED = "brook/heron0.jpg"


def _scenes(folder: Path) -> Scenes:
    """One animal fills most of a photo; beside it there are up to two others, surer or not."""
    found = Scenes(folder)
    for number, species in enumerate(SPECIES):
        for i in range(8):
            big = Thing(species, 5, 5, 105, 110, confidence=0.8)
            found.add("brook", f"{species}{i}.jpg", big, seed=100 * number + i)
    fox, crow = (Thing(name, 5, 5, 105, 110, confidence=0.9) for name in ("fox", "crow"))
    heron = Thing("heron", 112, 10, 40, 40, confidence=0.5)
    other = Thing("crow", 112, 70, 40, 40, confidence=0.6)
    found.add("brook", "pair0.jpg", fox, heron, seed=900)
    found.add("brook", "pair1.jpg", crow, heron, seed=901)
    found.add("brook", "three0.jpg", fox, heron, other, seed=902)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos that are clustered whole, three clusters with names, and some corrections."""
    home = tmp_path_factory.mktemp("season")
    scenes = _scenes(home / "photos")
    scenes.write(home / "md.json")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([scenes.folder], embedder=WHOLE)
        library.recluster(k=3, reduce="none")
        for species in SPECIES:
            library.corrections.rename(_cluster(library, f"brook/{species}3.jpg"), species)
    return home


@pytest.fixture
def home(tmp_path: Path, made: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home, Settings()) as found:
        yield found


def _id(library: Library, path: str) -> str:
    found = library.store.photos.image_at(library.store.path.parent / "photos" / path)
    assert found is not None
    return found


def _photo(library: Library, path: str) -> PhotoLocation:
    return library.detections.locations()[_id(library, path)]


def _cluster(library: Library, path: str) -> int:
    found = _photo(library, path).cluster_id
    assert found is not None
    return found


def _named(library: Library) -> dict[str, int]:
    return {c.name: c.cluster_id for c in library.clusters.summaries() if c.name}


def _detect(library: Library, home: Path) -> None:
    import_results(library, home / "md.json")


def _crops(library: Library, **options: object) -> None:
    library.recluster(k=3, embedder=CROPS, reduce="none", **options)  # type: ignore[arg-type]


def _whole(library: Library) -> None:
    library.recluster(k=3, embedder=WHOLE, reduce="none")


# As typed ------------------------------------------------------------------------------------


def test_a_season_as_typed(home: Path) -> None:
    def typed(*words: str) -> Ran:
        ran = in_this_process(home, *words)
        assert ran.code == 0, ran
        return ran

    def where() -> dict[str, set[str | None]]:
        """The clusters that each photo, or a crop of it, is in."""
        found: dict[str, set[str | None]] = {}
        for cluster in typed("clusters", "--json").json["clusters"]:
            shown = typed("clusters", "show", str(cluster["cluster_id"]), "--json")
            for member in shown.json["images"]:
                path = Path(member["path"]).relative_to(home / "photos").as_posix()
                found.setdefault(path, set()).add(cluster["name"])
        return found

    with Library.open(home, Settings()) as library:
        ids = _named(library)
    for path in MOVED:
        typed("clusters", "move", f"photos/{path}", "--to", str(ids["crow"]))
    typed("clusters", "exclude", f"photos/{EXCLUDED}", "--in", str(ids["heron"]))

    def holds() -> None:
        at = where()
        for path in MOVED:
            assert "crow" in at[path], at[path]
            assert "fox" not in at[path]
        assert "heron" not in at.get(EXCLUDED, set())
        assert at["brook/fox5.jpg"] == {"fox"}
        listed = typed("clusters", "--json").json["clusters"]
        assert {c["name"]: c["cluster_id"] for c in listed if c["name"]} == ids

    holds()
    imported = typed("detections", "import", "md.json")
    (advice,) = [line for line in imported.err.splitlines() if "organizer recluster" in line]
    words = advice.partition("organizer ")[2].split()
    assert words == ["recluster", "--embedder", CROPS]
    crossed = typed(*words, "--k", "3", "--reduce", "none")
    assert "3 photos with several animals that you decided about" in crossed.err
    holds()
    assert where()["brook/pair0.jpg"] == {"crow", "heron"}
    typed("recluster", "--embedder", WHOLE, "--k", "3", "--reduce", "none")
    holds()
    typed("undo")
    holds()
    assert where()["brook/pair0.jpg"] == {"crow", "heron"}
    typed("undo")
    holds()
    assert "undo --step" in in_this_process(home, "undo").err  # the import of detections came last
    typed("undo", "--step")  # the exclusion
    assert where()[EXCLUDED] == {"heron"}
    typed("recluster", "--embedder", CROPS, "--k", "3", "--reduce", "none")
    assert where()[EXCLUDED] == {"heron"}


# What holds for what -------------------------------------------------------------------------


def test_of_several_animals_the_surest_one_takes_what_was_decided_about_the_photo(
    library: Library, home: Path
) -> None:
    crow = _named(library)["crow"]
    library.corrections.move([home / "photos/brook/three0.jpg"], crow)
    _detect(library, home)
    _crops(library)
    crops = _photo(library, "brook/three0.jpg").crops
    assert [(crop.cluster_id, crop.decided) for crop in crops] == [
        (crow, True),
        (crow, False),
        (_named(library)["heron"], False),
    ]
    assert [crop.confidence for crop in crops] == pytest.approx([0.9, 0.6, 0.5])
    about = library.images.details(crops[0].crop_id)
    assert about is not None
    assert [d.what for d in about.decisions] == [f"1 image moved to cluster {crow}"]


def test_a_decision_about_a_crop_is_stronger_than_one_about_its_photo(
    library: Library, home: Path
) -> None:
    ids = _named(library)
    path = home / "photos/brook/fox2.jpg"
    _detect(library, home)
    _crops(library)
    (crop,) = _photo(library, "brook/fox2.jpg").crops
    library.corrections.move([crop.crop_id], ids["heron"])
    _whole(library)
    assert _cluster(library, "brook/fox2.jpg") == ids["heron"]
    library.corrections.move([path], ids["crow"])
    assert _cluster(library, "brook/fox2.jpg") == ids["crow"]
    _whole(library)
    assert _cluster(library, "brook/fox2.jpg") == ids["crow"]
    _crops(library)
    assert _cluster(library, "brook/fox2.jpg") == ids["heron"]


def test_what_was_excluded_or_moved_as_a_crop_holds_for_the_photo(
    library: Library, home: Path
) -> None:
    ids = _named(library)
    _detect(library, home)
    _crops(library)
    surest, other = _photo(library, "brook/pair1.jpg").crops
    library.corrections.exclude([surest.crop_id], ids["crow"])
    assert other.cluster_id == ids["heron"]
    _whole(library)
    assert _cluster(library, "brook/pair1.jpg") != ids["crow"]
    library.corrections.undo()
    library.corrections.move([other.crop_id], ids["fox"])  # a person says what the photo shows
    _whole(library)
    assert _cluster(library, "brook/pair1.jpg") == ids["fox"]


def test_crops_that_come_later_take_what_was_decided_about_their_photos(
    library: Library, home: Path
) -> None:
    ids = _named(library)
    library.corrections.move([home / "photos/brook/heron5.jpg"], ids["fox"])
    scenes = _scenes(home / "photos")
    late = scenes.things.pop("brook/heron5.jpg")
    scenes.write(home / "md.json")
    _detect(library, home)
    _crops(library)
    assert not _photo(library, "brook/heron5.jpg").crops
    scenes.things["brook/heron5.jpg"] = late
    scenes.write(home / "md.json")
    _detect(library, home)
    (crop,) = _photo(library, "brook/heron5.jpg").crops
    assert (crop.cluster_id, crop.decided) == (ids["fox"], True)


def test_an_animal_that_is_boxed_anew_keeps_its_decision_cluster_and_name(
    library: Library, home: Path
) -> None:
    """Boxes that are a little lower, and a detector that is surer of the other animal."""
    crow = _named(library)["crow"]
    library.corrections.move([home / "photos/brook/three0.jpg"], crow)
    _detect(library, home)
    _crops(library)
    before = {c.crop_id: c for c in _photo(library, "brook/three0.jpg").crops}
    scenes = _scenes(home / "photos")
    for path, things in scenes.things.items():
        scenes.things[path] = [
            Thing(t.what, t.x, t.y, t.width, round(t.height * 0.9), confidence=1 - t.confidence / 2)
            for t in things
        ]
    scenes.write(home / "md.json", info={"format_version": "1.4", "detector": "md_v6.pt"})
    _detect(library, home)
    for _ in range(2):
        after = {c.crop_id: c for c in _photo(library, "brook/three0.jpg").crops}
        assert after.keys() == before.keys()
        assert {i: (c.cluster_id, c.decided) for i, c in after.items()} == {
            i: (c.cluster_id, c.decided) for i, c in before.items()
        }
        assert _named(library).keys() == {*SPECIES}
        _crops(library)


def test_clusters_without_names_follow_the_animals_not_the_photos_they_were_in(
    library: Library, home: Path
) -> None:
    for _ in SPECIES:
        library.corrections.undo()
    library.recluster(k=2, reduce="none")
    _detect(library, home)
    _crops(library)
    found = {path: _photo(library, path).crops for path in _scenes(home / "photos").things}
    for species in SPECIES:
        at = Counter(found[f"brook/{species}{i}.jpg"][0].cluster_id for i in range(8))
        assert len(at) == 1, (species, at)


# Names that would be lost --------------------------------------------------------------------


def test_a_name_without_images_is_dropped_only_when_asked_to(home: Path) -> None:
    scenes = _scenes(home / "photos")
    for i in range(8):
        scenes.things[f"brook/heron{i}.jpg"] = []
    for name in ("pair0", "pair1", "three0"):
        del scenes.things[f"brook/{name}.jpg"]
    scenes.write(home / "md.json")
    with Library.open(home, Settings()) as library:
        heron = _named(library)["heron"]
        library.corrections.pin(_named(library)["fox"])
        library.corrections.move([home / "photos/brook/heron1.jpg"], heron)
        _detect(library, home)
    words = ("recluster", "--embedder", CROPS, "--k", "2", "--reduce", "none")
    before = _bytes_of(home)
    refused = in_this_process(home, *words)
    assert refused.code == 1
    error, hint = refused.err.strip().splitlines()[-2:]
    assert error.endswith(f"would drop a cluster that you named, pinned or made: {heron} 'heron'")
    assert "--dry-run" in hint
    assert "--drop-names" in hint
    assert _bytes_of(home) == before
    dry = in_this_process(home, *words, "--dry-run", "--json").json
    assert dry["dropped"] == [{"cluster_id": heron, "name": "heron"}]
    assert f"{heron} 'heron'" in in_this_process(home, *words, "--dry-run").out
    done = in_this_process(home, *words, "--drop-names", "--json")
    assert done.code == 0
    assert done.json["dropped"] == dry["dropped"]
    assert "1 photo without a crop that you moved or excluded" in done.err
    with Library.open(home, Settings()) as library:
        assert _named(library).keys() == {"fox", "crow"}
        _crops(library)  # it is gone already: nobody is asked again
        with pytest.raises(SettingsError, match="is called 'heron' already"):
            library.corrections.rename(_named(library)["fox"], "heron")
        library.undo()
        library.undo()
        assert _named(library)["heron"] == heron
        with pytest.raises(ClusteringError):
            _crops(library)
        _crops(library, drop_names=True)
        _whole(library)
        assert _named(library)["heron"] == heron
        assert _cluster(library, "brook/heron1.jpg") == heron


def test_fewer_clusters_than_names_and_other_vectors_lose_no_name(library: Library) -> None:
    names = _named(library)
    assert not library.recluster(k=2, reduce="none").dropped
    assert _named(library) == names
    assert not library.recluster(k=3, algorithm="ward", reduce="none").dropped
    assert _named(library) == names


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_an_excluded_photo_without_a_cluster_is_no_member(library: Library, home: Path) -> None:
    ids = _named(library)
    for name in ids:
        library.corrections.exclude([home / "photos/brook/heron0.jpg"], ids[name])
    _detect(library, home)
    _crops(library)
    assert _cluster(library, "brook/heron0.jpg") == NOISE


def test_who_stands_for_a_name_takes_no_exclusion_of_another_animal(
    library: Library, home: Path
) -> None:
    ids = _named(library)
    library.corrections.exclude([home / "photos/brook/pair1.jpg"], ids["crow"])
    _detect(library, home)
    _crops(library)
    surest, other = _photo(library, "brook/pair1.jpg").crops
    assert surest.confidence > other.confidence
    assert other.cluster_id == ids["heron"]
    library.corrections.pin(ids["heron"])  # the other animal stands for it
    _crops(library)
    banned = library.corrections.constraints().banned
    assert banned[surest.crop_id] == {ids["crow"]}
    assert other.crop_id not in banned
