"""The history of the clusters: the lineage of every clustering, and every decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from organizer.cluster.assign import NOVEL_ORIGIN
from organizer.cluster.decisions import describe_decision
from organizer.errors import SettingsError
from organizer.library.clustering.preprocessing import describe_preprocessing
from organizer.store import Store, StoredClustering
from organizer.types import Decision, DecisionKind, LineageReport


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened.

    Attributes:
        at: When, UTC, ISO 8601.
        what: What happened, for a person.
        cluster_ids: The clusters that it is about.
        clustering_id: The clustering that it made or brought back; 0 where it made none.
    """

    at: str
    what: str
    cluster_ids: tuple[int, ...]
    clustering_id: int = 0


def read_history(store: Store, cluster_id: int | None) -> list[HistoryEvent]:
    """Read what became of the clusters, or of one; see `Corrections.history`."""
    origins = store.clusterings.origins()
    if cluster_id is not None and cluster_id not in origins:
        raise SettingsError(
            f"no cluster ever had the id {cluster_id}",
            f"ids up to {max(origins, default=0)} were given",
        )
    decisions = {d.decision_id: d for d in store.decisions.all()}
    events = [
        *_of_clusterings(store, decisions),
        *_of_decisions(decisions),
        *_of_novel_clusters(store),
    ]
    events.sort(key=lambda event: event.at)
    return [e for e in events if cluster_id is None or cluster_id in e.cluster_ids]


def _of_clusterings(store: Store, decisions: dict[int, Decision]) -> Iterator[HistoryEvent]:
    clusterings = {c.clustering_id: c for c in store.clusterings.all()}
    for _, clustering_id, action, at in store.clusterings.heads():
        clustering = clusterings[clustering_id]
        ids = tuple(store.clusterings.models(clustering_id, as_made=True).ids)
        if action == "undo":
            yield HistoryEvent(at, f"undo: back to clustering {clustering_id}", ids, clustering_id)
        elif clustering.decision_id:
            decision = decisions[clustering.decision_id]
            about = {decision.cluster_id, *decision.others}
            yield HistoryEvent(at, describe_decision(decision), tuple(sorted(about)), clustering_id)
        else:
            yield from _of_recluster(clustering, at, ids)


def _of_recluster(
    clustering: StoredClustering, at: str, ids: tuple[int, ...]
) -> Iterator[HistoryEvent]:
    lineage, made = clustering.lineage, clustering.clustering_id
    with_ = ", ".join([clustering.embedder.name, *describe_preprocessing(clustering)])
    name = f"recluster {made} with {with_}"
    if not lineage.kept and not lineage.retired:
        yield HistoryEvent(at, f"{name}: {_counted(len(ids))} made", ids, made)
        return
    for what, about in _changes(lineage):
        yield HistoryEvent(at, f"{name}: {what}", about, made)


def _changes(lineage: LineageReport) -> Iterator[tuple[str, tuple[int, ...]]]:
    if lineage.kept:
        yield f"kept {_listed(lineage.kept)}", lineage.kept
    for split in lineage.split:
        about = tuple(sorted({split.cluster_id, *split.into}))
        yield f"{split.cluster_id} split into {_listed(split.into)}", about
    for merge in lineage.merged:
        about = tuple(sorted({merge.cluster_id, *merge.sources}))
        yield f"{_listed(merge.sources)} merged into {merge.cluster_id}", about
    if lineage.new:
        yield f"new {_listed(lineage.new)}", lineage.new
    if lineage.retired:
        yield f"retired {_listed(lineage.retired)}", lineage.retired


def _of_decisions(decisions: dict[int, Decision]) -> Iterator[HistoryEvent]:
    """The decisions that made no clustering."""
    for decision in decisions.values():
        if decision.kind in {DecisionKind.NAME, DecisionKind.PIN}:
            yield HistoryEvent(decision.at, describe_decision(decision), (decision.cluster_id,))
        elif decision.kind is DecisionKind.TAKE_BACK and decision.about in decisions:
            about = decisions[decision.about]
            ids = tuple(sorted({about.cluster_id, *about.others}))
            yield HistoryEvent(decision.at, f"taken back: {describe_decision(about)}", ids)


def _of_novel_clusters(store: Store) -> Iterator[HistoryEvent]:
    times = store.clusterings.ingest_times()
    novel: dict[int, list[int]] = {}
    for cluster_id, (_, origin) in store.clusterings.origins().items():
        kind, _, number = origin.partition(" ")
        if kind == NOVEL_ORIGIN and number.isdecimal():
            novel.setdefault(int(number), []).append(cluster_id)
    for ingest_id, ids in novel.items():
        about = tuple(sorted(ids))
        what = f"found in ingest {ingest_id}: {_listed(about)}"
        yield HistoryEvent(times.get(ingest_id, ""), what, about)


def _listed(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids))


def _counted(count: int) -> str:
    return f"{count} cluster{'s' if count != 1 else ''}"
