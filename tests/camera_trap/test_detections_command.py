"""``organizer detections`` as typed, and an import that is cut short anywhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer_camera_trap.importing import import_results
from tests.conftest import Run
from tests.crashes import Cut, before_each_write
from tests.scenes import Scenes, Thing

_SMALL = {"ORGANIZER_BATCH_SIZE": "2", "ORGANIZER_COMMIT_IMAGES": "2"}


@pytest.fixture
def scenes(tmp_path: Path) -> Scenes:
    return _small(tmp_path)


def _small(home: Path) -> Scenes:
    found = Scenes(home / "photos")
    for i, species in enumerate(("fox", "crow", "heron") * 2):
        station = ("brook", "ridge")[i % 2]
        found.add(station, f"IMG_{i:04}.JPG", Thing(species, 10 + 15 * i, 30), seed=i)
    found.add("brook", "IMG_0100.JPG", Thing("fox", 5, 5), Thing("crow", 90, 60), seed=20)
    found.add("brook", "IMG_0101.JPG", seed=21)
    found.add("ridge", "IMG_0102.JPG", Thing("person", 40, 20, 30, 80), seed=22)
    return found


def _ingested(home: Path, scenes: Scenes) -> None:
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([scenes.folder], embedder="channel-mean")


def test_results_are_imported_and_clustered_as_typed(
    typed: Run, tmp_path: Path, scenes: Scenes
) -> None:
    _ingested(tmp_path, scenes)
    entry = {"file": "brook/gone.JPG", "detections": []}
    results = scenes.results()
    results["images"] += [entry, {"file": "ridge/IMG_0001.JPG.MP4", "detections": []}]
    (tmp_path / "md.json").write_text(json.dumps(results))
    done = typed("detections", "import", "md.json")
    assert done.code == 0, done.err
    assert "9 images below photos, 9 with new detections" in done.out
    assert "8 crops embedded with crops:channel-mean" in done.out
    assert "2 images of the results are not in the library" in done.err
    assert typed("clusters", "show", "vehicles").out == "vehicles: no photos\n"
    assert "brook/gone.JPG" in done.err
    assert "organizer recluster --embedder crops:channel-mean" in done.err
    with Library.open(tmp_path, Settings()) as library:
        library.recluster(k=3, embedder="crops:channel-mean", reduce="none")
    shown = typed("clusters", "--json").json
    assert shown["groups"] == {"empty": 1, "people": 1}
    assert sorted(cluster["count"] for cluster in shown["clusters"]) == [2, 3, 3]
    again = typed("detections", "import", "md.json", "--json").json
    assert (again["new"], again["embedded"], again["crops"]) == (0, 0, 8)
    assert again["unmatched"] == ["brook/gone.JPG", "ridge/IMG_0001.JPG.MP4"]
    assert again["groups"] == {"animals": 7, "empty": 1, "people": 1}
    assert again["crops_embedded"] == {"crops:channel-mean": 8}


@pytest.mark.slow
def test_mistakes_are_told_in_two_lines(typed: Run, tmp_path: Path, scenes: Scenes) -> None:
    _ingested(tmp_path, scenes)
    results = scenes.results()
    for image in results["images"]:
        image["file"] = Path(image["file"]).name.replace("_0", "-0")
    (tmp_path / "other.json").write_text(json.dumps(results))
    done = typed("detections", "import", "other.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: none of the 9 images in the results is in the library")
    assert "hint: " in done.err


def test_the_same_names_on_two_cards_need_a_base(tmp_path: Path) -> None:
    scenes = Scenes(tmp_path / "photos")
    scenes.add("brook", "IMG_1.JPG", Thing("fox", 5, 5), seed=1)
    scenes.add("ridge", "IMG_1.JPG", Thing("crow", 5, 5), seed=2)
    results = {**scenes.results(), "images": [{"file": "IMG_1.JPG", "detections": []}]}
    (tmp_path / "md.json").write_text(json.dumps(results))
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([scenes.folder], embedder="channel-mean")
        with pytest.raises(SettingsError, match="2 folders fit"):
            import_results(library, tmp_path / "md.json")
        assert library.store.detections.count() == 0
        done = import_results(library, tmp_path / "md.json", base=scenes.folder / "ridge")
        (image_id,) = library.store.detections.of()
        assert image_id == library.store.photos.image_at(scenes.folder / "ridge/IMG_1.JPG")
        assert done.found.base == scenes.folder / "ridge"


# Cut short ------------------------------------------------------------------------------------


def _prepared(home: Path) -> Path:
    """A library with clusters of crops, and photos that came since, not yet looked at."""
    scenes = _small(home)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([scenes.folder], embedder="channel-mean")
        import_results(library, scenes.write(home / "md.json"))
        library.recluster(k=3, embedder="crops:channel-mean", reduce="none")
        for i, species in enumerate(("fox", "crow", "heron", "fox")):
            scenes.add("ridge", f"IMG_1{i:03}.JPG", Thing(species, 20 * i, 10), seed=50 + i)
        library.ingest([scenes.folder])
    scenes.write(home / "md.json")
    return home


def _contents(library: Library) -> dict[str, object]:
    store = library.store
    current = store.clusterings.current()
    assert current is not None
    members = store.clusterings.assignments(current.clustering_id)
    models = store.clusterings.models(current.clustering_id)
    ids, _ = store.vectors.read(current.embedder)
    assert len(set(members.image_ids)) == len(members)
    assert len(set(ids)) == len(ids)
    return {
        "detections": store.detections.of(),
        "crops": store.detections.crops(),
        "vectors": sorted(ids),
        "members": dict(zip(members.image_ids, members.cluster_ids.tolist(), strict=True)),
        "counts": models.counts.tolist(),
        "means": models.means.round(2).tolist(),  # what is gone on with is in half precision
    }


def _import(home: Path) -> dict[str, object]:
    with Library.open(home, Settings(batch_size=2, commit_images=2)) as library:
        import_results(library, home / "md.json")
        return _contents(library)


def test_an_import_that_is_cut_short_before_any_write_ends_like_one_that_is_not(
    tmp_path: Path,
) -> None:
    prepared = _prepared(tmp_path / "prepared")
    shutil.copytree(prepared, tmp_path / "whole")
    writes: list[None] = []
    with before_each_write(lambda: writes.append(None)):
        wanted = _import(tmp_path / "whole")
    assert len(writes) >= 6
    for number in range(0, len(writes), 2):
        home = tmp_path / f"cut{number}"
        shutil.copytree(prepared, home)
        left = [number]

        def cut(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Cut

        with before_each_write(cut), pytest.raises(Cut):
            _import(home)
        assert _import(home) == wanted, f"cut before write {number}"


@pytest.mark.slow
def test_an_import_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    home = _prepared(tmp_path / "prepared")
    shutil.copytree(home, tmp_path / "whole")
    wanted = _import(tmp_path / "whole")
    table = home / ".organizer" / "detected.lance" / "_versions"
    before = len(list(table.iterdir()))
    words = [sys.executable, "-m", "organizer", "detections", "import", "md.json"]
    env = {**os.environ, **_SMALL}
    with subprocess.Popen(words, cwd=home, env=env, stdout=subprocess.DEVNULL) as process:
        while len(list(table.iterdir())) == before and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL, "it ended before it could be killed"
    with Library.open(home, Settings()) as library:
        library.status()
        library.clusters.summaries()
    assert _import(home) == wanted


def test_an_odd_box_harms_neither_the_others_nor_makes_its_photo_empty(
    typed: Run, tmp_path: Path, scenes: Scenes
) -> None:
    _ingested(tmp_path, scenes)
    results = scenes.results()
    over, odd = results["images"][0]["detections"][0], results["images"][1]["detections"][0]
    over["bbox"] = [0.7, 0.7, 0.31, 0.2]
    odd["conf"] = float("nan")
    (tmp_path / "md.json").write_text(json.dumps(results))
    done = typed("detections", "import", "md.json", "--json")
    assert done.code == 0, done.err
    assert (done.json["images"], done.json["new"]) == (9, 9)
    counts = ("boxes_clipped", "boxes_left_out", "images_left_out", "failed")
    assert [done.json[name] for name in counts] == [1, 1, 0, 1]
    assert done.json["groups"] == {
        "animals": 6, "empty": 1, "people": 1, "no detector result": 1,
    }  # fmt: skip
    again = typed("detections", "import", "md.json")
    assert "1 box reaches over the edge and is clipped: images[0].detections[0]" in again.err
    assert "left out: 1 box; the first: images[1].detections[0]: the confidence nan" in again.err
