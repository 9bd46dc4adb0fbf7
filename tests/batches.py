"""Invented batches for exporters: what a store would give, without one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from organizer.types import Deployment, ExportBatch, ExportDetection, ExportInfo, PartSpec

FOLDER = "/photos"
CLUSTERS = {3: "Red fox", 7: None}
DEPLOYMENTS = {
    "A1": Deployment(
        "A1", "Old oak", "cam 1", 51.5, 13.25, "2024-04-01T00:00:00", "2024-06-01T12:00:00", 3600
    ),
    "B 2": Deployment(
        "B 2", None, None, -33.25, 151.0, "1999-12-01T00:00:00", "2000-01-02T00:00:00"
    ),
}
BOXES = (
    ExportDetection("animal", 0.9, 0.1, 0.2, 0.3, 0.4, 3, "Red fox", decided=True, distance=0.25),
    ExportDetection("animal", 0.5, 0.5, 0.5, 0.25, 0.125, 7, None, distance=0.5),
    ExportDetection("vehicle", 0.1, 0.0, 0.0, 1.0, 1.0),
)


def batch(n: int = 3, *, dim: int = 0, seed: int = 0, **columns: Any) -> ExportBatch:
    """Images of which one is in a cluster with a name, one in one without, one unsure, in turn."""
    files = tuple(f"day {i // 10}/{seed}-{i:04}.jpg" for i in range(n))
    draw = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "image_ids": tuple(draw.bytes(16).hex() for _ in range(n)),
        "paths": tuple(f"{FOLDER}/{file}" for file in files),
        "folders": (FOLDER,) * n,
        "files": files,
        "copies": tuple(("/copies/a.jpg",) if i == 1 else () for i in range(n)),
        "missing": (False,) * n,
        "cluster_ids": _turns((3, 7, None), n),
        "cluster_names": _turns(("Red fox", None, None), n),
        "states": _turns(("decided", "auto", "unsure"), n),
        "candidate_ids": _turns((None, None, 3), n),
        "candidate_names": _turns((None, None, "Red fox"), n),
        "distances": _turns((0.25, 0.125, 0.75), n),
        "margins": _turns((0.5, 0.25, 0.0), n),
        "decided_by": _turns(("Ben", None, None), n),
        "sizes": _turns((1000, 2000, 3000), n),
        "widths": _turns((64, 48, 640), n),
        "heights": _turns((48, 64, 480), n),
        "formats": _turns(("JPEG", "PNG", "HEIF"), n),
        "taken_at": _turns(("2024-05-01T06:07:08", None, "1999-12-31T23:59:59"), n),
        "clock_times": _turns(("2024-05-01T05:07:08", None, None), n),
        "deployments": _turns(("A1", None, "B 2"), n),
        "bursts": _turns((0, None, 7), n),
        "events": _turns((0, None, 3), n),
        "infrared": _turns((False, None, True), n),
        "cameras": _turns(("Browning BTC-7E", None, "NIKON D90 123"), n),
        "latitudes": _turns((51.5, None, -33.25), n),
        "longitudes": _turns((13.25, None, 151.0), n),
        "brightness": _turns((0.5, None, 0.25), n),
        "chroma": _turns((0.125, None, 0.0), n),
        "extras": _turns(({"temperature": 21, "moon_phase": "full"}, {}, {"temperature": -3.5}), n),
        "detections": (None,) * n,
        "detectors": (None,) * n,
        "failures": (None,) * n,
        "vectors": draw.normal(size=(n, dim)).astype(np.float32) if dim else None,
    }
    return ExportBatch(**{**values, **columns})


def looked_at(n: int = 3, **columns: Any) -> ExportBatch:
    """Images of which a detector saw something in one, could not read one, saw nothing in one."""
    said: dict[str, Any] = {
        "detections": _turns((BOXES, None, ()), n),
        "detectors": ("MDv5a",) * n,
        "failures": _turns((None, "image access failure", None), n),
    }
    return batch(n, **{**said, **columns})


def about(*, dim: int = 0, **fields: Any) -> ExportInfo:
    """What goes with `batch`."""
    values: dict[str, Any] = {
        "program": "organizer 0",
        "created_at": "2026-11-24T10:20:30+00:00",
        "clusters": CLUSTERS,
        "clustering_id": 2,
        "algorithm": "spherical K-means",
        "common": Path(FOLDER),
        "deployments": DEPLOYMENTS,
        "events": {
            0: ("2024-05-01T06:07:08", "2024-05-01T06:08:00"),
            3: ("1999-12-31T23:59:59", "1999-12-31T23:59:59"),
        },
        "clustered_at": "2026-11-20T08:00:00+00:00",
        "extras": {"moon_phase": False, "temperature": True},
        "threshold": 0.2,
        "embedder": PartSpec("hog") if dim else None,
        "dim": dim,
    }
    return ExportInfo(**{**values, **fields})


def unclustered(n: int = 3) -> ExportBatch:
    """Images before the first clustering."""
    nothing = (None,) * n
    names = [item.name for item in fields(ExportBatch)]
    of_clusters = [name for name in names if name.startswith(("cluster", "candidate"))]
    empty: dict[str, Any] = dict.fromkeys([*of_clusters, "states", "distances", "margins"], nothing)
    return batch(n, **empty)


def _turns(values: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    return tuple(values[i % len(values)] for i in range(n))
