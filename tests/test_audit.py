"""Purity from a few answers: Wilson's interval, the stratified estimate, who is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from organizer.evaluate.audit import (
    FEW,
    AuditStratum,
    Z,
    allocate_sample,
    estimate_purity,
    in_random_order,
    wilson,
)
from organizer.types import Audit


@st.composite
def answers(draw: st.DrawFn, largest: int = 400) -> tuple[int, int, int]:
    """Right, answered, population."""
    population = draw(st.integers(1, largest))
    answered = draw(st.integers(1, population))
    return draw(st.integers(0, answered)), answered, population


@st.composite
def strata(draw: st.DrawFn) -> list[AuditStratum]:
    found = []
    for cluster_id, (right, answered, population) in enumerate(
        draw(st.lists(answers(60), min_size=1, max_size=6))
    ):
        out = draw(st.integers(0, min(answered - right, population - 1)))
        found.append(AuditStratum(cluster_id, population - out, answered, right, out))
    return found


# One share -----------------------------------------------------------------------------------


def test_z_is_the_normal_quantile() -> None:
    assert pytest.approx(norm.ppf(0.975), abs=1e-12) == Z


@given(answers())
def test_the_interval_is_that_of_scipy_where_the_population_has_no_end(
    given_: tuple[int, int, int],
) -> None:
    right, answered, _ = given_
    found = wilson(right, answered)
    other = binomtest(right, answered).proportion_ci(confidence_level=0.95, method="wilson")
    assert found.share == right / answered
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=1e-9)


@given(answers())
def test_the_ends_solve_the_score_equation_with_the_finite_population(
    given_: tuple[int, int, int],
) -> None:
    right, answered, population = given_
    found, share = wilson(right, answered, population=population), right / answered
    if answered == population:
        assert (found.low, found.high) == (share, share)
        return
    correction = (population - answered) / (population - 1)

    def score(p: float) -> float:
        return (share - p) ** 2 - Z**2 * p * (1 - p) / answered * correction

    # 0 and 1 solve it too where all or none are right; they are the other end.
    low = brentq(score, 0, min(share, 1 - 1e-12)) if right else 0.0
    high = brentq(score, max(share, 1e-12), 1) if right < answered else 1.0
    # Nor is it less than what was seen.
    low, high = max(low, right / population), min(high, 1 - (answered - right) / population)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-7)


@given(answers())
def test_the_interval_lies_in_the_unit_interval_and_holds_the_estimate(
    given_: tuple[int, int, int],
) -> None:
    right, answered, population = given_
    for found in (wilson(right, answered), wilson(right, answered, population=population)):
        assert 0 <= found.low <= found.share <= found.high <= 1
        assert (found.answered, found.right) == (answered, right)


@given(answers(), st.integers(2, 5))
def test_more_answers_of_the_same_kind_make_it_narrower(
    given_: tuple[int, int, int], times: int
) -> None:
    right, answered, _ = given_
    few, many = wilson(right, answered), wilson(right * times, answered * times)
    assert many.high - many.low < few.high - few.low


@given(answers())
def test_a_smaller_population_makes_it_narrower(given_: tuple[int, int, int]) -> None:
    right, answered, population = given_
    ends = [
        wilson(right, answered, population=size) for size in (population, population * 3, 10**9)
    ] + [wilson(right, answered)]
    widths = [found.high - found.low for found in ends]
    assert widths == pytest.approx(sorted(widths), abs=1e-7)


@pytest.mark.parametrize("numbers", [(1, 0, 5), (3, 2, 5), (-1, 2, 5), (1, 6, 5)])
def test_numbers_that_contradict_each_other_are_refused(numbers: tuple[int, int, int]) -> None:
    right, answered, population = numbers
    with pytest.raises(ValueError, match="answered"):
        wilson(right, answered, population=population)


# A clustering --------------------------------------------------------------------------------


def test_each_cluster_counts_by_its_size() -> None:
    audit = estimate_purity(
        [AuditStratum(1, 900, 20, 20), AuditStratum(2, 100, 20, 10), AuditStratum(3, 50, 0, 0)]
    )
    assert audit is not None
    assert audit.overall.share == pytest.approx(0.9 * 1 + 0.1 * 0.5)
    assert (audit.overall.answered, audit.overall.right) == (40, 30)
    assert set(audit.per_cluster) == {1, 2}
    assert audit.per_cluster[2] == wilson(10, 20, population=100)
    assert audit.unseen == 50


def test_without_answers_there_is_no_audit() -> None:
    assert estimate_purity([]) is None
    assert estimate_purity([AuditStratum(1, 10, 0, 0)]) is None


def test_one_cluster_alone_is_the_whole() -> None:
    audit = estimate_purity([AuditStratum(1, 300, 50, 41)])
    assert audit is not None
    whole, one = audit.overall, audit.per_cluster[1]
    assert (whole.share, whole.low, whole.high) == pytest.approx((one.share, one.low, one.high))


@given(strata())
def test_laws_of_the_estimate(given_: list[AuditStratum]) -> None:
    audit = estimate_purity(given_)
    assert audit is not None
    size = sum(s.size for s in given_)
    right, wrong = (
        sum(s.right for s in given_),
        sum(s.answered - s.taken_out - s.right for s in given_),
    )
    for found in (audit.overall, *audit.per_cluster.values()):
        assert 0 <= found.low <= found.share <= found.high <= 1
    # No end says other than what was seen.
    assert audit.overall.low >= right / size - 1e-9
    assert audit.overall.high <= 1 - wrong / size + 1e-9
    shares = [audit.per_cluster[s.cluster_id].share * s.size for s in given_]
    assert audit.overall.share == pytest.approx(min(1, sum(shares) / size))


@given(strata())
def test_what_was_seen_whole_is_certain(given_: list[AuditStratum]) -> None:
    whole = [AuditStratum(s.cluster_id, s.answered, s.answered, s.right) for s in given_]
    audit = estimate_purity(whole)
    assert audit is not None
    assert audit.overall.low == audit.overall.share == audit.overall.high


def test_what_was_taken_out_does_not_make_the_rest_pure() -> None:
    before = estimate_purity([AuditStratum(1, 100, 10, 8)])
    after = estimate_purity([AuditStratum(1, 98, 10, 8, taken_out=2)])
    assert before is not None
    assert after is not None
    # 80 of the 100 are right, and they still are, among 98; not 8 of the 8 that were seen and stay.
    assert after.overall.share == pytest.approx(80 / 98)
    assert after.per_cluster[1].share == pytest.approx(80 / 98)
    assert after.per_cluster[1].low == pytest.approx(before.per_cluster[1].low * 100 / 98)
    assert after.per_cluster[1].high < 1


@pytest.mark.parametrize(
    "numbers", [(10, 11, 3, 0), (10, 5, 6, 0), (10, 5, 5, 1), (10, 5, 2, -1), (10, 5, -1, 0)]
)
def test_an_impossible_stratum_is_refused(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="impossible"):
        AuditStratum(1, *numbers)


# Whether 95% is 95% ---------------------------------------------------------------------------

_DESIGNS = {
    "proportional": ([1000] * 5, [40] * 5),
    "small clusters": ([30] * 10, [10] * 10),
    "few of many": ([40] * 30, [3] * 30),
    "unequal rates": ([5000, 1000, 500, 50, 20], [60, 30, 60, 25, 15]),
    "one": ([1000], [100]),
}


@pytest.mark.parametrize("design", _DESIGNS)
def test_the_interval_holds_the_truth_as_often_as_it_says(design: str) -> None:
    sizes, drawn = map(np.array, _DESIGNS[design])
    draw = np.random.default_rng(0)
    held = []
    for purity in (0.5, 0.7, 0.9, 0.95, 0.98, 0.99):
        for _ in range(4):
            good = np.round(sizes * purity + draw.uniform(-0.5, 0.5, len(sizes))).astype(int)
            good = good.clip(0, sizes)
            held.append(_held(sizes, good, drawn, draw, times=100))
    # Single populations are coarse: with a few wrong images an answer more or less is much.
    assert 0.93 <= np.mean(held) <= 0.97, held


def _held(
    sizes: NDArray[np.int64],
    good: NDArray[np.int64],
    drawn: NDArray[np.int64],
    draw: np.random.Generator,
    *,
    times: int,
) -> float:
    truth = good.sum() / sizes.sum()
    right = draw.hypergeometric(good, sizes - good, drawn, size=(times, len(sizes)))
    count = 0
    for row in right.tolist():
        audit = estimate_purity(
            [
                AuditStratum(i, *numbers)
                for i, numbers in enumerate(zip(sizes.tolist(), drawn.tolist(), row, strict=True))
            ]
        )
        assert audit is not None
        count += audit.overall.low - 1e-9 <= truth <= audit.overall.high + 1e-9
    return count / times


def test_the_estimate_is_right_on_average_before_and_after_a_correction() -> None:
    draw = np.random.default_rng(1)
    sizes, good, drawn = np.array([200, 40]), np.array([150, 38]), np.array([30, 12])
    before, after, truth_after = [], [], []
    for _ in range(1_000):
        right = draw.hypergeometric(good, sizes - good, drawn)
        wrong = drawn - right
        before.append(_share(estimate_purity(_strata(sizes, drawn, right, 0 * wrong))))
        after.append(_share(estimate_purity(_strata(sizes - wrong, drawn, right, wrong))))
        truth_after.append(good.sum() / (sizes - wrong).sum())
    assert np.mean(before) == pytest.approx(good.sum() / sizes.sum(), abs=0.005)
    assert np.mean(after) == pytest.approx(np.mean(truth_after), abs=0.005)


def _strata(*columns: NDArray[np.int64]) -> list[AuditStratum]:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [AuditStratum(i, *row) for i, row in enumerate(rows)]


def _share(audit: Audit | None) -> float:
    assert audit is not None
    return audit.overall.share


# Who is looked at ----------------------------------------------------------------------------

_sizes = st.dictionaries(st.integers(1, 50), st.integers(1, 80), min_size=1, max_size=8)


@given(_sizes, st.integers(0, 300), st.data())
def test_laws_of_the_allocation(sizes: dict[int, int], number: int, data: st.DataObject) -> None:
    before = {i: data.draw(st.integers(0, size)) for i, size in sizes.items()}
    found = allocate_sample(sizes, before, number)
    left = sum(sizes.values()) - sum(before.values())
    assert sum(found.values()) == min(number, left)
    have = {i: before[i] + found.get(i, 0) for i in sizes}
    assert all(have[i] <= sizes[i] for i in sizes)
    assert all(found.values())
    lacking = sum(max(0, min(FEW, sizes[i]) - before[i]) for i in sizes)
    if number >= lacking:
        assert all(have[i] >= min(FEW, sizes[i]) for i in sizes)


@given(_sizes, st.integers(0, 100), st.integers(0, 100))
def test_two_reviews_come_to_the_same_as_one(sizes: dict[int, int], one: int, two: int) -> None:
    first = allocate_sample(sizes, {}, one)
    second = allocate_sample(sizes, first, two)
    both = {i: first.get(i, 0) + second.get(i, 0) for i in sizes}
    assert {i: n for i, n in both.items() if n} == allocate_sample(sizes, {}, one + two)


def test_the_allocation_is_proportional_to_size() -> None:
    sizes = {1: 5000, 2: 3000, 3: 1500, 4: 490, 5: 10}
    found = allocate_sample(sizes, {}, 200)
    assert found[5] == FEW
    for cluster_id in (1, 2, 3, 4):
        assert found[cluster_id] == pytest.approx(200 * sizes[cluster_id] / 10_000, abs=2)


def test_too_few_for_all_go_to_the_largest() -> None:
    assert allocate_sample({1: 10, 2: 30, 3: 20}, {}, 2) == {2: 1, 3: 1}


@settings(max_examples=30)
@given(st.sets(st.text("0123456789abcdef", min_size=32, max_size=32), max_size=30), st.data())
def test_images_that_come_later_take_their_place_among_the_others(
    ids: set[str], data: st.DataObject
) -> None:
    listed = sorted(ids)
    some = data.draw(st.lists(st.sampled_from(listed), unique=True)) if listed else []
    whole = in_random_order(listed, seed=3)
    assert in_random_order(some, seed=3) == [i for i in whole if i in set(some)]


def test_every_image_is_as_likely_to_be_drawn() -> None:
    ids = [f"{i:032x}" for i in range(40)]
    first = [i for seed in range(500) for i in in_random_order(ids, seed=seed)[:10]]
    counts = np.array([first.count(i) for i in ids])
    # Binomial: 500 draws of 1 in 4; five standard deviations.
    assert counts.sum() == 5_000
    assert abs(counts - 125).max() < 5 * np.sqrt(500 * 0.25 * 0.75)
