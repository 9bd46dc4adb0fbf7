"""The map as PNG: points coloured by cluster, with pictures where they do not overlap."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from organizer.report import drawing, tables
from organizer.report.contents import MapPicture, ReportContents, ReportMap
from organizer.report.drawing import QUIET, colour_of, text_of
from organizer.report.palette import MARKERS, cluster_tints
from organizer.report.wording import METHODS
from organizer.types import NOISE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_IN_KEY = 40
_SIDE = 9.0


def map_png(contents: ReportContents) -> bytes | None:
    """The map with its legend."""
    shown = contents.map
    if shown is None or not len(shown.xy) or not np.isfinite(shown.xy).all():
        return None
    made = drawing.figure(_SIDE + 2.6, _SIDE)
    axes = made.add_subplot()
    named = tables.cluster_names(contents)
    _points(axes, shown, named)
    for spot in shown.spots:
        if spot.picture.jpeg:
            _picture(axes, shown, spot, named)
    reach = 1 + max(0.04, shown.spot_size / 2)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_axis_off()
    _legend(made, axes)
    axes.set_title(_title(shown), loc="left", fontsize=10, color=QUIET)
    return drawing.png_of(made)


def _points(axes: Axes, shown: ReportMap, named: dict[int, tables.SignedName]) -> None:
    size = float(np.clip(30_000 / len(shown.xy), 4, 36))
    there = [i for i in named if i != NOISE and (shown.cluster_ids == i).any()]
    for cluster_id in (NOISE, *there):
        points = shown.xy[shown.cluster_ids == cluster_id]
        sign = named[cluster_id].sign
        if not len(points):
            continue
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=size,
            color=colour_of(sign, cluster_tints()),
            marker=MARKERS[sign.shape if sign else 0],
            alpha=0.8,
            linewidths=0,
            label=f"{text_of(named[cluster_id].label)} ({len(points):,})",
        )


def _legend(made: Figure, axes: Axes) -> None:
    """The largest clusters, with marks of a fixed size."""
    from matplotlib.collections import PathCollection
    from matplotlib.patches import Patch

    handles, labels = axes.get_legend_handles_labels()
    more = len(handles) - _MOST_IN_KEY
    if more > 0:
        handles = [*handles[:_MOST_IN_KEY], Patch(alpha=0)]
        labels = [*labels[:_MOST_IN_KEY], f"and {more} more"]
    found = made.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=9)
    for handle in found.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([36])


def _picture(
    axes: Axes, shown: ReportMap, spot: MapPicture, named: dict[int, tables.SignedName]
) -> None:
    from matplotlib.patches import Rectangle
    from PIL import Image

    with Image.open(io.BytesIO(spot.picture.jpeg)) as image:
        pixels = np.asarray(image.convert("RGB"))
    tall, wide = pixels.shape[:2]
    half_x, half_y = (shown.spot_size / 2 * side / max(tall, wide) for side in (wide, tall))
    x, y = (float(value) for value in shown.xy[spot.row])
    box: Sequence[float] = (x - half_x, x + half_x, y - half_y, y + half_y)
    axes.imshow(pixels, extent=(box[0], box[1], box[2], box[3]), zorder=3, aspect="equal")
    label = named.get(int(shown.cluster_ids[spot.row]), named[NOISE])
    outline = Rectangle(
        (box[0], box[2]),
        2 * half_x,
        2 * half_y,
        fill=False,
        edgecolor=colour_of(label.sign, cluster_tints()),
        linewidth=1.4,
        zorder=4,
    )
    axes.add_patch(outline)


def _title(shown: ReportMap) -> str:
    method = METHODS.get(shown.method, text_of(shown.method))
    if len(shown.xy) == shown.images:
        return f"{method} of {shown.images:,} images"
    share = math.floor(1000 * len(shown.xy) / shown.images) / 10
    return f"{method} of {len(shown.xy):,} images, a sample ({share:g}%) of {shown.images:,}"
