from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer import registry
from organizer.discover import Walk
from organizer.errors import PluginError
from organizer.execute import ThreadedExecutor
from organizer.identity import picture_hash
from organizer.protocols import Executor, LoadedEmbedder
from organizer.types import (
    Identity,
    ImageRef,
    KnownImage,
    Outcome,
    PartSpec,
    ProcessedBatch,
    ProcessedFile,
)
from tests.conftest import make_photo


def _unknown(_: Identity) -> KnownImage | None:
    return None


def _knowing(known: Sequence[str]) -> Callable[[Identity], KnownImage | None]:
    """What finds images by their pictures, as files that did not change."""

    def find(found: Identity) -> KnownImage | None:
        is_known = found.picture in known
        return KnownImage(found.picture, file_hash=found.file) if is_known else None

    return find


@pytest.fixture(scope="module")
def means() -> LoadedEmbedder:
    return LoadedEmbedder(*registry.create_part("organizer.embedders", PartSpec("channel-mean")))


@pytest.fixture
def mixed(tmp_path: Path) -> list[ImageRef]:
    """20 files: 14 photos, 3 copies of the first, a cut off, an empty and a text file."""
    folder = tmp_path / "mixed"
    for seed in range(14):
        make_photo(folder / f"{seed * 3 % 14:02}-photo.jpg", seed)
    first = (folder / "00-photo.jpg").read_bytes()
    for name in ("01-copy.jpg", "08-copy.jpg", "99-copy.jpg"):
        (folder / name).write_bytes(first)
    (folder / "03-cut.jpg").write_bytes(first[: len(first) // 2])
    (folder / "05-empty.jpg").touch()
    (folder / "12-text.jpg").write_text("no picture")
    return list(Walk(folder, folder))


def _run(
    refs: Sequence[ImageRef], embedder: LoadedEmbedder, *, known: Sequence[str] = (), **how: Any
) -> list[ProcessedBatch]:
    executor = ThreadedExecutor(**how)
    return list(executor.run(refs, embedder, find=_knowing(known)))


def _files(batches: Sequence[ProcessedBatch]) -> list[ProcessedFile]:
    return [file for batch in batches for file in batch.files]


def _vectors(batches: Sequence[ProcessedBatch]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for batch in batches:
        for image_id, vector in zip(
            batch.embeddings.image_ids, batch.embeddings.vectors, strict=True
        ):
            assert found.setdefault(image_id, vector.tolist()) == vector.tolist()
    return found


def _expected(ref: ImageRef) -> NDArray[np.float64]:
    with Image.open(ref.file) as image:
        channels = np.asarray(image.convert("RGB")).reshape(-1, 3) / 255
    return np.concatenate([channels.mean(axis=0), channels.std(axis=0)])


def _id(ref: ImageRef) -> str:
    return picture_hash(ref.file.read_bytes())


_WAYS = [(size, threads) for size in (1, 3, 32) for threads in (1, 4)]


def test_it_keeps_the_contract() -> None:
    assert isinstance(ThreadedExecutor(), Executor)


@pytest.mark.parametrize(("batch_size", "threads"), _WAYS)
def test_each_file_comes_once_and_in_order(
    mixed: list[ImageRef], means: LoadedEmbedder, batch_size: int, threads: int
) -> None:
    files = _files(_run(mixed, means, batch_size=batch_size, threads=threads))
    assert [file.ref for file in files] == mixed
    for file in files:
        assert (file.image_id is None) != (file.problem is None)


@pytest.mark.parametrize(("batch_size", "threads"), _WAYS)
def test_files_and_vectors_are_right_whatever_the_batches(
    mixed: list[ImageRef], means: LoadedEmbedder, batch_size: int, threads: int
) -> None:
    batches = _run(mixed, means, batch_size=batch_size, threads=threads)
    for batch in batches:
        assert len(batch.embeddings.image_ids) <= batch_size
    usable = [file for file in _files(batches) if file.problem is None]
    assert [file.image_id for file in usable] == [_id(file.ref) for file in usable]
    vectors = _vectors(batches)
    assert set(vectors) == {_id(file.ref) for file in usable}
    for file in usable:
        np.testing.assert_allclose(vectors[_id(file.ref)], _expected(file.ref), atol=1e-5)


@pytest.mark.parametrize(("batch_size", "threads"), _WAYS)
def test_a_content_is_embedded_once_however_often_it_comes(
    mixed: list[ImageRef], means: LoadedEmbedder, batch_size: int, threads: int
) -> None:
    batches = _run(mixed, means, batch_size=batch_size, threads=threads)
    ids = [image_id for batch in batches for image_id in batch.embeddings.image_ids]
    assert len(ids) == len(set(ids)) == 14
    copies = [file for file in _files(batches) if file.image_id == _id(mixed[0])]
    assert len(copies) == 4
    assert [file.facts is not None for file in copies] == [True, False, False, False]


def test_broken_files_become_problems(mixed: list[ImageRef], means: LoadedEmbedder) -> None:
    problems = {file.ref.path: file.problem for file in _files(_run(mixed, means)) if file.problem}
    assert set(problems) == {"03-cut.jpg", "05-empty.jpg", "12-text.jpg"}
    for path, problem in problems.items():
        assert problem.ref.path == path
        assert problem.outcome is Outcome.BROKEN
        assert problem.lasting
        assert problem.reason


def test_a_file_that_went_may_be_tried_again(mixed: list[ImageRef], means: LoadedEmbedder) -> None:
    mixed[0].file.unlink()
    gone = _files(_run(mixed, means))[0]
    assert gone.problem is not None
    assert not gone.problem.lasting


def test_a_file_over_the_limit_is_too_large(mixed: list[ImageRef], means: LoadedEmbedder) -> None:
    limit = sorted(ref.size for ref in mixed)[10]
    files = _files(_run(mixed, means, max_file_bytes=limit))
    large = {file.ref for file in files if file.problem and file.problem.outcome == "too_large"}
    assert large == {ref for ref in mixed if ref.size > limit}
    assert large


def test_facts_are_those_of_the_new_images(mixed: list[ImageRef], means: LoadedEmbedder) -> None:
    facts = [file.facts for file in _files(_run(mixed, means)) if file.facts]
    assert len(facts) == 14
    for fact in facts:
        assert (fact.width, fact.height, fact.format) == (64, 48, "JPEG")


def test_what_is_known_is_recognised_and_not_embedded(
    mixed: list[ImageRef], means: LoadedEmbedder
) -> None:
    known = [_id(mixed[0]), _id(mixed[2])]
    batches = _run(mixed, means, known=known)
    assert [file.ref for file in _files(batches)] == mixed
    assert not set(known) & set(_vectors(batches))
    assert len(_vectors(batches)) == 12
    for file in _files(batches):
        if file.image_id in known:
            assert file.facts is None
            assert file.problem is None


def test_a_folder_of_nothing_new_is_handed_over_as_it_goes(
    mixed: list[ImageRef], means: LoadedEmbedder
) -> None:
    batches = _run(mixed[:1] * 100, means, known=[_id(mixed[0])], batch_size=2)
    assert sum(len(batch.files) for batch in batches) == 100
    assert max(len(batch.files) for batch in batches) < 50
    assert all(batch.embeddings.vectors.shape == (0, 6) for batch in batches)


def test_no_files_give_no_batches(means: LoadedEmbedder) -> None:
    assert _run([], means) == []


def test_min_side_lets_jpegs_be_decoded_smaller(tmp_path: Path) -> None:
    Image.new("RGB", (800, 600), "red").save(tmp_path / "a.jpg")

    class Sizes(_Shape):
        min_side = 100

    def shape(part: Any) -> list[float]:
        loaded = LoadedEmbedder(PartSpec("sizes"), part)
        ((batch),) = _run(list(Walk(tmp_path, tmp_path)), loaded)
        assert batch.files[0].facts is not None
        assert (batch.files[0].facts.width, batch.files[0].facts.height) == (800, 600)
        sizes: list[float] = batch.embeddings.vectors[0].tolist()
        return sizes

    assert shape(_Shape()) == [600, 800]
    assert shape(Sizes()) == [150, 200]


class _Shape:
    """The size of the picture as it is prepared."""

    dim = 2

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        return np.array(image.shape[:2])

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 2)


class _Wrong(_Shape):
    def __init__(self, result: Any) -> None:
        self.result = result

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        return np.asarray(self.result(len(batch)))


@pytest.mark.parametrize(
    "result",
    [
        lambda n: np.zeros((n, 3), np.float32),
        lambda n: np.zeros((n + 1, 2), np.float32),
        lambda n: np.zeros((n - 1, 2), np.float32),
        lambda n: np.zeros(n * 2, np.float32),
        lambda n: np.zeros((n, 2, 1), np.float32),
        lambda n: np.full((n, 2), np.nan, np.float32),
        lambda n: np.full((n, 2), np.inf, np.float32),
    ],
    ids=["wide", "long", "short", "flat", "deep", "nan", "infinite"],
)
def test_vectors_that_cannot_be_are_the_plugin_s_fault(mixed: list[ImageRef], result: Any) -> None:
    wrong = LoadedEmbedder(PartSpec("wrong-one"), _Wrong(result))
    with pytest.raises(PluginError, match="wrong-one"):
        _run(mixed, wrong)
    assert not _workers()


def test_an_embedder_that_raises_on_all_is_not_taken_for_broken_files(
    mixed: list[ImageRef],
) -> None:
    class Raises(_Shape):
        def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
            raise ZeroDivisionError(str(image.shape))

    with pytest.raises(PluginError, match="'raises' fails on every picture") as caught:
        _run(mixed, LoadedEmbedder(PartSpec("raises"), Raises()))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert not _workers()


# --- how far ahead, and the end -----------------------------------------------------------------


class _Counted:
    """Refs that count how many were taken."""

    def __init__(self, refs: Sequence[ImageRef]) -> None:
        self._refs = refs
        self.taken = 0

    def __iter__(self) -> Iterator[ImageRef]:
        for ref in self._refs:
            self.taken += 1
            yield ref


@pytest.fixture
def many(tmp_path: Path) -> list[ImageRef]:
    folder = tmp_path / "many"
    for seed in range(120):
        make_photo(folder / f"{seed:03}.jpg", seed)
    return list(Walk(folder, folder))


def _workers() -> list[threading.Thread]:
    """The threads that a run started, after those that are about to end had their time."""
    for _ in range(100):
        alive = [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
        if not alive:
            return []
        time.sleep(0.02)
    return alive


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 1), (4, 2), (8, 4)])
def test_files_are_taken_only_a_bounded_way_ahead(
    many: list[ImageRef], means: LoadedEmbedder, batch_size: int, threads: int
) -> None:
    refs = _Counted(many)
    executor = ThreadedExecutor(batch_size=batch_size, threads=threads)
    given = 0
    for batch in executor.run(refs, means, find=_unknown):
        given += len(batch.files)
        assert refs.taken - given <= batch_size + 2 * threads
    assert given == refs.taken == len(many)


