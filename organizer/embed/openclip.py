"""OpenCLIP's networks, which put pictures and texts into one space.

``openclip:ViT-B-32/laion2b_s34b_b79k``: an architecture and one of the sets of weights that
OpenCLIP lists for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from organizer.embed.engine import NetworkEngine
from organizer.embed.network import (
    NetworkEmbedder,
    NetworkFactory,
    source_matches,
    source_mentions,
    unknown_name_error,
)
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import (
    WeightsFile,
    WeightsSource,
    hub_address,
    mentions_cached_weights,
    read_state_dict,
    wrong_weights_error,
)
from organizer.errors import SettingsError, WeightsMissingError
from organizer.types import Vectors

# OpenCLIP renames and resizes what it finds in a file before it is loaded: any of these is raised
# where that is another network's.
_LOADING_ERRORS = (RuntimeError, AssertionError, LookupError, StopIteration, ValueError)

_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


class OpenClipEmbedder(NetworkEmbedder):
    """The image side of a network; the text side is loaded when a text comes.

    Attributes:
        logit_scale: Factor of the cosine of a picture and a text in the softmax over texts
            (Radford et al. 2021, section 2.4), as it was learned.
    """

    def __init__(
        self, engine: NetworkEngine, preprocessing: Preprocessing, *, version: str, text: _TextSide
    ) -> None:
        super().__init__(engine, preprocessing, version=version)
        self._text = text

    @property
    def logit_scale(self) -> float:
        """See the class."""
        return float(self._text.network.logit_scale.detach().exp())

    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim)`` float32 of unit length, in the space of the pictures."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        import torch

        network, tokens = self._text.network, self._text.tokens(texts)
        with torch.inference_mode():
            vectors: Vectors = network.encode_text(tokens, normalize=True).numpy()
        return vectors


@dataclass(frozen=True)
class OpenClipNetwork(NetworkFactory):
    """A network of OpenCLIP: the factory of its embedder.

    Attributes:
        architecture: OpenCLIP's name of it.
        tag: OpenCLIP's name of the weights.
        dim: Not known before OpenCLIP is imported.
        licence: As far as OpenCLIP tells.
    """

    architecture: str
    tag: str
    dim: int = 0
    text = True
    licence: str = "see the model's card on the Hugging Face hub"

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in the registry."""
        return f"openclip:{self.architecture}/{self.tag}"

    @property
    def expected_source(self) -> WeightsSource:
        """See `NetworkFactory`; the name of the repository is OpenCLIP's secret."""
        return WeightsSource(self.name, self._stem, url=hub_address())

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`."""
        entries = list(source_matches("open_clip", _entry(self.tag) + r"[^)]*"))
        return not entries or any(mentions_cached_weights(text) for text in entries)

    def source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        config = self._config()
        repo, _, file = config.get("hf_hub", "").rpartition("/")
        files = _FILES
        if file:
            files = (str(Path(file).with_suffix(".safetensors")), file)
        url = "" if repo else config.get("url", "")
        return WeightsSource(self.name, self._stem, url=url, repo=repo, files=files)

    def preprocessing(self) -> Preprocessing:
        """See `NetworkFactory`."""
        import open_clip

        config = self._config()
        image = open_clip.get_model_config(self.architecture)["vision_cfg"].get("image_size", 224)
        height, width = (image, image) if isinstance(image, int) else image
        mode = config.get("resize_mode", "shortest")
        if mode not in {"shortest", "squash"}:
            raise SettingsError(f"{self.name} wants pictures resized by {mode!r}, not known here")
        side = (height, width) if mode == "squash" else min(height, width)
        mean = config.get("mean", open_clip.OPENAI_DATASET_MEAN)
        std = config.get("std", open_clip.OPENAI_DATASET_STD)
        how = config.get("interpolation", "bicubic")
        return Preprocessing(side, (height, width), tuple(mean), tuple(std), how)

    def build(self, path: Path) -> Any:
        """See `NetworkFactory`; the image side."""
        return _image_side(self.whole(path))

    def wrap_engine(
        self,
        engine: NetworkEngine,
        preprocessing: Preprocessing,
        *,
        version: str,
        file: WeightsFile,
    ) -> OpenClipEmbedder:
        """See `NetworkFactory`."""
        text = _TextSide(self, file.path)
        return OpenClipEmbedder(engine, preprocessing, version=version, text=text)

    def whole(self, path: Path) -> Any:
        """Both sides with these weights.

        Raises:
            WeightsError: They cannot be read, or are another network's.
        """
        import open_clip

        read_state_dict(path, name=self.name)  # or a damaged file looks like another network's
        network = self._without_weights()
        try:
            open_clip.load_checkpoint(network, str(path))
        except _LOADING_ERRORS as error:
            reason = "names or shapes differ"
            raise wrong_weights_error(path, name=self.name, reason=reason) from error
        return network.float().eval()

    def _without_weights(self) -> Any:
        import open_clip

        quick = bool(self._config().get("quick_gelu", False))
        try:
            with _quiet():
                return open_clip.create_model(
                    self.architecture, pretrained=None, load_weights=False, force_quick_gelu=quick
                )
        except RuntimeError as error:
            if "transformers" not in str(error):
                raise
            raise SettingsError(
                f"the text side of {self.name} is of a library that is not here",
                "pip install transformers",
            ) from error

    @property
    def _stem(self) -> str:
        return f"{self.architecture}-{self.tag}".replace("/", "-")

    def _config(self) -> dict[str, Any]:
        import open_clip

        self.require()
        config: dict[str, Any] = open_clip.get_pretrained_cfg(self.architecture, self.tag)
        return config

    def require(self) -> None:
        """Make sure that OpenCLIP lists the pair.

        Raises:
            SettingsError: It does not.
        """
        import open_clip

        if (self.architecture, self.tag) not in open_clip.list_pretrained():
            pair = f"{self.architecture}/{self.tag}"
            listing = "organizer models list openclip"
            raise unknown_name_error(
                "OpenCLIP pair", pair, openclip_family.models(), listing=listing
            )


class OpenClip:
    """The family ``openclip:ARCHITECTURE/TAG``."""

    def __call__(self, model: str) -> OpenClipNetwork:
        """The network of that architecture with the weights of that tag.

        Raises:
            SettingsError: OpenCLIP does not list the pair.
        """
        architecture, _, tag = model.rpartition("/")
        if not (architecture and tag):
            listing = "organizer models list openclip"
            raise unknown_name_error("OpenCLIP pair", model, self.models(), listing=listing)
        network = OpenClipNetwork(architecture, tag)
        if not (
            source_mentions("open_clip", _entry(tag))
            and source_mentions("open_clip", _entry(architecture))
        ):
            network.require()
        return network

    def models(self) -> list[str]:
        """All pairs that OpenCLIP lists."""
        import open_clip

        return [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]


openclip_family = OpenClip()


def _entry(name: str) -> str:
    """Where OpenCLIP's source tells of an architecture or a tag."""
    return rf"(?<![\w-]){re.escape(name)}(\s*=|['\"]\s*[:,])"


@dataclass(frozen=True)
class _TextSide:
    """What turns texts into vectors, made when the first text comes."""

    made_by: OpenClipNetwork
    path: Path

    @cached_property
    def network(self) -> Any:
        return self.made_by.whole(self.path)

    def tokens(self, texts: Sequence[str]) -> Any:
        import open_clip

        try:
            return open_clip.get_tokenizer(self.made_by.architecture)(list(texts))
        except (ImportError, OSError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsMissingError(
                f"the tokenizer of {self.made_by.name} cannot be had: {reason}",
                "it comes from the Hugging Face hub (and may need: pip install transformers); "
                "ViT-B-32/laion2b_s34b_b79k needs neither",
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCLIP warns that a network has no weights yet, through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _image_side(network: Any) -> Any:
    """The image encoder as a module of its own; not normalised: cosines do not mind."""
    import torch

    class ImageSide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = network.visual

        def forward(self, pictures: Any) -> Any:
            vectors = self.visual(pictures)
            return vectors[0] if isinstance(vectors, tuple) else vectors  # CoCa adds its tokens

    return ImageSide()
