"""What an ingest did."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from organizer.library.ingest.novelty import NovelCluster
from organizer.types import Outcome, PartSpec, ProcessedFile

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
        embedder: What made the vectors.
        engine: What ran it and in which precision, where that is not plain Python.
        seconds: Wall time.
        interrupted: Whether the run was stopped before its end.
        failed_readers: Readers of metadata that failed on new photos, by name.
        replaced: Files in whose place another photo is now; each counts among `counts` too, by what
            that photo is.
        first_replaced: The first of them, "" where there is none.
        merged: Pairs of images of an older library that were one picture, and are one image now.
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
    other_suffixes: Counter[str] = field(default_factory=Counter)
    embedder: PartSpec = field(default_factory=lambda: PartSpec(""))
    engine: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    failed_readers: dict[str, FailedReader] = field(default_factory=dict)
    replaced: int = 0
    first_replaced: str = ""
    merged: int = 0

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

    def count_replaced(self, file: Path) -> None:
        """Count a file in whose place another photo is now."""
        self.replaced += 1
        self.first_replaced = self.first_replaced or str(file)

    def count_reader_failures(self, file: ProcessedFile) -> None:
        """Count a new photo on which readers of metadata failed."""
        for failure in file.reader_failures:
            failed = self.failed_readers.setdefault(
                failure.reader, FailedReader(failure.reader, failure.reason, file.ref.file)
            )
            failed.photos += 1
