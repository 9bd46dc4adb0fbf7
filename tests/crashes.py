"""What the tests of kills share: writers that are killed or cut, and what must be left of them."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from organizer.library import Library
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.journal import LibraryJournal
from organizer.store.lance_files import TableFiles
from organizer.types import FileState
from tests.conftest import make_groups, make_photo

COLOUR = "channel-mean"
SMALL = Settings(batch_size=4, commit_images=8)
PHOTOS = 120

# Says "begun" when the work itself begins, so that a kill lands in it and not in the imports.
_WORKER = """
import sys
from pathlib import Path
from organizer.library import Library
from organizer.library.progress import NoProgress
from organizer.settings import Settings

class Progress(NoProgress):
    def begin(self, task, total):
        print("begun", task, flush=True)

what, home = sys.argv[1], Path(sys.argv[2])
settings = Settings(batch_size=4, commit_images=8)
with Library.open_or_create(home, settings) as library:
    if what == "ingest":
        library.ingest([home / "photos"], embedder="channel-mean", progress=Progress())
    else:
        library.recluster(k=3)  # imports what it needs
        print("begun", flush=True)
        for k in [int(part) for part in what.split(",")]:
            library.recluster(k=k, progress=Progress())
            print("done", k, flush=True)
"""


@contextmanager
def worker(home: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """Another process at work, from where the work begins."""
    command = [sys.executable, "-c", _WORKER, what, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        wanted = "begun embedding" if what == "ingest" else "begun"
        for line in process.stdout:
            if line.startswith(wanted):
                break
        else:
            pytest.fail("the worker ended before its work began")
        try:
            yield process
        finally:
            process.kill()


def photos_of(home: Path, count: int = PHOTOS, first: int = 0) -> Path:
    """Photos in three folders, every tenth a copy of the one before."""
    for i in range(first, first + count):
        folder = home / "photos" / "abc"[i % 3]
        if i % 10 == 9:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(
                home / "photos" / "abc"[(i - 1) % 3] / f"{i - 1:03}.jpg", folder / f"{i:03}.jpg"
            )
        else:
            make_photo(folder / f"{i:03}.jpg", i)
    return home / "photos"


def contents(library: Library, home: Path) -> dict[str, object]:
    """All that the library knows of photos, in no order."""
    photos = library.store.photos
    files = [
        (str(row.file.relative_to(home)), row.image_id, row.state)
        for rows in photos.files_of().values()
        for row in rows
    ]
    images = [tuple(row.values()) for row in photos._database.read("images").to_pylist()]
    vectors = [
        (spec.name, image_id, row.tobytes())
        for spec in library.store.vectors.specs()
        for image_id, row in zip(*library.store.vectors.read(spec), strict=True)
    ]
    return {
        "files": sorted(files),
        "images": sorted(images, key=repr),
        "problems": [(str(p.relative_to(home)), o, why) for p, o, why in photos.problems()],
        "vectors": sorted(vectors),
        "clusters": sorted(members(library)),
        "names": dict(library.corrections.constraints().names),
    }


def members(library: Library) -> list[tuple[str, int, str]]:
    current = library.store.clusterings.current()
    if current is None:
        return []
    m = library.store.clusterings.assignments(current.clustering_id)
    return list(zip(m.image_ids.tolist(), m.cluster_ids.tolist(), m.states.tolist(), strict=True))


def groups_of(found: object) -> set[frozenset[str]]:
    """Who is with whom."""
    assert isinstance(found, list)
    groups: dict[int, set[str]] = {}
    for image_id, cluster_id, _ in found:
        groups.setdefault(cluster_id, set()).add(image_id)
    return {frozenset(group) for group in groups.values()}


def assert_whole(library: Library) -> None:
    """What a reader finds after a cut: every file has its image and its vector, nothing twice."""
    database = library.store.photos._database
    images = database.read("images")["image_id"].to_pylist()
    files = database.read("files").to_pylist()
    assert {row["image_id"] for row in files} <= set(images)
    for spec in library.store.vectors.specs():
        ids = library.store.vectors.read(spec)[0]
        assert {row["image_id"] for row in files} <= set(ids)
    library.status()


def assert_paths_once(library: Library) -> None:
    """No path holds two contents, and none the same one twice."""
    files = library.store.photos._database.read("files").to_pylist()
    present = [row["path_id"] for row in files if row["state"] == FileState.PRESENT]
    pairs = [(row["path_id"], row["image_id"]) for row in files]
    assert len(present) == len(set(present)) == library.status().files
    assert len(pairs) == len(set(pairs))


def assert_nothing_twice(library: Library) -> None:
    """What is left when the next writer has swept up."""
    database = library.store.photos._database
    images = database.read("images")["image_id"].to_pylist()
    assert len(images) == len(set(images))
    assert {row["image_id"] for row in database.read("files").to_pylist()} == set(images)
    for spec in library.store.vectors.specs():
        assert sorted(library.store.vectors.read(spec)[0]) == sorted(images)
    if library.store.clusterings.current() is not None:
        assert sorted(image_id for image_id, _, _ in members(library)) == sorted(images)


def undisturbed(home: Path, photos: Path) -> dict[str, object]:
    """The contents of a library that nobody disturbed, with the same photos at the same place."""
    with Library.open_or_create(home / "undisturbed", SMALL) as library:
        library.ingest([photos], embedder=COLOUR)
        return contents(library, home)


def kill_while_it_ingests(home: Path, delays: list[float]) -> int:
    """Kill an ingest again and again; how many kills found it at work."""
    killed = 0
    for delay in delays:
        with worker(home, "ingest") as process:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            killed += process.wait(timeout=60) == -signal.SIGKILL
        with Library.open(home, SMALL) as library:
            library.status()
            assert_whole(library)
            assert_paths_once(library)
        with Library.open(home, SMALL) as library, library.store.writing():
            assert_nothing_twice(library)
    return killed


def kill_while_it_ingests_and_finish(home: Path, *, kills: int) -> None:
    """Kill an ingest so many times; the next ends like one that was not killed."""
    photos = photos_of(home)
    delays = np.random.default_rng(4).uniform(0.0, 0.12, kills).tolist()
    assert kill_while_it_ingests(home, delays) == kills
    with Library.open(home, SMALL) as library:
        assert library.status().files < PHOTOS, "killed too late: the test tests nothing"
        report = library.ingest([photos], embedder=COLOUR)
        assert sum(report.counts.values()) == PHOTOS
        assert contents(library, home) == undisturbed(home, photos)


def assert_whole_clustering(library: Library, *, images: int) -> set[int]:
    current = library.store.clusterings.current()
    assert current is not None
    models = library.store.clusterings.models(current.clustering_id)
    assert len(members(library)) == len({image_id for image_id, _, _ in members(library)}) == images
    held = {cluster_id for _, cluster_id, _ in members(library)}
    assert held == set(models.cluster_ids.tolist())
    assert library.store.clusterings.models(current.clustering_id).counts.sum() == images
    assert len(library.clusters.summaries()) == len(held)
    return held


def kill_while_it_is_made(tmp_path: Path, steps: list[int]) -> None:
    """Kill a first ingest at each step of 6 ms after the folder is there; the next ends well."""
    photos = photos_of(tmp_path, 12)
    made = 0
    for step in steps:
        home = tmp_path / str(step)
        shutil.copytree(photos, home / "photos")
        command = [sys.executable, "-m", "organizer", "ingest", "photos", "--embedder", COLOUR]
        with subprocess.Popen(command, cwd=home, stderr=subprocess.DEVNULL) as process:
            while not (home / ".organizer").exists():
                time.sleep(0.001)
            time.sleep(step * 0.006)
            process.kill()
        made += (home / ".organizer" / "library.json").exists()
        with Library.open_or_create(home, SMALL) as library:
            library.ingest([home / "photos"], embedder=COLOUR)
            assert library.status().files == 12
            assert_nothing_twice(library)
    assert made < len(steps), "killed too late: the test tests nothing"


def kill_while_it_reclusters(tmp_path: Path, delays: list[float], *, at_least: int) -> None:
    """Kill a writer that reclusters all the time; the current clustering is always a whole one."""
    photos = make_groups(tmp_path / "photos", each=20)
    with Library.open_or_create(tmp_path, SMALL) as library:
        library.ingest([photos], embedder=COLOUR)
        library.recluster(k=3)
    ids_ever: set[int] = set()
    seen: set[int] = set()
    for delay in delays:
        with worker(tmp_path, "4,5,6,7,8,3") as process:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)
        with Library.open(tmp_path, SMALL) as library:
            current = library.store.clusterings.current()
            assert current is not None
            seen.add(current.clustering_id)
            ids_ever |= assert_whole_clustering(library, images=60)
    with Library.open(tmp_path, SMALL) as library:
        report = library.recluster(k=9)
        assert report.clustering_id is not None
        assert report.clustering_id > max(seen)
        assert not set(report.lineage.new) & ids_ever
        assert_whole_clustering(library, images=60)
        library.undo()
        assert_whole_clustering(library, images=60)
    assert len(seen) >= at_least, "killed too early: the test tests nothing"


# Cut short between two writes, at every place -----------------------------------------------

_WRITES = {
    Database: (
        "append",
        "create_table",
        "overwrite",
        "upsert",
        "delete_where",
        "update_where",
        "drop",
    ),
    TableFiles: ("sync_added",),
    LibraryJournal: ("insert", "execute"),
}
Alter = Callable[[Path], None]
Work = Callable[[Library], object]


class Cut(BaseException):
    """The process ends here, as far as the store can tell."""


@contextmanager
def before_each_write(act: Callable[[], None]) -> Iterator[None]:
    """Do something before each write to a table or to the journal."""
    with pytest.MonkeyPatch.context() as patch:
        for kind, names in _WRITES.items():
            for name in names:
                patch.setattr(kind, name, _preceded(act, getattr(kind, name)))
        yield


@contextmanager
def killed_by_a_cut() -> Iterator[None]:
    """A process that is killed removes nothing of what it wrote."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_undo_writes", lambda *_: None)
        yield


