"""The data of the page's map in a compact form: half a megabyte for 10,000 points."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.report.contents import ReportMap, ReportPicture
from organizer.report.palette import SHAPES, Sign, class_sign, cluster_sign
from organizer.report.wording import label_of

NO_CLUSTER = 0xFFFF
"""Stands for "in no cluster" and "no class known" in the arrays of 16 bits."""

_SCALE = 32_767


def map_data(
    shown: ReportMap, clusters: Sequence[tuple[int, str | None]], classes: Sequence[str]
) -> dict[str, Any]:
    """The data of the page's map, for JSON.

    Arrays are base64 of little-endian 16-bit numbers: ``xy`` signed, scaled from -1..1, the others
    unsigned positions in the lists ``clusters``, ``classes`` and ``folders``.

    Args:
        shown: The map.
        clusters: Id and name of each cluster, in the order of their signs.
        classes: The classes of `shown.truth`, in the order of their signs.
    """
    folders, of_folder, names = _split(shown.paths)
    of_cluster = _positions(shown.cluster_ids, np.array([i for i, _ in clusters], dtype=np.int64))
    of_class = _class_positions(shown.truth, classes)
    labels = [label_of(cluster_id, name) for cluster_id, name in clusters]
    return {
        "xy": _base64(np.clip(np.rint(shown.xy * _SCALE), -_SCALE, _SCALE).astype("<i2")),
        "cluster": _base64(of_cluster),
        "clusters": _entries(labels, of_cluster, "k", cluster_sign),
        "class": _base64(of_class),
        "classes": _entries(classes, of_class, "t", class_sign),
        "folders": folders,
        "folder": _base64(of_folder),
        "names": names,
        "shapes": list(SHAPES),
        "spotSize": shown.spot_size,
        "spots": [
            {"row": spot.row, "src": data_uri(spot.picture)}
            for spot in shown.spots
            if spot.picture.jpeg
        ],
    }


def data_uri(picture: ReportPicture) -> str:
    """A picture as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(picture.jpeg).decode("ascii")


def _entries(
    labels: Sequence[str], positions: NDArray[np.uint16], kind: str, sign: Callable[[int], Sign]
) -> list[dict[str, Any]]:
    """The entries of a legend: label, number of points, colour and shape."""
    counts = np.bincount(positions[positions != NO_CLUSTER], minlength=len(labels)).tolist()
    return [
        {
            "label": label,
            "count": counts[rank],
            "tint": f"--{kind}{sign(rank).tint}",
            "shape": sign(rank).shape,
        }
        for rank, label in enumerate(labels)
    ]


def _positions(labels: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.uint16]:
    """The position of each label in `ids`."""
    order = np.argsort(ids)
    found = np.full(len(labels), NO_CLUSTER, dtype="<u2")
    if len(ids):
        at = np.minimum(np.searchsorted(ids, labels, sorter=order), len(ids) - 1)
        there = ids[order][at] == labels
        found[there] = order[at[there]]
    return found


def _split(paths: Sequence[str]) -> tuple[list[str], NDArray[np.uint16], list[str]]:
    """The distinct folders, the position of each path's folder, and the file names."""
    pairs = [path.rpartition("/") for path in paths]
    folders: dict[str, int] = {}
    places = [folders.setdefault(head + slash, len(folders)) for head, slash, _ in pairs]
    if len(folders) >= NO_CLUSTER:
        # More folders than 16 bits can number: whole paths are kept.
        return [""], np.zeros(len(paths), dtype="<u2"), list(paths)
    return list(folders), np.array(places, dtype="<u2"), [name for _, _, name in pairs]


def _class_positions(truth: Sequence[str | None], classes: Sequence[str]) -> NDArray[np.uint16]:
    at = {name: i for i, name in enumerate(classes)}
    places = [NO_CLUSTER if name is None else at.get(name, NO_CLUSTER) for name in truth]
    return np.array(places, dtype="<u2")


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
