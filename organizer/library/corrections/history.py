"""The history of the clusters: every step, and the clusters that ingests found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from organizer.cluster.assign import NOVEL_ORIGIN
from organizer.cluster.decisions import describe_decision
from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.library.clustering.preprocessing import describe_preprocessing
from organizer.store import Store, StoredClustering, undone_steps
from organizer.types import Decision, LineageReport, Step, StepKind

_AGAIN = {StepKind.UNDO: "undone", StepKind.REDO: "redone"}


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened.

    Attributes:
        at: When, UTC, ISO 8601.
        what: What happened, for a person.
        cluster_ids: The clusters that it is about.
        clustering_id: The clustering that it made or brought back; 0 where it made none.
        user: Who did it; empty where that is not known, and where nobody did.
        step_id: The step of the history that it is of; 0 for clusters that an ingest found.
        stands: Whether it holds: False for what was undone, and for an undo and a redo themselves.
    """

    at: str
    what: str
    cluster_ids: tuple[int, ...]
    clustering_id: int = 0
    user: str = ""
    step_id: int = 0
    stands: bool = True


def read_history(
    store: Store, cluster_id: int | None, *, since: int | None = None
) -> list[HistoryEvent]:
    """Read what became of the clusters, or of one; see `Corrections.history`."""
    if since is not None:
        return [e for e in _of_steps(store, since) if cluster_id in {None, *e.cluster_ids}]
    origins = store.clusterings.origins()
    if cluster_id is not None and cluster_id not in origins:
        raise SettingsError(
            f"no cluster ever had the id {cluster_id}",
            f"ids up to {max(origins, default=0)} were given",
        )
    events = [*_of_steps(store), *_of_novel_clusters(store)]
    events.sort(key=lambda event: event.at)
    return [e for e in events if cluster_id is None or cluster_id in e.cluster_ids]


def _of_steps(store: Store, since: int = 0) -> Iterator[HistoryEvent]:
    """The events of the steps after one, which cost no more where many are before it."""
    clustering: Callable[[int], StoredClustering] = store.clusterings.get
    if not since:  # all of them are read faster than one by one
        clustering = {c.clustering_id: c for c in store.clusterings.all()}.__getitem__
    decisions = store.decisions.by_step()
    steps = {step.step_id: step for step in store.steps.all()}
    undone = undone_steps(list(steps.values()))
    for step in steps.values():
        if step.step_id > since:
            stands = step.kind not in _AGAIN and step.step_id not in undone
            for event in _of_step(step, steps, decisions, clustering):
                yield replace(event, step_id=step.step_id, stands=stands)


def _of_step(
    step: Step,
    steps: Mapping[int, Step],
    decisions: Mapping[int, Sequence[Decision]],
    clustering: Callable[[int], StoredClustering],
) -> Iterator[HistoryEvent]:
    if step.kind in _AGAIN:
        yield from _of_return(step, steps.get(step.about), decisions, clustering)
    elif step.kind is StepKind.RECLUSTER:
        yield from _of_recluster(clustering(step.clustering_id), step)
    else:
        for decision in decisions.get(step.step_id, ()):
            yield _of_decision(decision, step)


def _of_decision(decision: Decision, step: Step, prefix: str = "") -> HistoryEvent:
    about = tuple(sorted({decision.cluster_id, *decision.others} - {0}))
    what = prefix + describe_decision(decision)
    return HistoryEvent(step.at, what, about, _made_by(step), step.user)


def _made_by(step: Step) -> int:
    """The clustering that a step made or brought back; 0 where it made none."""
    return step.clustering_id if step.clustering_id != step.former_id else 0


def _of_return(
    step: Step,
    about: Step | None,
    decisions: Mapping[int, Sequence[Decision]],
    clustering: Callable[[int], StoredClustering],
) -> Iterator[HistoryEvent]:
    """An undo or a redo."""
    if about is not None and about.kind is StepKind.DECISIONS:
        for decision in decisions.get(about.step_id, ()):
            yield _of_decision(decision, step, f"{_AGAIN[step.kind]}: ")
        return
    current = clustering(step.clustering_id)
    what = f"recluster {about.clustering_id}" if about is not None else "the last step"
    back = f"{_AGAIN[step.kind]}: {what}; clustering {step.clustering_id} is current"
    yield HistoryEvent(step.at, back, _ids(current.lineage), _made_by(step), step.user)


def _ids(lineage: LineageReport) -> tuple[int, ...]:
    """The clusters of a clustering as it was made."""
    return tuple(sorted({*lineage.kept, *lineage.new}))


def _of_recluster(clustering: StoredClustering, step: Step) -> Iterator[HistoryEvent]:
    lineage, made = clustering.lineage, clustering.clustering_id
    with_ = ", ".join([clustering.embedder.name, *describe_preprocessing(clustering)])
    name = f"recluster {made} with {with_}"
    if not lineage.kept and not lineage.retired:
        ids = _ids(lineage)
        what = f"{name}: {_counted(len(ids))} made"
        yield HistoryEvent(step.at, what, ids, made, step.user)
        return
    for what, about in _changes(lineage):
        yield HistoryEvent(step.at, f"{name}: {what}", about, made, step.user)


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
    return count_text(count, "cluster")
