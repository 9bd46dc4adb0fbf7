"""The tables of a library: what a row is, column by column."""

from __future__ import annotations

import pyarrow as pa

ArrowTable = pa.Table
"""A pyarrow Table, for modules that pass one on and do not look into it."""

SCHEMA_VERSION = 4

ROOTS = pa.schema([("root_id", pa.int32()), ("location", pa.string())])
"""A folder that was ingested. `location` is relative to the library's parent where it lies below
it, so that a drive with photos and library may be mounted anywhere."""

IMAGES = pa.schema(
    [
        ("image_id", pa.string()),
        ("bytes", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("taken_at", pa.string()),
        ("camera", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("brightness", pa.float32()),
        ("chroma", pa.float32()),
        ("extra", pa.string()),
    ]
)
"""One content. No vectors here: rows stay narrow. `extra` is JSON, empty where there is nothing."""

FILES = pa.schema(
    [
        ("path_id", pa.string()),
        ("root_id", pa.int32()),
        ("path", pa.string()),
        ("image_id", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("state", pa.string()),
    ]
)
"""One path of an image. Written last: it makes an image real."""

PROBLEMS = pa.schema(
    [
        ("path_id", pa.string()),
        ("root_id", pa.int32()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("lasting", pa.bool_()),
    ]
)
"""A file that could not be used, and why."""

INGESTS = pa.schema([("ingest_id", pa.int64()), ("at", pa.string())])
"""One ingest that brought something new, written when it begins; append-only."""

CLUSTERINGS = pa.schema(
    [
        ("clustering_id", pa.int64()),
        ("parent_id", pa.int64()),
        ("created_at", pa.string()),
        ("action", pa.string()),
        ("decision_id", pa.int64()),
        ("embedder", pa.string()),
        ("reducer", pa.string()),
        ("clusterer", pa.string()),
        ("algorithm", pa.string()),
        ("evidence", pa.string()),
        ("lineage", pa.string()),
    ]
)
"""One clustering; append-only. Specs, evidence and lineage are JSON. `decision_id` is that of the
decision that made it out of its parent, 0 for a recluster."""

CLUSTERS = pa.schema(
    [
        ("clustering_id", pa.int64()),
        ("revision", pa.int64()),
        ("cluster_id", pa.int64()),
        ("mode_id", pa.int64()),
        ("mean", pa.list_(pa.float64())),
        ("count", pa.int64()),
        ("distance_mean", pa.float64()),
        ("distance_m2", pa.float64()),
        ("fit_mean", pa.float64()),
        ("fit_deviation", pa.float64()),
        ("medoid", pa.string()),
        ("origin", pa.string()),
    ]
)
"""One mode of a cluster, as it was when its clustering was made (the first revision) or after an
ingest. A revision is the number of the ingest whose images it includes; the highest counts."""

HEADS = pa.schema(
    [
        ("head_id", pa.int64()),
        ("clustering_id", pa.int64()),
        ("action", pa.string()),
        ("at", pa.string()),
    ]
)
"""Which clustering became the current one, when and through what; append-only, the last counts."""

DECISIONS = pa.schema(
    [
        ("decision_id", pa.int64()),
        ("at", pa.string()),
        ("kind", pa.string()),
        ("cluster_id", pa.int64()),
        ("name", pa.string()),
        ("image_ids", pa.list_(pa.string())),
        ("groups", pa.list_(pa.int64())),
        ("others", pa.list_(pa.int64())),
        ("about", pa.int64()),
    ]
)
"""A person's decision; append-only, outlives every clustering. `image_ids` are the images that it
was about, so that it can be applied where cluster ids mean nothing."""

ANSWERS = pa.schema(
    [
        ("answer_id", pa.int64()),
        ("at", pa.string()),
        ("image_id", pa.string()),
        ("cluster_id", pa.int64()),
        ("clustering_id", pa.int64()),
        ("belongs", pa.bool_()),
        ("drawn", pa.string()),
    ]
)
"""A person's answer about an image that was shown with its cluster; append-only, the one with the
highest number counts, whatever the clock. `clustering_id` is the clustering that the image was
shown in: the clusterings in between tell what became of the cluster since. `drawn` tells how the
image came to be shown: only a random draw is evidence about the others."""

ASSIGNMENTS = pa.schema(
    [
        ("image_id", pa.string()),
        ("cluster_id", pa.int64()),
        ("candidate", pa.int64()),
        ("distance", pa.float32()),
        ("margin", pa.float32()),
        ("state", pa.string()),
        ("since", pa.int64()),
    ]
)
"""The cluster of an image in one clustering; a table for each clustering, so that a new one
becomes current at once and an old one can come back whole."""

ARRAYS = pa.schema(
    [
        ("clustering_id", pa.int64()),
        ("name", pa.string()),
        ("dtype", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("data", pa.large_binary()),
    ]
)
"""What else belongs to a clustering: the fitted state of its space, and the exemplars of its
clusters. Dropped with its members."""

DEPLOYMENTS = pa.schema(
    [
        ("deployment_id", pa.string()),
        ("location", pa.string()),
        ("camera", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("start", pa.string()),
        ("end", pa.string()),
        ("shift", pa.int64()),
    ]
)
"""One camera at one place for one period, as a person described it; rewritten whole."""

CHOICES = pa.schema([("name", pa.string()), ("value", pa.string())])
"""What a person chose for this library, by name; the values are JSON."""

_BOX = pa.struct(
    [
        ("category", pa.string()),
        ("confidence", pa.float64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("width", pa.float64()),
        ("height", pa.float64()),
        ("crop_id", pa.string()),
    ]
)

DETECTED = pa.schema(
    [
        ("image_id", pa.string()),
        ("outcome", pa.string()),
        ("failure", pa.string()),
        ("detector", pa.string()),
        ("extra", pa.string()),
        ("at", pa.string()),
        ("boxes", pa.list_(_BOX)),
    ]
)
"""What a detector found in an image: something, nothing, or that it could not look. All its boxes
are in one row, the surest first, so that they are replaced at once."""

CROPS = pa.schema(
    [
        ("crop_id", pa.string()),
        ("image_id", pa.string()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("width", pa.float64()),
        ("height", pa.float64()),
    ]
)
"""A crop: a box of an image, in shares of width and height. Append-only: it stays valid whatever a
later detector finds."""

TABLES = {
    "roots": ROOTS,
    "images": IMAGES,
    "files": FILES,
    "problems": PROBLEMS,
    "ingests": INGESTS,
    "clusterings": CLUSTERINGS,
    "clusters": CLUSTERS,
    "heads": HEADS,
    "decisions": DECISIONS,
    "arrays": ARRAYS,
    "answers": ANSWERS,
    "deployments": DEPLOYMENTS,
    "choices": CHOICES,
    "detected": DETECTED,
    "crops": CROPS,
}
"""The tables that every library has from the start."""


def columns_of(name: str) -> list[str]:
    """The columns that a table must have, by its name."""
    if name.startswith("assignments_"):
        return list(ASSIGNMENTS.names)
    if name.startswith("vectors_"):
        return ["image_id", "vector"]
    return list(TABLES[name].names) if name in TABLES else []


def vectors_schema(dim: int) -> pa.Schema:
    """The table of one embedder's vectors: half precision, `dim` numbers a row."""
    return pa.schema([("image_id", pa.string()), ("vector", pa.list_(pa.float16(), dim))])
