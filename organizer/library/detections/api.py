"""What detectors saw, taken into a library: each a method of `Library`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.detections.embed import embed_crops
from organizer.library.detections.importing import (
    crop_embedder,
    require_threshold,
    take_in_detections,
)
from organizer.library.detections.report import DetectionCounts, DetectionReport
from organizer.library.images import crops
from organizer.library.images.crops import PhotoLocation
from organizer.library.ingest.assign import AssignmentSummary
from organizer.library.ingest.late import assign_late
from organizer.library.opening import OpenLibrary
from organizer.library.progress import NoProgress, Progress
from organizer.types import NOISE, ImageDetections, PartSpec, is_crop_embedder


class Detections:
    """Where on a photo a detector saw an animal, a person, a vehicle, or nothing."""

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def add(
        self,
        found: Iterable[ImageDetections],
        *,
        total: int | None = None,
        threshold: float | None = None,
        usual_threshold: float | None = None,
        embedder: str | None = None,
        yields: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> DetectionReport:
        """Write down what a detector saw, and embed what lies in its boxes.

        What was said of the same images before is replaced, but by no failure. Taking the same in
        again embeds only what has no vector yet. Where the present clusters are clusters of crops,
        new crops join them.

        Args:
            found: What the detector says, image by image; its crop ids are filled in here.
            total: How many images that are, where it is known.
            threshold: The confidence from which a box counts, from now on; as before where None.
            usual_threshold: The detector's own, for a library for which nobody chose one.
            embedder: What embeds the crops, with or without ``crops:``; the library's own where
                None.
            yields: Whether what another detector said of an image stands.
            progress: Told how far it is.
            stop: Asked after each batch; True ends with what was done so far committed.

        Raises:
            SettingsError: The threshold cannot be, or there are no images or no such embedder.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.
        """
        started = time.monotonic()
        shown = progress or NoProgress()
        for value in (threshold, usual_threshold):
            require_threshold(value)
        if not self._store.photos.count_images():
            raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
        spec = crop_embedder(self._store, embedder)
        loaded = embedders.load_embedder(spec, self._settings)
        with self._opened.writing():
            if threshold is not None:
                self._store.detections.choose_threshold(threshold)
            if usual_threshold is not None:
                self._store.detections.note_usual_threshold(usual_threshold)
            taken = take_in_detections(
                self._store, found, total=total, yields=yields, progress=shown
            )
            cropped = embed_crops(
                self._store,
                crops.active_crops(self._store),
                loaded,
                settings=self._settings,
                progress=shown,
                stop=stop,
            )
            late = self._join(loaded.spec)
            if taken.new or cropped.embedded:
                self._opened.tidy()
        return DetectionReport(
            counts=self.counts(),
            images=taken.images,
            new=taken.new,
            left=taken.left,
            cropped=cropped,
            late=late,
            outdated=self._outdated(),
            embedder=loaded.spec if cropped.embedded else None,
            seconds=time.monotonic() - started,
        )

    def counts(self) -> DetectionCounts:
        """What the detectors' results come to."""
        detections, vectors = self._store.detections, self._store.vectors
        alive = crops.active_crops(self._store)
        embedded = [
            (spec, sum(i in ids for i in alive))
            for spec in vectors.specs()
            if is_crop_embedder(spec) and (ids := vectors.ids(spec))
        ]
        groups = Counter(home.group for home in self.locations().values())
        return DetectionCounts(
            images=self._store.photos.count_images(),
            groups=groups,
            failed=detections.count() - len(detections.looked_at()),
            crops=len(alive),
            embedded=tuple(embedded),
            detectors=detections.detectors(),
            threshold=detections.threshold,
        )

    def locations(self) -> dict[str, PhotoLocation]:
        """Where every photo is, by its crops; see `organizer.library.images.crops`."""
        return crops.locate_photos(self._store, self._store.clusterings.current())

    def _join(self, spec: PartSpec) -> AssignmentSummary:
        """Let crops that are in no cluster join those of crops, if they are of that embedder."""
        current = self._store.clusterings.current()
        if current is None or current.embedder != spec:
            return AssignmentSummary()
        return assign_late(self._store, current, seed=self._settings.seed)

    def _outdated(self) -> int:
        current = self._store.clusterings.current()
        if current is None or not is_crop_embedder(current.embedder):
            return 0
        members = self._store.clusterings.assignments(current.clustering_id)
        alive = crops.active_crops(self._store)
        inside = members.image_ids[members.cluster_ids != NOISE]
        return sum(image_id not in alive for image_id in inside)
