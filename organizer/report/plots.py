"""Writes the charts of a report as PNG files, for a paper or a slide."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from organizer.report import contact, tables
from organizer.report.contents import ReportContents
from organizer.report.folder import write_pngs
from organizer.report.plots_map import map_png
from organizer.report.plots_scores import evidence_png, factors_png, silhouette_png
from organizer.report.plots_truth import composition_png, confusion_png, pies_png

_PLOTS: Mapping[str, Callable[[ReportContents], bytes | None]] = {
    "silhouette.png": silhouette_png,
    "evidence.png": evidence_png,
    "factors.png": factors_png,
    "composition.png": composition_png,
    "pies.png": pies_png,
    "confusion.png": confusion_png,
    "map.png": map_png,
}
_NAMES = re.compile(
    r"(?:sheet_(?:\d+|doubtful|unsure)|" + "|".join(n[:-4] for n in _PLOTS) + r")\.png"
)


def write_plots(contents: ReportContents, folder: Path) -> tuple[Path, ...]:
    """Write a PNG file of every chart that has content.

    silhouette.png, evidence.png, factors.png, composition.png, pies.png, confusion.png, map.png, a
    contact sheet of each cluster (sheet_ID.png), of images with disagreeing neighbours
    (sheet_doubtful.png) and of unassigned images (sheet_unsure.png). Plots of an earlier run are
    replaced or removed; no other file is touched.

    Args:
        contents: The contents of the report.
        folder: Where; created if it does not exist.

    Returns:
        The files that were written.

    Raises:
        SettingsError: The folder is a file or cannot be written, or one of these names is taken by
            a file that organizer did not make.
    """
    return write_pngs(_drawn(contents), folder, names=_NAMES)


def _drawn(contents: ReportContents) -> Iterator[tuple[str, bytes]]:
    for name, draw in _PLOTS.items():
        png = draw(contents)
        if png is not None:
            yield name, png
    named = tables.cluster_names(contents)
    for cluster_id, label in named.items():
        sheet = contents.sheets.get(cluster_id)
        if sheet is not None and (sheet.typical or sheet.border):
            rows = (("typical", sheet.typical), ("border", sheet.border))
            yield f"sheet_{cluster_id}.png", contact.sheet_png(label.label, rows)
    if contents.doubtful:
        worst = (("most of their neighbours are in another cluster", contents.doubtful),)
        yield "sheet_doubtful.png", contact.sheet_png("disagreeing neighbours", worst)
    if contents.unassigned_pictures:
        some = (("drawn at random", contents.unassigned_pictures),)
        yield "sheet_unsure.png", contact.sheet_png("unassigned", some)
