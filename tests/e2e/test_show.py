"""`organizer show`: what is known of one photo, as typed."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from organizer.library import Library
from organizer.settings import Settings
from organizer_camera_trap.importing import import_results
from tests.conftest import Run, make_groups, make_photo
from tests.scenes import Scenes, Thing
from tests.typed import in_this_process


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("showing")
    make_groups(home / "photos", each=4)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3, reduce="none")
    return home


@pytest.fixture
def typed(made: Path, tmp_path: Path, typed: Run) -> Run:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return typed


def _cluster_of(typed: Run, path: str) -> int:
    """The id of a photo's cluster, looked for in the lists of all clusters."""
    for cluster in typed("clusters", "--json").json["clusters"]:
        members = typed("clusters", "show", cluster["cluster_id"], "--json").json["images"]
        if any(member["path"].endswith(path) for member in members):
            return int(cluster["cluster_id"])
    raise AssertionError(path)


def _facts(out: str) -> dict[str, str]:
    lines = (line.strip().partition("  ") for line in out.splitlines())
    return {label: text.strip() for label, _, text in lines}


def test_a_photo_is_in_the_cluster_that_lists_it(typed: Run) -> None:
    here = _cluster_of(typed, "red/001.jpg")
    typed("clusters", "rename", here, "Red fox")
    shown = typed("show", "red/001.jpg")
    assert shown.code == 0, shown.err
    facts = _facts(shown.out)
    assert (facts["file"], facts["cluster"]) == ("photos/red/001.jpg", f"{here} Red fox")
    members = typed("clusters", "show", here, "--json").json
    (member,) = [m for m in members["images"] if m["path"].endswith("red/001.jpg")]
    (one,) = typed("show", "red/001.jpg", "--json").json["images"]
    assert one["distance"] == pytest.approx(member["distance"], abs=1e-6)
    (scale,) = members["distances_to_centroid"]
    assert one["distances_to_centroid"] == {name: scale[name] for name in ("typical", "border")}
    assert shown.err == 'the others of its cluster: organizer clusters show "Red fox"\n'


def test_a_decision_is_shown_with_who_made_it(typed: Run) -> None:
    there = _cluster_of(typed, "red/001.jpg")
    typed("clusters", "move", "photos/blue/002.jpg", "--to", there, "--user", "anna")
    out = typed("show", "blue/002.jpg").out
    assert _facts(out)["cluster"] == f"{there}, decided by a person"
    assert "anna  1 image moved to cluster" in out
    (one,) = typed("show", "blue/002.jpg", "--json").json["images"]
    assert (one["state"], one["decisions"][0]["user"]) == ("decided", "anna")
    typed("undo")
    assert typed("show", "blue/002.jpg", "--json").json["images"][0]["decisions"] == []


def test_an_image_that_fits_nowhere_is_unassigned(typed: Run, tmp_path: Path) -> None:
    make_photo(tmp_path / "photos" / "odd.jpg", 900, colour=(128, 128, 128))
    typed("ingest", "photos")
    facts = _facts(typed("show", "odd.jpg").out)
    (one,) = typed("show", "odd.jpg", "--json").json["images"]
    assert one["cluster_id"] is None
    assert facts["cluster"] == f"unassigned; the nearest is {one['candidate']}"


def test_what_is_not_clustered_yet_is_said(tmp_path: Path) -> None:
    make_groups(tmp_path / "photos", each=1)
    typed = partial(in_this_process, tmp_path)
    typed("ingest", "photos", "--embedder", "channel-mean")
    shown = typed("show", "red/000.jpg")
    assert (shown.code, _facts(shown.out)["cluster"]) == (0, "not clustered yet")


def test_a_copy_and_a_file_that_is_gone_are_named(typed: Run, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "photos/red/000.jpg", tmp_path / "photos/red/copy.jpg")
    typed("ingest", "photos")
    (tmp_path / "photos/red/000.jpg").unlink()
    typed("ingest", "photos")
    (one,) = typed("show", "red/copy.jpg", "--json").json["images"]
    assert [(Path(p["path"]).name, p["missing"]) for p in one["paths"]] == [
        ("copy.jpg", False),
        ("000.jpg", True),
    ]
    assert "000.jpg (missing)" in typed("show", "red/copy.jpg").out


def test_a_name_that_is_none_is_answered_with_those_like_it(typed: Run) -> None:
    ran = typed("show", "red/01.jpg")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no image red/01.jpg in the library" in ran.err
    assert "did you mean" in ran.err
    several = typed("show", "001.jpg")
    assert several.code == 2
    assert "red/001.jpg" in several.err


def test_of_crops_each_has_a_line(tmp_path: Path) -> None:
    scenes = Scenes(tmp_path / "photos")
    for number in range(4):
        fox = Thing("fox", 5, 5, 90, 100, confidence=0.9)
        crow = Thing("crow", 100, 20, 55, 90, confidence=0.6)
        scenes.add("brook", f"{number}.jpg", fox, crow, seed=number)
    scenes.write(tmp_path / "md.json")
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        import_results(library, tmp_path / "md.json")
        library.recluster(k=2, embedder="crops:channel-mean", reduce="none")
    typed = partial(in_this_process, tmp_path)
    (one,) = typed("show", "brook/2.jpg", "--json").json["images"]
    fox, crow = one["crops"]
    assert (fox["confidence"], crow["confidence"]) == (0.9, 0.6)
    assert fox["cluster_id"] != crow["cluster_id"]
    lines = [line for line in typed("show", "brook/2.jpg").out.splitlines() if "crop" in line]
    assert [line.rpartition(": ")[2] for line in lines] == _ids(fox, crow)
    cluster = typed("clusters", "show", fox["cluster_id"], "--json").json["images"]
    assert fox["image_id"] in {member["image_id"] for member in cluster}
    of_crop = typed("show", fox["image_id"], "--json").json["images"][0]
    assert (of_crop["cluster_id"], of_crop["photo_id"]) == (fox["cluster_id"], one["image_id"])


def _ids(*crops: Any) -> list[str]:
    return [str(crop["cluster_id"]) for crop in crops]
