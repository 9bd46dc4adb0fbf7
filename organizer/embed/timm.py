"""timm's networks, self-supervised ones among them, as far as their pooled features.

``timm:vit_small_patch14_dinov2.lvd142m``; the names are those of timm, with the tag of the weights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.embed.network import NetworkFactory, mentioned, unknown
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import (
    WeightsSource,
    do_not_fit,
    hub_cache,
    read_state_dict,
    torch_cache,
)
from organizer.errors import SettingsError

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
    def promise(self) -> WeightsSource:
        """See `NetworkFactory`."""
        stem = self.model.replace("/", "-")
        return WeightsSource(self.name, stem, repo=f"timm/{self.model}", files=_FILES)

    def may_be_cached(self) -> bool:
        """See `NetworkFactory`; not all repositories are timm's own."""
        return any(hub_cache().glob("models--*")) or any(torch_cache().glob("*.pth"))

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
        import timm

        state = dict(read_state_dict(path, name=self.name))
        try:
            return timm.create_model(
                self.model,
                pretrained=True,
                num_classes=0,
                # timm's own way in: it knows the names that the makers of a network gave.
                pretrained_cfg_overlay={"state_dict": state},
            )
        except (RuntimeError, KeyError, AttributeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise do_not_fit(path, name=self.name, reason=reason) from error

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
        if "." in model and mentioned("timm", rf"['\"]{re.escape(model)}['\"]\s*:"):
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


family = Timm()


def _unknown(model: str) -> SettingsError:
    known = family.models()
    return unknown("timm network", model, known, listing="organizer models list timm")
