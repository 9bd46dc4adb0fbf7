"""A library of format 1, as it was written then, opened today."""

from __future__ import annotations

import json
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from organizer.library import Library
from organizer.store import Store
from organizer.store.former_schemas import HEADS
from organizer.store.schemas import SCHEMA_VERSION
from organizer.types import NOISE
from tests.cards import SPEC, blobs, fill, ids_of, ingest, library_at, where

_TEXT, _WHOLE, _PART = pa.string(), pa.int64(), pa.float32()
_OLD = {
    "clusterings": pa.schema(
        [
            ("clustering_id", _WHOLE),
            ("parent_id", _WHOLE),
            ("created_at", _TEXT),
            ("embedder", _TEXT),
            ("clusterer", _TEXT),
            ("algorithm", _TEXT),
            ("evidence", _TEXT),
            ("lineage", _TEXT),
        ]
    ),
    "clusters": pa.schema(
        [
            ("clustering_id", _WHOLE),
            ("cluster_id", _WHOLE),
            ("centroid", pa.list_(_PART)),
            ("count", _WHOLE),
            ("mean_distance", _PART),
            ("spread", _PART),
            ("medoid", _TEXT),
        ]
    ),
    "decisions": pa.schema(
        [
            ("decision_id", _WHOLE),
            ("at", _TEXT),
            ("kind", _TEXT),
            ("cluster_id", _WHOLE),
            ("name", _TEXT),
            ("image_ids", pa.list_(_TEXT)),
        ]
    ),
    "assignments_1": pa.schema(
        [
            ("image_id", _TEXT),
            ("cluster_id", _WHOLE),
            ("distance", _PART),
            ("margin", _PART),
            ("state", _TEXT),
        ]
    ),
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Two clusters of 20 images, one of them named, and an unsure image."""
    library = library_at(tmp_path)
    vectors = np.concatenate([blobs([20, 20]), blobs([1], first=9)])
    fill(library, ids_of(range(41)), vectors)
    library.close()
    folder = tmp_path / ".organizer"
    database = lancedb.connect(folder)
    for name in ("detected", "crops"):
        database.drop_table(name)
    (folder / "journal.sqlite").unlink()
    database.create_table("heads", schema=HEADS)
    ids, lineage = ids_of(range(41)), {"kept": [], "split": [], "merged": [], "born": [1, 2]}
    rows: dict[str, list[dict[str, object]]] = {
        "clusterings": [
            {
                "clustering_id": 1,
                "parent_id": None,
                "created_at": "2026-10-01T00:00:00+00:00",
                "embedder": SPEC.to_json(),
                "clusterer": '{"name":"kmeans","params":{"n_clusters":2},"version":""}',
                "algorithm": "spherical K-means",
                "evidence": "[]",
                "lineage": json.dumps(lineage | {"retired": [], "images_moved": 0}),
            }
        ],
        "clusters": [
            {
                "clustering_id": 1,
                "cluster_id": i,
                "centroid": np.eye(16, dtype=np.float32)[i - 1].tolist(),
                "count": 20,
                "mean_distance": 0.05,
                "spread": 0.02,
                "medoid": ids[20 * (i - 1)],
            }
            for i in (1, 2)
        ],
        "decisions": [
            {
                "decision_id": 1,
                "at": "2026-10-01T00:00:01+00:00",
                "kind": "name",
                "cluster_id": 2,
                "name": "Lynx",
                "image_ids": ids[20:25],
            }
        ],
        "assignments_1": [
            {
                "image_id": ids[i],
                "cluster_id": 1 if i < 20 else 2,
                "distance": 0.05,
                "margin": 0.5,
                "state": "unsure" if i == 40 else "auto",
            }
            for i in range(41)
        ],
    }
    for name, schema in _OLD.items():
        database.create_table(name, pa.Table.from_pylist(rows[name], schema=schema))
    head = {"head_id": 1, "clustering_id": 1, "action": "recluster", "at": "2026-10-01T00:00:00"}
    database.open_table("heads").add([head])
    (folder / "library.json").write_text(json.dumps({"schema": 1, "created_at": "then"}))
    return tmp_path


def test_clusters_names_and_members_survive(old: Path) -> None:
    with Library.open(old) as library:
        at = where(library)
        assert [at[i] for i in ids_of(range(41))] == [1] * 20 + [2] * 20 + [NOISE]
        assert library.clusters.name_of(2) == "Lynx"
        assert {(c.cluster_id, c.name, c.count) for c in library.clusters.summaries()} == {
            (1, None, 20),
            (2, "Lynx", 20),
        }
        assert library.status().unassigned == 1
    manifest = json.loads((old / ".organizer" / "library.json").read_text())
    assert manifest == {"schema": SCHEMA_VERSION, "created_at": "then"}


def test_new_images_join_and_a_recluster_keeps_the_names(old: Path) -> None:
    with Library.open(old) as library:
        joined, _ = ingest(library, ids_of(range(100, 120)), blobs([10, 10], seed=4))
        assert (~joined.unassigned).sum() >= 14
        library.recluster(k=3)
        assert {where(library)[i] for i in ids_of(range(20, 40))} == {2}
        library.undo()
        assert library.clusters.name_of(2) == "Lynx"


def test_clusters_can_be_merged_split_and_brought_back_before_anything_else(old: Path) -> None:
    with Library.open(old) as library:
        library.corrections.merge([1, 2])
        assert {where(library)[i] for i in ids_of(range(40))} == {1}
        library.corrections.split(1, k=2)
        library.undo()
        library.undo()
        at = where(library)
        assert [at[i] for i in ids_of(range(40))] == [1] * 20 + [2] * 20
        assert library.clusters.name_of(2) == "Lynx"


def test_the_fit_of_its_clusters_is_measured_and_kept_with_the_first_change(old: Path) -> None:
    with Library.open(old) as library:
        library.corrections.rename(1, "Fox")
        library.corrections.split(1, k=2)
        current = library.store.clusterings.current()
        assert current is not None
        exemplars = library.store.clusterings.exemplars(current.clustering_id)
        models = library.store.clusterings.models(current.clustering_id)
        assert set(models.mode_ids.tolist()) <= set(exemplars.mode_ids.tolist())


@pytest.mark.parametrize("cut", range(6))
def test_an_interrupted_migration_is_completed_by_the_next(
    old: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from organizer.store.database import Database

    writes = 0

    def counted(name: str) -> None:
        real = getattr(Database, name)

        def write(self: Database, *args: object) -> None:
            nonlocal writes
            if writes == cut:
                raise KeyboardInterrupt
            writes += 1
            real(self, *args)

        monkeypatch.setattr(Database, name, write)

    for name in ("create_table", "overwrite", "write_manifest"):
        counted(name)
    with pytest.raises(KeyboardInterrupt):
        Store.open(old / ".organizer")
    monkeypatch.undo()
    test_clusters_names_and_members_survive(old)


def test_an_unfinished_ingest_is_still_swept_up_after_it(old: Path) -> None:
    (old / ".organizer" / "writing").touch()
    store = Store.open(old / ".organizer")
    assert not (old / ".organizer" / "writing").exists()
    with store.writing() as was_interrupted:
        assert was_interrupted
