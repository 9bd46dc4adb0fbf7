"""OpenCLIP's networks with random weights, little ones among them, to compare ours with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict
from PIL import Image

from organizer.embed.openclip import OpenClipEmbedder, openclip_family
from tests.networks import SHAPES, enliven, far, noise

TEXTS = ["a fox", "a photo of a dog at night.", "", "Füchse"]
_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
_VIT = {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16}
# Every kind of network that OpenCLIP has, as small as it can be.
_LITTLE: dict[str, dict[str, Any]] = {
    "little-RN": {
        "embed_dim": 64,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16},
        "text_cfg": _TEXT,
    },
    "little-ViT": {"embed_dim": 64, "vision_cfg": _VIT, "text_cfg": _TEXT},
    "little-ViT-quickgelu": {
        "embed_dim": 64,
        "quick_gelu": True,
        "vision_cfg": _VIT,
        "text_cfg": _TEXT,
    },
    "little-timm": {  # another library's towers
        "embed_dim": 64,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 224,
            "timm_model_name": "vit_tiny_patch16_224",
            "timm_model_pretrained": False,
            "timm_pool": "token",
            "timm_proj": "linear",
        },
        "text_cfg": _TEXT,
    },
    "little-CoCa": {  # gives two tensors
        "embed_dim": 64,
        "vision_cfg": {
            **_VIT,
            "attentional_pool": True,
            "attn_pooler_heads": 2,
            "output_tokens": True,
        },
        "text_cfg": {**_TEXT, "context_length": 76, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": _TEXT,
        "custom_text": True,
    },
}


@contextmanager
def listed() -> Iterator[None]:
    """OpenCLIP lists the little networks, each with weights "some" and "quick", of a quick GELU."""
    entry = {"url": "https://weights.invalid/little.pt"}
    tags = {"some": entry, "quick": {**entry, "quick_gelu": True}}
    with pytest.MonkeyPatch.context() as patch:
        for name, config in _LITTLE.items():
            patch.setitem(open_clip.factory._MODEL_CONFIGS, name, config)
            patch.setitem(open_clip.pretrained._PRETRAINED, name, tags)
        yield


@dataclass(frozen=True)
class Theirs:
    """OpenCLIP's own network with random weights, and the folder in which these lie."""

    pair: str
    network: Any
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / f"{self.pair.replace('/', '-')}.pth"

    def images(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """What OpenCLIP itself makes of the pictures, one at a time."""
        transform = transform_of(self.pair)
        with torch.inference_mode():
            rows = [
                self.network.encode_image(transform(Image.fromarray(p))[None]) for p in pictures
            ]
        images: NDArray[np.float32] = torch.cat(rows).numpy()
        return images

    def texts(self, texts: list[str]) -> NDArray[np.float32]:
        """What OpenCLIP itself makes of the texts."""
        tokens = open_clip.get_tokenizer(self.pair.partition("/")[0])(texts)
        with torch.inference_mode():
            vectors: NDArray[np.float32] = self.network.encode_text(tokens, normalize=True).numpy()
        return vectors


def transform_of(pair: str) -> Any:
    """OpenCLIP's own way from the weights' configuration to a picture, without a network."""
    architecture, _, tag = pair.partition("/")
    config = merge_preprocess_dict(PreprocessCfg(), open_clip.get_pretrained_cfg(architecture, tag))
    size = open_clip.get_model_config(architecture)["vision_cfg"].get("image_size", 224)
    return image_transform_v2(PreprocessCfg(**{**config, "size": size}), is_train=False)


def theirs_in(folder: Path, pair: str) -> Theirs:
    """A network whose vectors differ from picture to picture, saved; the same at every call."""
    torch.manual_seed(7)
    architecture, _, tag = pair.partition("/")
    quick = bool(open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False))
    network: Any = open_clip.create_model(
        architecture, pretrained=None, load_weights=False, force_quick_gelu=quick
    ).eval()
    side = open_clip.get_model_config(architecture)["vision_cfg"].get("image_size", 224)
    enliven(network, side, forward="encode_image")
    with torch.no_grad():
        network.logit_scale.fill_(3.0)
    found = Theirs(pair, network, folder)
    torch.save(network.state_dict(), found.file)
    return found


def made(pair: str, weights: Path) -> OpenClipEmbedder:
    """The embedder as a library makes it."""
    found = openclip_family(pair)(weights=weights, device="cpu", precision="float32")
    assert isinstance(found, OpenClipEmbedder)
    return found


def compare_as_loaded(pair: str, folder: Path) -> None:
    """Our network, as it is loaded, gives OpenCLIP's vectors of a picture and of texts."""
    known = theirs_in(folder, pair)
    pixels = transform_of(pair)(Image.fromarray(noise(3, 240, 320)))[None]
    tokens = open_clip.get_tokenizer(pair.partition("/")[0])(TEXTS)
    with torch.inference_mode():
        expected = known.network.encode_image(pixels, normalize=True).numpy()
        whole = openclip_family(pair).whole(known.file)
        got = torch.nn.functional.normalize(openclip_family(pair).build(known.file)(pixels)).numpy()
        texts = whole.encode_text(tokens, normalize=True).numpy()
    assert far(got, expected) < 1e-5
    assert far(texts, known.texts(TEXTS)) < 1e-5


def compare_pictures(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    """Our embedder gives OpenCLIP's vectors of pictures."""
    pictures = [noise(seed, *shape) for seed, shape in enumerate(SHAPES)]
    expected = theirs.images(pictures)
    got = ours.embed([ours.prepare(picture) for picture in pictures])
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), ours.dim)
    assert far(expected[1:], expected[:-1]) > 1e-3, "the pictures are told apart by nothing"
    assert far(got, expected) < 1e-5


def compare_texts(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    """Our embedder gives OpenCLIP's vectors of texts."""
    got = ours.embed_text(TEXTS)
    assert got.dtype == np.float32
    assert got.shape == (len(TEXTS), ours.dim)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)
    expected = theirs.texts(TEXTS)
    assert far(expected[1:], expected[:-1]) > 1e-3, "the texts are told apart by nothing"
    assert far(got, expected) < 1e-5


def compare_quick(pair: str, plain: str, folder: Path) -> None:
    """Weights that were trained with a quick GELU give what a network that always has it gives."""
    theirs = theirs_in(folder, pair)
    torch.manual_seed(7)
    network = open_clip.create_model(plain, pretrained=None, load_weights=False).eval()
    network.load_state_dict(theirs.network.state_dict())
    tokens = open_clip.get_tokenizer(plain)(TEXTS)
    with torch.inference_mode():
        expected = network.encode_text(tokens, normalize=True).numpy()
        whole = openclip_family(pair).whole(theirs.file)
        got = whole.encode_text(tokens, normalize=True).numpy()
    assert far(got, expected) < 1e-5
