"""`organizer duplicates` and `organizer arrange --duplicates` as they are typed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from organizer.duplicates.overlay import COPY_FROM
from organizer.library import Library
from organizer.library.duplicates.find import DuplicateOptions
from organizer.library.duplicates.report import DuplicateKind
from organizer.settings import Settings
from organizer.types import Detected, Detection, ImageDetections
from tests.conftest import Ran
from tests.pictures_alike import COPIES, picture, save
from tests.typed import in_this_process


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of 12 pictures; of one an exact and two edited copies, of another a burst of three."""
    home = tmp_path_factory.mktemp("duplicates")
    photos = home / "photos"
    for seed in range(10):
        save(picture(seed), photos / f"{seed:02}.jpg")
    (photos / "copies").mkdir()
    exact = (photos / "00.jpg").read_bytes()
    (photos / "copies" / "exact.jpg").write_bytes(exact)
    (photos / "copies" / "exact.xmp").write_text("<x:xmpmeta/>")
    for name in ("smaller", "cut"):
        save(COPIES[name](picture(0)), photos / "copies" / f"{name}.jpg", quality=70)
    scene = picture(50)
    for second in range(3):
        shown = scene.copy()
        shown.paste((200, 90, 30), (100 + 30 * second, 80, 150 + 30 * second, 140))
        if second != 1:
            shown = shown.filter(ImageFilter.GaussianBlur(1.2))
        at = f"2024:05:01 06:00:0{second}"
        save(shown, photos / "burst" / f"{second}.jpg", taken_at=at)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([photos], embedder="channel-mean")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    shutil.copytree(made, place)
    monkeypatch.chdir(place)
    return place


def run(*words: str, code: int = 0) -> Ran:
    ran = in_this_process(Path.cwd(), *words)
    assert ran.code == code, ran.err
    return ran


def groups(*words: str) -> dict[str, list[list[str]]]:
    """The groups by kind, each as the names of its files, the one to keep first."""
    found: dict[str, list[list[str]]] = {}
    for group in run("duplicates", "--json", *words).json["groups"]:
        names = [Path(file["path"]).name for file in group["files"]]
        found.setdefault(group["kind"], []).append(names)
    return found


@pytest.mark.usefixtures("home")
def test_copies_are_found_and_the_photos_of_a_burst_are_none() -> None:
    assert groups() == {
        "exact": [["00.jpg", "exact.jpg"]],
        "near": [["00.jpg", "cut.jpg", "smaller.jpg"]],
    }
    shown = run("duplicates")
    assert "2 groups; 3 files beside those to keep" in shown.out
    assert "most pixels: 320 x 240" in shown.out
    assert "arrange --duplicates" in shown.err


@pytest.mark.usefixtures("home")
def test_the_best_of_a_burst_is_sharp() -> None:
    [burst] = groups("--kind", "burst")["burst"]
    assert burst[0] == "1.jpg"
    assert sorted(burst) == ["0.jpg", "1.jpg", "2.jpg"]
    assert groups("--kind", "burst", "--keep", "oldest")["burst"][0][0] == "0.jpg"


def test_where_the_animal_is_cut_another_photo_is_kept(home: Path) -> None:
    with Library.open(home, Settings()) as library:
        names = [home / "photos" / "burst" / f"{second}.jpg" for second in range(3)]
        boxes = [(0.3, 0.3), (0.0, 0.3), (0.5, 0.3)]  # that of the sharp one touches the edge
        found = [
            ImageDetections(
                library.images[name].id,
                Detected.FOUND,
                (Detection("animal", 0.9, *place, 0.2, 0.3),),
                detector="a detector",
            )
            for name, place in zip(names, boxes, strict=True)
        ]
        library.detections.add(found, embedder="channel-mean")
        [group] = library.duplicates.find(DuplicateOptions([DuplicateKind.BURST])).groups
    assert group.files[-1].path.name == "1.jpg"
    assert group.why.startswith("sharpest animal")


