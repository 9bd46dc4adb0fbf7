"""Trainings of fwr on drawn shapes, with a real pretrained network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from organizer.training import TrainingImages
from organizer_deep_clustering.fwr import Fwr
from tests.deep_clustering.shapes import HeldPictures, draw_shapes
from tests.deep_clustering.trainings import Watched

EACH = 10


def small_fwr(**options: Any) -> Fwr:
    """With a small square, and few rounds."""
    small = {
        "n_clusters": 3,
        "network": "efficientnet_lite0",
        "side": 48,
        "factor": 0.4,
        "epochs": 1,
    }
    return Fwr(**{**small, **options})


def shape_images(**changes: Any) -> TrainingImages:
    """Shapes, and points that tell them apart in two of three cases."""
    pictures, truth = draw_shapes(EACH)
    draw = np.random.default_rng(0)
    points = np.eye(3)[truth] + draw.normal(0, 0.55, (len(truth), 3))
    given = TrainingImages(
        points=points.astype(np.float32),
        decided=np.full(len(truth), -1, dtype=np.int64),
        banned=np.empty((0, 2), dtype=np.int64),
        required=0,
        progress=Watched(),
        pictures=HeldPictures(list(pictures)),
        device="cpu",
    )
    return replace(given, **changes)
