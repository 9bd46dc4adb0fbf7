"""Bursts as observations: means, the limit, and who leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.cluster.pooling import burst_limit, group_bursts, pool_vectors
from organizer.types import NOISE, Vectors


def around(axis: int, count: int, *, dim: int = 8, scale: float = 0.1, seed: int = 0) -> Vectors:
    draw = np.random.default_rng([seed, axis])
    return unit_rows((np.eye(dim)[axis] + draw.normal(0, scale, (count, dim))).astype(np.float32))


def test_an_observation_is_the_direction_of_the_mean_of_its_images() -> None:
    vectors = np.concatenate([around(0, 3), around(1, 1), around(2, 2)])
    numbers = np.array([0, 1, 0, 2, 0, 1])
    for number, found in enumerate(pool_vectors(vectors, numbers)):
        mean = vectors[numbers == number].astype(np.float64).mean(axis=0)
        assert found == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_half_precision_stays_half_precision() -> None:
    vectors = around(0, 4).astype(np.float16)
    assert pool_vectors(vectors, np.array([0, 0, 1, 1])).dtype == np.float16


def test_the_limit_is_the_median_and_two_deviations() -> None:
    vectors = np.concatenate([around(axis, 3, seed=axis) for axis in range(5)] + [around(6, 1)])
    bursts = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, NOISE])
    distances = []
    for row in range(15):
        others = [i for i in range(15) if bursts[i] == bursts[row] and i != row]
        mean = vectors[others].astype(np.float64).sum(axis=0)
        distances.append(1 - vectors[row] @ mean / np.linalg.norm(mean))
    median = np.median(distances)
    deviation = 1.4826 * np.median(np.abs(np.array(distances) - median))
    expected = median + max(2 * deviation, median / 2)
    assert burst_limit(vectors, bursts) == pytest.approx(expected, rel=1e-5)


def test_there_is_no_limit_where_no_burst_has_two_images() -> None:
    assert np.isnan(burst_limit(around(0, 3), np.array([0, 1, NOISE])))


def test_an_outlier_leaves_its_burst_alone() -> None:
    vectors = np.concatenate([around(0, 2), around(1, 1), around(0, 1, seed=1)])
    found = group_bursts(vectors, np.array([4, 4, 4, 4]), limit=0.3)
    assert found.tolist() == [0, 0, 1, 0]


def test_two_images_unlike_each_other_are_two_observations() -> None:
    vectors = np.concatenate([around(0, 1), around(1, 1)])
    assert group_bursts(vectors, np.array([0, 0]), limit=0.3).tolist() == [0, 1]


def test_without_a_limit_no_image_leaves() -> None:
    vectors = np.concatenate([around(axis, 1) for axis in range(4)])
    assert group_bursts(vectors, np.zeros(4, int), limit=float("nan")).tolist() == [0, 0, 0, 0]


def test_copies_stay_together_whatever_rounding_gives() -> None:
    """All distances are nothing but rounding, and so is their median absolute deviation."""
    one = around(0, 1)
    vectors = np.concatenate([one, one, one * np.float32(1 + 1e-7), one])
    limit = burst_limit(vectors, np.zeros(4, int))
    assert group_bursts(vectors, np.zeros(4, int), limit=limit).tolist() == [0, 0, 0, 0]


@given(
    bursts=st.lists(st.integers(-1, 4), min_size=1, max_size=24),
    limit=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_observations_part_bursts_and_never_join_them(
    bursts: list[int], limit: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    vectors = unit_rows(draw.normal(size=(len(bursts), 5)).astype(np.float32))
    of = group_bursts(vectors, np.array(bursts), limit=limit)
    assert sorted(set(of.tolist())) == list(range(of.max() + 1))
    firsts = [of.tolist().index(number) for number in range(of.max() + 1)]
    assert firsts == sorted(firsts), "numbered by their first images"
    for number in range(of.max() + 1):
        held = {bursts[i] for i in np.flatnonzero(of == number)}
        assert len(held) == 1
        assert held != {NOISE} or (of == number).sum() == 1
    # The order of the images decides nothing.
    order = draw.permutation(len(bursts))
    again = group_bursts(vectors[order], np.array(bursts)[order], limit=limit)
    back = np.empty_like(again)
    back[order] = again
    assert ((of[:, None] == of) == (back[:, None] == back)).all()


def test_a_burst_of_thousands_with_many_outliers_takes_no_time() -> None:
    """A camera that takes photos by the clock: a season is one burst."""
    vectors = np.concatenate([around(0, 4000, dim=32), around(1, 400, dim=32, seed=1)])
    bursts = np.zeros(4400, dtype=np.int64)
    of = group_bursts(vectors, bursts, limit=burst_limit(vectors, bursts))
    counts = np.bincount(of)
    assert counts.max() > 3600
    assert (counts[of[4000:]] == 1).all()
