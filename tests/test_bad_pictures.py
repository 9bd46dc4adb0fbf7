"""One bad picture harms one picture; an embedder that fails on all of them marks none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.embed.pictures import embed_pictures, prepare_picture
from organizer.errors import ImageError, PluginError, SettingsError, WeightsMissingError, one_line
from organizer.library import Library
from organizer.protocols import Embedder, LoadedEmbedder
from organizer.settings import Settings
from organizer.types import FileState, PartSpec
from tests.conftest import make_photo
from tests.faulty_embedders import (
    YELLOW,
    AlwaysNaN,
    AlwaysRaises,
    AlwaysRaisesEarly,
    Dies,
    GivesDouble,
    GivesInfinity,
    GivesNaN,
    GivesTooLarge,
    GivesZeros,
    LeavesOut,
    Raises,
    RaisesEarly,
    SmallBatches,
    Sound,
    Spoils,
    is_yellow,
)
from tests.test_ingest import Listening, assert_whole, counts, present_in, some_photos, vectors_in

_FAILS = {
    GivesNaN: "the embedder 'GivesNaN' gave numbers that are not finite",
    GivesInfinity: "the embedder 'GivesInfinity' gave numbers that are not finite",
    GivesTooLarge: "the embedder 'GivesTooLarge' gave numbers beyond 65,504, more than the library "
    "holds",
    GivesDouble: "the embedder 'GivesDouble' gave numbers that are not finite",
    Raises: "the embedder 'Raises' failed: IndexError: no face in the picture",
    RaisesEarly: "the embedder 'RaisesEarly' failed: ZeroDivisionError",
    LeavesOut: "the embedder 'LeavesOut' gave vectors of (0, 6), not (1, 6)",
    Spoils: "the embedder 'Spoils' gave numbers that are not finite",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photos, and a yellow one among them."""
    some_photos(tmp_path / "photos", 12)
    make_photo(tmp_path / "photos" / "005-yellow.jpg", 77, colour=YELLOW)
    return tmp_path / "photos"


