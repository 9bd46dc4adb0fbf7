"""Do the tables of a library fit each other? Its files are sound by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.counts import count_text
from organizer.library.arrangements.active import unfinished_record
from organizer.library.clustering.space import NO_REDUCER
from organizer.library.doctor.findings import Finding, Remedy, note
from organizer.library.images.decided import current_decisions
from organizer.store import IdSet, Store, StoredClustering, pack_ids
from organizer.types import DecisionKind, FileState, is_crop_embedder


def examine_rows(store: Store) -> Iterator[Finding]:
    """What is wrong between the tables of a library, and what is worth knowing of it."""
    with store.snapshot():
        yield from _roots(store)
        yield from _images(store)
        yield from _crops(store)
        yield from _vectors(store)
        yield from _clusters(store)
    yield from _unfinished(store)
    yield from _photos(store)


def _roots(store: Store) -> Iterator[Finding]:
    known = {root.root_id for root in store.roots.all()}
    used = set(store.photos.file_columns("root_id")["root_id"])
    if used - known:
        what = f"it lacks {count_text(len(used - known), 'folder')} of photos"
        yield Finding("roots", "roots", what, Remedy.RESTORE_ROOTS)


def _images(store: Store) -> Iterator[Finding]:
    held = set(store.photos.file_columns("image_id")["image_id"])
    lost = len(held - set(store.photos.columns("image_id")["image_id"].tolist()))
    if lost:
        yield Finding(
            "images",
            "images",
            f"it lacks {count_text(lost, 'image')} of files",
            Remedy.DESCRIBE_IMAGES,
            advice="organizer ingest reads time, place and camera of their files again; how bright "
            "they are stays unknown",
        )


def _crops(store: Store) -> Iterator[Finding]:
    lost = lost_crops(store)
    if lost:
        what = f"it lacks {count_text(len(lost), 'crop')} that a detector saw"
        yield Finding("crops", "crops", what, Remedy.RESTORE_CROPS)


def lost_crops(store: Store) -> set[str]:
    """The crops of boxes that the table of crops has not."""
    seen = {box.crop_id for one in store.detections.of().values() for box in one.detections}
    return {crop_id for crop_id in seen if crop_id} - store.detections.crops().keys()


def _vectors(store: Store) -> Iterator[Finding]:
    specs = {spec.fingerprint: spec for spec in store.vectors.specs()}
    if len(specs) < len(store.vectors.specs()):
        yield note("vectors", "vectors", "two tables hold vectors of one embedder")
    images = IdSet(pack_ids(store.photos.columns("image_id")["image_id"].tolist()))
    for spec in specs.values():
        embedded = store.vectors.ids(spec)
        twice = store.vectors.count(spec) - len(embedded)
        if twice:
            what = f"{twice:,} vectors of {spec.name} are there twice"
            yield note("vectors", store.vectors.table_name(spec), what)
    current = store.clusterings.current()
    if current is None or is_crop_embedder(current.embedder):
        return
    embedder = current.embedder
    embedded = store.vectors.ids(embedder) if embedder.fingerprint in specs else IdSet()
    lacking = sum(i not in embedded for i in store.photos.columns("image_id")["image_id"])
    if lacking and len(images):
        yield note(
            "vectors",
            store.vectors.table_name(embedder),
            f"{count_text(lacking, 'clustered image has', 'clustered images have')} no vector of "
            f"{embedder.name}",
            f"organizer ingest --embedder {embedder.name} embeds them",
        )


def _clusters(store: Store) -> Iterator[Finding]:
    current = store.clusterings.current()
    if current is None:
        decided = [d for d in store.decisions.current() if d.kind is not DecisionKind.WANTED]
        if decided and any(map(store.vectors.count, store.vectors.specs())):
            what = "there are decisions about clusters, and no clusters"
            yield Finding("clusters", "clusterings", what, Remedy.RECLUSTER)
        return
    table = f"assignments_{current.base_id}"
    if not store.clusterings.has_members(current.clustering_id):
        what = "the current clusters have no members"
        yield Finding("clusters", table, what, Remedy.REBUILD_MEMBERS)
        return
    lost = store.clusterings.lost_members(current.clustering_id)
    if lost:
        what = f"it lacks {count_text(lost, 'image')} that a decision moved"
        yield Finding("clusters", table, what, Remedy.REBUILD_MEMBERS)
        return
    yield from _space(store, current)
    yield from _decisions(store, current)


def _space(store: Store, current: StoredClustering) -> Iterator[Finding]:
    needs = current.reducer.name != NO_REDUCER
    if needs and not store.clusterings.has_arrays(current.clustering_id):
        what = "the space of the current clusters is not there"
        yield Finding("clusters", f"arrays_{current.base_id}", what, Remedy.RECLUSTER)
    models = store.clusterings.cluster_ids(current.clustering_id)
    members = store.clusterings.assignments(current.clustering_id)
    held = set(np.unique(members.cluster_ids[~members.unassigned]).tolist())
    if held - set(models):
        what = f"it lacks {count_text(len(held - set(models)), 'cluster')} of images"
        yield Finding("clusters", "modes", what, Remedy.RECLUSTER)


def _decisions(store: Store, current: StoredClustering) -> Iterator[Finding]:
    decisions = current_decisions(store)
    fixed = compile_constraints(decisions).fixed
    members = store.clusterings.assignments(current.clustering_id)
    where = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    astray = sum(where.get(image_id, cluster) != cluster for image_id, cluster in fixed.items())
    if astray:
        what = f"{count_text(astray, 'image is', 'images are')} not in the cluster that was decided"
        yield Finding("clusters", f"assignments_{current.base_id}", what, Remedy.RECLUSTER)
    about = {image_id for decision in store.decisions.current() for image_id in decision.image_ids}
    unknown = about - store.photos.known_ids(about)
    if unknown:
        what = f"decisions are about {count_text(len(unknown), 'image')} not in the library"
        yield note("decisions", "decisions", what, "they hold again when the images come back")


def _unfinished(store: Store) -> Iterator[Finding]:
    if store.is_unfinished():
        what = "the last command was interrupted"
        yield note("journal", "journal.sqlite", what, "the next command that writes sees to it")
    record = unfinished_record(store)
    if record is not None:
        yield note(
            "arrangement",
            record.file.name,
            f"the arrangement in {record.plan.to} was interrupted",
            "organizer arrange --resume goes on with it, organizer arrange --undo takes it back",
        )


def _photos(store: Store) -> Iterator[Finding]:
    """Photos that are not where they were, or are others: what the next ingest will find."""
    roots = {root.root_id: root.folder for root in store.roots.all()}
    absent = {root_id for root_id, folder in roots.items() if not folder.is_dir()}
    for root_id in sorted(absent):
        what = "the folder is not there"
        yield note("photos", str(roots[root_id]), what, "is its disk connected?")
    names = ("root_id", "path", "size", "state")
    columns = store.photos.file_columns(*names)
    gone, others = 0, 0
    for root_id, path, size, state in zip(*(columns[name] for name in names), strict=True):
        if root_id in absent or root_id not in roots or state != FileState.PRESENT:
            continue
        found = _size(roots[root_id] / path)
        gone += found is None
        others += found is not None and found != size
    if gone or others:
        what = f"{count_text(gone, 'photo is', 'photos are')} gone, {others:,} of another size"
        yield note("photos", "files", what, "organizer ingest notes it")


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None
