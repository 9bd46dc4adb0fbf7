"""What a report shows, made up for tests: scores that were computed, pictures that were drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from organizer.cluster.incremental import unit_rows
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.evaluate.shape import internal_scores
from organizer.report.contents import (
    ClusterRow,
    ContactSheet,
    MapPicture,
    ReportContents,
    ReportMap,
    ReportPicture,
)
from organizer.types import (
    NOISE,
    Audit,
    Candidate,
    ClusterShape,
    Explanation,
    Factor,
    InternalScores,
    Proportion,
    Reason,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    "</script><script>alert(2)</script>.jpg",
    "\"quoted\" 'twice' & `more`.jpg",
    "naïve 東京 🦊 \u202egnp.jpg",
    "line\nbreak $x^2$ {{ 7*7 }}.jpg",
    "bytes \udcff.jpg",
)
"""File names that a page or a plot could stumble over."""

_WORDS = ("lynx", "fox", "wolf", "boar", "badger", "hare", "deer", "otter")


def picture(path: str, seed: int = 0, *, note: str = "typical", side: int = 96) -> ReportPicture:
    """A drawn picture: two tones and a disc, other for every seed."""
    draw = np.random.default_rng(seed)
    ground, front = (tuple(draw.integers(30, 225, 3).tolist()) for _ in range(2))
    image = Image.new("RGB", (side, side * 3 // 4), ground)
    x, y, r = draw.integers(side // 5, side // 2, 3).tolist()
    ImageDraw.Draw(image).ellipse((x - r, y - r, x + r, y + r), fill=front)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=80)
    return ReportPicture(path, held.getvalue(), *image.size, note)


def contents(
    *,
    sizes: Sequence[int] = (120, 80, 60, 30, 10),
    unassigned: int = 12,
    classes: Sequence[str] = _WORDS[:4],
    paths: Sequence[str] = HOSTILE,
    names: Sequence[str | None] = ("lynx", None, "fox at night"),
    pictures: int = 4,
    spots: int = 12,
    seed: int = 0,
) -> ReportContents:
    """A report with every section; `without` takes some away.

    Args:
        sizes: Images of each cluster; its id is 3 more than its position.
        unassigned: Images in none.
        classes: Of the images; three quarters are of their cluster's own.
        paths: Of the first images; the others have ordinary ones.
        names: Of the first clusters.
        pictures: On each contact sheet, twice.
        spots: Pictures on the map.
        seed: Of all that is random.
    """
    draw = np.random.default_rng(seed)
    ids = np.repeat(np.arange(len(sizes)) + 3, np.array(sizes, dtype=np.int64))
    labels = np.concatenate([ids, np.full(unassigned, NOISE)]).astype(np.int64)
    n = len(labels)
    centres = draw.uniform(-0.8, 0.8, (len(sizes) + 1, 2))
    place = np.where(labels == NOISE, len(sizes), labels - 3)
    xy = (centres[place] + draw.normal(0, 0.07, (n, 2))).clip(-1, 1).astype(np.float32)
    vectors = unit_rows(np.hstack([xy, np.ones((n, 1))]).astype(np.float32))
    own = np.where(draw.random(n) < 0.75, labels % len(classes), draw.integers(0, len(classes), n))
    truth = [None if i % 7 == 0 else classes[c] for i, c in enumerate(own.tolist())]
    usual = [f"photos/camera {i % 5}/IMG_{i:05}.JPG" for i in range(n)]
    files = (*paths, *usual[len(paths) :])
    rows = tuple(
        ClusterRow(i + 3, names[i] if i < len(names) else None, int(size), decided=i % 3)
        for i, size in enumerate(sizes)
    )
    known = [i for i, name in enumerate(truth) if name is not None and labels[i] != NOISE]
    return ReportContents(
        library="/home/ada/photos of <b>2026 & more",
        made_at="2026-11-24T10:20:43+00:00",
        facts=(("embedder", "mobilenet_v2, 1,280 dimensions"), ("algorithm", "kmeans, seed 0")),
        images=n,
        unassigned=unassigned,
        clusters=rows,
        metric="euclidean, on vectors of unit length",
        silhouette=silhouette(vectors, labels),
        cluster_ids=labels,
        internal=internal_scores(vectors, labels),
        truth=against_truth(labels[known], [truth[i] or "" for i in known]) if known else None,
        explanation=_explanation(n),
        audit=Audit(
            Proportion(0.94, 0.89, 0.97, 150, 141),
            {3: Proportion(1.0, 0.88, 1.0, 30, 30), 4: Proportion(0.8, 0.63, 0.9, 30, 24)},
            unseen=10,
        ),
        evidence=_evidence(),
        sheets={row.cluster_id: _sheet(row.cluster_id, files, pictures) for row in rows},
        doubtful=tuple(picture(files[i], i, note="near cluster 3 (70%)") for i in range(2)),
        doubtful_count=5,
        unassigned_pictures=tuple(
            picture(files[-1 - i], i, note="nearest: cluster 3") for i in range(3)
        ),
        map=ReportMap(
            method="tsne",
            xy=xy,
            cluster_ids=labels,
            paths=files,
            truth=tuple(truth),
            spots=_spots(xy, files, spots),
            spot_size=0.12,
            images=n,
        ),
        remarks=("3 files could not be read",),
    )


def without(found: ReportContents, *names: str) -> ReportContents:
    """The same with nothing in some of its places."""
    empty: dict[str, object] = {
        "evidence": (),
        "sheets": {},
        "doubtful": (),
        "unassigned_pictures": (),
        "remarks": (),
        "facts": (),
    }
    return replace(found, **{name: empty.get(name) for name in names})  # type: ignore[arg-type]


def bare() -> ReportContents:
    """The least that a report can show: one cluster with one image, and nothing about it."""
    found = contents(sizes=(1,), unassigned=0, names=())
    empty = InternalScores(None, None, 0.0, (ClusterShape(3, 1, 0.0, 0.0, 0.0, None, None),))
    nothing = ("silhouette", "truth", "explanation", "audit", "map", "evidence", "sheets")
    found = without(found, *nothing, "doubtful", "unassigned_pictures", "remarks", "facts")
    return replace(found, internal=empty)


def _explanation(n: int) -> Explanation:
    return Explanation(
        factors=(
            Factor("camera", 0.62, 0.03, 5, n),
            Factor("burst", 0.41, 0.36, 88, n - 20),
            Factor("light", 0.12, 0.01, 2, n),
        ),
        reasons=(
            Reason(4, "97% of its images are of one camera at night", is_doubtful=True),
            Reason(3, "its images are spread over all cameras", is_doubtful=False),
        ),
        unknown=("no photo tells its place",),
    )


def _evidence() -> tuple[Candidate, ...]:
    ks = range(2, 15)
    return tuple(
        Candidate(
            k=k,
            silhouette=0.35 - 0.012 * abs(k - 5) - 0.02 * (k % 2 == 0),
            inertia=900 / k + 60,
            chosen=k == 5,
            second=k == 7,
            elbow=k == 4,
            gap=0.5 + k / 100 if k < 10 else None,
            gap_error=0.01 if k < 10 else None,
        )
        for k in ks
    )


def _sheet(cluster_id: int, files: Sequence[str], count: int) -> ContactSheet:
    def at(i: int) -> str:
        return files[(cluster_id - 3 + i) % len(files)]

    return ContactSheet(
        cluster_id,
        typical=tuple(
            picture(at(i), cluster_id * 100 + i, note="medoid" if i == 0 else "typical")
            for i in range(count)
        ),
        border=tuple(
            picture(at(i + count), cluster_id * 100 + 50 + i, note="border") for i in range(count)
        ),
    )


def _spots(xy: NDArray[np.float32], files: Sequence[str], count: int) -> tuple[MapPicture, ...]:
    """Points that are far enough apart for a picture of 0.12."""
    taken: list[int] = []
    for row in range(len(xy)):
        if len(taken) < count and all(np.abs(xy[row] - xy[t]).max() > 0.13 for t in taken):
            taken.append(row)
    return tuple(MapPicture(row, picture(files[row], row, side=64)) for row in taken)