@pytest.fixture(params=[1, 5, 32])
def batches(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """An empty library in which so many images are embedded at once."""
    with Library.open_or_create(tmp_path, Settings(batch_size=request.param)) as library:
        yield library


def problems_of(library: Library) -> dict[str, str]:
    return {path.name: f"{outcome}: {reason}" for path, outcome, reason in library.problems()}


@pytest.mark.parametrize("faulty", _FAILS, ids=lambda faulty: faulty.__name__)
def test_a_picture_that_gets_no_vector_is_a_problem_and_all_others_are_in(
    batches: Library, folder: Path, faulty: type[Sound]
) -> None:
    heard = Listening()
    report = batches.ingest(folder, embedder=faulty(), progress=heard)
    assert counts(report) == {"added": 12, "broken": 1}
    assert (report.unusable, report.images, report.embedded) == (1, 12, 12)
    assert problems_of(batches) == {"005-yellow.jpg": f"broken: {_FAILS[faulty]}"}
    assert_whole(batches)
    assert heard.notes == []
    with Library.open_or_create(folder, Settings()) as without:
        (folder / "005-yellow.jpg").unlink()
        without.ingest(folder, embedder=faulty())
        assert vectors_in(without) == vectors_in(batches)


@pytest.mark.parametrize("faulty", _FAILS, ids=lambda faulty: faulty.__name__)
def test_it_is_tried_again_by_the_next_ingest_and_by_another_embedder(
    library: Library, folder: Path, faulty: type[Sound]
) -> None:
    library.ingest(folder, embedder=faulty())
    listed = problems_of(library)
    again = library.ingest(folder, embedder=faulty())
    assert counts(again) == {"unchanged": 12, "broken": 1}
    assert problems_of(library) == listed
    report = library.ingest(folder, embedder="channel-mean")
    assert counts(report) == {"unchanged": 12, "added": 1}
    assert (report.embedded, library.problems()) == (13, [])


def test_an_embedder_that_was_mended_gets_the_picture_in(library: Library, folder: Path) -> None:
    part = GivesNaN()
    library.ingest(folder, embedder=part)
    part.number = 0.5
    assert counts(library.ingest(folder, embedder=part)) == {"unchanged": 12, "added": 1}
    assert library.problems() == []
    assert_whole(library)


def test_a_bad_picture_alone_is_a_problem_of_the_picture(library: Library, tmp_path: Path) -> None:
    file = make_photo(tmp_path / "photos" / "a.jpg", colour=YELLOW)
    for _ in range(2):
        report = library.ingest(file, embedder=Raises())
        assert counts(report) == {"broken": 1}
        assert set(problems_of(library)) == {"a.jpg"}
    assert library.status().images == 0


def test_all_files_of_a_bad_picture_are_problems(batches: Library, folder: Path) -> None:
    for name in ("004-copy.jpg", "005-copy.jpg", "999-copy.jpg"):
        shutil.copy(folder / "005-yellow.jpg", folder / name)
    report = batches.ingest(folder, embedder=Raises())
    assert counts(report) == {"added": 12, "broken": 4}
    assert len(problems_of(batches)) == 4
    assert_whole(batches)
    shutil.rmtree(folder)
    batches.ingest(folder.parent, embedder=Raises(), confirm_missing=True)
    assert batches.problems() == []


def test_zeros_are_a_vector_that_says_nothing_was_found(library: Library, folder: Path) -> None:
    assert counts(library.ingest(folder, embedder=GivesZeros())) == {"added": 13}
    assert_whole(library)
    assert sum(not any(vector) for vector in vectors_in(library).values()) == 1
    assert library.recluster(k=2).clustering_id
    with pytest.raises(SettingsError, match="sees nothing in"):
        library.search(folder / "005-yellow.jpg")


def test_a_photo_whose_content_became_a_bad_picture_holds_its_former_image_no_more(
    library: Library, folder: Path
) -> None:
    library.ingest(folder, embedder=Raises())
    file = folder / "003.jpg"
    make_photo(file, 78, colour=YELLOW)
    report = library.ingest(folder, embedder=Raises())
    assert counts(report) == {"unchanged": 11, "broken": 2}
    assert file not in present_in(library)
    assert set(problems_of(library)) == {"003.jpg", "005-yellow.jpg"}
    make_photo(file, 3)
    assert counts(library.ingest(folder, embedder=Raises()))["broken"] == 1
    assert file in present_in(library)
    assert set(problems_of(library)) == {"005-yellow.jpg"}


def test_a_second_embedder_s_problem_takes_nothing_from_the_library(
    library: Library, folder: Path
) -> None:
    library.ingest(folder, embedder="channel-mean")
    library.recluster(k=3)
    held = present_in(library)
    for _ in range(3):
        report = library.ingest(folder, embedder=GivesNaN())
        assert counts(report) == {"unchanged": 12, "broken": 1}
        assert set(problems_of(library)) == {"005-yellow.jpg"}
        assert present_in(library) == held
    assert library.store.photos.count_files(FileState.MISSING) == 0
    assert library.recluster(k=3, embedder="GivesNaN").clustering_id
    assert counts(library.ingest(folder, embedder="channel-mean")) == {"unchanged": 13}
    assert library.problems() == []


# An embedder that is broken ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "first"),
    [
        (AlwaysRaises, "failed: AttributeError: no such layer (of 1)"),
        (AlwaysRaisesEarly, "failed: AttributeError: no such filter (of 3)"),
        (AlwaysNaN, "gave numbers that are not finite"),
    ],
)
def test_an_embedder_that_fails_on_every_picture_is_named_and_no_file_is_marked(
    batches: Library, folder: Path, broken: type[Embedder], first: str
) -> None:
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            batches.ingest(folder, embedder=broken())
        name = broken.__name__
        assert caught.value.message == (
            f"the embedder {name!r} fails on every picture, first with: the embedder {name!r} "
            f"{first}"
        )
        assert "organizer models" in caught.value.hint
        assert batches.problems() == []
        assert batches.status().images == 0
    assert counts(batches.ingest(folder, embedder=Sound())) == {"added": 13}


def test_an_embedder_that_breaks_on_the_way_ends_the_run_and_what_was_committed_stays(
    folder: Path, tmp_path: Path
) -> None:
    settings = Settings(batch_size=3, commit_images=3, threads=1)
    with Library.open_or_create(tmp_path, settings) as library:
        with pytest.raises(PluginError, match="illegal memory access"):
            library.ingest(folder, embedder=Dies(after=2))
        assert library.status().images == 6
        assert library.problems() == []
        assert_whole(library)
        again = library.ingest(folder, embedder=Dies(after=100))
        assert counts(again) == {"unchanged": 6, "added": 7}


