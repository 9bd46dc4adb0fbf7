"""The equations of the papers, computed again."""

from __future__ import annotations

import numpy as np
import torch

from organizer_deep_clustering.columns import Columns
from organizer_deep_clustering.dcn import moved_centroids
from organizer_deep_clustering.dec import divergence, soft_assignment, target_distribution
from organizer_deep_clustering.decisions import HeldDecisions

_DRAW = np.random.default_rng(0)


def _shares(features: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Equation 1 of DEC, image by image."""
    shares = np.empty((len(features), len(centroids)))
    for i, z in enumerate(features.astype(np.float64)):
        kernel = [1 / (1 + np.sum((z - m) ** 2)) for m in centroids.astype(np.float64)]
        shares[i] = np.array(kernel) / sum(kernel)
    return shares


def test_soft_assignments_and_their_target() -> None:
    features = _DRAW.normal(0, 3, (40, 5)).astype(np.float32)
    centroids = _DRAW.normal(0, 3, (7, 5)).astype(np.float32)
    wanted = _shares(features, centroids)
    shares = soft_assignment(features, centroids)
    np.testing.assert_allclose(shares, wanted, rtol=1e-4)
    target = np.empty_like(wanted)
    frequencies = wanted.sum(axis=0)
    for i in range(len(wanted)):
        sharp = wanted[i] ** 2 / frequencies
        target[i] = sharp / sharp.sum()
    np.testing.assert_allclose(target_distribution(shares), target, rtol=1e-3)


def test_the_divergence_and_its_gradient() -> None:
    features = _DRAW.normal(0, 2, (20, 4)).astype(np.float32)
    centroids = _DRAW.normal(0, 2, (3, 4)).astype(np.float32)
    target = target_distribution(soft_assignment(features, centroids))
    target[0] = (0, 1, 0)  # a decided image
    made = torch.tensor(features, requires_grad=True)
    loss = divergence(torch.tensor(target), made, torch.tensor(centroids))
    shares = _shares(features, centroids)
    ratio = np.where(target > 0, target, 1) / np.where(target > 0, shares, 1)
    wanted = float(np.sum(target * np.log(ratio)) / len(target))
    np.testing.assert_allclose(float(loss.detach()), wanted, rtol=1e-4)
    loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
    # Equation 4 of the paper, with one degree of freedom.
    gradient = np.zeros(features.shape)
    for i in range(len(features)):
        for j in range(len(centroids)):
            apart = features[i].astype(np.float64) - centroids[j]
            pull = (target[i, j] - shares[i, j]) / (1 + np.sum(apart**2))
            gradient[i] += 2 * pull * apart / len(features)
    assert made.grad is not None
    np.testing.assert_allclose(made.grad.numpy(), gradient, atol=1e-6)


def test_centroids_move_as_image_by_image() -> None:
    centroids = _DRAW.normal(size=(4, 3)).astype(np.float32)
    counts = np.array([5, 0, 2, 9], dtype=np.int64)
    features = _DRAW.normal(size=(30, 3)).astype(np.float32)
    labels = _DRAW.integers(0, 3, 30)
    slowly, had = centroids.astype(np.float64), counts.copy()
    for z, j in zip(features, labels, strict=True):
        had[j] += 1
        slowly[j] -= (slowly[j] - z) / had[j]
    moved, total = moved_centroids(centroids, counts, features, labels)
    np.testing.assert_allclose(moved, slowly, atol=1e-5)
    np.testing.assert_array_equal(total, had)
    np.testing.assert_array_equal(moved[3], centroids[3])


def test_columns_lose_nothing_and_keep_distances() -> None:
    grey = _DRAW.normal(size=(25, 6)).astype(np.float32)
    points = np.concatenate([np.repeat(grey, 3, axis=1), np.full((25, 2), 0.5, np.float32)], axis=1)
    columns = Columns.fit(points)
    assert columns.kept.tolist() == [0, 3, 6, 9, 12, 15]
    made = columns(points)
    ratio = np.linalg.norm(made[1:] - made[0], axis=1) / np.linalg.norm(
        points[1:] - points[0], axis=1
    )
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    np.testing.assert_allclose(np.square(made).sum(axis=1).mean(), 6, rtol=1e-4)


def test_decisions_of_some_rows_and_some_clusters() -> None:
    decided = np.array([-1, 4, -1, 0, -1])
    banned = np.array([[0, 0], [2, 3], [4, 4], [0, 4]])
    held = HeldDecisions.checked(decided, banned, n_clusters=5).among(np.array([0, 2, 4]))
    assert held.decided.tolist() == [-1, 2, -1, 0, -1]
    assert held.banned.tolist() == [[0, 0], [4, 2], [0, 2]]
    part = held.of_rows(np.array([4, 1, 0]))
    assert part.decided.tolist() == [-1, 2, -1]
    assert sorted(part.banned.tolist()) == [[0, 2], [2, 0], [2, 2]]
    distances = part.held_distances(np.ones((3, 3), dtype=np.float32))
    assert np.isinf(distances).tolist() == [
        [False, False, True],
        [True, True, False],
        [True, False, True],
    ]
    shares = part.held_shares(np.array([[0, 0, 1]] * 3, dtype=np.float32))
    wanted = np.array([[0.5, 0.5, 0], [0, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(shares, wanted)
