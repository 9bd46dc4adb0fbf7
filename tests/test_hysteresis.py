"""Images stay where they were unless another cluster is clearly nearer."""

from __future__ import annotations

import numpy as np
import pytest

from organizer.cluster.hysteresis import HYSTERESIS, HYSTERESIS_NAMED, keeps_cluster
from organizer.cluster.incremental import PointPlacement


def _placed(margins: list[float]) -> PointPlacement:
    n = len(margins)
    return PointPlacement(
        np.zeros(n, np.int64), np.full(n, 0.5, np.float32), np.array(margins, np.float32)
    )


@pytest.mark.parametrize(("named", "limit"), [(False, HYSTERESIS), (True, HYSTERESIS_NAMED)])
def test_how_much_nearer_another_cluster_must_be_to_take_an_image(
    named: bool, limit: float
) -> None:
    deviation = 0.1
    margins = [0.2, 0.0, -0.9 * limit * deviation, -1.1 * limit * deviation]
    stay = keeps_cluster(_placed(margins), np.full(4, deviation), np.full(4, named))
    assert stay.tolist() == [True, True, True, False]


def test_a_name_holds_images_longer_than_none() -> None:
    stay = keeps_cluster(_placed([-0.1, -0.1]), np.full(2, 0.1), np.array([True, False]))
    assert stay.tolist() == [True, False]
