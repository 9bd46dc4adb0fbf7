"""Which photos are of one camera: bursts never join two cards of one model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from organizer.arrange import ArrangeMode
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.library.images.capture import read_capture_info
from organizer.settings import Settings
from tests.traps import COLOUR, FOX, OWL, frame
from tests.typed import in_this_process


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open_or_create(tmp_path, Settings()) as opened:
        yield opened


def _photo(file: Path, second: int, **how: str) -> Path:
    """A photo of ten o'clock and some seconds, like no other."""
    seed = sum(map(ord, str(file)))
    return frame(file, FOX, at=f"2024:05:01 10:00:{second:02}", seed=seed, **how)  # type: ignore[arg-type]


def _bursts(library: Library, folder: Path) -> list[set[str]]:
    """The files of each burst, as paths below a folder."""
    taken = read_capture_info(library.store, settings=library.settings)
    found: dict[int, set[str]] = defaultdict(set)
    for path, burst in zip(taken.paths, taken.bursts.tolist(), strict=True):
        found[burst].add(Path(path).relative_to(folder).as_posix())
    return sorted(found.values(), key=min)


def test_two_cards_of_one_model_are_two_cameras(library: Library, tmp_path: Path) -> None:
    for card in ("a/DCIM/100MEDIA", "b/DCIM/100MEDIA", "c", "c/below"):
        for i in range(2):
            _photo(tmp_path / card / f"IMG_000{i}.JPG", i)
    library.ingest([tmp_path], embedder=COLOUR)
    assert [len(burst) for burst in _bursts(library, tmp_path)] == [2, 2, 2, 2]


def test_folders_that_a_camera_filled_one_after_the_other_are_one_card(
    library: Library, tmp_path: Path
) -> None:
    _photo(tmp_path / "a/DCIM/100MEDIA/IMG_9999.JPG", 0)
    _photo(tmp_path / "a/DCIM/101MEDIA/IMG_0001.JPG", 1)
    _photo(tmp_path / "b/100_BTCF/IMG_9999.JPG", 0)
    _photo(tmp_path / "b/101_BTCF/IMG_0001.JPG", 0)
    library.ingest([tmp_path], embedder=COLOUR)
    assert [len(burst) for burst in _bursts(library, tmp_path)] == [2, 2]


def test_folders_that_were_filled_at_once_are_two_cards(library: Library, tmp_path: Path) -> None:
    for folder in ("100MEDIA", "101MEDIA"):
        for i in range(3):
            _photo(tmp_path / "DCIM" / folder / f"IMG_000{i}.JPG", i)
    library.ingest([tmp_path], embedder=COLOUR)
    assert [len(burst) for burst in _bursts(library, tmp_path)] == [3, 3]


def test_cards_that_were_ingested_by_their_inner_folders_are_told_apart(
    library: Library, tmp_path: Path
) -> None:
    for card in ("a", "b"):
        _photo(tmp_path / card / "DCIM/100MEDIA/IMG_0001.JPG", 0)
    library.ingest([tmp_path / f"{card}/DCIM/100MEDIA" for card in "ab"], embedder=COLOUR)
    assert [len(burst) for burst in _bursts(library, tmp_path)] == [1, 1]


def test_a_serial_number_tells_a_camera_in_every_folder(library: Library, tmp_path: Path) -> None:
    for folder in ("fox", "owl"):
        _photo(tmp_path / folder / "IMG_1.JPG", 0, serial="H1")
        _photo(tmp_path / folder / "IMG_2.JPG", 0, serial="H2")
        _photo(tmp_path / folder / "IMG_3.JPG", 0, serial="0000")
    library.ingest([tmp_path], embedder=COLOUR)
    assert _bursts(library, tmp_path) == [
        {"fox/IMG_1.JPG", "owl/IMG_1.JPG"},
        {"fox/IMG_2.JPG", "owl/IMG_2.JPG"},
        {"fox/IMG_3.JPG"},
        {"owl/IMG_3.JPG"},
    ]


def test_a_deployment_is_one_camera(library: Library, tmp_path: Path) -> None:
    for folder in ("ridge/fox", "ridge/owl", "pond/fox"):
        _photo(tmp_path / "cards" / folder / "IMG_1.JPG", 0)
    library.ingest([tmp_path / "cards"], embedder=COLOUR)
    assert len(_bursts(library, tmp_path / "cards")) == 3
    library.deployments.set_template("{site}/...")
    assert _bursts(library, tmp_path / "cards") == [
        {"pond/fox/IMG_1.JPG"},
        {"ridge/fox/IMG_1.JPG", "ridge/owl/IMG_1.JPG"},
    ]


def test_a_card_in_the_place_of_another_is_another(library: Library, tmp_path: Path) -> None:
    card = tmp_path / "card"
    for i in range(3):
        _photo(card / f"IMG_{i}.JPG", i)
    library.ingest([card], embedder=COLOUR)
    for i in range(2):
        frame(card / f"IMG_{i}.JPG", OWL, at=f"2024:05:01 10:00:0{i}", seed=7)
    (card / "IMG_2.JPG").unlink()
    library.ingest([card])
    taken = read_capture_info(library.store, settings=library.settings)
    assert sorted(np.bincount(taken.bursts).tolist()) == [2, 3]


def test_an_arrangement_joins_and_parts_no_cameras(library: Library, tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    for card in ("a", "b"):
        for i in range(3):
            _photo(cards / card / f"IMG_{card}{i}.JPG", i)
    library.ingest([cards], embedder=COLOUR)
    library.recluster(k=2)
    before = {frozenset(Path(p).name for p in burst) for burst in _bursts(library, tmp_path)}
    options = ArrangeOptions(tmp_path / "sorted", mode=ArrangeMode.MOVE)
    library.folders.arrange(options, plan=tmp_path / "plan.csv")
    assert library.folders.apply(tmp_path / "plan.csv").done == 6
    after = {frozenset(Path(p).name for p in burst) for burst in _bursts(library, tmp_path)}
    assert before == after == {frozenset(f"IMG_{c}{i}.JPG" for i in range(3)) for c in "ab"}


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    for card in ("ridge/cam1", "ridge/cam2", "pond/cam1"):
        for i in range(4):
            file = _photo(tmp_path / "cards" / card / f"IMG_000{i}.JPG", i)
    in_this_process(tmp_path, "ingest", "cards", "--embedder", COLOUR)
    told = in_this_process(tmp_path, "recluster", "--k", 2, "--bursts")
    assert "3 of the bursts may go on in other folders" in told.err
    moved = in_this_process(tmp_path, "clusters", "move", file, "--to", 1, "--burst")
    assert "photos of the same model and time in other folders" in moved.err
    assert "organizer deployments" in moved.err
    with Library.open_or_create(tmp_path, Settings()) as library:
        (decision,) = library.store.decisions.current()
        assert len(decision.image_ids) == 4
    in_this_process(tmp_path, "deployments", "template", "{site}/{camera}/...")
    assert (
        "other folders"
        not in in_this_process(tmp_path, "clusters", "move", file, "--to", 2, "--burst").err
    )
