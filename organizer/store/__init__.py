"""Rows <-> LanceDB. The only package that imports lancedb, pylance and pyarrow.

A `Store` is one library's folder: its `roots` (the folders that were ingested), `photos` (images,
files, problems) and `moved_files`, `vectors` (one table an embedder), `miniatures` (by which copies
are recognised), `clusterings` (with their members and models), `detections` and their crops, a
person's `decisions`, `answers` and `choices`, the `deployments` of cameras, and the `steps` of the
history.

What grows with the images are Lance tables; what a person decided and which version of each
table is committed is in the journal, an SQLite file (`organizer.store.journal`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from zlib import crc32

from organizer.errors import StoreError
from organizer.store.answers import Answer, AnswerTable, SampleKind
from organizer.store.author import Author
from organizer.store.choices import ChoiceTable
from organizer.store.clustering_rows import StoredClustering
from organizer.store.clusterings import MADE_BY_A_PERSON, ClusteringTables
from organizer.store.database import Database, now
from organizer.store.decisions import DecisionTable
from organizer.store.deployments import DeploymentsTable
from organizer.store.detections import DetectionTables
from organizer.store.file_index import FileImage, FileIndex, PhotoRoot
from organizer.store.former_bases import KEPT_BASES, forget_former_bases
from organizer.store.former_folders import FormerFolders
from organizer.store.gone_files import AbsentFiles
from organizer.store.holders import Holder
from organizer.store.ids import IdRows, IdSet, pack_ids
from organizer.store.known_pictures import KnownPictures
from organizer.store.lance_errors import damaged
from organizer.store.locks import held_for_training, take_over
from organizer.store.manifest import read_manifest
from organizer.store.member_changes import MemberChange
from organizer.store.merged_images import MergedImages
from organizer.store.migrate import open_database
from organizer.store.miniatures import MiniatureTable
from organizer.store.moved_files import MovedFiles
from organizer.store.photos import FileRow, FormerFile, HeldFile, KnownFiles, PhotoTables
from organizer.store.points import PointTables
from organizer.store.roots import RootTable
from organizer.store.saved_state import SavedState
from organizer.store.schemas import SCHEMA_VERSION, TABLES, ArrowTable
from organizer.store.steps import StepTable, step_to_redo, step_to_undo, undone_steps
from organizer.store.vectors import ImageIds, VectorRows, VectorTables

__all__ = [
    "KEPT_BASES",
    "MADE_BY_A_PERSON",
    "AbsentFiles",
    "Answer",
    "AnswerTable",
    "ArrowTable",
    "Author",
    "ChoiceTable",
    "ClusteringTables",
    "DecisionTable",
    "DeploymentsTable",
    "DetectionTables",
    "FileImage",
    "FileIndex",
    "FileRow",
    "FormerFile",
    "FormerFolders",
    "HeldFile",
    "Holder",
    "IdRows",
    "IdSet",
    "ImageIds",
    "KnownFiles",
    "KnownPictures",
    "MemberChange",
    "MiniatureTable",
    "MovedFiles",
    "PhotoRoot",
    "PhotoTables",
    "PointTables",
    "RootTable",
    "SampleKind",
    "SavedState",
    "StepTable",
    "Store",
    "StoredClustering",
    "VectorRows",
    "VectorTables",
    "now",
    "pack_ids",
    "step_to_redo",
    "step_to_undo",
    "undone_steps",
]


class Store:
    """One library's folder.

    Attributes:
        author: In whose name steps and answers are written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.author = Author()
        self.former_folders = FormerFolders(database)
        self.roots = RootTable(database, former_folders=self.former_folders)
        self.moved_files = MovedFiles(
            database, roots=self.roots, former_folders=self.former_folders
        )
        self.detections = DetectionTables(database)
        self.photos = PhotoTables(
            database,
            roots=self.roots,
            former_folders=self.former_folders,
            detections=self.detections,
        )
        self.vectors = VectorTables(database)
        self.miniatures = MiniatureTable(database)
        self.steps = StepTable(database.journal, author=self.author)
        self.clusterings = ClusteringTables(database, steps=self.steps)
        self.points = PointTables(database)
        self.decisions = DecisionTable(database.journal, steps=self.steps)
        self.answers = AnswerTable(database, author=self.author)
        self.choices = ChoiceTable(database)
        self.deployments = DeploymentsTable(database)
        self.merged_images = MergedImages(
            database, decisions=self.decisions, former_folders=self.former_folders
        )

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty library."""
        return cls(Database.create(path))

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a library that is there; one of an older format is migrated first."""
        return cls(open_database(path))

    @staticmethod
    def is_library(path: Path) -> bool:
        """Whether a folder is a library, sound or not."""
        return Database.is_library(path)

    @staticmethod
    def take_over(path: Path) -> Holder | None:
        """Take a library over from a writer on another computer; see `organizer.store.locks`.

        Raises:
            StoreError: There is no library, or it cannot be written.
        """
        read_manifest(path)
        return take_over(path)

    @cached_property
    def path(self) -> Path:
        """The library's folder."""
        return self._database.path

    @contextmanager
    def writing(self, *, decides: bool = False, seconds: float = 0.0) -> Iterator[bool]:
        """Hold the library for writing; inside of an ingest, for one of its commits.

        Args:
            decides: Whether this may be done between two commits of an ingest, which is then waited
                for; anything else is refused while an ingest is going on.
            seconds: How long to wait for another writer.

        Yields:
            Whether a command that takes several transactions was interrupted before.

        Raises:
            LibraryBusyError: Another process or thread writes.
            StoreError: The library cannot be written.
        """
        with self._database.writing(decides=decides, seconds=seconds) as was_interrupted:
            yield was_interrupted

    @contextmanager
    def training(self) -> Iterator[None]:
        """Keep other trainings out, and nobody else.

        Raises:
            LibraryBusyError: Another process or thread trains in this library.
            StoreError: The library cannot be written.
        """
        with held_for_training(self.path):
            yield

    @contextmanager
    def ingesting(self, *, seconds: float = 0.0) -> Iterator[bool]:
        """Begin an ingest, which holds the library for writing by `writing`, for each commit.

        Args:
            seconds: How long to wait for another writer.

        Yields:
            Whether a command that takes several transactions was interrupted before.

        Raises:
            LibraryBusyError: Another process or thread writes.
            StoreError: The library cannot be written.
        """
        with self._database.ingesting(seconds=seconds) as was_interrupted:
            yield was_interrupted

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads that see one state, whatever another process stores meanwhile.

        It is for reads that belong together and take no longer than a second: a writer waits.
        """
        with self._database.journal.snapshot():
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Writes that are committed together when the context ends well, or not at all."""
        with self._database.transaction():
            yield

    def mark_unfinished(self) -> None:
        """Note that a command is at work that takes several transactions; see `writing`."""
        self._database.mark_unfinished()

    def is_unfinished(self) -> bool:
        """Whether a command that takes several transactions is at work, or was interrupted."""
        return self._database.is_unfinished()

    def photo_versions(self) -> tuple[int, ...]:
        """Numbers of which one is another one when photos, files or deployments have changed."""
        journal = self._database.journal
        tables = journal.rows("SELECT name, version FROM table_versions ORDER BY name")
        described = (*journal.rows("SELECT * FROM deployments ORDER BY deployment_id"),)
        chosen = (*journal.rows("SELECT * FROM choices ORDER BY name"),)
        versions = (int(row["version"]) for row in tables if row["name"] in TABLES)
        return (*versions, crc32(repr((described, chosen)).encode("utf-8", "surrogateescape")))

    def revision(self) -> int:
        """A number that is another one after every transaction."""
        return self._database.journal.revision()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell writers that the library is being read."""
        with self._database.reading():
            yield

    @cached_property
    def created_at(self) -> str:
        """When the library was made, UTC; by it a library is told from others."""
        return read_manifest(self.path).created_at

    @property
    def schema(self) -> int:
        """The format of the library."""
        return SCHEMA_VERSION

    def saved_state(self) -> SavedState:
        """The state that is committed, as files; they stay only for as long as it is the last."""
        return SavedState.of(self.path, self._database.journal.image())

    def noted_files(self) -> dict[str, tuple[int, str]]:
        """The size and hash of the files of the tables, as they were written."""
        kept = self._database.safety.files.all()
        return {name: (file.size, file.hash) for name, file in kept.items()}

    def damage(self, reason: str) -> StoreError:
        """The error for a library in which something is damaged."""
        return damaged(self.path, reason)

    def copy_arrangements_anew(self) -> None:
        """Forget the safety copies of the journals of arrangements, which were rewritten."""
        self._database.safety.arrangements.begin_anew()

    def tidy(self) -> None:
        """Keep files, bytes and the search index in proportion to the data.

        An ingest that is going on does so itself at its end.
        """
        if self._database.is_beside_ingest:
            return
        for spec in self.vectors.specs():
            self.vectors.keep_index(spec)
        current = self.clusterings.current()
        if current is not None:
            self.clusterings.fold(current.clustering_id)
        forget_former_bases(self._database)
        self._database.tidy()

    def close(self) -> None:
        """Close the files that are kept open."""
        self._database.close()
