"""What a person is shown: read from the store, changed by nobody."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compiled
from organizer.cluster.drift import Drift, drift_of
from organizer.errors import SettingsError
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.library import embedders
from organizer.library.current import require_cluster, require_clustering
from organizer.library.space import unit_vectors
from organizer.scores import Silhouette, TruthScores
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Assignments, AssignmentState, FileState, PartSpec

_EXAMPLES = 3
_PATH_COLUMNS = ("path", "file", "filename", "filepath", "image")
_LABEL_COLUMNS = ("label", "class", "truth", "species", "category")


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """One cluster of the current clustering.

    Attributes:
        share: Of all clustered images.
        cohesion: Mean cosine similarity of the members to the centroid.
        decided: Members that a person put here, or that stand for the cluster.
        medoid: A file of the most typical image.
        examples: Files of the members nearest to the centroid.
    """

    cluster_id: int
    name: str | None
    count: int
    share: float
    cohesion: float
    decided: int
    medoid: Path
    examples: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An image in a cluster, or in the pile.

    Attributes:
        cluster_id: Its cluster; NOISE in the pile.
        candidate: The nearest cluster, for an image in the pile.
    """

    path: Path
    image_id: str
    cluster_id: int
    candidate: int
    distance: float
    state: AssignmentState


@dataclass(frozen=True, slots=True)
class Status:
    """What is in a library and how current it is."""

    library: Path
    roots: tuple[Path, ...]
    images: int
    files: int
    missing: int
    problems: int
    embedders: tuple[tuple[PartSpec, int], ...]
    embedder: PartSpec | None
    clustering: StoredClustering | None
    k: int
    clustered: int
    unsure: int
    added_since: int
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class Report:
    """How good the current clustering is; truth only where labels were given."""

    clustering: StoredClustering
    images: int
    clusters: tuple[tuple[int, str | None, int], ...]
    unsure: int
    silhouette: Silhouette | None
    truth: TruthScores | None
    unmatched_labels: int
    conflicting_labels: int


def cluster_summaries(store: Store) -> list[ClusterSummary]:
    """The clusters, largest first."""
    current = require_clustering(store)
    members = store.clusterings.assignments(current.clustering_id)
    models = store.clusterings.models(current.clustering_id)
    constraints = compiled(store.decisions.all())
    names, decided = constraints.names, Counter(constraints.fixed.values())
    medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
    nearest = {i: _nearest(members, i, _EXAMPLES) for i in models.ids}
    shown = set(medoids.values()).union(*(set(ids) for ids in nearest.values()))
    files = store.photos.files_of(shown)
    summaries = []
    for cluster_id in models.ids:
        mine = members.cluster_ids == cluster_id
        count = int(np.count_nonzero(mine))
        summaries.append(
            ClusterSummary(
                cluster_id=cluster_id,
                name=names.get(cluster_id),
                count=count,
                share=count / len(members),
                cohesion=float(1 - members.distances[mine].mean()) if count else 0.0,
                decided=min(decided[cluster_id], count),
                medoid=files[medoids[cluster_id]][0].file,
                examples=tuple(files[i][0].file for i in nearest[cluster_id] if i in files),
            )
        )
    return sorted(summaries, key=lambda summary: (-summary.count, summary.cluster_id))


def cluster_members(store: Store, cluster_id: int | None) -> list[Member]:
    """The images of a cluster, the most typical first; of the pile where None.

    Raises:
        SettingsError: There is no such cluster.
    """
    current = require_clustering(store)
    if cluster_id is None:
        cluster_id = NOISE
    else:
        require_cluster(store, current, cluster_id)
    members = store.clusterings.assignments(current.clustering_id)
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    rows = rows[np.argsort(members.distances[rows], kind="stable")]
    files = store.photos.files_of(members.image_ids[rows].tolist())
    return [
        Member(
            files[members.image_ids[row]][0].file,
            members.image_ids[row],
            cluster_id,
            int(members.candidates[row]),
            float(members.distances[row]),
            AssignmentState(members.states[row]),
        )
        for row in rows
        if members.image_ids[row] in files
    ]


def status(store: Store) -> Status:
    """What is in the library. Reads counts and narrow columns only."""
    photos, clusterings = store.photos, store.clusterings
    current = clusterings.current()
    members = clusterings.assignments(current.clustering_id) if current else None
    drift = None
    if current is not None and members is not None:
        drift = drift_of(
            clusterings.models(current.clustering_id, as_made=True),
            clusterings.models(current.clustering_id),
            unsure=int(members.unsure.sum()),
            images=len(members),
        )
    return Status(
        library=store.path,
        roots=tuple(root.folder for root in photos.roots()),
        images=photos.count_images(),
        files=photos.count_files(FileState.PRESENT),
        missing=photos.count_files(FileState.MISSING),
        problems=photos.count_problems(),
        embedders=tuple((spec, store.vectors.count(spec)) for spec in store.vectors.specs()),
        embedder=embedders.library_embedder(store),
        clustering=current,
        k=drift.clusters if drift is not None else 0,
        clustered=len(members) if members else 0,
        unsure=int(members.unsure.sum()) if members else 0,
        added_since=int(np.count_nonzero(members.since)) if members else 0,
        drift=drift,
    )


