"""A training whose embedder is saved already: its clusters, kept until they are stored.

Embedding all photos takes long, and may be interrupted. The same command then goes on with what was
trained, also where photos came and decisions were made in between.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from organizer.atomic import write_atomically
from organizer.embed.digest import file_digest
from organizer.library.clustering.options import ReclusterOptions
from organizer.types import PartSpec

_FILE = "finished.json"


@dataclass(frozen=True, slots=True)
class FinishedTraining:
    """What a recluster goes on with after its embedder was saved.

    Attributes:
        request: What was asked for; see `request_of`.
        embedder: The name of the embedder.
        digest: Of the file of its weights.
        algorithm: What trained it, as JSON; see `PartSpec.to_json`.
        ran: What really ran, for a person.
        rounds: How many rounds of training.
        labels: The cluster of each image by its id, as numbered in the training.
    """

    request: str
    embedder: str
    digest: str
    algorithm: str
    ran: str
    rounds: int
    labels: Mapping[str, int]

    @classmethod
    def load(cls, folder: Path, *, request: str, weights: Path) -> Self | None:
        """What was kept for a request; None where there is none, or its weights are others now."""
        try:
            found = cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if found.request != request or not weights.is_file():
            return None
        return found if found.digest == file_digest(weights) else None

    def save(self, folder: Path) -> None:
        """Keep it.

        Raises:
            OSError: It cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / _FILE, json.dumps(asdict(self)).encode())

    @property
    def spec(self) -> PartSpec:
        """The clusterer, with its version and options."""
        return PartSpec.from_json(self.algorithm)


def request_of(options: ReclusterOptions, *, seed: int) -> str:
    """What tells one request to train and save from others."""
    asked = replace(options, drop_names=False, dry_run=False)
    return hashlib.sha256(repr((asked, seed)).encode()).hexdigest()


def forget_training(folder: Path) -> None:
    """Remove what was kept."""
    shutil.rmtree(folder, ignore_errors=True)
