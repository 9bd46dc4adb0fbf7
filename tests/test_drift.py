"""What advises a new clustering."""

from __future__ import annotations

import numpy as np
import pytest

from organizer.cluster.drift import drift_of
from organizer.types import ClusterModels


def _models(counts: list[int], distances: list[float], first: int = 1) -> ClusterModels:
    k = len(counts)
    ids = np.arange(first, first + k)
    nothing = np.zeros(k)
    return ClusterModels(
        ids,
        ids,
        np.eye(k, 3),
        np.array(counts),
        np.array(distances),
        nothing,
        nothing,
        nothing,
        ("",) * k,
        ("recluster",) * k,
    )


MADE = _models([100, 50, 80], [0.2, 0.2, 0.2])


def test_nothing_changed_advises_nothing() -> None:
    drift = drift_of(MADE, MADE, unassigned=5, images=235)
    assert drift.reasons == ()
    assert (drift.clusters, drift.novel, drift.distance_growth) == (3, (), 1.0)


def test_many_unassigned_images_advise_a_recluster() -> None:
    drift = drift_of(MADE, MADE, unassigned=40, images=270)
    assert drift.reasons == ("15% of the images are unassigned",)


def test_clusters_that_grew_loose_advise_a_recluster_and_novel_ones_do_not_count() -> None:
    looser = drift_of(MADE, _models([100, 50, 80], [0.3, 0.2, 0.2]), unassigned=0, images=230)
    assert looser.distance_growth == pytest.approx((100 * 0.3 + 130 * 0.2) / 230 / 0.2)
    assert "farther" in looser.reasons[0]
    novel = ClusterModels.joined([MADE, _models([20], [0.9], first=4)])
    drift = drift_of(MADE, novel, unassigned=0, images=250)
    assert (drift.novel, drift.distance_growth, drift.reasons) == ((4,), 1.0, ())


def test_a_cluster_that_outgrew_the_others_and_an_empty_one_are_named() -> None:
    drift = drift_of(MADE, _models([900, 50, 0], [0.2, 0.2, 0.2]), unassigned=0, images=950)
    assert (drift.bloated, drift.empty) == ((1,), (3,))
    assert len(drift.reasons) == 2
