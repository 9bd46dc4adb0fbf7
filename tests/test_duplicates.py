"""What makes two pictures copies, which are grouped, and which of a group is kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from organizer.duplicates.candidates import likely_pairs, of_unit_length, principal_axes
from organizer.duplicates.groups import group_copies
from organizer.duplicates.keep import Contender, KeepRule, keep_order, why_kept
from organizer.duplicates.miniature import describe, make_miniature
from organizer.duplicates.overlay import COPY_FROM, likeness
from organizer.duplicates.sharpness import measure_sharpness
from organizer.types import Labels
from tests.pictures_alike import COPIES, picture


def miniature_of(image: Image.Image) -> NDArray[np.uint8]:
    return make_miniature(np.asarray(image.convert("RGB")))


def alike(first: Image.Image, second: Image.Image) -> float:
    both = np.stack([miniature_of(first), miniature_of(second)])
    return float(likeness(both, np.array([0]), np.array([1]))[0])


def encoded(image: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality)
    return Image.open(held)


@pytest.mark.parametrize("size", [(64, 64), (240, 320), (3_000, 400)])
def test_a_miniature_is_the_picture_stretched_to_a_square(size: tuple[int, int]) -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, size[1]), size).astype(np.uint8)
    found = make_miniature(np.repeat(ramp[:, :, None], 3, axis=2)).reshape(32, 32)
    assert (found == found[0]).all()
    steps = np.diff(found[0].astype(int))  # the ends of the ramp pass for a plain frame
    assert steps.min() >= 6
    assert steps.max() <= 9


def test_a_frame_is_no_part_of_the_miniature() -> None:
    bare, framed = miniature_of(picture(1)), miniature_of(COPIES["framed"](picture(1)))
    assert np.abs(bare.astype(int) - framed).mean() < 2


@pytest.mark.parametrize("what", COPIES)
def test_an_edited_copy_is_a_copy(what: str) -> None:
    first, second = picture(2), encoded(COPIES[what](picture(2)), 60)
    assert alike(first, second) >= COPY_FROM
    assert alike(second, first) == pytest.approx(alike(first, second), abs=0.2)


def test_other_pictures_are_no_copies() -> None:
    minis = np.stack([miniature_of(picture(seed)) for seed in range(12)])
    first, second = np.triu_indices(len(minis), 1)
    assert likeness(minis, first, second).max() < COPY_FROM / 2


def test_pictures_of_one_grey_are_like_nothing() -> None:
    plain = Image.new("RGB", (64, 48), (90, 90, 90))
    assert alike(plain, Image.new("RGB", (64, 48), (20, 20, 20))) < COPY_FROM
    assert not describe(miniature_of(plain)[None]).any()


@given(st.integers(0, 5), st.integers(0, 7))
@hypothesis_settings(max_examples=12, deadline=None)
def test_the_description_does_not_change_with_a_turn_or_a_mirror(seed: int, turn: int) -> None:
    grey = miniature_of(picture(seed)).reshape(32, 32)
    other = np.rot90(grey[:, ::-1] if turn >= 4 else grey, turn % 4)
    found = describe(np.stack([grey.ravel(), other.ravel()]))
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


@given(st.integers(2, 60), st.integers(0, 2**16))
@hypothesis_settings(max_examples=25, deadline=None)
def test_likely_pairs_are_the_nearest_neighbours(n: int, seed: int) -> None:
    points = of_unit_length(np.random.default_rng(seed).standard_normal((n, 5)).astype(np.float32))
    found = set(
        zip(*(rows.tolist() for rows in likely_pairs(points, least=0.3, seed=0)), strict=True)
    )
    cosines = points @ points.T
    np.fill_diagonal(cosines, -np.inf)
    expected = {
        (min(row, other), max(row, other))
        for row in range(n)
        for other in np.argsort(-cosines[row])[:8].tolist()
        if cosines[row, other] >= 0.3
    }
    assert found == expected


def test_copies_among_many_share_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("organizer.duplicates.candidates._CELL", 100)
    draw = np.random.default_rng(0)
    points = draw.standard_normal((2_000, 16)).astype(np.float32)
    near = points[:200] + 0.2 * draw.standard_normal((200, 16)).astype(np.float32)
    both = of_unit_length(np.concatenate([points, near]))
    first, second = likely_pairs(both, least=0.5, seed=0)
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    assert sum((row, 2_000 + row) in pairs for row in range(200)) >= 195


def test_principal_axes_are_those_of_the_covariance() -> None:
    draw = np.random.default_rng(0)
    rows = (draw.standard_normal((500, 12)) * 2.0 ** -np.arange(12)).astype(np.float32)
    mean, axes = principal_axes(rows, 3, seed=0)
    expected = np.linalg.eigh(np.cov(rows.T))[1][:, -3:]
    assert np.linalg.svd(axes.T @ expected)[1].min() > 0.999  # the same space
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-5)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30), st.randoms())
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_member_of_a_group_is_like_the_one_kept(places: list[float], random: object) -> None:
    """Images on a line, copies up to 1 apart, and copies of copies up to 1.5."""
    at = np.array(places)
    first, second = np.triu_indices(len(at), 1)
    near = np.abs(at[first] - at[second]) <= 1
    order = list(range(len(at)))
    random.shuffle(order)  # type: ignore[attr-defined]

    def confirm(a: Labels, b: Labels) -> NDArray[np.bool_]:
        return np.asarray(np.abs(at[a] - at[b]) <= 1.5)

    groups = group_copies(first[near], second[near], order=order, confirm=confirm)
    rows = [row for group in groups for row in group]
    assert len(rows) == len(set(rows))
    for kept, *others in groups:
        assert others
        assert all(abs(at[kept] - at[row]) <= 1.5 for row in others)
        assert [kept, *others] == sorted([kept, *others], key=order.index)
    alone = set(range(len(at))) - set(rows)
    assert not any(abs(at[a] - at[b]) <= 1 for a in alone for b in alone if a < b)


def test_a_long_series_is_no_group() -> None:
    """Of a chain in which each is like the next, the first takes only those like itself."""

    def confirm(a: Labels, b: Labels) -> NDArray[np.bool_]:
        return np.asarray((a < 0) & (b < 0))

    first = np.arange(9)
    groups = group_copies(first, first + 1, order=list(range(10)), confirm=confirm)
    assert groups == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_a_blurred_picture_is_less_sharp() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    sharp = Image.fromarray(noise)
    blurred = sharp.filter(ImageFilter.GaussianBlur(1.5))
    found = [measure_sharpness(np.asarray(image)) for image in (sharp, blurred)]
    assert found[0] > 4 * found[1] > 0
    assert measure_sharpness(np.zeros((2, 9, 3), np.uint8)) == 0


def contender(path: str, **known: object) -> Contender:
    return Contender(path, **{"width": 100, "height": 80, "bytes": 5_000, **known})  # type: ignore[arg-type]


_LARGE = contender("c.jpg", width=200, height=160)
_OLD = contender("b.jpg", taken_at="2024-01-01T00:00:00", sharpness=3.0)
_PLAIN = contender("a.jpg", taken_at="2024-02-01T00:00:00", sharpness=9.0)


@pytest.mark.parametrize(
    ("rule", "kept", "why"),
    [
        (KeepRule.LARGEST, _LARGE, "most pixels: 200 x 160"),
        (KeepRule.SHARPEST, _PLAIN, "sharpest picture: 9, the next 3"),
        (KeepRule.OLDEST, _OLD, "taken first: 2024-01-01 00:00:00"),
        (KeepRule.FIRST, _PLAIN, "first by path"),
    ],
)
def test_each_rule_keeps_its_own(rule: KeepRule, kept: Contender, why: str) -> None:
    every = [_LARGE, _OLD, _PLAIN]
    order = [every[place] for place in keep_order(every, rule)]
    assert order[0] is kept
    assert why_kept(order[0], order[1:], rule) == why


def test_the_whole_animal_comes_before_a_sharper_one_that_is_cut() -> None:
    empty = contender("a.jpg", sharpness=99.0)
    cut = contender("b.jpg", sharpness=50.0, has_subject=True, is_cut=True)
    whole = contender("c.jpg", sharpness=10.0, has_subject=True)
    every = [empty, cut, whole]
    assert [every[place] for place in keep_order(every, KeepRule.SHARPEST)] == [whole, cut, empty]
    why = why_kept(whole, [cut, empty], KeepRule.SHARPEST)
    assert why == "the only one with the whole animal in the picture"
