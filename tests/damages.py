"""What a disk that lost power may leave of a library, and every way to use it then."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from organizer.errors import OrganizerError
from organizer.library import Library
from organizer.settings import Settings
from organizer.store.schemas import TABLES
from organizer.types import Detected, Detection, ImageDetections
from tests.conftest import make_groups, make_photo

Harm = Callable[[bytes], bytes]


def zeros(data: bytes) -> bytes:
    return b"\0" * len(data)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def nothing(_: bytes) -> bytes:
    return b""


def noise(data: bytes) -> bytes:
    return np.random.default_rng(len(data)).bytes(len(data))


KINDS = ("data/*", "_versions/*.manifest")
HARMS: list[tuple[str, Harm]] = [*itertools.product(KINDS, [zeros, half, nothing, noise])]
OTHERS = (*sorted(TABLES), "assignments_1")


def make_sound(folder: Path) -> Path:
    """A folder with photos and a library that has a row in every table."""
    make_groups(folder / "photos", each=3)
    (folder / "photos" / "broken.jpg").write_bytes(b"no picture")
    with Library.open_or_create(folder, Settings()) as library:
        library.ingest([folder / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        library.corrections.rename(1, "first")
        make_photo(folder / "photos" / "late.jpg", 500)
        library.ingest([folder / "photos"])
        library.review.answer([look.answer(belongs=True) for look in library.review.sample(1)])
        library.deployments.set_template("{deployment}")
        library.deployments.shift("red", 60)
        (seen, *_) = library.store.photos.images_below(folder / "photos" / "blue")
        box = Detection("animal", 0.9, 0.1, 0.1, 0.5, 0.5)
        library.detections.add([ImageDetections(seen, Detected.FOUND, (box,))])
    return folder


def assert_well_explained(error: OrganizerError) -> None:
    assert "\n" not in error.message
    assert error.message
    assert error.hint


def harm_and_use_all(sound: Path, tmp_path: Path, table: str, kind: str, harm: Harm) -> None:
    """No raw error comes of a copy with damaged files; that damage goes unseen is allowed."""
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    damaged = [f for f in (tmp_path / ".organizer").glob(f"{table}.lance/{kind}") if f.is_file()]
    assert damaged
    for file in damaged:
        file.write_bytes(harm(file.read_bytes()))
    outside = make_photo(tmp_path / "outside.jpg", 77)
    raised = list(_use_all(tmp_path, outside))
    raw = [repr(error) for error in raised if not isinstance(error, OrganizerError)]
    assert not raw, raw
    for error in raised:
        if isinstance(error, OrganizerError):
            assert_well_explained(error)


def _use_all(folder: Path, outside: Path) -> Iterator[BaseException]:
    """Every way to use a library, each on its own; what was raised."""
    ways: list[Callable[[Library], object]] = [
        lambda library: library.status(),
        lambda library: library.clusters.summaries(),
        lambda library: library.clusters.members(1),
        lambda library: library.reports.make(),
        lambda library: library.problems(),
        lambda library: library.review.audit(),
        lambda library: library.review.sample(3),
        lambda library: library.review.doubtful(3),
        lambda library: library.reports.write(html=folder / "report.html", map_method="pca"),
        lambda library: library.search(folder / "photos" / "red" / "000.jpg", limit=3),
        lambda library: library.search(outside, limit=3),
        lambda library: library.corrections.rename(2, "second"),
        lambda library: library.recluster(k=2),
        lambda library: library.ingest([outside]),
        lambda library: library.undo(),
        lambda library: library.deployments.summary(),
        lambda library: library.detections.locations(),
    ]
    for way in ways:
        try:
            with Library.open(folder, Settings()) as library:
                way(library)
        except BaseException as error:  # noqa: BLE001 - a panic of Rust is no Exception
            yield error
