"""What a pass over a whole library gives is what looking up image by image gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organizer.store import Store
from organizer.store.ids import pack_ids
from organizer.types import (
    Detected,
    Detection,
    EmbeddingBatch,
    FileState,
    ImageDetections,
    ImageFacts,
    ImageRef,
    PartSpec,
    ProcessedFile,
)

_SPEC = PartSpec("painter")
_COUNT = 40


def _id(number: int) -> str:
    """Some end in zero bytes, which numpy's byte strings do not keep."""
    draw = np.random.default_rng(number).bytes(16)
    return (draw[:14] + b"\0\0" if number % 5 == 0 else draw).hex()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Images with one file to three, some gone, some without any; all but some with a vector."""
    made = Store.create(tmp_path / ".organizer")
    folder = tmp_path / "photos"
    folder.mkdir()
    ids = [_id(number) for number in range(_COUNT)]
    extras: tuple[dict[str, str | int | float], ...] = (
        {},
        {"temperature": 3},
        {"temperature": -1.5, "moon": "new"},
        {"moon": 4},
    )
    facts = [
        ImageFacts(
            i, 9, 8, 7, "JPEG", f"2024-05-01T00:00:{n:02}", None, None, None, extra=extras[n % 4]
        )
        for n, i in enumerate(ids)
    ]
    with made.writing():
        root = made.roots.root_for(folder)
        made.photos.add_images(facts)
        for copy in range(3):
            files = [
                ProcessedFile(ImageRef(folder, f"{n * 7 % 40}/{copy}-{n}.jpg", 9, 1), i)
                for n, i in enumerate(ids)
                if n % 4 > copy
            ]
            made.photos.add_files(files, {folder: root.root_id}, known={})
        gone = made.photos.files_in_state(ids[1::3], FileState.PRESENT)
        made.photos.mark(gone[::2], FileState.MISSING)
        vectors = np.random.default_rng(0).normal(size=(_COUNT, 4)).astype(np.float32)
        backwards = tuple(reversed(ids[: _COUNT - 7]))
        made.vectors.append(_SPEC, EmbeddingBatch(backwards, vectors[: len(backwards)]))
        box = Detection("animal", 0.5, 0.25, 0.25, 0.5, 0.5)
        said = [
            ImageDetections(i, Detected.FOUND, (box,), detector=f"MD {n}")
            for n, i in enumerate(ids[::3])
        ]
        made.detections.write(said)
    return made


def _ids(store: Store) -> list[str]:
    ids: list[str] = store.photos.columns("image_id")["image_id"].tolist()
    return ids


def test_the_files_of_an_image_are_the_same_and_in_the_same_order(store: Store) -> None:
    ids = _ids(store)
    lists, known = store.photos.file_lists(), store.photos.files_of(with_people=True)
    wanted = [*ids[::-1], "f" * 32]
    for image_id, files in zip(wanted, lists.of(pack_ids(wanted)), strict=True):
        rows = known.get(image_id, [])
        assert files == [(str(row.file), row.state is FileState.PRESENT) for row in rows]
    there = lists.has(pack_ids(wanted), only_present=False).tolist()
    assert there == [image_id in known for image_id in wanted]
    present = lists.has(pack_ids(wanted), only_present=True).tolist()
    assert present == [
        any(row.state is FileState.PRESENT for row in known.get(image_id, ()))
        for image_id in wanted
    ]
    assert lists.of(pack_ids([])) == []


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_facts_of_some_images_come_in_the_order_of_the_library(store: Store, rows: int) -> None:
    ids = _ids(store)
    some = ids[3:30:2]
    batches = list(store.photos.facts_in_order(np.sort(pack_ids(some)), rows=rows))
    assert [fact.image_id for batch in batches for fact in batch] == some
    assert {len(batch) for batch in batches[:-1]} <= {rows}
    known = store.photos.facts_of(some)
    assert all(fact == known[fact.image_id] for batch in batches for fact in batch)


def test_the_vectors_of_images_are_the_same_in_any_order(store: Store) -> None:
    ids = _ids(store)
    rows = store.vectors.rows(_SPEC)
    assert rows.has(pack_ids(ids)).tolist() == [True] * (_COUNT - 7) + [False] * 7
    some = [ids[5], ids[0], ids[20], ids[5]]
    expected = [store.vectors.read_some(_SPEC, [image_id])[image_id] for image_id in some]
    np.testing.assert_array_equal(rows.of(pack_ids(some)), expected)
    assert rows.of(pack_ids([])).shape == (0, 4)


def test_detections_of_many_images_are_those_of_each(store: Store) -> None:
    ids = _ids(store)
    known = store.detections.of()
    assert store.detections.lists().of(pack_ids(ids)) == [known.get(image_id) for image_id in ids]


def test_names_of_further_metadata_say_whether_all_are_numbers(store: Store) -> None:
    assert store.photos.extra_names() == {"moon": False, "temperature": True}
