"""Tables of older formats: what is in the journal now, and what had fewer columns."""

from __future__ import annotations

import pyarrow as pa

IMAGES_4 = pa.schema(
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
"""One content, in formats 4 to 6."""

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

ARRAYS = pa.schema(
    [
        ("clustering_id", pa.int64()),
        ("name", pa.string()),
        ("dtype", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("data", pa.large_binary()),
    ]
)
"""Arrays of all clusterings, by the clustering."""
