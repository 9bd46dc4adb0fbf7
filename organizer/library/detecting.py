"""What detectors saw, taken into a library: each a method of `Library`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from organizer.errors import SettingsError
from organizer.field import Detected, Detection, ImageDetections, crop_id
from organizer.library import crops, embedders
from organizer.library.cropping import Cropped, embed_crops
from organizer.library.crops import Group, Home
from organizer.library.joining import Finished, join_late
from organizer.library.opened import Opened
from organizer.library.progress import Progress, Silent
from organizer.store import Store
from organizer.store.detections import QUARANTINED
from organizer.types import NOISE, PartSpec

_IMAGES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """What the detectors' results in a library come to.

    Attributes:
        images: Images in the library.
        groups: Images by what they show.
        failed: Of those without a result, the images that a detector could not look at.
        crops: Boxes that count, and make a crop.
        embedded: For each embedder of crops, how many of these have a vector.
        detectors: Images by the detector that looked at them.
        threshold: The confidence from which a box counts.
    """

    images: int
    groups: Counter[Group]
    failed: int
    crops: int
    embedded: tuple[tuple[PartSpec, int], ...]
    detectors: Counter[str]
    threshold: float


@dataclass(slots=True)
class DetectionReport:
    """What taking detections in did.

    Attributes:
        images: Images that the results speak of.
        new: Those of which they say something new.
        left: Those of which what was seen before stands: that of another detector, where it was
            to stand, or where this one failed.
        cropped: What became of the crops.
        late: What joined the present clusters.
        counts: What is in the library afterwards.
        outdated: Crops that are in the present clusters and that no result makes any more.
        embedder: What made the vectors of the crops; None where there was nothing to cut.
        seconds: Wall time.
    """

    counts: DetectionCounts
    images: int = 0
    new: int = 0
    left: int = 0
    cropped: Cropped = field(default_factory=Cropped)
    late: Finished = field(default_factory=Finished)
    outdated: int = 0
    embedder: PartSpec | None = None
    seconds: float = 0.0


class Detecting(Opened):
    """Detections: where on a photo there is an animal, a person, a vehicle, or nothing."""

    def import_detections(
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
        shown = progress or Silent()
        for value in (threshold, usual_threshold):
            require_threshold(value)
        if not self.store.photos.count_images():
            raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
        spec = crops_spec(self.store, embedder)
        loaded = embedders.load(spec, self.settings)
        with self._writing():
            if threshold is not None:
                self.store.detections.choose_threshold(threshold)
            if usual_threshold is not None:
                self.store.detections.note_usual_threshold(usual_threshold)
            taken = _take_in(self.store, found, total=total, yields=yields, progress=shown)
            cropped = embed_crops(
                self.store,
                crops.live(self.store),
                loaded,
                settings=self.settings,
                progress=shown,
                stop=stop,
            )
            late = self._join(loaded.spec)
            if taken.new or cropped.embedded:
                self._tidy()
        return DetectionReport(
            counts=self.detection_counts(),
            images=taken.images,
            new=taken.new,
            left=taken.left,
            cropped=cropped,
            late=late,
            outdated=self._outdated(),
            embedder=loaded.spec if cropped.embedded else None,
            seconds=time.monotonic() - started,
        )

    def detection_counts(self) -> DetectionCounts:
        """What the detectors' results come to."""
        detections, vectors = self.store.detections, self.store.vectors
        alive = crops.live(self.store)
        embedded = [
            (spec, sum(i in ids for i in alive))
            for spec in vectors.specs()
            if crops.are_crops(spec) and (ids := vectors.ids(spec))
        ]
        groups = Counter(home.group for home in self.homes().values())
        return DetectionCounts(
            images=self.store.photos.count_images(),
            groups=groups,
            failed=detections.count() - len(detections.looked_at()),
            crops=len(alive),
            embedded=tuple(embedded),
            detectors=detections.detectors(),
            threshold=detections.threshold,
        )

    def homes(self) -> dict[str, Home]:
        """Where every photo is, by its crops; see `organizer.library.crops.homes`."""
        return crops.homes(self.store, self.store.clusterings.current())

    def _join(self, spec: PartSpec) -> Finished:
        """Let crops that are in no cluster join those of crops, if they are of that embedder."""
        current = self.store.clusterings.current()
        if current is None or current.embedder != spec:
            return Finished()
        return join_late(self.store, current, seed=self.settings.seed)

    def _outdated(self) -> int:
        current = self.store.clusterings.current()
        if current is None or not crops.are_crops(current.embedder):
            return 0
        members = self.store.clusterings.assignments(current.clustering_id)
        alive = crops.live(self.store)
        inside = members.image_ids[members.cluster_ids != NOISE]
        return sum(image_id not in alive for image_id in inside)


def crops_spec(store: Store, named: str | None) -> PartSpec:
    """The embedder of crops of a library: the one that is named, or that of its own network.

    Raises:
        SettingsError: There is no embedder of that name, or the library has none of its own.
    """
    if named is not None:
        name = named if named.startswith(crops.PREFIX) else crops.PREFIX + named
        return embedders.stored_spec(store, name)
    own = embedders.library_embedder(store)
    if own is None:
        raise SettingsError("there are no vectors in this library", "organizer ingest FOLDER")
    if crops.are_crops(own):
        return own
    return replace(own, name=crops.PREFIX + own.name)


def require_threshold(threshold: float | None) -> None:
    """Make sure that a threshold is a confidence.

    Raises:
        SettingsError: It is not between 0 and 1.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise SettingsError(
            f"the threshold cannot be {threshold:g}", "0 to 1, for example --threshold 0.2"
        )


@dataclass(slots=True)
class _Taken:
    images: int = 0
    new: int = 0
    left: int = 0


def _take_in(
    store: Store,
    found: Iterable[ImageDetections],
    *,
    total: int | None,
    yields: bool,
    progress: Progress,
) -> _Taken:
    progress.begin("taking in detections", total)
    taken = _Taken()
    rest: Iterator[ImageDetections] = iter(found)
    while some := list(islice(rest, _IMAGES_AT_ONCE)):
        taken.images += len(some)
        kept = _unless_lost(store, _unless_known(store, some) if yields else some)
        taken.left += len(some) - len(kept)
        taken.new += store.detections.write([with_crops(one) for one in kept])
        progress.advance(len(some))
    return taken


def _unless_known(store: Store, some: Sequence[ImageDetections]) -> list[ImageDetections]:
    """Those of which no other detector has said anything."""
    known = store.detections.of(one.image_id for one in some)
    return [
        one
        for one in some
        if one.image_id not in known or known[one.image_id].detector == one.detector
    ]


def _unless_lost(store: Store, some: Sequence[ImageDetections]) -> list[ImageDetections]:
    """Those that do not fail where a detector saw something or nothing before.

    A file that could not be read this time takes nobody out of quarantine.
    """
    failed = [one.image_id for one in some if one.outcome is Detected.FAILED]
    known = store.detections.of(failed) if failed else {}
    seen = {i for i, one in known.items() if one.outcome is not Detected.FAILED}
    return [one for one in some if one.outcome is not Detected.FAILED or one.image_id not in seen]


def with_crops(one: ImageDetections) -> ImageDetections:
    """What a detector said, with the crops that its boxes make: of all but people and vehicles."""
    return replace(one, detections=tuple(_cut(one.image_id, box) for box in one.detections))


def _cut(image_id: str, box: Detection) -> Detection:
    if box.category in QUARANTINED:
        return box
    return replace(box, crop_id=crop_id(image_id, box.box))
