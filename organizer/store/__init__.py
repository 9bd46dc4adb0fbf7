"""Rows <-> LanceDB. The only package that imports lancedb, pylance and pyarrow.

A `Store` is one library's folder: its `roots` (the folders that were ingested), `photos` (images,
files, problems) and `moved_files`, `vectors` (one table an embedder), `clusterings` (with their
members and models), `detections` and their crops, a person's `decisions`, `answers`
and `choices`, and the `deployments` of cameras.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from organizer.store.answers import Answer, AnswerTable, SampleKind
from organizer.store.choices import ChoiceTable
from organizer.store.clusterings import ClusteringTables, StoredClustering
from organizer.store.database import Database
from organizer.store.decisions import DecisionTable
from organizer.store.deployments import DeploymentsTable
from organizer.store.detections import DetectionTables
from organizer.store.file_index import FileImage, FileIndex, PhotoRoot
from organizer.store.former_folders import FormerFolders
from organizer.store.ids import IdSet
from organizer.store.migrate import open_database
from organizer.store.moved_files import MovedFiles
from organizer.store.photos import FileRow, HeldFile, KnownFiles, PhotoTables
from organizer.store.roots import RootTable
from organizer.store.schemas import ArrowTable
from organizer.store.vectors import ImageIds, VectorTables

__all__ = [
    "Answer",
    "AnswerTable",
    "ArrowTable",
    "ChoiceTable",
    "ClusteringTables",
    "DecisionTable",
    "DeploymentsTable",
    "DetectionTables",
    "FileImage",
    "FileIndex",
    "FileRow",
    "FormerFolders",
    "HeldFile",
    "IdSet",
    "ImageIds",
    "KnownFiles",
    "MovedFiles",
    "PhotoRoot",
    "PhotoTables",
    "RootTable",
    "SampleKind",
    "Store",
    "StoredClustering",
    "VectorTables",
]


class Store:
    """One library's folder."""

    def __init__(self, database: Database) -> None:
        self._database = database
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
        self.clusterings = ClusteringTables(database)
        self.decisions = DecisionTable(database)
        self.answers = AnswerTable(database)
        self.choices = ChoiceTable(database)
        self.deployments = DeploymentsTable(database)

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

    @cached_property
    def path(self) -> Path:
        """The library's folder."""
        return self._database.path

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the library for writing; first sweep up after a writer that was interrupted.

        Yields:
            Whether there was such a writer.
        """
        with self._database.writing() as was_interrupted:
            if was_interrupted:
                self._sweep()
            yield was_interrupted

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell writers that the library is being read."""
        with self._database.reading():
            yield

    def tidy(self) -> None:
        """Keep files, bytes and the search index in proportion to the data."""
        for spec in self.vectors.specs():
            self.vectors.keep_index(spec)
        self._database.tidy()

    def _sweep(self) -> None:
        """Remove what no file row makes real: a commit that did not get to its end."""
        tables = ["images", *self.clusterings.member_tables()]
        tables += [self.vectors.table_name(spec) for spec in self.vectors.specs()]
        for name, image_ids in self.photos.unreal_images(tables).items():
            self._database.delete_by_id(name, "image_id", image_ids)
