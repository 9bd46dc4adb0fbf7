"""Libraries of older formats, brought to the current one step by step.

A step may be interrupted anywhere and is then done again: it rewrites a table in one commit, and
only if it is still of the old form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from organizer.errors import StoreError
from organizer.store.database import Database, now
from organizer.store.former_schemas import (
    ANSWERS,
    ARRAYS,
    CHOICES,
    CLUSTERINGS,
    CLUSTERS,
    DECISIONS,
    DEPLOYMENTS,
    IMAGES_4,
    INGESTS,
)
from organizer.store.journal import LibraryJournal
from organizer.store.lance_errors import translated
from organizer.store.manifest import read_manifest
from organizer.store.migrate_journal import to_journal
from organizer.store.safety.former_format import copy_before
from organizer.store.schemas import ASSIGNMENTS, CROPS, DETECTED, FILES, IMAGES, SCHEMA_VERSION

_INTERRUPTED = "writing"
"""The file that a writer of format 4 and older left when it was interrupted."""

_IN_JOURNAL = 5
"""The format since which decisions and clusterings are in the journal."""

_AS_IT_IS = '{"name":"none","params":{},"version":""}'


def open_database(path: Path) -> Database:
    """Open a library that is there; one of an older format is brought to the current one first.

    Raises:
        StoreError: It is damaged, newer than this program, or has to be migrated and cannot be
            written.
    """
    manifest = read_manifest(path)
    if manifest.schema < SCHEMA_VERSION:
        database = Database(path)
        try:
            _migrate(database, manifest.schema, manifest.created_at or now())
        finally:
            database.close()
    return Database.open(path)


def _migrate(database: Database, schema: int, created_at: str) -> None:
    path = database.path
    with _older(path, schema), database.locked(), translated(path):
        copy_before(path, schema)
        LibraryJournal.create(path)
        if not database.names():
            database.adopt()
        database.discard_unfinished()  # what a migration that was killed wrote and did not commit
        for step in _STEPS[_reached(database, schema) - 1 :]:
            step(database)
        database.write_manifest(created_at)
    (path / _INTERRUPTED).unlink(missing_ok=True)


def _reached(database: Database, schema: int) -> int:
    """The format of the tables: a migration that was killed has brought them to a later one.

    The steps up to format 4 find the tables that they wrote and leave them. That to format 5 has
    removed the tables that they would look for.
    """
    names = database.names()
    if schema >= _IN_JOURNAL or "clusterings" in names or "images" not in names:
        return schema
    columns = database.read_all_columns("images").schema.names
    return _IN_JOURNAL if set(IMAGES_4.names) <= set(columns) else schema


@contextmanager
def _older(path: Path, schema: int) -> Iterator[None]:
    """Say why a library that is only to be read has to be written."""
    try:
        yield
    except StoreError as error:
        raise StoreError(
            f"the library {path} is of format {schema} and could not be brought to format "
            f"{SCHEMA_VERSION}: {error.message}",
            error.hint or "open it once where it can be written: organizer status",
        ) from error


def _to_2(database: Database) -> None:
    """Clusters get modes, revisions and a space; unsure images leave their nearest cluster."""
    database.create_table("ingests", INGESTS)
    database.create_table("arrays", ARRAYS)
    _rewrite(database, "clusterings", _clusterings_to_2, CLUSTERINGS)
    _rewrite(database, "clusters", _clusters_to_2, CLUSTERS)
    _rewrite(database, "decisions", _decisions_to_2, DECISIONS)
    for name in [name for name in database.names() if name.startswith("assignments_")]:
        _rewrite(database, name, _members_to_2, ASSIGNMENTS)


def _rewrite(
    database: Database, name: str, change: Callable[[pa.Table], pa.Table], schema: pa.Schema
) -> None:
    rows = database.read_all_columns(name)
    if not set(schema.names) <= set(rows.schema.names):
        database.overwrite(name, change(rows).select(schema.names).cast(schema))


def _clusterings_to_2(rows: pa.Table) -> pa.Table:
    n = len(rows)
    rows = rows.append_column("action", pa.array(["recluster"] * n, pa.string()))
    rows = rows.append_column("decision_id", pa.array([0] * n, pa.int64()))
    return rows.append_column("reducer", pa.array([_AS_IT_IS] * n, pa.string()))


def _clusters_to_2(rows: pa.Table) -> pa.Table:
    """What was not measured then (the fit of the members to each other) is left at nothing."""
    n = len(rows)
    counts = rows["count"].to_numpy()
    spread = rows["spread"].to_numpy().astype(np.float64)
    return pa.table(
        {
            "clustering_id": rows["clustering_id"],
            "revision": pa.array([0] * n, pa.int64()),
            "cluster_id": rows["cluster_id"],
            "mode_id": rows["cluster_id"],
            "mean": rows["centroid"].cast(pa.list_(pa.float64())),
            "count": rows["count"],
            "distance_mean": rows["mean_distance"].cast(pa.float64()),
            "distance_m2": spread**2 * counts,
            "fit_mean": pa.array([0.0] * n, pa.float64()),
            "fit_deviation": pa.array([0.0] * n, pa.float64()),
            "medoid": rows["medoid"],
            "origin": pa.array(["recluster"] * n, pa.string()),
        }
    )


def _decisions_to_2(rows: pa.Table) -> pa.Table:
    listed = rows["image_ids"].to_pylist()
    groups = pa.array([[0] * len(ids) for ids in listed], pa.list_(pa.int64()))
    rows = rows.append_column("groups", groups)
    nothing = pa.array([[] for _ in listed], pa.list_(pa.int64()))
    rows = rows.append_column("others", nothing)
    return rows.append_column("about", pa.array([0] * len(rows), pa.int64()))


def _members_to_2(rows: pa.Table) -> pa.Table:
    clusters = rows["cluster_id"].to_numpy()
    unsure = np.array(rows["state"].to_pylist()) == "unsure"
    rows = rows.append_column("candidate", pa.array(clusters, pa.int64()))
    place = rows.schema.get_field_index("cluster_id")
    inside = pa.array(np.where(unsure, -1, clusters), pa.int64())
    rows = rows.set_column(place, "cluster_id", inside)
    return rows.append_column("since", pa.array([0] * len(rows), pa.int64()))


def _to_3(database: Database) -> None:
    """Images get their light, which is not known of those that are there; answers are kept."""
    database.create_table("answers", ANSWERS)
    _rewrite(database, "images", _images_to_3, IMAGES_4)


def _images_to_3(rows: pa.Table) -> pa.Table:
    nothing = pa.nulls(len(rows), pa.float32())
    rows = rows.append_column("brightness", nothing).append_column("chroma", nothing)
    return _images_to_4(rows)


def _to_4(database: Database) -> None:
    """Images get what further readers find in them; deployments and detections get their tables."""
    for name, schema in (
        ("deployments", DEPLOYMENTS),
        ("choices", CHOICES),
        ("detected", DETECTED),
        ("crops", CROPS),
    ):
        database.create_table(name, schema)
    _rewrite(database, "images", _images_to_4, IMAGES_4)


def _images_to_4(rows: pa.Table) -> pa.Table:
    return rows.append_column("extra", pa.array([""] * len(rows), pa.string()))


def _to_5(database: Database) -> None:
    """Decisions and clusterings go into the journal."""
    was_interrupted = (database.path / _INTERRUPTED).exists()
    with database.transaction():
        if was_interrupted:
            _remove_unreal(database)
        to_journal(database, was_interrupted=was_interrupted)
        if was_interrupted:
            database.mark_unfinished()


def _remove_unreal(database: Database) -> None:
    """Remove images that no file makes real: a commit that did not get to its end."""
    real = set(database.read_all_columns("files")["image_id"].to_pylist())
    crops = database.read("crops", ["crop_id", "image_id"]).to_pylist()
    real |= {row["crop_id"] for row in crops if row["image_id"] in real}
    for name in database.names():
        if name == "images" or name.startswith(("assignments_", "vectors_")):
            ids = database.read_all_columns(name)["image_id"].to_pylist()
            database.delete_by_id(name, "image_id", (i for i in ids if i not in real))


def _to_6(database: Database) -> None:
    """Steps and answers get who made them, which is not known of those that are there."""
    journal = database.journal
    with database.transaction():
        for table in ("steps", "answers"):
            known = {row["name"] for row in journal.rows(f"PRAGMA table_info({table})")}
            if "user" not in known:
                journal.execute(f"ALTER TABLE {table} ADD COLUMN user TEXT NOT NULL DEFAULT ''")


def _to_7(database: Database) -> None:
    """Images get the hash of their picture, and files that of their bytes.

    Until format 6 the id of an image was the hash of its file, which so is known. The ids stay, and
    all that is kept by them: an id need not be what the picture is known by. The hash of the
    picture, and how its file shows it, come when the next ingest reads the file.
    """
    with database.transaction():
        _rewrite(database, "images", _images_to_7, IMAGES)
        _rewrite(database, "files", _files_to_7, FILES)


def _images_to_7(rows: pa.Table) -> pa.Table:
    unknown = pa.array([""] * len(rows), pa.string())
    rows = rows.append_column("picture_hash", unknown)
    return rows.append_column("file_hash", rows["image_id"]).append_column("view", unknown)


def _files_to_7(rows: pa.Table) -> pa.Table:
    return rows.append_column("file_hash", rows["image_id"])


_STEPS: tuple[Callable[[Database], None], ...] = (_to_2, _to_3, _to_4, _to_5, _to_6, _to_7)
"""The step from each format to the next, the first from format 1."""
