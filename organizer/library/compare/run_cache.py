"""The cache of finished runs: a line of JSON each, in files beside the library's tables."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import numpy as np

from organizer.distribution import DISTRIBUTION
from organizer.errors import StoreError
from organizer.types import Labels

_FOLDER = "comparisons"
_REVISION = 2
"""Of the code that turns vectors into labels and scores; another one makes all runs again."""

_DECIDING = (DISTRIBUTION, "scikit-learn", "scipy", "numpy")


@dataclass(frozen=True, slots=True)
class CachedRun:
    """A finished run.

    Attributes:
        labels: ``(n,)`` int64, -1 for noise, in the order of the images' ids.
        scores: Those that need no truth: another file of labels does not change them.
        seconds: What the clusterer took, on the machine that ran it.
        rounds: Of a training; None of other clusterers.
    """

    labels: Labels
    scores: Mapping[str, float]
    seconds: float
    rounds: int | None


class RunCache:
    """The finished runs of one feature and algorithm on one set of images.

    A line that is torn, by a crash or a full disk, is ignored.

    Args:
        file: Where the runs are kept.
        about: All that determines a run but k and the seed.
        images: Number of images.
    """

    def __init__(self, file: Path, about: Mapping[str, Any], images: int) -> None:
        self._file, self._about, self._images = file, about, images
        self._found: dict[tuple[int | None, int], Mapping[str, Any]] = {}
        self._is_torn = False

    @classmethod
    def open(
        cls,
        library: Path,
        about: Mapping[str, Any],
        image_ids: Iterable[str],
        *,
        distributions: Iterable[str] = (),
    ) -> Self:
        """Open the cache of the runs that some settings and images determine.

        Args:
            library: The library's folder.
            about: All that determines labels and scores but the images, k and the seed.
            image_ids: The images, sorted.
            distributions: Whose versions decide about labels besides organizer's own.
        """
        ids = tuple(image_ids)
        complete = {
            **about,
            "images": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
            "revision": _REVISION,
            "versions": {name: _version(name) for name in (*_DECIDING, *distributions)},
        }
        text = json.dumps(complete, sort_keys=True, separators=(",", ":"))
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        cache = cls(library / _FOLDER / f"{fingerprint}.jsonl", complete, len(ids))
        cache.read()
        return cache

    def get(self, k: int | None, seed: int) -> CachedRun | None:
        """A run; None where it is not finished."""
        line = self._found.get((k, seed))
        return None if line is None else self._entry(line)

    def add(self, k: int | None, seed: int, entry: CachedRun) -> None:
        """Store a run.

        Raises:
            StoreError: It cannot be written.
        """
        packed = zlib.compress(entry.labels.astype("<i4").tobytes())
        line = {
            "k": k,
            "seed": seed,
            "scores": dict(entry.scores),
            "seconds": entry.seconds,
            "rounds": entry.rounds,
            "labels": base64.b64encode(packed).decode("ascii"),
        }
        try:
            self._write(line)
        except OSError as error:
            raise StoreError(
                f"cannot keep what was compared in {self._file}: {error.strerror}"
            ) from error
        self._found[k, seed] = line

    def _write(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"
        if not self._file.exists():
            self._file.parent.mkdir(exist_ok=True)
            text = json.dumps({"about": self._about}, sort_keys=True) + "\n" + text
        elif self._is_torn:
            text = "\n" + text
        with self._file.open("a", encoding="ascii") as file:
            file.write(text)
        self._is_torn = False

    def read(self) -> None:
        """Read the runs of the file; there are none where there is no file."""
        try:
            text = self._file.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return
        self._is_torn = bool(text) and not text.endswith("\n")
        for row in text.splitlines():
            try:
                line = json.loads(row)
                if "labels" in line:
                    self._entry(line)
                    self._found[line["k"], line["seed"]] = line
            except (ValueError, KeyError, TypeError):
                continue

    def _entry(self, line: Mapping[str, Any]) -> CachedRun:
        """Parse a line.

        Raises:
            ValueError: It is damaged.
        """
        try:
            labels = np.frombuffer(zlib.decompress(base64.b64decode(line["labels"])), dtype="<i4")
        except (binascii.Error, zlib.error) as error:
            raise ValueError("damaged labels") from error
        if len(labels) != self._images:
            raise ValueError("labels of other images")
        return CachedRun(
            labels.astype(np.int64), dict(line["scores"]), float(line["seconds"]), line["rounds"]
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
