"""What an ingest did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from organizer.library.ingest.novelty import NovelCluster
from organizer.library.ingest.remarks import MOST_CHECKED, FailedCheck, IngestRemark
from organizer.metadata import time_source
from organizer.store import AbsentFiles
from organizer.types import ImageFacts, Outcome, PartSpec, ProcessedFile

_EXAMPLES = 3


@dataclass(slots=True)
class FailedReader:
    """A reader of metadata that failed on photos; they are in the library without what it finds.

    Attributes:
        reader: The name of the reader.
        reason: What went wrong first, in one line.
        file: The first photo.
        photos: Number of new photos.
    """

    reader: str
    reason: str
    file: Path
    photos: int = 0


@dataclass(frozen=True, slots=True)
class GrownCluster:
    """A cluster that new images came to.

    Attributes:
        cluster_id: Its id.
        name: Its name; None where it has none.
        added: Number of the new images that were assigned to it.
    """

    cluster_id: int
    name: str | None
    added: int


@dataclass(slots=True)
class NotedPhotos:
    """New photos of which something has to be said.

    Attributes:
        photos: Number of them.
        first: The first file.
        text: What is to be said of the first.
    """

    photos: int = 0
    first: Path | None = None
    text: str = ""

    def count(self, file: Path, text: str) -> None:
        """Count a photo."""
        self.photos += 1
        if self.first is None:
            self.first, self.text = file, text


@dataclass(slots=True)
class TurnedCrops:
    """What became of the boxes and crops of photos that are shown otherwise than before.

    Attributes:
        photos: Photos whose boxes were turned.
        embedded: Crops that were embedded anew.
        failed: Crops that have the vectors of before, since no others could be made.
        first_failure: Why, for the first of them, in one line.
        doubtful: Photos with boxes that may be those of the picture as it was shown before.
    """

    photos: int = 0
    embedded: int = 0
    failed: int = 0
    first_failure: str = ""
    doubtful: int = 0


@dataclass(slots=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        counts: Files by what became of them.
        examples: A few paths for each outcome but "unchanged".
        images: Images in the library afterwards.
        embedded: Vectors that were made.
        compared: New images that were compared with the current clusters.
        unassigned: Those of them that fit no cluster, or two alike, and are unassigned.
        novel: Novel clusters among the unassigned images.
        novel_images: Images that these took.
        unassigned: All images that are unassigned afterwards.
        other_suffixes: Files of kinds that are not read, by suffix.
        companions: Files that belong to photos, such as their raw files and sidecars.
        videos_beside: Videos that are images of their own though a photo has their name: they are
            longer than that of a live photo.
        embedder: What made the vectors.
        engine: What ran it and in which precision, where that is not plain Python.
        seconds: Wall time.
        interrupted: Whether the run was stopped before its end.
        failed_readers: Readers of metadata that failed on new photos, by name.
        without_time: New images of which no time could be read.
        time_sources: Images that got a time in this ingest, by where it was read from.
        future: New images from a time that has not come yet: the clock was wrong.
        damaged: New photos of which a part is missing; they are in the library.
        several: New files that hold several pictures, of which the main one is in the library.
        absent: Folders of which the files that are gone are not noted as missing, since they are
            more than half: their disk may not be connected.
        replaced: Files in whose place another photo is now; each counts among `counts` too, by what
            that photo is.
        first_replaced: The first of them, "" where there is none.
        merged: Pairs of images of an older library that were one picture, and are one image now.
        turned: What became of the boxes and crops of photos that a tag turned.
        came: The images that came, or of which other things are known now; see `MOST_CHECKED`.
        remarks: What the checks of plugins say about them.
        failed_checks: The checks that failed.
        assigned: New images by the cluster that they were assigned to.
        grown: The same for the clusters that are there at the end, the most grown first.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, list[str]] = field(default_factory=lambda: defaultdict(list))
    images: int = 0
    embedded: int = 0
    compared: int = 0
    unassigned: int = 0
    novel: tuple[NovelCluster, ...] = ()
    novel_images: int = 0
    total_unassigned: int = 0
    assigned: Counter[int] = field(default_factory=Counter)
    grown: tuple[GrownCluster, ...] = ()
    other_suffixes: Counter[str] = field(default_factory=Counter)
    companions: int = 0
    videos_beside: int = 0
    embedder: PartSpec = field(default_factory=lambda: PartSpec(""))
    engine: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    failed_readers: dict[str, FailedReader] = field(default_factory=dict)
    without_time: int = 0
    time_sources: Counter[str] = field(default_factory=Counter)
    future: int = 0
    damaged: NotedPhotos = field(default_factory=NotedPhotos)
    several: NotedPhotos = field(default_factory=NotedPhotos)
    absent: tuple[AbsentFiles, ...] = ()
    replaced: int = 0
    first_replaced: str = ""
    merged: int = 0
    turned: TurnedCrops = field(default_factory=TurnedCrops)
    came: list[str] = field(default_factory=list)
    remarks: tuple[IngestRemark, ...] = ()
    failed_checks: tuple[FailedCheck, ...] = ()

    @property
    def unusable(self) -> int:
        """Files that could not be used."""
        return self.counts[Outcome.BROKEN] + self.counts[Outcome.TOO_LARGE]

    def count(self, outcome: Outcome, file: Path) -> None:
        """Count a file."""
        self.counts[outcome] += 1
        if len(self.examples[outcome]) < _EXAMPLES:
            self.examples[outcome].append(str(file))

    def recount(self, file: Path, counted: Outcome, outcome: Outcome) -> None:
        """Count a file otherwise than it was counted."""
        self.counts[counted] -= 1
        if str(file) in self.examples[counted]:
            self.examples[counted].remove(str(file))
        self.count(outcome, file)

    def count_assigned(self, cluster_ids: Iterable[int]) -> None:
        """Count new images by the cluster that they were assigned to, -1 for none."""
        self.assigned.update(cluster_id for cluster_id in cluster_ids if cluster_id >= 0)

    def name_grown(self, ids: Iterable[int], names: Mapping[int, str]) -> None:
        """Note which clusters have grown.

        Args:
            ids: The clusters that are there.
            names: Their names.
        """
        found = self.assigned.keys() & {*ids}
        order = sorted(found, key=lambda cluster_id: (-self.assigned[cluster_id], cluster_id))
        self.grown = tuple(GrownCluster(i, names.get(i), self.assigned[i]) for i in order)

    def note_came(self, image_ids: Iterable[str]) -> None:
        """Note images that are to be checked, as far as there is room."""
        self.came += islice(image_ids, MOST_CHECKED - len(self.came))

    def count_replaced(self, file: Path) -> None:
        """Count a file in whose place another photo is now."""
        self.replaced += 1
        self.first_replaced = self.first_replaced or str(file)

    def count_time(self, facts: ImageFacts) -> None:
        """Count a new image by where its time was read from."""
        source = time_source(facts.taken_at, facts.extra)
        if source is None:
            self.without_time += 1
        else:
            self.time_sources[source] += 1
            self.future += str(facts.taken_at) > _latest_time()

    def note(self, file: ProcessedFile) -> None:
        """Count a new photo among those that are damaged, or lack metadata, or hold several."""
        if file.damage:
            self.damaged.count(file.ref.file, file.damage)
        if file.holds_more:
            self.several.count(file.ref.file, "")
        for failure in file.reader_failures:
            failed = self.failed_readers.setdefault(
                failure.reader, FailedReader(failure.reader, failure.reason, file.ref.file)
            )
            failed.photos += 1


def _latest_time() -> str:
    """The time of the zone that is farthest ahead, as a clock there shows it."""
    ahead = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=14)
    return ahead.isoformat(timespec="seconds")
