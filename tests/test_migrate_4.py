"""A library of format 4, as it was written then, opened today; also when it was interrupted."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from organizer.library import Library
from organizer.store import Store
from organizer.store import former_schemas as former
from organizer.store.schemas import ASSIGNMENTS, SCHEMA_VERSION
from organizer.types import NOISE
from tests.cards import SPEC, blobs, fill, ids_of, library_at, where
from tests.crashes import Cut, before_each_write, killed_by_a_cut

_IDS = ids_of(range(40))
_REDUCER = '{"name":"none","params":{},"version":""}'
_KMEANS = '{"name":"kmeans","params":{"n_clusters":2},"version":""}'


OldRow = dict[str, object]


def _at(second: int) -> str:
    return f"2026-10-01T00:00:{second:02}.000+00:00"


def _clustering(number: int, parent: int | None, action: str, decision_id: int) -> OldRow:
    is_first = parent is None
    lineage = {
        "kept": [] if is_first else [1],
        "split": [],
        "merged": [],
        "born": [1, 2] if is_first else [],
        "retired": [] if is_first else [2],
        "images_moved": 0,
    }
    return {
        "clustering_id": number,
        "parent_id": parent,
        "created_at": _at(number),
        "action": action,
        "decision_id": decision_id,
        "embedder": SPEC.to_json(),
        "reducer": _REDUCER,
        "clusterer": _KMEANS,
        "algorithm": "spherical K-means",
        "evidence": "[]",
        "lineage": json.dumps(lineage),
    }


def _mode(clustering_id: int, cluster_id: int, mode_id: int) -> OldRow:
    return {
        "clustering_id": clustering_id,
        "revision": 0,
        "cluster_id": cluster_id,
        "mode_id": mode_id,
        "mean": np.eye(16)[mode_id - 1].tolist(),
        "count": 20,
        "distance_mean": 0.05,
        "distance_m2": 0.01,
        "fit_mean": 0.05,
        "fit_deviation": 0.02,
        "medoid": _IDS[20 * (mode_id - 1)],
        "origin": "recluster",
    }


def _members(clusters: Callable[[int], int], since: Callable[[int], int]) -> list[OldRow]:
    return [
        {
            "image_id": image_id,
            "cluster_id": clusters(i),
            "candidate": clusters(i),
            "distance": 0.05,
            "margin": 0.5,
            "state": "auto",
            "since": since(i),
        }
        for i, image_id in enumerate(_IDS)
    ]


def _decision(number: int, kind: str, cluster_id: int, **more: object) -> OldRow:
    plain = {"name": "", "image_ids": [], "groups": [], "others": [], "about": 0}
    row = {"decision_id": number, "at": _at(10 * number), "kind": kind, "cluster_id": cluster_id}
    return row | plain | more


_TABLES: dict[str, tuple[pa.Schema, list[OldRow]]] = {
    "ingests": (former.INGESTS, [{"ingest_id": 1, "at": _at(0)}]),
    "clusterings": (
        former.CLUSTERINGS,
        [_clustering(1, None, "recluster", 0), _clustering(2, 1, "merge", 2)],
    ),
    "clusters": (
        former.CLUSTERS,
        [_mode(1, 1, 1), _mode(1, 2, 2), _mode(2, 1, 1), _mode(2, 1, 2)],
    ),
    "heads": (
        former.HEADS,
        [
            {"head_id": 1, "clustering_id": 1, "action": "recluster", "at": _at(1)},
            {"head_id": 2, "clustering_id": 2, "action": "merge", "at": _at(20)},
        ],
    ),
    "decisions": (
        former.DECISIONS,
        [
            _decision(1, "name", 1, name="Fox", image_ids=_IDS[:2], groups=[1, 1]),
            _decision(2, "merge", 1, image_ids=[_IDS[0], _IDS[20]], groups=[1, 2], others=[2]),
        ],
    ),
    "arrays": (former.ARRAYS, []),
    "answers": (
        former.ANSWERS,
        [
            {
                "answer_id": 1,
                "at": _at(30),
                "image_id": _IDS[0],
                "cluster_id": 1,
                "clustering_id": 2,
                "belongs": True,
                "drawn": "random",
            }
        ],
    ),
    "deployments": (former.DEPLOYMENTS, [{"deployment_id": "ridge", "shift": 60}]),
    "choices": (former.CHOICES, [{"name": "template", "value": '"{site}"'}]),
    "assignments_1": (ASSIGNMENTS, _members(lambda i: 1 + (i >= 20), lambda _: 0)),
    "assignments_2": (ASSIGNMENTS, _members(lambda _: 1, lambda _: 0)),
}


def _write(folder: Path, tables: dict[str, tuple[pa.Schema, list[OldRow]]]) -> None:
    with library_at(folder) as library:
        fill(library, _IDS, blobs([20, 20]))
    home = folder / ".organizer"
    for name in ("journal.sqlite", "journal.sqlite-journal"):
        (home / name).unlink(missing_ok=True)
    database = lancedb.connect(home)
    for name, (schema, rows) in tables.items():
        database.create_table(name, pa.Table.from_pylist(rows, schema=schema))
    (home / "library.json").write_text(json.dumps({"schema": 4, "created_at": "then"}))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Two clusters, one of them named, then merged."""
    _write(tmp_path / "old", _TABLES)
    return tmp_path / "old"