def test_nothing_is_taken_before_the_first_batch_is_asked_for(
    many: list[ImageRef], means: LoadedEmbedder
) -> None:
    refs = _Counted(many)
    batches = ThreadedExecutor().run(refs, means, find=_unknown)
    assert refs.taken == 0
    next(iter(batches))
    assert refs.taken > 0


def test_a_run_that_is_given_up_ends_its_threads(
    many: list[ImageRef], means: LoadedEmbedder
) -> None:
    refs = _Counted(many)
    batches: Any = ThreadedExecutor(batch_size=4, threads=3).run(refs, means, find=_unknown)
    next(batches)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    batches.close()
    assert not _workers()
    assert refs.taken < len(many)


def test_a_finished_run_leaves_no_threads(mixed: list[ImageRef], means: LoadedEmbedder) -> None:
    _run(mixed, means, threads=4)
    assert not _workers()


def test_files_are_prepared_on_several_threads_and_embedded_on_the_caller_s(
    many: list[ImageRef],
) -> None:
    # With a lock-step barrier one thread alone could not go on.
    together = threading.Barrier(2, timeout=20)
    embedding: set[int] = set()

    class Watched(_Shape):
        def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
            together.wait()
            return super().prepare(image)

        def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
            embedding.add(threading.get_ident())
            return super().embed(batch)

    batches = _run(many[:8], LoadedEmbedder(PartSpec("watched"), Watched()), threads=2)
    assert len(_vectors(batches)) == 8
    assert embedding == {threading.get_ident()}


def test_warnings_of_the_caller_are_as_before(many: list[ImageRef], means: LoadedEmbedder) -> None:
    before = list(warnings.filters)
    batches: Any = ThreadedExecutor(batch_size=4).run(many, means, find=_unknown)
    next(batches)
    batches.close()
    assert list(warnings.filters) == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_as_many_threads_as_cores_by_default() -> None:
    assert ThreadedExecutor()._threads == len(os.sched_getaffinity(0))
    assert ThreadedExecutor(threads=3)._threads == 3


def test_batches_come_in_the_order_of_the_files(
    many: list[ImageRef], means: LoadedEmbedder
) -> None:
    batches = _run(many, means, batch_size=16, threads=4)
    last_first = [(one.files[-1].ref.path, two.files[0].ref.path) for one, two in pairwise(batches)]
    assert all(last < first for last, first in last_first)
    for batch in batches:
        assert [file.image_id for file in batch.files] == list(batch.embeddings.image_ids)
