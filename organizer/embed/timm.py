"""timm's networks, self-supervised ones among them, as far as their pooled features.

``timm:vit_small_patch14_dinov2.lvd142m``; the names are those of timm, with the tag of the weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.embed.network import (
    NetworkFactory,
    source_matches,
    source_mentions,
    unknown_name_error,
)
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import (
    WeightsSource,
    is_repo_cached,
    mentions_cached_weights,
    read_state_dict,
    wrong_weights_error,
)
from organizer.errors import SettingsError

_LOADING_ERRORS = (RuntimeError, LookupError, AttributeError, ValueError)

_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class TimmNetwork(NetworkFactory):
    """A network of timm: the factory of its embedder.

    Attributes:
        model: timm's name, with the tag of the weights.
        dim: Not known before the network is built.
        licence: As far as timm tells.
    """

    model: str
    dim: int = 0
    licence: str = "see the model's card on the Hugging Face hub"

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in the registry."""
        return f"timm:{self.model}"

    @property
    def expected_source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        stem = self.model.replace("/", "-")
        return WeightsSource(self.name, stem, repo=f"timm/{self.model}", files=_FILES)

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`; not all repositories are timm's own."""
        entries = list(source_matches("timm", _entry(self.model) + _LINES_OF_AN_ENTRY))
        own = is_repo_cached(f"timm/{self.model}")
        return own or not entries or any(mentions_cached_weights(text) for text in entries)

    def source(self) -> WeightsSource:
        """See `NetworkFactory`."""
        config = self._config()
        repo = config.hf_hub_id or ""
        files = (config.hf_hub_filename,) if config.hf_hub_filename else _FILES
        url = "" if repo else config.url or ""
        return WeightsSource(
            self.name, self.model.replace("/", "-"), url=url, repo=repo, files=files
        )

    def preprocessing(self) -> Preprocessing:
        """See `NetworkFactory`; what timm's evaluation transform does."""
        from timm.data import resolve_data_config

        config = resolve_data_config(pretrained_cfg=self._config().to_dict(), verbose=False)
        _, height, width = config["input_size"]
        enlarged = int(height / config["crop_pct"]), int(width / config["crop_pct"])
        if config["crop_mode"] != "squash" and (config["crop_mode"] != "center" or height != width):
            raise SettingsError(
                f"{self.name} wants pictures of {height} x {width} cropped by "
                f"{config['crop_mode']!r}, which is not known here"
            )
        side = enlarged if config["crop_mode"] == "squash" else enlarged[0]
        return Preprocessing(
            side, (height, width), config["mean"], config["std"], config["interpolation"]
        )

    def build(self, path: Path) -> Any:
        """See `NetworkFactory`."""
        state = dict(read_state_dict(path, name=self.name))
        try:
            network = self._load(state)
        except _LOADING_ERRORS:
            # Perhaps the head is missing, or one of other classes. It is cut away in any case.
            try:
                return self._load(self._headless(state), num_classes=0)
            except _LOADING_ERRORS as error:
                reason = " ".join(str(error).split())[:160]
                raise wrong_weights_error(path, name=self.name, reason=reason) from error
        network.reset_classifier(0)
        return network

    def _load(self, state: dict[str, Any], **head: int) -> Any:
        """Load by timm's own way in, which knows the names that the makers of a network gave.

        It takes weights that do not fit where it cuts the head away itself; so it is given that
        the network has always had this one.
        """
        import timm

        overlay = {"state_dict": state, **head, **({"classifier": None} if head else {})}
        return timm.create_model(
            self.model, pretrained=True, pretrained_cfg_overlay=overlay, **head
        )

    def _headless(self, state: Mapping[str, Any]) -> dict[str, Any]:
        heads = self._config().classifier or ()
        heads = (heads,) if isinstance(heads, str) else heads
        mine = tuple(f"{head}." for head in heads)
        return {key: value for key, value in state.items() if not key.startswith(mine)}

    def _config(self) -> Any:
        import timm

        config = timm.get_pretrained_cfg(self.model)
        if config is None:
            raise _unknown(self.model)
        return config


class Timm:
    """The family ``timm:NAME``."""

    def __call__(self, model: str) -> TimmNetwork:
        """The network of that name.

        Raises:
            SettingsError: timm has no network of that name with weights.
        """
        if "." in model and source_mentions("timm", _entry(model)):
            return TimmNetwork(model)
        known = self.models()
        if model in known:
            return TimmNetwork(model)
        tagged = [name for name in known if name.partition(".")[0] == model]
        if tagged:  # without a tag timm takes the first: so do we, and say which
            import timm

            return TimmNetwork(f"{model}.{timm.get_pretrained_cfg(model).tag}")
        raise _unknown(model)

    def models(self) -> list[str]:
        """The names of timm's networks that have weights."""
        import timm

        names: list[str] = timm.list_pretrained()
        return names


timm_family = Timm()

_LINES_OF_AN_ENTRY = r".*(\n.*){0,12}"
"""More than the longest has: what stands too much in them costs an import, no more."""


def _entry(model: str) -> str:
    """Where timm's source tells of the weights of a network."""
    return rf"['\"]{re.escape(model)}['\"]\s*:"


def _unknown(model: str) -> SettingsError:
    known = timm_family.models()
    return unknown_name_error("timm network", model, known, listing="organizer models list timm")