def _preceded(act: Callable[[], None], real: Callable[..., None]) -> Callable[..., None]:
    def write(*args: Any, **kwargs: Any) -> None:
        act()
        real(*args, **kwargs)

    return write


def cut_at_every_write(begin: Path, tmp_path: Path, work: Work) -> Iterator[Path]:
    """Copies of a library, each left by work that was cut before another one of its writes."""
    for number in itertools.count():
        home = tmp_path / "cut" / str(number)
        shutil.copytree(begin, home)
        count = itertools.count()

        def cut(number: int = number, count: Iterator[int] = count) -> None:
            if next(count) == number:
                raise Cut

        try:
            with before_each_write(cut), killed_by_a_cut(), Library.open(home, SMALL) as library:
                work(library)
        except Cut:
            yield home
        else:
            assert number > 1, "nothing was written: the test tests nothing"
            return


def make_begun(home: Path) -> Path:
    """A library with three named groups of photos."""
    make_groups(home / "photos", each=4)
    with Library.open_or_create(home, SMALL) as library:
        library.ingest([home / "photos"], embedder=COLOUR)
        library.recluster(k=3)
        library.corrections.rename(1, "First")
    return home


def look_at_all(home: Path) -> None:
    """What a person may look at, while somebody writes or after a cut."""
    with Library.open(home, SMALL) as library:
        library.status()
        library.problems()
        library.reports.make()
        for cluster in library.clusters.summaries():
            library.clusters.members(cluster.cluster_id)
        library.search(home / "photos" / "green" / "002.jpg", limit=50)


