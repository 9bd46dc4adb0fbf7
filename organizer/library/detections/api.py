"""Detections: the results of detectors, imported into a library and embedded as crops."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from organizer.arguments import (
    require_flag,
    require_function,
    require_integer,
    require_iterator,
    require_number,
    require_text,
)
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.detections.importing import (
    crop_embedder,
    import_detections,
)
from organizer.library.detections.report import DetectionCounts, DetectionReport
from organizer.library.detections.results import checked_results
from organizer.library.images import crops
from organizer.library.images.crops import PhotoLocation
from organizer.library.ingest.assign import AssignmentSummary
from organizer.library.ingest.crops import CropReport, embed_crops
from organizer.library.ingest.late import assign_late
from organizer.library.noted_acts import NotedAct, note_act
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none
from organizer.protocols import LoadedEmbedder
from organizer.types import NOISE, ImageDetections, PartSpec, is_crop_embedder


class Detections:
    """Where on a photo a detector saw an animal, a person, a vehicle, or nothing.

    Examples:
        >>> report = library.detections.add(results)  # doctest: +SKIP
        >>> library.detections.counts().crops  # doctest: +SKIP
        31
    """

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
        keep_other_detectors: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> DetectionReport:
        """Store a detector's results, and embed what lies in its boxes.

        Earlier results for the same images are replaced, but not by a failure. Adding the same
        results again embeds only crops without a vector. Where the current clusters are clusters of
        crops, new crops are assigned to them.

        Args:
            found: The results, image by image; their crop ids are filled in here.
            total: The number of images, where it is known.
            threshold: The confidence from which a box counts, from now on; as before where None.
            usual_threshold: The detector's own, for a library for which nobody chose one.
            embedder: What embeds the crops, with or without ``crops:``; the library's own where
                None.
            keep_other_detectors: Whether results of another detector are kept where there are some.
            progress: Receives the progress.
            stop: Asked after each batch; True ends the run with what was done so far committed.

        Raises:
            SettingsError: The threshold cannot be, or there are no images or no such embedder.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.
        """
        started = time.monotonic()
        results = require_iterator("found", found, "results, image by image")
        if total is not None:
            total = require_integer("total", total, least=0)
        threshold = _confidence("threshold", threshold)
        usual_threshold = _confidence("usual_threshold", usual_threshold)
        if embedder is not None:
            require_text("embedder", embedder)
        require_flag("keep_other_detectors", keep_other_detectors)
        require_function("stop", stop)
        shown = progress_or_none(progress)
        if not self._store.photos.count_images():
            raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
        spec = crop_embedder(self._store, embedder)
        loaded = embedders.load_embedder(spec, self._settings)
        with self._opened.writing():
            if threshold is not None:
                self._store.detections.choose_threshold(threshold)
            if usual_threshold is not None:
                self._store.detections.note_usual_threshold(usual_threshold)
            imported = import_detections(
                self._store,
                checked_results(results),
                total=total,
                keep_other_detectors=keep_other_detectors,
                progress=shown,
            )
            if imported.new:  # before the crops are embedded, which takes long and may end early
                note_act(self._store, NotedAct.DETECTIONS)
            cropped = self._embed(loaded, shown, stop)
            late = self._assign(loaded.spec)
            if imported.new or cropped.embedded:
                self._opened.tidy()
        return DetectionReport(
            counts=self.counts(),
            images=imported.images,
            new=imported.new,
            left=imported.left,
            cropped=cropped,
            late=late,
            outdated=self._outdated(),
            embedder=loaded.spec if cropped.embedded else None,
            seconds=time.monotonic() - started,
        )

    def embed(
        self,
        embedder: str,
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> CropReport:
        """Embed the crops with another embedder, or those of them that have no vector of it.

        Args:
            embedder: What embeds them, with or without ``crops:``.
            progress: Receives the progress.
            stop: Asked after each batch; True ends the run with what was done so far committed.

        Raises:
            SettingsError: There is no such embedder.
            WeightsError: Its weights cannot be had.
            StoreError: The library cannot be written.
        """
        spec = crop_embedder(self._store, require_text("embedder", embedder))
        require_function("stop", stop)
        shown = progress_or_none(progress)
        loaded = embedders.load_embedder(spec, self._settings)
        with self._opened.writing():
            return self._embed(loaded, shown, stop)

    def counts(self) -> DetectionCounts:
        """The numbers of images by group, of crops, and of crops with vectors."""
        detections, vectors = self._store.detections, self._store.vectors
        active = crops.active_crops(self._store)
        embedded = [
            (spec, sum(i in ids for i in active))
            for spec in vectors.specs()
            if is_crop_embedder(spec) and (ids := vectors.ids(spec))
        ]
        groups = Counter(photo.group for photo in self.locations().values())
        return DetectionCounts(
            images=self._store.photos.count_images(),
            groups=groups,
            failed=detections.count() - len(detections.looked_at()),
            crops=len(active),
            embedded=tuple(embedded),
            detectors=detections.detectors(),
            threshold=detections.threshold,
        )

    def locations(self) -> dict[str, PhotoLocation]:
        """The group, cluster and crops of every photo; see `organizer.library.images.crops`."""
        return crops.locate_photos(self._store, self._store.clusterings.current())

    def _embed(
        self, loaded: LoadedEmbedder, progress: Progress, stop: Callable[[], bool]
    ) -> CropReport:
        return embed_crops(
            self._store,
            crops.active_crops(self._store),
            loaded,
            settings=self._settings,
            progress=progress,
            stop=stop,
        )

    def _assign(self, spec: PartSpec) -> AssignmentSummary:
        """Assign new crops to the current clusters, if these are of crops of that embedder."""
        current = self._store.clusterings.current()
        if current is None or current.embedder != spec:
            return AssignmentSummary()
        return assign_late(self._store, current, seed=self._settings.seed)

    def _outdated(self) -> int:
        current = self._store.clusterings.current()
        if current is None or not is_crop_embedder(current.embedder):
            return 0
        members = self._store.clusterings.assignments(current.clustering_id)
        active = crops.active_crops(self._store)
        inside = members.image_ids[members.cluster_ids != NOISE]
        return sum(image_id not in active for image_id in inside)


def _confidence(name: str, value: float | None) -> float | None:
    return None if value is None else require_number(name, value, least=0, most=1)
