"""Commit what an ingest has read: vectors, images, assignments, files.

An image is known by its picture. A file with other bytes and the picture of a known image is a file
of that image: what it says of the image is stored, and the image stays what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.described import DescribedImages, describe_images
from organizer.library.ingest.report import IngestReport
from organizer.library.ingest.turned import turn_detections
from organizer.library.ingest.twins import Suspect
from organizer.protocols import LoadedEmbedder
from organizer.settings import Settings
from organizer.store import IdSet, KnownFiles, KnownPictures, Store, StoredClustering
from organizer.types import (
    EmbeddingBatch,
    FileState,
    ImageFacts,
    Outcome,
    ProcessedBatch,
    ProcessedFile,
    is_crop_embedder,
)


class CommitBuffer:
    """What has been read and not yet written.

    Args:
        store: The library, of which an ingest is going on.
        loaded: The embedder.
        root_ids: Ids of all roots, by folder.
        report: Counts what is written.
        images: The images of the library.
        embedded: Those that have a vector; it grows.
        pictures: Which image a picture is; it learns.
        settings: The seed, and what embedding crops of photos that are turned needs.

    Attributes:
        found_again: Files of known images, by image.
        undescribed: Images that are to be described by the file that counts; see `described`.
        twins: Pairs of images of format 6 that turned out to be one picture.
        suspects: Images of format 6 in whose place there is another one; see `twins`.
    """

    def __init__(
        self,
        store: Store,
        loaded: LoadedEmbedder,
        root_ids: dict[Path, int],
        report: IngestReport,
        *,
        images: IdSet,
        embedded: IdSet,
        pictures: KnownPictures,
        settings: Settings,
    ) -> None:
        self._store, self._loaded, self._root_ids = store, loaded, root_ids
        self._report, self._images, self._settings = report, images, settings
        self._embedded, self._pictures = embedded, pictures
        self._files: list[ProcessedFile] = []
        self._batches: list[EmbeddingBatch] = []
        self._again: set[str] = set()
        self._assigner: Assigner | None = None
        self.found_again: dict[str, list[Path]] = defaultdict(list)
        self.undescribed: set[str] = set()
        self.twins: list[tuple[str, str]] = []
        self.suspects: list[Suspect] = []

    @classmethod
    def open(
        cls,
        store: Store,
        loaded: LoadedEmbedder,
        root_ids: dict[Path, int],
        report: IngestReport,
        *,
        embedded: IdSet,
        pictures: KnownPictures,
        settings: Settings,
    ) -> Self:
        """An empty buffer for a library as it is now."""
        images = store.photos.image_ids()
        return cls(
            store,
            loaded,
            root_ids,
            report,
            images=images,
            embedded=embedded,
            pictures=pictures,
            settings=settings,
        )

    @property
    def pending(self) -> int:
        """Files that are not written yet."""
        return len(self._files)

    def add(self, batch: ProcessedBatch) -> None:
        """Add a batch that was read and embedded."""
        made = batch.embeddings.image_ids
        self._again.update(image_id for image_id in made if image_id in self._embedded)
        self._embedded.add(made)
        self._files += batch.files
        self._batches.append(batch.embeddings)

    def write(self) -> None:
        """Store what was added, in one transaction."""
        if not self._files:
            return
        files = self._resolved()
        photos = self._store.photos
        known = photos.known_at([file.ref for file in files], self._root_ids)
        facts = self._facts_of_new(files)
        fresh, again = self._vectors(files)
        with self._store.writing(), self._store.transaction():
            self._store.mark_unfinished()
            self._store.roots.write_pending()
            self._store.vectors.append(self._loaded.spec, fresh)
            photos.add_images(list(facts.values()))
            self._add_miniatures(files, facts)
            self._assign(fresh)
            photos.add_files(files, self._root_ids, known)
            described = self._describe(files, again)
        self._count(files, known, described)
        for file in files:
            if file.facts is not None and file.facts.image_id in {*facts, *described.changed}:
                self._report.note(file)
            if file.facts is not None and file.facts.image_id in facts:
                self._report.count_time(file.facts)
        self._report.note_came([*facts, *sorted(described.changed)])
        self._images.add(facts)
        self._report.embedded += len(fresh.image_ids) + len(described.turned)
        self._files, self._batches, self._again = [], [], set()

    def describe(self, batch: ProcessedBatch) -> None:
        """Store what files say of their images, which are known, at once; nothing is counted."""
        self.add(batch)
        files = self._resolved()
        _, again = self._vectors(files)
        with self._store.writing(), self._store.transaction():
            self._describe(files, again)
        self._files, self._batches, self._again = [], [], set()

    def _resolved(self) -> list[ProcessedFile]:
        """The files, those of one picture with one image.

        A picture may turn out to be that of an image of format 6 after a file with it was read.
        """
        for file in self._files:
            if file.image_id is not None and self._pictures.is_unpictured(file.image_id):
                owner = self._pictures.owner(file.picture_hash)
                if owner is None:
                    self._pictures.learn(file.picture_hash, file.image_id)
                elif owner != file.image_id:
                    self.twins.append((file.image_id, owner))
        return [self._of_owner(file) for file in self._files]

    def _of_owner(self, file: ProcessedFile) -> ProcessedFile:
        if file.image_id is None or file.image_id != file.picture_hash:
            return file
        owner = self._pictures.owner(file.picture_hash)
        if owner is None or owner == file.image_id or file.image_id in self._images:
            return file
        facts = None if file.facts is None else replace(file.facts, image_id=owner)
        return replace(file, image_id=owner, facts=facts, is_embedded=False)

    def _facts_of_new(self, files: Sequence[ProcessedFile]) -> dict[str, ImageFacts]:
        """What is known of new images, of each by the first of its files."""
        found: dict[str, tuple[str, ImageFacts]] = {}
        embedded_as: dict[str, str] = {}
        for file in files:
            facts = file.facts
            if facts is None or facts.image_id in self._images:
                continue
            place = str(file.ref.file)
            if facts.image_id not in found or place < found[facts.image_id][0]:
                found[facts.image_id] = place, facts
            if file.is_embedded:
                embedded_as[facts.image_id] = facts.view
        new = {image_id: facts for image_id, (_, facts) in found.items()}
        for image_id, facts in new.items():
            made = embedded_as.get(image_id, facts.view)
            if made != facts.view:  # what it was embedded as counts, until it is embedded again
                new[image_id] = replace(facts, view=made, file_hash="")
                self.undescribed.add(image_id)
        return new

    def _add_miniatures(self, files: Sequence[ProcessedFile], new: Collection[str]) -> None:
        """Store the miniatures of new images."""
        made = {
            file.image_id: file.miniature
            for file in files
            if file.image_id is not None and file.image_id in new and file.miniature is not None
        }
        if made:
            self._store.miniatures.append(list(made), np.stack(list(made.values())))

    def _vectors(self, files: Sequence[ProcessedFile]) -> tuple[EmbeddingBatch, EmbeddingBatch]:
        """The vectors of images that had none, and those of images that had one."""
        ids = [image_id for part in self._batches for image_id in part.image_ids]
        vectors = np.concatenate([part.vectors for part in self._batches])
        wanted = {file.image_id for file in files if file.is_embedded}
        again = [row for row, i in enumerate(ids) if i in wanted and i in self._again]
        fresh = [row for row, i in enumerate(ids) if i in wanted and i not in self._again]
        return (
            EmbeddingBatch(tuple(ids[row] for row in fresh), vectors[fresh]),
            EmbeddingBatch(tuple(ids[row] for row in again), vectors[again]),
        )

    def _describe(self, files: Sequence[ProcessedFile], again: EmbeddingBatch) -> DescribedImages:
        """Store what files say of images that are known."""
        mine = [f for f in files if f.image_id is not None and f.image_id in self._images]
        mine = [file for file in mine if file.facts is not None]
        if not mine:
            return DescribedImages()
        found = describe_images(self._store, mine, reads_again=self._pictures.reads_again)
        twins = {image_id for pair in self.twins for image_id in pair[:1]}
        self._store.photos.update_images(
            [
                replace(facts, picture_hash="") if facts.image_id in twins else facts
                for facts in found.facts
            ]
        )
        self._replace_vectors(found.turned.keys(), again)
        turn_detections(self._store, found.turned, self._report.turned, settings=self._settings)
        self.undescribed |= found.undescribed
        return found

    def _replace_vectors(self, image_ids: Set[str], again: EmbeddingBatch) -> None:
        """Store the vectors of images that are shown otherwise than they were embedded."""
        rows = [row for row, image_id in enumerate(again.image_ids) if image_id in image_ids]
        if not rows:
            return
        batch = EmbeddingBatch(tuple(again.image_ids[row] for row in rows), again.vectors[rows])
        store, spec = self._store, self._loaded.spec
        former = store.vectors.read_rows(spec, batch.image_ids)
        store.vectors.replace(spec, batch)
        store.photos.count_turn()
        assigner = self._up_to_date()
        if assigner is not None:
            assigner.reassign(batch.image_ids, former, batch.vectors)
        current = store.clusterings.current()
        in_use = {spec.fingerprint, "" if current is None else current.embedder.fingerprint}
        for other in store.vectors.specs():
            if other.fingerprint not in in_use and not is_crop_embedder(other):
                store.vectors.forget(other, batch.image_ids)

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
        batch = self._without_members(batch)
        members = assigner.assign(batch.image_ids, batch.vectors)
        self._report.compared += len(members)
        self._report.unassigned += int(np.count_nonzero(members.unassigned))
        self._report.count_assigned(members.cluster_ids.tolist())

    def _without_members(self, batch: EmbeddingBatch) -> EmbeddingBatch:
        """The images that are no members yet: all, but where damage took vectors of members."""
        current = self._current()
        if current is None:
            return batch
        known = self._store.clusterings.members_among(current.clustering_id, batch.image_ids)
        if not known:
            return batch
        rows = [row for row, image_id in enumerate(batch.image_ids) if image_id not in known]
        return EmbeddingBatch(tuple(batch.image_ids[row] for row in rows), batch.vectors[rows])

    def _up_to_date(self) -> Assigner | None:
        """What assigns to the current clusters, as decisions since the last commit made them."""
        if self._assigner is not None and not self._assigner.is_outdated:
            return self._assigner
        current = self._current()
        if current is None:
            return None
        if self._assigner is None:
            self._assigner = Assigner.open(self._store, current, seed=self._settings.seed)
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

    def _count(
        self, files: Sequence[ProcessedFile], known: KnownFiles, described: DescribedImages
    ) -> None:
        """Count files by outcome, given what was known of them before."""
        held: dict[str, dict[str, FileState]] = defaultdict(dict)
        for (path_id, image_id), row in known.items():
            held[path_id][image_id] = row.state
        new: set[str] = set()
        for file in files:
            path_id = self._store.photos.path_id(file.ref, self._root_ids)
            if file.problem is not None:
                self._report.count(file.problem.outcome, file.ref.file)
                continue
            if file.image_id is None:
                raise AssertionError(f"{file.ref.file} has neither an image nor a problem")
            is_new_image = file.image_id not in new and file.image_id not in self._images
            others = {i: state for i, state in held[path_id].items() if i != file.image_id}
            self._suspect(file, others, was_added=is_new_image)
            former = known.get((path_id, file.image_id))
            if former is not None:
                is_new = former.file_hash != file.file_hash
                if self._pictures.reads_again:
                    is_new |= file.facts is not None and file.image_id in described.changed
                outcome = Outcome.NEW_METADATA if is_new else Outcome.UNCHANGED
                self._report.count(outcome, file.ref.file)
                continue
            if FileState.PRESENT in others.values():
                self._report.count_replaced(file.ref.file)
            if not is_new_image:
                # A duplicate or a moved file: the sweep finds out which.
                self.found_again[file.image_id].append(file.ref.file)
            else:
                new.add(file.image_id)
                self._report.count(Outcome.ADDED, file.ref.file)

    def _suspect(
        self, file: ProcessedFile, others: Mapping[str, FileState], *, was_added: bool
    ) -> None:
        """Note images of format 6 that the same path held: this may be one of them, edited."""
        if file.image_id is None:
            return
        self.suspects += [
            Suspect(
                other,
                file.image_id,
                file.ref.file,
                was_there=state is FileState.PRESENT,
                was_added=was_added,
            )
            for other, state in others.items()
            if self._pictures.is_unpictured(other)
        ]
