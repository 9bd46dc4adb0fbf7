"""A library of format 6, in which an image was the content of a file, opened today."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from organizer import identity
from organizer.library import Library
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.schemas import SCHEMA_VERSION
from organizer.types import AssignmentState, Outcome
from tests import former_reader
from tests.conftest import make_groups
from tests.crashes import cut_at_every_write, members
from tests.test_metadata_written import write_keyword, write_tags

_ADDED = {"images": ["picture_hash", "file_hash", "view"], "files": ["file_hash"]}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_groups(tmp_path / "home" / "photos", each=4)


@contextmanager
def _as_format_6() -> Iterator[None]:
    """An image is its file, as it was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("organizer.execute.WORKER", former_reader.WORKER)
        yield


def to_format_6(home: Path) -> Path:
    """Make a library one of format 6; it was made with the ids of today or of then."""
    folder = home / ".organizer"
    database = Database(folder)
    with database.writing(), database.transaction():
        for name, columns in _ADDED.items():
            rows = database.read_all_columns(name)
            database.overwrite(name, rows.drop_columns(columns))
        database.journal.execute("DROP TABLE former_ids")
    database.close()
    (folder / "library.json").write_text(json.dumps({"schema": 6, "created_at": "then"}))
    return home


def _cluster_of(library: Library, file: Path) -> int:
    image_id = library.store.photos.image_at(file)
    assert image_id is not None
    return _members(library)[image_id][0]


def _members(library: Library) -> dict[str, tuple[int, str]]:
    return {image_id: (cluster, state) for image_id, cluster, state in members(library)}


@pytest.fixture
def old(photos: Path) -> Path:
    """12 photos in three clusters; a red one is decided to be with the blue ones."""
    with _as_format_6(), Library.open_or_create(photos.parent, Settings()) as library:
        library.ingest([photos], embedder="channel-mean")
        library.recluster(k=3)
        library.corrections.rename(1, "Fox")
        blue = _cluster_of(library, photos / "blue" / "000.jpg")
        library.corrections.move(photos / "red" / "000.jpg", blue)
    return to_format_6(photos.parent)


def _assert_carried(home: Path) -> None:
    """All is kept; the photos are known by their pictures once they were read."""
    photos = home / "photos"
    with Library.open(home) as library:
        before = _members(library)
        assert len(before) == 12
        fixed = library.store.photos.image_at(photos / "red" / "000.jpg")
        assert fixed == identity.file_hash((photos / "red" / "000.jpg").read_bytes())
        report = library.ingest([photos])
        assert report.counts[Outcome.UNCHANGED] == report.images == 12
        assert report.embedded == 0
        assert library.ingest([photos]).counts[Outcome.UNCHANGED] == 12
        for file in photos.rglob("*.jpg"):
            write_keyword(file)
        report = library.ingest([photos])
        assert report.counts[Outcome.NEW_METADATA] == report.images == 12
        assert _members(library) == before
        assert before[fixed] == (
            _cluster_of(library, photos / "blue" / "000.jpg"),
            AssignmentState.DECIDED.value,
        )
        assert library.corrections.constraints().names == {1: "Fox"}
        library.undo()
        assert _cluster_of(library, photos / "red" / "000.jpg") == _cluster_of(
            library, photos / "red" / "001.jpg"
        )


def test_images_keep_their_ids_and_are_known_by_their_pictures_from_now_on(old: Path) -> None:
    with Library.open(old) as library:
        manifest = json.loads((old / ".organizer" / "library.json").read_text())
        assert manifest == {"schema": SCHEMA_VERSION, "created_at": "then"}
        columns = library.store.photos.columns("image_id", "picture_hash", "file_hash")
        assert set(columns["picture_hash"]) == {""}
        assert columns["file_hash"].tolist() == columns["image_id"].tolist()
    _assert_carried(old)


def test_photos_that_were_edited_before_the_first_ingest_are_known_too(old: Path) -> None:
    photos = old / "photos"
    for file in photos.rglob("*.jpg"):
        write_tags(file, camera="BUSHNELL")
    with Library.open(old) as library:
        before = _members(library)
        report = library.ingest([photos])
        assert (report.counts[Outcome.NEW_METADATA], report.counts[Outcome.ADDED]) == (12, 0)
        assert (report.images, report.replaced) == (12, 0)
        assert _members(library) == before
        assert set(library.store.photos.columns("camera")["camera"]) == {"BUSHNELL"}
        assert "" not in library.store.photos.columns("picture_hash")["picture_hash"]
        assert library.ingest([photos]).counts[Outcome.UNCHANGED] == 12
        _assert_counted(library)


