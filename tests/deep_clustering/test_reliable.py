"""Which images are reliable: held to the definitions of the paper, computed another way."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer_deep_clustering.reliable import (
    allowed_labels,
    centre_neighbours,
    relaxed_share,
)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_the_images_nearest_to_their_centre_are_taken(seed: int, share: float) -> None:
    draw = np.random.default_rng(seed)
    n, k = 40, 3
    features = draw.normal(size=(n, 5)).astype(np.float32)
    labels = draw.integers(0, k, n)
    open_rows = np.flatnonzero(draw.random(n) < 0.7)
    taken = centre_neighbours(features, labels, open_rows, share=share).tolist()
    assert taken == sorted(set(taken))
    assert set(taken) <= set(open_rows.tolist())
    for label in range(k):
        members = [row for row in range(n) if labels[row] == label]
        left = [row for row in members if row in set(open_rows.tolist())]
        if not left:
            continue
        centre = sum(features[row].astype(float) for row in members) / len(members)
        far = {row: float(((features[row] - centre) ** 2).sum()) for row in left}
        mine = [row for row in taken if labels[row] == label]
        assert len(mine) == max(1, round(share * len(left)))
        rest = [far[row] for row in left if row not in mine]
        assert not rest or max(far[row] for row in mine) <= min(rest) + 1e-9


def test_the_share_grows_by_the_factor_up_to_all() -> None:
    shares = [0.2]
    while shares[-1] < 1:
        shares.append(relaxed_share(0.2, 0.3, rounds=len(shares)))
    assert np.allclose(shares, [0.2, 0.5, 0.8, 1.0])
    assert relaxed_share(0.2, 0.0, rounds=5) == 0.2


def test_a_cluster_that_a_decision_excludes_has_no_score() -> None:
    scores = np.array([[3, 2, 1], [3, 2, 1], [3, 2, 1]], dtype=np.float32)
    banned = np.array([[7, 0], [9, 0], [9, 1], [8, 2]])
    found = allowed_labels(scores, np.array([3, 7, 9]), banned)
    assert found.argmax(axis=1).tolist() == [0, 1, 2]
    assert scores[1, 0] == 3  # what was given is as it was
