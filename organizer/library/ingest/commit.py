"""Commit what an ingest has read: vectors, images, assignments, files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Self

import numpy as np

from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.report import IngestReport
from organizer.protocols import LoadedEmbedder
from organizer.store import IdSet, KnownFiles, Store, StoredClustering
from organizer.types import EmbeddingBatch, Outcome, ProcessedBatch, ProcessedFile


class CommitBuffer:
    """What has been read and not yet written.

    Args:
        store: The library, of which an ingest is going on.
        loaded: The embedder.
        root_ids: Ids of all roots, by folder.
        report: Counts what is written.
        images: The images of the library.
        seed: Random seed.

    Attributes:
        found_again: Files of known images, by image.
    """

    def __init__(
        self,
        store: Store,
        loaded: LoadedEmbedder,
        root_ids: dict[Path, int],
        report: IngestReport,
        *,
        images: IdSet,
        seed: int,
    ) -> None:
        self._store, self._loaded, self._root_ids = store, loaded, root_ids
        self._report, self._images, self._seed = report, images, seed
        self._files: list[ProcessedFile] = []
        self._batches: list[EmbeddingBatch] = []
        self._assigner: Assigner | None = None
        self.found_again: dict[str, list[Path]] = defaultdict(list)

    @classmethod
    def open(
        cls,
        store: Store,
        loaded: LoadedEmbedder,
        root_ids: dict[Path, int],
        report: IngestReport,
        *,
        seed: int,
    ) -> Self:
        """An empty buffer for a library as it is now."""
        images = store.photos.image_ids()
        return cls(store, loaded, root_ids, report, images=images, seed=seed)

    @property
    def pending(self) -> int:
        """Files that are not written yet."""
        return len(self._files)

    def add(self, batch: ProcessedBatch) -> None:
        """Add a batch that was read and embedded."""
        self._files += batch.files
        self._batches.append(batch.embeddings)

    def write(self) -> None:
        """Store what was added, in one transaction."""
        if not self._files:
            return
        batch = EmbeddingBatch(
            tuple(image_id for part in self._batches for image_id in part.image_ids),
            np.concatenate([part.vectors for part in self._batches]),
        )
        photos = self._store.photos
        known = photos.known_at([file.ref for file in self._files], self._root_ids)
        facts = {
            file.facts.image_id: file.facts
            for file in self._files
            if file.facts is not None and file.facts.image_id not in self._images
        }
        with self._store.writing(), self._store.transaction():
            self._store.mark_unfinished()
            self._store.roots.write_pending()
            self._store.vectors.append(self._loaded.spec, batch)
            photos.add_images(list(facts.values()))
            self._assign(batch)
            photos.add_files(self._files, self._root_ids, known)
        self._count(known)
        for file in self._files:
            if file.facts is not None and file.facts.image_id in facts:
                self._report.note(file)
                self._report.count_time(file.facts)
        self._images.add(facts)
        self._report.embedded += len(batch.image_ids)
        self._files, self._batches = [], []

    def finish(self) -> None:
        """Update the clusters by the images that were assigned to them."""
        if self._assigner is None:
            return
        with self._store.writing():
            assigner = self._up_to_date()
            if assigner is not None:
                summary = assigner.finish()
                self._report.novel, self._report.novel_images = summary.novel, summary.novel_images

    def _assign(self, batch: EmbeddingBatch) -> None:
        """Assign new images to the current clusters."""
        assigner = self._up_to_date() if batch.image_ids else None
        if assigner is None:
            return
        members = assigner.assign(batch.image_ids, batch.vectors)
        self._report.compared += len(members)
        self._report.unassigned += int(np.count_nonzero(members.unassigned))

    def _up_to_date(self) -> Assigner | None:
        """What assigns to the current clusters, as decisions since the last commit made them."""
        if self._assigner is not None and not self._assigner.is_outdated:
            return self._assigner
        current = self._current()
        if current is None:
            return None
        if self._assigner is None:
            self._assigner = Assigner.open(self._store, current, seed=self._seed)
        else:
            self._assigner = self._assigner.reopened(current)
        return self._assigner

    def _current(self) -> StoredClustering | None:
        """The clustering that new images are assigned to at once; None for none."""
        current = self._store.clusterings.current()
        # Where bursts or the groups of a centring count, all are assigned at the end of the ingest.
        if current is not None and (
            current.embedder != self._loaded.spec or uses_capture_info(current)
        ):
            return None
        return current

    def _count(self, known: KnownFiles) -> None:
        """Count files by outcome, given what was known of them before."""
        new: set[str] = set()
        for file in self._files:
            path_id = self._store.photos.path_id(file.ref, self._root_ids)
            if file.problem is not None:
                self._report.count(file.problem.outcome, file.ref.file)
            elif file.image_id is not None and (path_id, file.image_id) in known:
                self._report.count(Outcome.UNCHANGED, file.ref.file)
            elif file.image_id is None:
                raise AssertionError(f"{file.ref.file} has neither an image nor a problem")
            elif file.image_id in new or file.image_id in self._images:
                # A duplicate or a moved file: the sweep finds out which.
                self.found_again[file.image_id].append(file.ref.file)
            else:
                new.add(file.image_id)
                self._report.count(Outcome.ADDED, file.ref.file)