def test_other_photos_under_the_same_names_are_other_images(old: Path) -> None:
    make_groups(old / "photos", each=4, seed=500)
    with Library.open(old) as library:
        report = library.ingest([old / "photos"])
        assert (report.counts[Outcome.ADDED], report.replaced, report.merged) == (12, 12, 0)
        assert report.images == 24


def test_what_is_not_here_is_carried_when_it_comes_back(old: Path, tmp_path: Path) -> None:
    photos, away = old / "photos", tmp_path / "away"
    (photos / "red").rename(away)
    with Library.open(old) as library:
        before = _members(library)
        assert library.ingest([photos]).counts[Outcome.MISSING] == 4
        away.rename(photos / "back")
        report = library.ingest([photos])
        assert report.counts[Outcome.MOVED] == 4
        assert report.images == 12
        assert _members(library) == before
        assert "" not in library.store.photos.columns("picture_hash")["picture_hash"]


def _assert_counted(library: Library) -> None:
    """Clusters count the members that they have."""
    current = library.store.clusterings.current()
    assert current is not None
    models = library.store.clusterings.models(current.clustering_id)
    held = Counter(cluster for cluster, _ in _members(library).values())
    assert dict(zip(models.cluster_ids.tolist(), models.counts.tolist(), strict=True)) == held
    assert set(models.medoids) <= _members(library).keys()


@pytest.mark.parametrize("in_place", [True, False], ids=["edited", "copied"])
@pytest.mark.parametrize("last", ["former", "edited"])
def test_two_images_that_are_one_picture_become_one_and_the_later_decision_holds(
    photos: Path, last: str, in_place: bool
) -> None:
    home, file = photos.parent, photos / "red" / "002.jpg"
    edited = file if in_place else photos / "red" / "copy.jpg"
    with _as_format_6(), Library.open_or_create(home, Settings()) as library:
        library.ingest([photos], embedder="channel-mean")
        library.recluster(k=3)
        former_id = library.store.photos.image_at(file)
        if not in_place:
            shutil.copy(file, edited)
        write_keyword(edited)
        library.ingest([photos])
        edited_id = library.store.photos.image_at(edited)
        assert former_id is not None
        assert edited_id is not None
        assert former_id != edited_id
        blue, green = (_cluster_of(library, photos / c / "000.jpg") for c in ("blue", "green"))
        steps = [(former_id, blue), (edited_id, green)]
        for moved_id, cluster_id in steps if last == "edited" else reversed(steps):
            library.corrections.move(moved_id, cluster_id)
        library.corrections.rename(blue, "Blue")
        rows = len(library.corrections.history())
    to_format_6(home)
    with Library.open(home) as library:
        report = library.ingest([photos])
        assert report.merged == 1
        assert report.images == 12
        image_id = library.store.photos.image_at(edited)
        assert image_id is not None
        assert image_id == (former_id if last == "former" else edited_id)
        assert image_id == library.store.photos.image_at(file)
        wanted = blue if last == "former" else green
        assert _members(library)[image_id] == (wanted, AssignmentState.DECIDED.value)
        assert library.corrections.constraints().fixed[image_id] == wanted
        assert library.corrections.constraints().names == {blue: "Blue"}
        assert len(_members(library)) == 12
        _assert_counted(library)
        assert len(library.corrections.history()) == rows
        assert library.ingest([photos]).merged == 0
        library.recluster(k=3)
        assert _members(library)[image_id] == (wanted, AssignmentState.DECIDED.value)
    with Library.open(home) as library:
        assert len(_members(library)) == 12


def test_a_migration_and_its_ingest_may_be_killed_at_any_write(old: Path, tmp_path: Path) -> None:
    def work(library: Library) -> None:
        library.ingest([library.store.path.parent / "photos"])

    homes = list(cut_at_every_write(old, tmp_path, work))
    assert len(homes) > 6, "nothing was cut: the test tests nothing"
    for home in homes:
        _assert_carried(home)


def test_a_real_kill_of_the_migration_loses_nothing(old: Path) -> None:
    command = [sys.executable, "-m", "organizer", "ingest", str(old / "photos")]
    for seconds in (0.6, 0.9, 1.2, 1.6):
        with subprocess.Popen(command, cwd=old, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
    _assert_carried(old)