def look_before_each_write(home: Path, alter: Alter) -> None:
    """Read everything while another one's ingest of altered photos goes on."""
    alter(home)
    looks = itertools.count()

    def look() -> None:
        next(looks)
        look_at_all(home)

    with Library.open(home, SMALL) as library, before_each_write(look):
        ingest_all(library)
    assert next(looks) > 2


def ingest_all(library: Library) -> None:
    library.ingest([library.store.path.parent / "photos"])


def new(home: Path) -> None:
    for i in range(5):
        make_photo(home / "photos" / "new" / f"{i}.jpg", 600 + i, colour=(200, 50, 45))


def deleted(home: Path) -> None:
    shutil.rmtree(home / "photos" / "red")


def touched(home: Path) -> None:
    for file in (home / "photos").rglob("*.jpg"):
        os.utime(file, (1, 1))


def renamed(home: Path) -> None:
    (home / "photos" / "red").rename(home / "photos" / "crimson")


def changed(home: Path) -> None:
    for i, file in enumerate(sorted((home / "photos" / "red").iterdir())):
        make_photo(file, 800 + i, colour=(60, 200, 60))


def copied(home: Path) -> None:
    shutil.copytree(home / "photos" / "red", home / "photos" / "copies")


def broken(home: Path) -> None:
    for file in (home / "photos" / "red").iterdir():
        file.write_bytes(b"torn")


def undisturbed_after(begin: Path, tmp_path: Path, work: Work) -> dict[str, object]:
    """The contents after work that nobody disturbed."""
    home = tmp_path / "undisturbed"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(begin, home)
    with Library.open(home, SMALL) as library:
        work(library)
        return contents(library, home)