@pytest.mark.usefixtures("home")
def test_what_is_wanted_is_no_duplicate_until_it_is_undone() -> None:
    ran = run("duplicates", "--wanted", "photos/00.jpg", "photos/copies/cut.jpg", "--user", "Ann")
    assert "2 images wanted" in ran.out
    assert groups()["near"] == [["00.jpg", "smaller.jpg"]]
    run("ingest", "photos")
    run("recluster", "--k", "2")
    assert groups()["near"] == [["00.jpg", "smaller.jpg"]]
    history = run("clusters", "history", "--json").json["events"]
    assert any("wanted" in event["what"] and event["user"] == "Ann" for event in history)
    run("duplicates", "--wanted", "photos/00.jpg", "photos/copies/exact.jpg")
    assert "exact" not in groups()
    run("undo")
    assert "exact" in groups()
    run("redo")
    assert "exact" not in groups()


@pytest.mark.usefixtures("home")
def test_a_decision_is_undone_where_there_are_no_clusters() -> None:
    run("duplicates", "--wanted", "photos/00.jpg", "photos/copies/cut.jpg")
    assert "undone: decision to want 2 images, though alike" in run("undo").out
    assert "cut.jpg" in groups()["near"][0]
    assert "done again" in run("redo").out
    assert "cut.jpg" not in groups()["near"][0]


def test_the_others_are_set_aside_by_plan_and_come_back(home: Path) -> None:
    before = sorted(path.relative_to(home) for path in (home / "photos").rglob("*"))
    run("arrange", "--duplicates", "--to", "aside", code=2)
    run("arrange", "--duplicates", "--to", "aside", "--plan", "plan.csv")
    with (home / "plan.csv").open(encoding="utf-8-sig") as file:
        why = {Path(row["source"]).name: row["why"] for row in csv.DictReader(file)}
    assert why.keys() == {"exact.jpg", "exact.xmp", "cut.jpg", "smaller.jpg"}
    assert why["exact.jpg"].endswith("the same picture as " + str(home / "photos" / "00.jpg"))
    assert "3 files: 3 moved" in run("arrange", "--apply", "plan.csv").out
    assert sorted(p.name for p in (home / "aside" / "copies").iterdir()) == sorted(why)
    assert (home / "photos" / "00.jpg").exists()
    shown = run("duplicates")
    assert "no duplicates among 13 images" in shown.out
    assert "3 files set aside before, left out" in shown.err
    run("arrange", "--undo")
    assert sorted(path.relative_to(home) for path in (home / "photos").rglob("*")) == before
    assert len(groups()["near"][0]) == 3


def test_a_table_and_a_sheet(home: Path) -> None:
    run("duplicates", "--csv", "groups.csv", "--sheet", "groups.png")
    with (home / "groups.csv").open(encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    assert [row["keep"] for row in rows] == ["yes", "", "yes", "", ""]
    assert [row["group"] for row in rows] == ["1", "1", "2", "2", "2"]
    assert COPY_FROM <= float(rows[3]["likeness"]) <= 1
    with Image.open(home / "groups.png") as sheet:
        assert sheet.width > 400
    assert "already" in run("duplicates", "--csv", "groups.csv", code=2).err
    run("duplicates", "--csv", "groups.csv", "--force")


def test_a_library_without_miniatures_gets_them(home: Path) -> None:
    with Library.open(home, Settings()) as library, library.store.writing():
        database = library.store._database
        with database.transaction():
            database.delete_where("miniatures", "true")
    (home / "photos" / "09.jpg").unlink()
    (home / "photos" / "08.jpg").write_bytes(b"no picture any more")
    found = run("duplicates", "--json").json
    assert found["unread"] == 2
    assert [group["kind"] for group in found["groups"]] == ["exact", "near"]
    with Library.open(home, Settings()) as library:
        assert len(library.store.miniatures.ids()) == 13


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "words",
    [
        ("duplicates", "--kind", "bogus"),
        ("duplicates", "--keep", "bogus"),
        ("duplicates", "photos/00.jpg"),
        ("duplicates", "--wanted"),
        ("duplicates", "--wanted", "photos/01.jpg"),
        ("duplicates", "--csv", "groups.txt"),
        ("arrange", "--to", "aside", "--keep", "largest"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...]) -> None:
    run(*words, code=2)
