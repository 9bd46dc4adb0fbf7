"""A library whose files can be arranged, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.library.corrections.editor import Editor
from organizer.library.ingest.report import IngestReport
from organizer.settings import Settings
from organizer.types import NOISE
from tests.conftest import make_groups

EACH = 6
COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 photos in three folders and the library in which they are three clusters."""
    home = tmp_path_factory.mktemp("arranged") / "home"
    make_groups(home / "photos", each=EACH)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home, Settings()) as found:
        yield found


def named(library: Library, **names: str) -> None:
    """Call the clusters of some folders of photos by names: ``named(library, red="fox")``."""
    for folder, name in names.items():
        library.corrections.rename(cluster_at(library, f"photos/{folder}/000.jpg"), name)


def cut_before_new_clusters(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read a folder back, and be killed where the first new cluster would be written down."""

    def cut(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Editor, "new_cluster", cut)
    with pytest.raises(KeyboardInterrupt):
        library.folders.read_back(folder)
    monkeypatch.undo()


def home_of(library: Library) -> Path:
    return library.store.path.parent


def cluster_at(library: Library, path: str) -> int:
    """The cluster of the photo that the library knows at a path; NOISE for none."""
    image_id = library.store.photos.image_at(home_of(library) / path)
    assert image_id is not None, f"the library knows no photo at {path}"
    current = library.store.clusterings.current()
    assert current is not None
    found = library.store.clusterings.clusters_of(current.clustering_id, [image_id])
    return found.get(image_id, NOISE)


def clusters_at(library: Library, paths: Callable[[str], bool] = lambda _: True) -> dict[str, int]:
    """The cluster of every photo by its path."""
    home = home_of(library)
    held = library.store.photos.held_files()
    found = [h.ref.file.relative_to(home).as_posix() for h in held]
    return {path: cluster_at(library, path) for path in found if paths(path)}


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its content and its time."""
    return {
        file.relative_to(folder).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".organizer" not in file.parts
    }


def names_in(folder: Path) -> list[str]:
    return sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()
    )


def counts(report: IngestReport) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.counts.items() if count}