def report(store: Store, labels: str | None, *, below: Path, seed: int) -> Report:
    """See `organizer.library.Library.report`."""
    current = require_clustering(store)
    members = store.clusterings.assignments(current.clustering_id)
    truth, unmatched, conflicting = _truth(store, labels, below) if labels else ({}, 0, 0)
    found = _silhouette(store, current, members, seed=seed)
    known = [
        row
        for row, image_id in enumerate(members.image_ids)
        if image_id in truth and members.cluster_ids[row] != NOISE
    ]
    if labels and not any(image_id in truth for image_id in members.image_ids):
        raise SettingsError(
            f"no image of the library has a label in {labels}",
            "paths in the file are relative to it, to the current folder or to an ingested folder",
        )
    names = compiled(store.decisions.all()).names
    inside = members.cluster_ids[~members.unsure]
    ids, counts = np.unique(inside, return_counts=True)
    return Report(
        clustering=current,
        images=len(members),
        clusters=tuple(
            (i, names.get(i), c) for i, c in zip(ids.tolist(), counts.tolist(), strict=True)
        ),
        unsure=len(members) - len(inside),
        silhouette=found,
        truth=against_truth(
            members.cluster_ids[known], [truth[members.image_ids[row]] for row in known]
        )
        if known
        else None,
        unmatched_labels=unmatched,
        conflicting_labels=conflicting,
    )


def _silhouette(
    store: Store, current: StoredClustering, members: Assignments, *, seed: int
) -> Silhouette | None:
    image_ids, vectors = unit_vectors(store, current.embedder)
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    labels = np.array([cluster_of.get(i, NOISE) for i in image_ids], dtype=np.int64)
    return silhouette(vectors, labels, seed=seed)


def _nearest(members: Assignments, cluster_id: int, limit: int) -> list[str]:
    """The members nearest to a centroid, one file's content each."""
    rows = np.flatnonzero(members.cluster_ids == cluster_id)
    order = np.argsort(members.distances[rows], kind="stable")[:limit]
    nearest: list[str] = members.image_ids[rows[order]].tolist()
    return nearest


def _truth(store: Store, labels: str, below: Path) -> tuple[dict[str, str], int, int]:
    """Label of each image by id, labels that fit no image, images with two different labels."""
    files = store.photos.files_of()
    if labels == "folders":
        pairs = ((i, row.file.parent.name) for i, rows in files.items() for row in rows)
        truth, conflicting = _one_label_each(pairs)
        return truth, 0, conflicting
    roots = [root.folder for root in store.photos.roots()]
    by_path = {row.file: image_id for image_id, rows in files.items() for row in rows}
    table = _read_labels(Path(labels), below)
    places = [_csv_folder(labels, below), below, *roots]
    matched = [(_match(path, places, by_path.get), label) for path, label in table]
    truth, conflicting = _one_label_each((i, label) for i, label in matched if i is not None)
    return truth, sum(image_id is None for image_id, _ in matched), conflicting


def _one_label_each(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], int]:
    """The first label of each image, and how many images have another one too."""
    truth: dict[str, str] = {}
    conflicting: set[str] = set()
    for image_id, label in pairs:
        if truth.setdefault(image_id, label) != label:
            conflicting.add(image_id)
    return truth, len(conflicting)


def _read_labels(file: Path, below: Path) -> list[tuple[str, str]]:
    try:
        text = (below / file.expanduser()).read_text(encoding="utf-8-sig")
    except (OSError, RuntimeError) as error:  # RuntimeError: ~nobody
        raise SettingsError(
            f"cannot read the labels {file}: {getattr(error, 'strerror', error)}",
            "--labels takes the word folders, or a CSV file with the columns path and label",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text", "save it as CSV in UTF-8") from error
    try:
        return _labels_in(csv.DictReader(text.splitlines()), file)
    except csv.Error as error:
        raise SettingsError(f"{file} is not CSV: {error}", "look for an unclosed quote") from error


def _labels_in(rows: csv.DictReader[str], file: Path) -> list[tuple[str, str]]:
    columns = {name.strip().lower(): name for name in rows.fieldnames or []}
    path = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if path is None or label is None:
        found = ", ".join(rows.fieldnames or []) or "nothing"
        raise SettingsError(
            f"{file} needs the columns path and label; it has: {found}",
            f"also taken: {', '.join(_PATH_COLUMNS)} and {', '.join(_LABEL_COLUMNS)}",
        )
    return [(row[path].strip(), row[label].strip()) for row in rows if row[path] and row[label]]


def _csv_folder(labels: str, below: Path) -> Path:
    return (below / Path(labels).expanduser()).resolve().parent


def _match(path: str, places: Sequence[Path], image_at: Callable[[Path], str | None]) -> str | None:
    for place in places:
        found = image_at(place / path) or image_at((place / path).resolve())
        if found is not None:
            return found
    return None
