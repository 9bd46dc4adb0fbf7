"""What is done about each finding; the library is held for writing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

from organizer.atomic import replace_atomically
from organizer.library.clustering.options import ReclusterOptions
from organizer.library.clustering.preprocessing import clusters_bursts
from organizer.library.clustering.recluster import recluster_in_write
from organizer.library.clustering.space import parse_reducer
from organizer.library.doctor.contents import KeptContents
from organizer.library.doctor.examine_rows import lost_crops
from organizer.library.doctor.findings import Finding, Remedy
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.late import late_images
from organizer.library.progress import Progress
from organizer.settings import DEFAULT_REDUCER, Settings
from organizer.store import MemberChange, Store, StoredClustering
from organizer.store.database import Database
from organizer.store.repair import (
    Aside,
    adopt_lost,
    complete_manifest,
    drop_fragments,
    drop_indexes,
    examine_table,
    journal_from_decisions,
    lacking_decisions,
    put_back_file,
    put_back_journal,
    reset_table,
    restore_decisions,
    roll_back,
)
from organizer.types import Crop, ImageFacts, PartSpec

_KMEANS = "kmeans"


@dataclass(slots=True)
class Mender:
    """Mends a library, finding by finding.

    Attributes:
        database: The library.
        contents: What is known of its files.
        aside: Where damaged files go.
        settings: The seed of what is drawn.
        progress: Receives the progress of a recluster.
    """

    database: Database
    contents: KeptContents
    aside: Aside
    settings: Settings
    progress: Progress

    def mend(self, finding: Finding) -> bool:
        """Do what a finding says; whether anything was done."""
        ways: dict[Remedy, Callable[[Finding], bool]] = {
            Remedy.WRITE_MANIFEST: self._write_manifest,
            Remedy.PUT_BACK_JOURNAL: self._put_back_journal,
            Remedy.JOURNAL_FROM_DECISIONS: self._journal_from_decisions,
            Remedy.ADD_DECISIONS: self._add_decisions,
            Remedy.PUT_BACK_FILE: self._put_back_file,
            Remedy.DROP_INDEX: self._drop_index,
            Remedy.DROP_FRAGMENTS: self._drop_fragments,
            Remedy.ROLL_BACK: self._roll_back,
            Remedy.RESET_TABLE: self._reset_table,
            Remedy.PUT_BACK_ARRANGEMENT: self._put_back_arrangement,
            Remedy.MOVE_ASIDE: self._move_aside,
            Remedy.RESTORE_ROOTS: self._restore_roots,
            Remedy.DESCRIBE_IMAGES: self._describe_images,
            Remedy.REBUILD_MEMBERS: self._rebuild_members,
            Remedy.RECLUSTER: self._recluster,
            Remedy.RESTORE_CROPS: self._restore_crops,
        }
        way = ways.get(finding.remedy)
        return way is not None and way(finding)

    def _write_manifest(self, _: Finding) -> bool:
        return complete_manifest(self.database.path, self.aside)

    def _put_back_journal(self, _: Finding) -> bool:
        put_back_journal(self.database, self.aside)
        return True

    def _journal_from_decisions(self, _: Finding) -> bool:
        journal_from_decisions(self.database, self.aside)
        adopt_lost(self.database, self.aside)
        return True

    def _add_decisions(self, _: Finding) -> bool:
        restore_decisions(self.database, lacking_decisions(self.database))
        return True

    def _put_back_file(self, finding: Finding) -> bool:
        content = self.contents.of(finding.where)
        if content is None:
            return False
        self.database.close()
        put_back_file(self.database.path, finding.where, content, self.aside)
        return True

    def _drop_index(self, finding: Finding) -> bool:
        name = _table(finding)
        state = examine_table(self.database, name, self.database.safety.files.all())
        drop_indexes(self.database, name, state.indexes)
        self._set_aside(state.damaged)
        return True

    def _drop_fragments(self, finding: Finding) -> bool:
        name = _table(finding)
        state = examine_table(self.database, name, self.database.safety.files.all())
        store, current = Store(self.database), None
        with self.database.transaction():
            drop_fragments(self.database, name, state.fragments)
            current = store.clusterings.current()
            if current is not None and name == f"assignments_{current.base_id}":
                self._assign_lost(store, current)
        self._set_aside(state.damaged)
        return True

    def _set_aside(self, names: dict[str, str]) -> None:
        self.database.close()
        for name in names:
            self.aside.move(self.database.path / name)

    def _roll_back(self, finding: Finding) -> bool:
        kept = self.database.safety.files.all()
        if roll_back(self.database, _table(finding), kept, self.aside) is None:
            return self._reset_table(finding)
        return True

    def _reset_table(self, finding: Finding) -> bool:
        reset_table(self.database, _table(finding), self.aside)
        return True

    def _put_back_arrangement(self, finding: Finding) -> bool:
        file = self.database.path / finding.where
        copy = self.database.safety.arrangements.copy_of(file)
        if copy is None:
            return False
        self.aside.move(file)
        file.parent.mkdir(exist_ok=True)
        with replace_atomically(file) as partial:
            shutil.copyfile(copy, partial)
        return True

    def _move_aside(self, finding: Finding) -> bool:
        self.aside.move(self.database.path / finding.where)
        return True

    def _restore_roots(self, _: Finding) -> bool:
        return Store(self.database).roots.restore(self.database.safety.decisions.roots())

    def _describe_images(self, _: Finding) -> bool:
        store = Store(self.database)
        rows = store.photos.file_columns("image_id", "file_hash", "size")
        known = set(store.photos.columns("image_id")["image_id"].tolist())
        lost: dict[str, ImageFacts] = {}
        for image_id, file_hash, size in zip(*rows.values(), strict=True):
            if image_id in known:
                continue
            # Up to format 6 an image was its file: the picture is not known until it is read.
            is_older = file_hash == image_id
            facts = ImageFacts(image_id, size, 0, 0, "", None, None, None, None)
            lost[image_id] = replace(facts, picture_hash="" if is_older else image_id)
        with store.transaction():
            store.photos.add_images(list(lost.values()))
            store.photos.read_again(lost)
        return bool(lost)

    def _rebuild_members(self, _: Finding) -> bool:
        store = Store(self.database)
        current = store.clusterings.current()
        if current is None:
            return False
        self._assign_lost(store, current)
        return True

    def _assign_lost(self, store: Store, current: StoredClustering) -> None:
        """Give images that lost their row a cluster; the clusters stay as they are."""
        with store.transaction():
            members = store.clusterings.rebuild_members(current.base_id)
            if not store.clusterings.has_arrays(current.clustering_id):
                return  # a recluster follows
            models = store.clusterings.models(current.clustering_id)
            ids, vectors = late_images(store, current, set(members.image_ids.tolist()))
            assigner = Assigner.open(store, current, seed=self.settings.seed)
            assigner.assign(ids, vectors)
            # They are in the sums of their clusters already.
            store.clusterings.change(current.base_id, models, MemberChange.empty())

    def _recluster(self, _: Finding) -> bool:
        store = Store(self.database)
        current = store.clusterings.current()
        made = _how_made(store, self.database)
        if current is not None and not store.clusterings.has_members(current.clustering_id):
            store.clusterings.rebuild_members(current.base_id)
        recluster_in_write(store, made, settings=self.settings, progress=self.progress)
        if current is not None and not store.clusterings.has_arrays(current.clustering_id):
            # Nothing could be assigned to these any more: an undo to them is refused.
            reset_table(self.database, f"assignments_{current.base_id}", self.aside)
        return True

    def _restore_crops(self, _: Finding) -> bool:
        store = Store(self.database)
        lost = lost_crops(store)
        crops = [
            Crop(box.crop_id, one.image_id, box.box)
            for one in store.detections.of().values()
            for box in one.detections
            if box.crop_id in lost
        ]
        store.detections.add_crops(crops)
        return bool(crops)


def _table(finding: Finding) -> str:
    return finding.where.removesuffix(".lance")


def _how_made(store: Store, database: Database) -> ReclusterOptions:
    """A recluster that makes clusters as the last one did."""
    current = store.clusterings.current()
    if current is not None:
        embedder, reducer, clusterer = current.embedder, current.reducer, current.clusterer
        k = len(store.clusterings.cluster_ids(current.clustering_id))
    else:
        bases = database.safety.decisions.bases()
        known = [base for base in bases if PartSpec.from_json(base["embedder"]) in _specs(store)]
        if not known:
            reducer = parse_reducer(DEFAULT_REDUCER)
            return ReclusterOptions("auto", "auto", _KMEANS, reducer, None, dry_run=False)
        embedder, reducer, clusterer = (
            PartSpec.from_json(known[-1][name]) for name in ("embedder", "reducer", "clusterer")
        )
        k = int(clusterer.params.get("n_clusters", 0))
    params = {name: value for name, value in reducer.params.items() if name != "parts"}
    return ReclusterOptions(
        k if k > 1 else "auto",
        "auto",
        clusterer.name,
        replace(reducer, params=params),
        embedder.name,
        dry_run=False,
        bursts=clusters_bursts(clusterer),
        drop_names=True,
    )


def _specs(store: Store) -> list[PartSpec]:
    return list(store.vectors.specs())