def test_what_an_embedder_says_of_itself_ends_the_run_as_it_was_said(
    library: Library, folder: Path
) -> None:
    class Lost(Sound):
        def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
            raise WeightsMissingError(f"the weights of {len(batch)} went", "bring them back")

    with pytest.raises(WeightsMissingError) as caught:
        library.ingest(folder, embedder=Lost())
    assert caught.value.hint == "bring them back"
    assert library.problems() == []


def test_what_an_embedder_says_of_a_picture_is_the_reason(library: Library, folder: Path) -> None:
    class Choosy(Sound):
        def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
            vector = super().prepare(image)
            if is_yellow(vector):
                raise ImageError("too yellow to be true")
            return vector

    library.ingest(folder, embedder=Choosy())
    assert problems_of(library) == {"005-yellow.jpg": "broken: too yellow to be true"}


def test_ctrl_c_in_an_embedder_is_not_taken_for_a_bad_picture(
    library: Library, folder: Path
) -> None:
    class Interrupted(Sound):
        def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
            raise KeyboardInterrupt(len(batch))

    with pytest.raises(KeyboardInterrupt):
        library.ingest(folder, embedder=Interrupted())
    assert library.problems() == []


# Batches that are too large ----------------------------------------------------------------


def test_a_batch_that_does_not_fit_is_embedded_in_parts_and_that_is_said_once(
    folder: Path, tmp_path: Path
) -> None:
    heard = Listening()
    with Library.open_or_create(tmp_path, Settings(batch_size=6)) as library:
        report = library.ingest(folder, embedder=SmallBatches(), progress=heard)
        assert counts(report) == {"added": 13}
        assert library.problems() == []
        assert_whole(library)
    (note,) = heard.notes
    assert "'SmallBatches' failed: RuntimeError: CUDA out of memory." in note
    assert "--batch-size" in note


class _Marked:
    """Fails on pictures by a number that they show, and on batches that are too large.

    Args:
        bad: Pictures that it raises on.
        nan: Pictures of which it makes NaN.
        most: The largest batch that it takes.
    """

    dim = 1

    def __init__(self, bad: set[int], nan: set[int], most: int) -> None:
        self.bad, self.nan, self.most, self.calls = bad, nan, most, 0

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([image[0, 0, 0]], dtype=np.float32)

    def embed(self, batch: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        self.calls += 1
        if len(batch) > self.most or any(int(one[0]) in self.bad for one in batch):
            raise ValueError
        return np.array([[np.nan if int(v[0]) in self.nan else v[0]] for v in batch], np.float32)


_NUMBERS = st.sets(st.integers(0, 39))


@given(n=st.integers(0, 40), bad=_NUMBERS, nan=_NUMBERS, most=st.integers(1, 40))
def test_exactly_the_pictures_that_fail_alone_fail(
    n: int, bad: set[int], nan: set[int], most: int
) -> None:
    part = _Marked(bad, nan, most)
    loaded = LoadedEmbedder(PartSpec("marked"), part)
    pictures = [
        prepare_picture(loaded, np.full((1, 1, 3), number, np.uint8)) for number in range(n)
    ]
    done = embed_pictures(loaded, pictures)
    fails = {number for number in range(n) if number in bad | nan}
    assert set(done.failures) == fails
    assert done.rows == tuple(number for number in range(n) if number not in fails)
    assert done.vectors.shape == (len(done.rows), 1)
    assert done.vectors[:, 0].tolist() == list(done.rows)
    assert bool(done.batch_failure) == (n > most and not fails)


@pytest.mark.parametrize("number", [0, 17, 31])
def test_one_bad_picture_of_a_batch_costs_few_attempts(number: int) -> None:
    part = _Marked({number}, set(), 32)
    loaded = LoadedEmbedder(PartSpec("marked"), part)
    done = embed_pictures(loaded, [np.array([i], np.float32) for i in range(32)])
    assert set(done.failures) == {number}
    assert part.calls <= 11


@given(st.text(), st.sampled_from([ValueError, MemoryError, KeyError]))
def test_what_was_raised_is_one_line(text: str, kind: type[Exception]) -> None:
    line = one_line(kind(text))
    assert line.startswith(kind.__name__)
    assert len(line.splitlines()) == 1
    assert len(line) < 400


def test_a_photo_without_a_vector_cannot_be_searched_for(library: Library, folder: Path) -> None:
    away = folder.parent / "away.jpg"
    shutil.move(folder / "005-yellow.jpg", away)
    library.ingest(folder, embedder=Raises())
    with pytest.raises(SettingsError, match="no face in the picture"):
        library.search(away, embedder=Raises())
