"""Score the current clustering: by vectors, against truth, by capture factors, by an audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import compile_constraints
from organizer.counts import count_text
from organizer.evaluate.explain import CaptureFactors, explain_clusters
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.evaluate.shape import internal_scores
from organizer.library.clustering.space import read_unit_vectors
from organizer.library.current import require_clustering
from organizer.library.images.capture import read_capture_info
from organizer.library.images.truth import Truth, read_truth, require_labelled
from organizer.library.review.audit import audit_clusters
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import (
    NOISE,
    Assignments,
    Audit,
    Explanation,
    InternalScores,
    Labels,
    Silhouette,
    TruthScores,
    Vectors,
    is_crop_embedder,
)


@dataclass(frozen=True, slots=True)
class ClusteringReport:
    """How good the current clustering is; truth only where labels were given.

    Attributes:
        clustering: What was scored.
        image_ids: ``(n,)`` its images.
        cluster_ids: ``(n,)`` int64; NOISE for an unassigned image.
        clusters: Id, name and number of images of each cluster, in the order of the ids.
        unassigned: Number of unassigned images.
        silhouette: None where it is not defined; its rows number `image_ids`.
        internal: Scores by the vectors alone.
        explanation: Which capture factors the clusters go with.
        truth: Scores against the labels; None where there are none.
        labels: Where the labels are from; None where there are none.
        labelled: Number of images whose class is known, unassigned ones too.
        known: The truth itself.
        audit: The purity that a person's answers show; None where there are no answers.
    """

    clustering: StoredClustering
    image_ids: NDArray[np.object_] = field(repr=False)
    cluster_ids: Labels = field(repr=False)
    clusters: tuple[tuple[int, str | None, int], ...]
    unassigned: int
    silhouette: Silhouette | None
    internal: InternalScores
    explanation: Explanation
    truth: TruthScores | None
    labels: str | None
    labelled: int
    known: Truth
    audit: Audit | None

    @property
    def images(self) -> int:
        """Number of images of the clustering, unassigned ones too."""
        return len(self.image_ids)


def make_report(
    store: Store, labels: str | None, *, below: Path, settings: Settings
) -> ClusteringReport:
    """See `Reports.make`."""
    return score_clustering(store, labels, below=below, settings=settings).report


@dataclass(frozen=True, slots=True)
class ScoredReport:
    """A report with the members and vectors that it was made of.

    Attributes:
        report: The report.
        members: The assignments, row by row as in the report.
        vectors: ``(n, dim)`` of unit length, likewise.
    """

    report: ClusteringReport
    members: Assignments
    vectors: Vectors


def score_clustering(
    store: Store, labels: str | None, *, below: Path, settings: Settings
) -> ScoredReport:
    """Score the current clustering; members and vectors are read once and returned too."""
    current = require_clustering(store)
    known = read_truth(store, labels, below=below) if labels else Truth({})
    members, vectors = _read_members(store, current)
    image_ids, cluster_ids = members.image_ids, members.cluster_ids
    if labels:
        require_labelled(known, image_ids, labels)
    names = compile_constraints(store.decisions.current()).names
    ids, counts = np.unique(cluster_ids[cluster_ids != NOISE], return_counts=True)
    factors = capture_factors(store, image_ids, settings=settings)
    report = ClusteringReport(
        clustering=current,
        image_ids=image_ids,
        cluster_ids=cluster_ids,
        clusters=tuple(
            (i, names.get(i), c) for i, c in zip(ids.tolist(), counts.tolist(), strict=True)
        ),
        unassigned=int(np.count_nonzero(cluster_ids == NOISE)),
        silhouette=silhouette(vectors, cluster_ids, seed=settings.seed),
        internal=internal_scores(vectors, cluster_ids),
        explanation=explain_clusters(
            cluster_ids,
            factors,
            known=set(ids.tolist()) if is_crop_embedder(current.embedder) else names.keys(),
            seed=settings.seed,
        ),
        truth=_against(known.of, image_ids, cluster_ids),
        labels=labels,
        labelled=sum(image_id in known.of for image_id in image_ids),
        known=known,
        audit=audit_clusters(store),
    )
    return ScoredReport(report, members, vectors)


def report_notes(report: ClusteringReport) -> list[str]:
    """Notes for a reader of the scores, a line each."""
    notes = []
    if report.silhouette is None:
        notes.append(
            "the silhouette is not defined here: it needs two clusters and more images than that"
        )
    elif report.silhouette.sampled:
        error = report.silhouette.standard_error
        notes.append(
            f"the silhouette is that of a sample of {report.silhouette.n_scored:,} images: "
            f"its standard error is {error:.4f}"
        )
    if report.unassigned:
        notes.append(f"not scored: {count_text(report.unassigned, 'unassigned image')}")
    if report.labels and report.labelled < report.images:
        notes.append(f"{report.labelled:,} of {count_text(report.images, 'image')} with a label")
    if report.labels and report.truth is None:
        notes.append("the images with a label are all unassigned: there is nothing to score")
    notes += report.known.reasons
    if report.known.conflict is not None:
        notes.append(report.known.conflict)
    return notes


def capture_factors(
    store: Store, image_ids: NDArray[np.object_], *, settings: Settings
) -> CaptureFactors:
    """The capture factors of images: camera, light, burst and brightness."""
    info = read_capture_info(store, image_ids.tolist(), settings=settings)
    names = sorted({camera for camera in info.cameras if camera})
    number = {name: i for i, name in enumerate(names)}
    return CaptureFactors(
        cameras=np.array([number.get(c or "", NOISE) for c in info.cameras], dtype=np.int64),
        camera_names=names,
        infrared=info.infrared,
        bursts=info.bursts,
        brightness=info.brightness,
    )


def _read_members(store: Store, current: StoredClustering) -> tuple[Assignments, Vectors]:
    """The members of a clustering and their vectors, row by row alike."""
    members = store.clusterings.assignments(current.clustering_id)
    row_of = {image_id: row for row, image_id in enumerate(members.image_ids.tolist())}
    ids, vectors = read_unit_vectors(store, current.embedder)
    rows = np.array([row_of.get(image_id, NOISE) for image_id in ids], dtype=np.int64)
    inside = rows != NOISE
    return members.take(rows[inside]), vectors if inside.all() else vectors[inside]


def _against(
    truth: Mapping[str, str], image_ids: NDArray[np.object_], labels: Labels
) -> TruthScores | None:
    rows = [
        row
        for row, (image_id, label) in enumerate(zip(image_ids, labels, strict=True))
        if label != NOISE and image_id in truth
    ]
    return against_truth(labels[rows], [truth[image_ids[row]] for row in rows]) if rows else None
