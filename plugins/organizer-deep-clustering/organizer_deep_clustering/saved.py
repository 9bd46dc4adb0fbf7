"""Embedders that were trained on this machine, or brought to it: ``trained:NAME``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from organizer.atomic import replace_atomically
from organizer.embed.digest import file_digest
from organizer.embed.network import NetworkFactory
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import (
    WeightsFile,
    WeightsSource,
    copy_weights,
    find_given_weights,
    imported_folder,
    reading_weights,
)
from organizer.errors import SettingsError, WeightsError, WeightsMissingError
from organizer.protocols import Embedder, EmbedderInfo
from organizer.training import TrainedClusters
from organizer_deep_clustering.pretrained import network_factory, scaled_preprocessing

_FAMILY = "trained"
_ABOUT = "organizer.about"
_NAME = re.compile(r"\w[\w.-]{0,99}")
_LICENCE = "that of the network it was trained from, and of the photos"


class TrainedEmbedders:
    """The family ``trained:NAME``: networks that a clusterer trained.

    Their weights lie where imported weights do (``organizer models list`` shows where), as files of
    tensors that hold no code. They are no cache: a library that works with one needs its file.
    """

    def __call__(self, model: str) -> SavedEmbedder:
        """The embedder of that name.

        Raises:
            SettingsError: It cannot be a name.
        """
        return SavedEmbedder(_checked(model))

    def models(self) -> list[str]:
        """The names of those whose weights are here."""
        files = imported_folder().glob(f"{_FAMILY}-*.safetensors")
        return sorted(file.stem.removeprefix(f"{_FAMILY}-") for file in files)

    def file_of(self, name: str) -> Path:
        """See `organizer.training.TrainedFamily`.

        Raises:
            SettingsError: It cannot be a name.
        """
        return imported_folder() / f"{SavedEmbedder(_checked(name)).stem}.safetensors"

    def save(self, name: str, trained: TrainedClusters) -> Path:
        """See `organizer.training.TrainedFamily`.

        Raises:
            SettingsError: There is another one of that name, or it cannot be a name.
            WeightsError: It cannot be written.
        """
        from safetensors.numpy import save

        file = self.file_of(name)
        about = {**trained.about, "dim": int(trained.features.shape[1])}
        text = json.dumps(about, sort_keys=True, separators=(",", ":"))
        # Weights of convolutions may lie in another order in memory, which the format cannot tell.
        tensors = {name: np.array(array, order="C") for name, array in trained.tensors.items()}
        content = save(tensors, metadata={_ABOUT: text})
        if file.exists():
            if file.read_bytes() == content:
                return file
            raise SettingsError(
                f"there is another embedder {_FAMILY}:{name}, and libraries may depend on it",
                "another --save-embedder NAME",
            )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with replace_atomically(file, over=False) as partial:
                partial.write_bytes(content)
        except OSError as error:
            raise WeightsError(f"{file} cannot be written: {error.strerror}") from error
        return file


trained_family = TrainedEmbedders()


@dataclass(frozen=True, slots=True)
class SavedEmbedder:
    """The factory of a trained embedder.

    Attributes:
        model: Its name without the family.
    """

    model: str

    @property
    def name(self) -> str:
        """The name in the registry."""
        return f"{_FAMILY}:{self.model}"

    @property
    def stem(self) -> str:
        """The name of the file of its weights, without suffix."""
        return f"{_FAMILY}-{self.model}"

    def __call__(
        self, *, weights: Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> Embedder:
        """The embedder.

        Raises:
            WeightsMissingError: Its weights are not on this machine.
            WeightsError: They are damaged, or of something else.
        """
        path = self.pull(weights=weights)
        digest = file_digest(path)[:16]
        about = self._about(path)
        if about.get("kind") == "network":
            factory = self._network(about, path)
            return factory.embedder(WeightsFile(path, digest), device=device, precision=precision)
        from safetensors.numpy import load_file

        from organizer_deep_clustering.encoder_embedder import encoder_embedder

        with reading_weights(path, name=self.name):
            tensors = load_file(path)
        # A file that was named holds these weights, and not those of the base embedder.
        folder = weights if weights is not None and weights.is_dir() else None
        return encoder_embedder(
            about, tensors, version=digest, weights=folder, device=device, precision=precision
        )

    def describe(self, *, weights: Path | None = None) -> EmbedderInfo:
        """See `organizer.protocols.Describable`."""
        path = find_given_weights(self.stem, given=weights)
        if path is None:
            return EmbedderInfo(self.name, 0, "missing", str(imported_folder()), _LICENCE)
        dim = int(self._about(path).get("dim", 0))
        return EmbedderInfo(self.name, dim, "here", str(path), _LICENCE)

    def pull(self, *, weights: Path | None = None) -> Path:
        """See `organizer.protocols.Weighted`; nobody offers them for download.

        Raises:
            WeightsMissingError: They are not on this machine.
        """
        path = find_given_weights(self.stem, given=weights)
        if path is None:
            raise WeightsMissingError(
                f"the weights of {self.name} are not on this machine: "
                f"{imported_folder() / self.stem}.safetensors",
                "copy them from where it was trained, and organizer models import FILE --name "
                f"{self.name}",
            )
        return path

    def import_weights(self, file: Path) -> Path:
        """See `organizer.protocols.Weighted`.

        Raises:
            WeightsError: They are not those of a trained embedder.
        """
        from safetensors.numpy import load_file

        from organizer_deep_clustering.encoder import Encoder

        about = self._about(file)
        if about.get("kind") == "network":
            self._network(about, file).build(file)
        else:
            with reading_weights(file, name=self.name):
                Encoder.restored(about, load_file(file))
        return copy_weights(file, WeightsSource(self.name, self.stem))

    def _about(self, path: Path) -> Mapping[str, Any]:
        from safetensors import safe_open

        with reading_weights(path, name=self.name), safe_open(path, framework="numpy") as opened:
            text = (opened.metadata() or {}).get(_ABOUT)
            about: Mapping[str, Any] = {} if text is None else dict(json.loads(text))
        if not about:
            raise WeightsError(
                f"{path} holds no trained embedder", "a file of recluster --save-embedder"
            )
        return about

    def _network(self, about: Mapping[str, Any], path: Path) -> TunedNetwork:
        with reading_weights(path, name=self.name):
            network, side, dim = str(about["network"]), int(about["side"]), int(about["dim"])
        return TunedNetwork(self.name, self.stem, network_factory(network), side, dim)


@dataclass(frozen=True)
class TunedNetwork(NetworkFactory):
    """A network of organizer's with weights that were fine-tuned.

    Attributes:
        name: The name in the registry.
        stem: The name of the file of its weights, without suffix.
        base: The network that was fine-tuned.
        side: Pixels of the square that it is given.
        dim: Length of a vector.
        licence: Of the weights.
    """

    name: str
    stem: str
    base: NetworkFactory
    side: int
    dim: int
    licence: str = _LICENCE

    @property
    def expected_source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        return WeightsSource(self.name, self.stem)

    def source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        return self.expected_source

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`."""
        return False

    def preprocessing(self) -> Preprocessing:
        """See `NetworkFactory`."""
        return scaled_preprocessing(self.base.preprocessing(), self.side)

    def build(self, path: Path) -> Any:
        """See `NetworkFactory`."""
        return self.base.build(path)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"an embedder cannot have the name {name!r}",
            "letters, digits, and . _ - between them",
        )
    return name
