"""Searches by several photos, by ids, by bytes, and by many threads while another one writes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer.errors import OrganizerError, SettingsError
from organizer.library import Library, embedders
from organizer.library.search import pictures
from organizer.library.search.query import combined_query
from organizer.types import FileState, Hit, Vectors
from tests.conftest import Run, make_groups, make_photo

RED, GREEN = (200, 40, 40), (40, 200, 40)


@pytest.fixture
def clustered(filled: Library) -> Library:
    """24 photos in red, green and blue, in three clusters."""
    filled.recluster(k=3)
    return filled


def colours(hits: Sequence[Hit]) -> list[str]:
    return [hit.path.parent.name for hit in hits]


def content(colour: tuple[int, int, int], folder: Path) -> bytes:
    return make_photo(folder / "given.jpg", 900, colour=colour).read_bytes()


# Ids and paths ------------------------------------------------------------------------------


def test_an_id_is_searched_for_as_its_path_is(clustered: Library, photos: Path) -> None:
    file = photos / "red" / "000.jpg"
    image_id = clustered.images[file].id
    by_path, by_id = clustered.search(file, limit=23), clustered.search(image_id, limit=23)
    assert by_id == by_path
    assert clustered.search(image_id.upper(), limit=23) == by_path
    assert len(by_id) == 23
    assert image_id not in {hit.image_id for hit in by_id}
    assert all(hit.state is FileState.PRESENT and hit.box is None for hit in by_id)
    assert {hit.cluster_id for hit in by_id[:7]} == {by_id[0].cluster_id}


def test_an_image_whose_file_is_gone_is_searched_for_by_its_id(
    clustered: Library, photos: Path
) -> None:
    image_id = clustered.images[photos / "red" / "000.jpg"].id
    (photos / "red" / "000.jpg").unlink()
    assert colours(clustered.search(image_id, limit=7)) == ["red"] * 7


def test_an_id_that_is_none_is_refused(clustered: Library) -> None:
    with pytest.raises(SettingsError, match="there is no photo 0123"):
        clustered.search("0123456789abcdef" * 2)


def test_names_follow_decisions(clustered: Library, photos: Path) -> None:
    """They are kept between searches of one state, and no longer."""
    file = photos / "red" / "000.jpg"
    first, second = clustered.search(file, limit=1)[0], clustered.search(file, limit=23)[-1]
    assert first.cluster_id is not None
    assert second.cluster_id is not None
    clustered.corrections.rename(first.cluster_id, "Fox")
    assert clustered.search(file, limit=1)[0].cluster_name == "Fox"
    clustered.corrections.move([first.path], second.cluster_id)
    assert clustered.search(file, limit=1)[0].cluster_id == second.cluster_id
    clustered.undo()
    clustered.undo()
    found = clustered.search(file, limit=1)[0]
    assert (found.cluster_id, found.cluster_name) == (first.cluster_id, None)


# Several photos -----------------------------------------------------------------------------


def test_likes_are_a_mean_direction_and_unlikes_take_a_quarter_off() -> None:
    likes = np.array([[2, 0, 0], [0, 5, 0]], np.float32)
    unlikes = np.array([[0, 0, 8]], np.float32)
    np.testing.assert_allclose(combined_query(likes, unlikes[:0]), [0.5, 0.5, 0])
    np.testing.assert_allclose(combined_query(likes, unlikes), [0.5, 0.5, -0.25])
    np.testing.assert_array_equal(combined_query(likes[:1], unlikes[:0]), [2, 0, 0])


def test_several_likes_find_what_is_between_them(clustered: Library, photos: Path) -> None:
    blue = clustered.images[photos / "blue" / "000.jpg"].id
    likes: list[str | Path] = [photos / "red" / "000.jpg", blue]
    hits = clustered.search(likes, limit=14)
    assert set(colours(hits)) == {"red", "blue"}
    own = {clustered.images[photos / c / "000.jpg"].id for c in ("red", "blue")}
    assert not own & {hit.image_id for hit in hits}
    distances = [hit.distance for hit in hits]
    assert distances == sorted(distances)


def test_what_is_unlike_comes_last_and_is_no_hit(clustered: Library, photos: Path) -> None:
    likes = [photos / "red" / "000.jpg", photos / "blue" / "000.jpg"]
    unlike = photos / "blue" / "001.jpg"
    hits = clustered.search(likes, unlikes=unlike, limit=21)
    assert len(hits) == 21
    assert clustered.images[unlike].id not in {hit.image_id for hit in hits}
    assert colours(hits)[:7] == ["red"] * 7


def test_a_photo_from_outside_is_a_like_among_others(
    clustered: Library, photos: Path, tmp_path: Path
) -> None:
    outside = make_photo(tmp_path / "outside.jpg", 901, colour=RED)
    assert set(colours(clustered.search([outside, photos / "red" / "001.jpg"], limit=7))) == {"red"}


def test_likes_and_unlikes_as_typed(run: Run, photos: Path) -> None:
    run("ingest", photos, "--embedder", "channel-mean")
    ran = run(
        "search", photos / "red/000.jpg", "--like", photos / "blue/000.jpg", "--unlike",
        photos / "blue/001.jpg", "--limit", "7", "--json",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert [Path(hit["path"]).parent.name for hit in ran.json["hits"]] == ["red"] * 7
    image_id = ran.json["hits"][0]["image_id"]
    by_id = run("search", image_id, "--limit", "1", "--json")
    assert by_id.json["hits"][0]["image_id"] != image_id
    refused = run("search", photos / "red/000.jpg", "--unlike", "nowhere.jpg")
    assert refused.code == 2
    assert "nowhere.jpg" in refused.err


# Pictures by their bytes --------------------------------------------------------------------


def test_a_picture_is_searched_for_by_its_bytes(clustered: Library, tmp_path: Path) -> None:
    for colour, name in ((RED, "red"), (GREEN, "green")):
        hits = clustered.search_picture(content(colour, tmp_path), limit=8)
        assert colours(hits) == [name] * 8


def test_a_picture_of_the_library_is_its_own_first_hit(clustered: Library, photos: Path) -> None:
    file = photos / "green" / "003.jpg"
    hit = clustered.search_picture(file.read_bytes(), limit=1)[0]
    assert hit.path == file
    assert hit.distance < 1e-3


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0cut"])
def test_bytes_that_are_no_picture_are_refused(clustered: Library, data: bytes) -> None:
    with pytest.raises(SettingsError, match="the picture cannot be searched for") as caught:
        clustered.search_picture(data)
    assert caught.value.hint


def test_a_picture_of_too_many_bytes_or_pixels_is_refused(
    clustered: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "PNG")
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1_199)
    with pytest.raises(SettingsError, match="1,200 pixels, over the limit of 1,199"):
        clustered.search_picture(buffer.getvalue())
    monkeypatch.setattr(pictures, "MAX_BYTES", len(buffer.getvalue()) - 1)
    with pytest.raises(SettingsError, match="bytes, over the limit of"):
        clustered.search_picture(buffer.getvalue())


def test_a_network_is_loaded_once(
    clustered: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    load = embedders.load_embedder

    def counted(*arguments: Any) -> Any:
        loads.append(arguments)
        return load(*arguments)

    monkeypatch.setattr(embedders, "load_embedder", counted)
    data = content(RED, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: clustered.search_picture(data, limit=3), range(12)))
    assert all(hits == found[0] for hits in found)
    assert len(loads) == 1


class OneAtATime:
    """An embedder that minds being asked by two threads at once."""

    dim = 3

    def __init__(self) -> None:
        self.busy = threading.Lock()

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        return np.asarray(image.reshape(-1, 3).mean(axis=0))

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        assert self.busy.acquire(blocking=False)
        threading.Event().wait(0.005)
        self.busy.release()
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 3)


def test_one_thread_at_a_time_embeds(clustered: Library, photos: Path, tmp_path: Path) -> None:
    part = OneAtATime()
    clustered.ingest([photos], embedder=part)
    data = content(RED, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        ask = lambda _: clustered.search_picture(data, limit=8, embedder=part)  # noqa: E731
        assert all(colours(hits) == ["red"] * 8 for hits in pool.map(ask, range(12)))


# Threads ------------------------------------------------------------------------------------


@pytest.fixture
def asked(clustered: Library) -> Iterator[list[BaseException]]:
    """Four threads search as long as the test lasts; what they raised."""
    ids, ended = [image.id for image in clustered.images], threading.Event()
    raised: list[BaseException] = []

    def ask(number: int) -> None:
        draw = np.random.default_rng(number)
        while not ended.is_set():
            one = ids[draw.integers(len(ids))]
            try:
                hits = clustered.search(one, limit=7)
                assert len(hits) == 7
                assert one not in {hit.image_id for hit in hits}
                assert len({hit.path.parent.name for hit in hits}) == 1
            except (OrganizerError, OSError, AssertionError, RuntimeError, KeyError) as error:
                raised.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    yield raised
    ended.set()
    for thread in threads:
        thread.join()


def test_searches_go_on_while_another_thread_writes(
    clustered: Library, photos: Path, asked: list[BaseException]
) -> None:
    for number in range(6):
        make_groups(photos, each=8 + 2 * number, seed=0)
        report = clustered.ingest([photos])
        assert report.images == 24 + 6 * number
        cluster_id = next(iter(clustered.clusters)).id
        clustered.corrections.rename(cluster_id, f"name {number}")
        if number % 2:
            clustered.undo()
        if number == 3:
            clustered.recluster(k=3)
    assert not asked, asked[0]


def test_what_was_ingested_is_found_at_once_by_a_library_that_is_open(
    clustered: Library, photos: Path
) -> None:
    """Look-ups by id follow the tables: rows that came, changed, and are gone."""
    ask = clustered.images[photos / "red" / "000.jpg"].id
    for number in range(4):
        clustered.search(ask)
        new = make_photo(photos / "red" / f"new{number}.jpg", 700 + number, colour=RED)
        clustered.ingest([photos])
        hits = clustered.search(ask, limit=8 + number)
        assert colours(hits) == ["red"] * (8 + number)
        assert new in {hit.path for hit in hits}
    new.rename(photos / "blue" / "moved.jpg")
    clustered.ingest([photos])
    assert photos / "blue" / "moved.jpg" in {hit.path for hit in clustered.search(ask, limit=11)}
    (photos / "blue" / "moved.jpg").unlink()
    clustered.ingest([photos])
    states = {hit.path.name: hit.state for hit in clustered.search(ask, limit=11)}
    assert states["moved.jpg"] is FileState.MISSING
