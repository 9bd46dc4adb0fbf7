"""The data of the page's map in a compact form: half a megabyte for 10,000 points."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.report.contents import MapPicture, ReportMap, ReportPicture
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
    unsigned positions in the lists ``clusters``, ``classes`` and ``folders``. The URL of a point's
    file is that of its folder, in ``links``, and its name; ``hasAll`` says that every picture that
    could be read is in the page.

    Args:
        shown: The map.
        clusters: Id and name of each cluster, in the order of their signs.
        classes: The classes of `shown.truth`, in the order of their signs.
    """
    folders, of_folder, names = _split(shown.paths)
    links = _folder_links(shown.links, of_folder, len(folders))
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
        "links": links,
        "shapes": list(SHAPES),
        "spotSize": shown.spot_size,
        "spots": _pictures(shown.spots),
        "hover": _pictures(shown.hover),
        "hasAll": len(shown.spots) + len(shown.hover) == len(shown.xy),
    }


def data_uri(picture: ReportPicture) -> str:
    """A picture as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(picture.jpeg).decode("ascii")


def _pictures(found: Iterable[MapPicture]) -> list[dict[str, Any]]:
    return [{"row": one.row, "src": data_uri(one.picture)} for one in found if one.picture.jpeg]


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
    names = [PurePath(path).name for path in paths]
    folders: dict[str, int] = {}
    heads = [path.removesuffix(name) for path, name in zip(paths, names, strict=True)]
    places = [folders.setdefault(head, len(folders)) for head in heads]
    if len(folders) >= NO_CLUSTER:
        # More folders than 16 bits can number: whole paths are kept.
        return [""], np.zeros(len(paths), dtype="<u2"), list(paths)
    return list(folders), np.array(places, dtype="<u2"), names


def _folder_links(
    links: Sequence[str], of_folder: NDArray[np.uint16], folders: int
) -> list[str] | None:
    """The URL of each folder, from one of its files; None without links or folders."""
    if not links or (folders == 1 and len({link.rpartition("/")[0] for link in links}) > 1):
        return None
    found = [""] * folders
    for at, link in zip(of_folder.tolist(), links, strict=True):
        head, slash, _ = link.rpartition("/")
        found[at] = head + slash
    return found


def _class_positions(truth: Sequence[str | None], classes: Sequence[str]) -> NDArray[np.uint16]:
    at = {name: i for i, name in enumerate(classes)}
    places = [NO_CLUSTER if name is None else at.get(name, NO_CLUSTER) for name in truth]
    return np.array(places, dtype="<u2")


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
