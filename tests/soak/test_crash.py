"""Writers killed many times, by every seed and at every moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organizer.library import Library
from tests.crashes import (
    COLOUR,
    SMALL,
    Alter,
    broken,
    contents,
    copied,
    deleted,
    kill_while_it_ingests,
    kill_while_it_ingests_and_finish,
    kill_while_it_is_made,
    kill_while_it_reclusters,
    look_before_each_write,
    make_begun,
    photos_of,
    renamed,
    touched,
    undisturbed,
)


def test_an_ingest_that_was_killed_five_times_ends_like_one_that_was_not(tmp_path: Path) -> None:
    kill_while_it_ingests_and_finish(tmp_path, kills=5)


@pytest.mark.parametrize("seed", range(3))
def test_an_ingest_that_was_killed_many_times_ends_like_one_that_was_not(
    tmp_path: Path, seed: int
) -> None:
    photos = photos_of(tmp_path, 300)
    delays = np.random.default_rng(seed).uniform(0.0, 0.1, 12).tolist()
    assert kill_while_it_ingests(tmp_path, delays) >= 5
    with Library.open(tmp_path, SMALL) as library:
        library.ingest([photos], embedder=COLOUR)
        assert contents(library, tmp_path) == undisturbed(tmp_path, photos)


def test_a_library_whose_making_was_killed_is_made_by_the_next_ingest(tmp_path: Path) -> None:
    kill_while_it_is_made(tmp_path, list(range(12)))


def test_a_recluster_that_was_killed_leaves_the_old_clustering_or_the_new_one_whole(
    tmp_path: Path,
) -> None:
    kill_while_it_reclusters(tmp_path, np.linspace(0.0, 0.5, 8).tolist(), at_least=4)


@pytest.mark.parametrize("alter", [touched, deleted, renamed, copied, broken])
def test_everything_can_be_read_before_each_write_of_an_ingest(
    tmp_path: Path, alter: Alter
) -> None:
    look_before_each_write(make_begun(tmp_path), alter)