def _assert_whole(folder: Path) -> None:
    with Library.open(folder) as library:
        assert set(where(library).values()) == {1}
        assert library.clusters.name_of(1) == "Fox"
        assert [event.what for event in library.corrections.history()][:3] == [
            "recluster 1 with painter: 2 clusters made",
            "cluster 1 named 'Fox'",
            "2 merged into 1",
        ]
        assert [answer.image_id for answer in library.store.answers.all()] == [_IDS[0]]
        assert [d.shift for d in library.store.deployments.all()] == [60]
        assert library.store.choices.get("template") == "{site}"
        assert library.status().k == 1


def test_everything_survives_and_can_be_undone_and_redone(old: Path) -> None:
    _assert_whole(old)
    assert json.loads((old / ".organizer" / "library.json").read_text()) == {
        "schema": SCHEMA_VERSION,
        "created_at": "then",
    }
    assert not list((old / ".organizer").glob("heads.lance"))
    with Library.open(old) as library:
        assert library.undo().what == ("merge of 2 into 1",)
        at = where(library)
        assert [at[i] for i in _IDS] == [1] * 20 + [2] * 20
        assert library.undo().what == ("name Fox of cluster 1",)
        library.redo()
        library.redo()
    _assert_whole(old)
    with Library.open(old) as library:
        library.corrections.move(
            _IDS[0], library.corrections.new_cluster(_IDS[1:3]).decision.cluster_id
        )
        library.recluster(k=2)


def test_what_was_undone_then_is_undone_now(tmp_path: Path) -> None:
    heads, decisions = _TABLES["heads"], _TABLES["decisions"]
    head = {"head_id": 3, "clustering_id": 1, "action": "undo", "at": _at(30)}
    taken_back = _decision(3, "take back", 0, about=2)
    _write(
        tmp_path,
        {
            **_TABLES,
            "heads": (heads[0], [*heads[1], head]),
            "decisions": (decisions[0], [*decisions[1], taken_back]),
        },
    )
    with Library.open(tmp_path) as library:
        assert set(where(library).values()) == {1, 2}
        assert library.corrections.constraints().retired == frozenset()
        assert library.corrections.history()[-1].what == "undone: 2 merged into 1"
        assert library.undo().what == ("name Fox of cluster 1",)


@pytest.mark.parametrize("left", ["a decision", "an undo", "members"])
def test_what_an_interrupted_writer_left_is_put_right(tmp_path: Path, left: str) -> None:
    heads, decisions, members = (_TABLES[name] for name in ("heads", "decisions", "assignments_2"))
    tables = dict(_TABLES)
    if left == "a decision":  # stored, and its clustering never became current
        tables["heads"] = (heads[0], heads[1][:1])
    elif left == "an undo":  # the decision was taken back, and the rest was not
        taken_back = _decision(3, "take back", 0, about=2)
        tables["decisions"] = (decisions[0], [*decisions[1], taken_back])
    else:  # assigned, and not counted
        rows = _members(lambda _: 1, lambda i: 2 if i == 39 else 0)
        tables["assignments_2"] = (members[0], rows)
    _write(tmp_path, tables)
    (tmp_path / ".organizer" / "writing").touch()
    with Library.open(tmp_path) as library:
        at = where(library)
        if left == "members":
            assert len(at) == 39, "the next ingest assigns it again"
        else:
            assert set(at.values()) == {1, 2}
            assert library.corrections.constraints().retired == frozenset()
        stood = [event.what for event in library.corrections.history()]
        assert ("2 merged into 1" in stood) == (left != "a decision"), "what stood, and only that"
    assert not (tmp_path / ".organizer" / "writing").exists()


def test_a_migration_that_is_cut_before_any_of_its_writes_is_done_by_the_next(
    old: Path, tmp_path: Path
) -> None:
    cuts = 0
    for home in _cut(old, tmp_path):
        _assert_whole(home)
        with Library.open(home) as library:
            assert {*where(library)} == {*_IDS}
            assert NOISE not in where(library).values()
        shutil.rmtree(home)
        cuts += 1
    assert cuts > 10, "nothing was cut: the test tests nothing"


def _cut(old: Path, tmp_path: Path) -> Iterator[Path]:
    for number in itertools.count():
        home = tmp_path / f"cut-{number}"
        shutil.copytree(old, home)
        count = itertools.count()

        def cut(number: int = number, count: Iterator[int] = count) -> None:
            if next(count) == number:
                raise Cut

        try:
            with before_each_write(cut), killed_by_a_cut():
                Store.open(home / ".organizer").close()
        except Cut:
            yield home
        else:
            return
