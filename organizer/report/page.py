"""Renders a report as one HTML page that opens from disk and needs no network.

The markup is in `assets/`; everything else is computed here and in the modules beside. Text from a
photo or a person is escaped by the template, as JSON by `_json`, and the page's content security
policy allows no script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import PurePath
from typing import Any

import numpy as np

from organizer.report import charts, tables, wording
from organizer.report.contents import ContactSheet, ReportContents, ReportPicture
from organizer.report.palette import (
    SHAPES,
    class_tints,
    cluster_tints,
)
from organizer.report.points import data_uri, map_data

_SCRIPTS = (
    "tip.js", "large.js", "page.js", "geometry.js", "sprites.js", "legend.js", "map.js",
)  # fmt: skip
_MOST_BARS = 120
_LIBRARY_NAME = ".organizer"
_MARKS = {"chosen": SHAPES[0], "second": SHAPES[1], "elbow": SHAPES[3]}
_SECTIONS = (
    ("overview", "Overview"),
    ("sheets", "Contact sheets"),
    ("map", "Map"),
    ("clusters", "Clusters"),
    ("audit", "Review"),
    ("why", "Influences"),
    ("scores", "Scores"),
    ("silhouette", "Silhouette"),
    ("evidence", "Number of clusters"),
    ("truth", "Against the labels"),
)


def render(contents: ReportContents) -> str:
    """Render the page, as text that can be encoded in UTF-8.

    Args:
        contents: All that it shows. A section without content is left out.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.score_text,
        percent=wording.percent,
        uri=data_uri,
        groups=tables.groups_of,
        ratio=_ratio,
        brief=_brief,
    )
    page = environment.get_template("page.html.jinja").render(_context(contents))
    # A file name may hold bytes that are not text, as surrogates, which UTF-8 does not allow.
    return page.encode("utf-8", "replace").decode("utf-8")


def _context(contents: ReportContents) -> dict[str, Any]:
    named = tables.cluster_names(contents)
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    found: dict[str, Any] = {
        "contents": contents,
        "title": _title(contents.library),
        "named": named,
        "classes": tables.class_names(contents),
        "scores": wording.without_truth(contents),
        "truth_scores": wording.with_truth(contents.truth) if contents.truth else (),
        "lines": tables.cluster_lines(contents, named),
        "dashes": tables.dashes(contents),
        "silhouettes": _silhouettes(contents, named),
        "evidence": _evidence(contents),
        "mixes": tables.mix_lines(contents, named),
        "matrix": tables.matrix_of(contents, named),
        "most_rows": tables.MOST_ROWS,
        "sheets": _sheets(contents, named),
        "audits": tables.audit_lines(contents, named),
        "map_json": _map_json(contents),
        "map_has_labels": contents.map is not None and any(contents.map.truth),
        "method": wording.METHODS.get(contents.map.method, contents.map.method)
        if contents.map
        else "",
        "plot_width": charts.PLOT_WIDTH,
        "plot_height": charts.PLOT_HEIGHT,
        "marks": _MARKS,
        "dash": wording.DASH,
        "shapes": SHAPES,
        "style": _raw(_asset("page.css") + _palette_css()),
        "script": _raw(script),
        "script_hash": _hash(script),
    }
    found["sections"] = [(key, title) for key, title in _SECTIONS if _has(key, contents, found)]
    return found


def _ratio(picture: ReportPicture, narrowest: float) -> float:
    """Width by height of the cell of a picture, which has room for a caption too."""
    if not picture.jpeg:
        return 1.0
    return round(min(max(picture.width / picture.height, narrowest), 2.2), 3)


def _brief(scores: Sequence[wording.Score], *names: str) -> str:
    """Some of the scores, as a line of text."""
    found = {score.name: score.value for score in scores}
    return ", ".join(f"{name} {found[name]}" for name in names if name in found)


def _title(library: str) -> str:
    """The name of the folder that is organised, which holds the library."""
    folder = PurePath(library)
    found = folder.parent if folder.name == _LIBRARY_NAME else folder
    return found.name or library


def _has(key: str, contents: ReportContents, found: Mapping[str, Any]) -> bool:
    """Whether a section has content."""
    explanation = contents.explanation
    shows: dict[str, bool] = {
        "overview": True,
        "scores": True,
        "clusters": bool(contents.clusters),
        "why": explanation is not None and bool(explanation.factors or explanation.unknown),
        "silhouette": found["silhouettes"] is not None,
        "evidence": bool(contents.evidence),
        "truth": contents.truth is not None,
        "map": found["map_json"] is not None,
        "sheets": bool(found["sheets"] or contents.doubtful or contents.unassigned_pictures),
        "audit": contents.audit is not None,
    }
    return shows[key]


def _silhouettes(
    contents: ReportContents, named: Mapping[int, tables.SignedName]
) -> charts.SilhouetteChart | None:
    if contents.silhouette is None:
        return None
    order = [cluster_id for cluster_id in named if cluster_id >= 0][:_MOST_BARS]
    return charts.silhouette_chart(contents.silhouette, contents.cluster_ids, order)


def _evidence(contents: ReportContents) -> dict[str, charts.LineChart | None]:
    tried = contents.evidence
    return {
        "silhouette": charts.line_chart(tried, [c.silhouette for c in tried], digits=3),
        "inertia": charts.line_chart(tried, [c.inertia for c in tried], digits=1),
    }


def _sheets(
    contents: ReportContents, named: Mapping[int, tables.SignedName]
) -> tuple[tuple[tables.SignedName, ContactSheet], ...]:
    """The sheets in the order of the clusters, without empty ones."""
    return tuple(
        (named[cluster_id], sheet)
        for cluster_id in named
        if (sheet := contents.sheets.get(cluster_id)) and (sheet.typical or sheet.border)
    )


def _map_json(contents: ReportContents) -> Any:
    shown = contents.map
    if shown is None or not len(shown.xy) or not np.isfinite(shown.xy).all():
        return None
    clusters = [(row.cluster_id, row.name) for row in contents.clusters]
    return _json(map_data(shown, clusters, tables.classes_of(contents)))


def _json(value: Any) -> Any:
    """JSON in which nothing can end the script element that holds it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _raw(text)


def _palette_css() -> str:
    """The colours of clusters and classes as custom properties, on light and on dark."""
    tints = [(f"--k{i}", tint) for i, tint in enumerate(cluster_tints())]
    tints += [(f"--t{i}", tint) for i, tint in enumerate(class_tints())]
    light = "".join(f"{name}:{tint.on_paper};" for name, tint in tints)
    dark = "".join(f"{name}:{tint.on_night};" for name, tint in tints)
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _raw(text: str) -> Any:
    """Text of this package, or already escaped, which the template must not escape."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  every user text in it was escaped


def _asset(name: str) -> str:
    return resources.files("organizer.report").joinpath("assets", name).read_text("utf-8")
