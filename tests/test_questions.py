"""Which images are asked about: uncertain ones, and no two alike where others are left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.cluster.questions import certainty, choose_questions
from organizer.types import Vectors
from tests.cards import blobs, truth_of
from tests.conftest import examples


def test_an_image_is_certain_where_its_first_cluster_is_far_more_probable_than_the_second() -> None:
    likely = np.array([[0.1, 0.9, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    np.testing.assert_allclose(certainty(likely), [0.8, 0.0, 0.2])
    np.testing.assert_allclose(certainty(np.ones((3, 1))), 1.0)
    assert certainty(np.ones((0, 2))).shape == (0,)


@settings(max_examples=examples(25, soak=300), deadline=None)
@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 1_000))
def test_as_many_as_were_asked_for_are_chosen_each_once_the_least_certain_first(
    n: int, count: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    points = unit_rows(draw.normal(size=(n, 4)).astype(np.float32))
    certain = draw.random(n).round(1)  # some are alike
    rows = choose_questions(points, certain, count, seed=seed)
    assert len(rows) == min(n, count) == len(set(rows.tolist()))
    assert (np.diff(certain[rows]) >= 0).all()
    assert choose_questions(points, certain, count, seed=seed).tolist() == rows.tolist()


def test_one_of_each_group_of_alike_images_is_asked_about() -> None:
    sizes = [14, 2, 2, 2]
    points, kinds = blobs(sizes, scale=0.02), truth_of(sizes)
    rows = choose_questions(points, np.zeros(sum(sizes)), 4, seed=0)
    assert sorted(kinds[rows]) == [0, 1, 2, 3]


def test_of_alike_images_the_least_certain_is_asked_about() -> None:
    points = np.repeat(blobs([1, 1, 1]), 10, axis=0)
    certain = np.random.default_rng(0).permutation(30) / 40
    rows = choose_questions(points, certain, 3, seed=0)
    expected = [10 * kind + certain[10 * kind : 10 * kind + 10].argmin() for kind in range(3)]
    assert sorted(rows) == expected


def test_what_is_certain_is_not_asked_about_however_unlike_the_others_it_is() -> None:
    points = blobs([40, 40, 20], scale=0.02)
    certain = np.repeat([0.0, 0.1, 1.0], [40, 40, 20])
    rows = choose_questions(points, certain, 10, seed=0)
    assert (rows < 80).all()


def test_images_that_are_all_alike_are_asked_about_too() -> None:
    points = np.repeat(blobs([1]), 50, axis=0)
    certain = np.linspace(0, 1, 50)
    assert choose_questions(points, certain, 6, seed=0).tolist()[0] == 0
    assert len(set(choose_questions(points, certain, 6, seed=0).tolist())) == 6


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_more_questions_than_are_compared_can_be_asked(dtype: type) -> None:
    draw = np.random.default_rng(0)
    points: Vectors = unit_rows(draw.normal(size=(21_500, 3)).astype(np.float32)).astype(dtype)
    certain = draw.random(21_500)
    rows = choose_questions(points, certain, 21_000, seed=0)
    assert len(set(rows.tolist())) == 21_000
