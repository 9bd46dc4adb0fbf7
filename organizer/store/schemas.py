"""The tables of a library: what a row is, column by column."""

from __future__ import annotations

import pyarrow as pa

from organizer.types import MINIATURE_SIDE

ArrowTable = pa.Table
"""A pyarrow Table, for modules that pass one on and do not look into it."""

SCHEMA_VERSION = 8

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
        ("picture_hash", pa.string()),
        ("file_hash", pa.string()),
        ("view", pa.string()),
    ]
)
"""One picture. No vectors here: rows stay narrow. `extra` is JSON, empty where there is nothing.
`picture_hash` is what the picture is known by: in images since format 7 the same as `image_id`,
which in older ones is the hash of a file, and empty until a file of the image is read again.
`file_hash` is the file whose metadata the row has, and `view` how that shows the picture, empty
where that is not known."""

FILES = pa.schema(
    [
        ("path_id", pa.string()),
        ("root_id", pa.int32()),
        ("path", pa.string()),
        ("image_id", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("state", pa.string()),
        ("file_hash", pa.string()),
    ]
)
"""One path of an image. Written last: it makes an image real. `file_hash` is the hash of the bytes
that were read there; files of one image may differ in their metadata."""

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
"""The cluster of an image in one base; a table for each recluster, so that an undo brings back the
one before. What changed since it was written is in the journal."""

ARRAYS = pa.schema(
    [
        ("name", pa.string()),
        ("dtype", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("data", pa.large_binary()),
    ]
)
"""What else belongs to a base, a table each: the fitted state of its space, and the exemplars of
its modes."""

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
later detector finds. A later box of the same animal has its id; the box here is the first."""

MINIATURES = pa.schema(
    [
        ("image_id", pa.string()),
        ("miniature", pa.list_(pa.uint8(), MINIATURE_SIDE**2)),
    ]
)
"""A tiny grey picture of an image, row by row, by which copies of it are recognised: made when the
picture is decoded, or when duplicates are looked for. Append-only."""

TABLES = {
    "roots": ROOTS,
    "images": IMAGES,
    "files": FILES,
    "problems": PROBLEMS,
    "detected": DETECTED,
    "crops": CROPS,
    "miniatures": MINIATURES,
}
"""The tables that every library has from the start."""


def columns_of(name: str) -> list[str]:
    """The columns that a table must have, by its name."""
    if name.startswith("assignments_"):
        return list(ASSIGNMENTS.names)
    if name.startswith("arrays_"):
        return list(ARRAYS.names)
    if name.startswith(("vectors_", "points_")):
        return ["image_id", "vector"]
    return list(TABLES[name].names) if name in TABLES else []


def vectors_schema(dim: int) -> pa.Schema:
    """The table of one embedder's vectors: half precision, `dim` numbers a row."""
    return pa.schema([("image_id", pa.string()), ("vector", pa.list_(pa.float16(), dim))])
