from __future__ import annotations

import shutil
from collections.abc import Iterator
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

from organizer import registry
from organizer.embed.openclip import OpenClipEmbedder, openclip_family
from organizer.errors import SettingsError, WeightsError, WeightsMissingError
from organizer.protocols import Embedder, ReducedInput, TextEmbedder, Versioned
from tests.networks import enliven, keep_something_of

PAIR = "RN50/yfcc15m"
_PAIRS = [
    PAIR,
    pytest.param("ViT-B-32/laion2b_s34b_b79k", marks=pytest.mark.slow),  # 600 MB
]
_TEXTS = ["a fox", "a photo of a dog at night.", "", "Füchse"]


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
        transform = _transform(self.pair)
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


def _transform(pair: str) -> Any:
    """OpenCLIP's own way from the weights' configuration to a picture, without a network."""
    architecture, _, tag = pair.partition("/")
    config = merge_preprocess_dict(PreprocessCfg(), open_clip.get_pretrained_cfg(architecture, tag))
    size = open_clip.get_model_config(architecture)["vision_cfg"].get("image_size", 224)
    return image_transform_v2(PreprocessCfg(**{**config, "size": size}), is_train=False)


def theirs_in(folder: Path, pair: str = PAIR) -> Theirs:
    """A network whose vectors differ from picture to picture, saved; the same at every call."""
    torch.manual_seed(7)
    architecture, _, tag = pair.partition("/")
    quick = bool(open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False))
    network: Any = open_clip.create_model(
        architecture, pretrained=None, load_weights=False, force_quick_gelu=quick
    ).eval()
    enliven(network, 224, forward="encode_image")
    with torch.no_grad():
        network.logit_scale.fill_(3.0)
    found = Theirs(pair, network, folder)
    torch.save(network.state_dict(), found.file)
    return found


@pytest.fixture(scope="module", autouse=True)
def _converted_once(converted: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(converted))
        yield


@pytest.fixture(scope="module", params=_PAIRS)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(tmp_path_factory.mktemp("weights"), request.param)


@pytest.fixture(scope="module")
def ours(theirs: Theirs) -> OpenClipEmbedder:
    return _made(theirs.pair, theirs.folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Theirs:
    return theirs_in(tmp_path_factory.mktemp("small"))


def _made(pair: str, weights: Path) -> OpenClipEmbedder:
    """The embedder as a library makes it."""
    made = openclip_family(pair)(weights=weights, device="cpu", precision="float32")
    assert isinstance(made, OpenClipEmbedder)
    return made


def _noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse noise: a picture that survives resizing."""
    draw = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(draw).resize((width, height), Image.Resampling.BICUBIC))


_SHAPES = [(300, 400), (400, 300), (224, 224), (91, 130), (601, 337)]


def _far(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference as a share of the largest value."""
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


# Pictures ------------------------------------------------------------------------------------


def test_vectors_of_pictures_are_those_of_openclip(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    pictures = [_noise(seed, *shape) for seed, shape in enumerate(_SHAPES)]
    expected = theirs.images(pictures)
    got = ours.embed([ours.prepare(picture) for picture in pictures])
    assert got.dtype == np.float32
    assert got.shape == (len(pictures), ours.dim)
    assert _far(expected[1:], expected[:-1]) > 1e-3, "the pictures are told apart by nothing"
    assert _far(got, expected) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    "pair",
    [
        "PE-Core-T-16-384/meta",  # another library's towers
        "coca_ViT-B-32/laion2b_s13b_b90k",  # gives two tensors
    ],
)
def test_networks_of_another_make_give_openclip_s_vectors(pair: str, tmp_path: Path) -> None:
    known = theirs_in(tmp_path, pair)
    pixels = _transform(pair)(Image.fromarray(_noise(3, 240, 320)))[None]
    tokens = open_clip.get_tokenizer(pair.partition("/")[0])(_TEXTS)
    with torch.inference_mode():
        expected = known.network.encode_image(pixels, normalize=True).numpy()
        whole = openclip_family(pair).whole(known.file)
        got = torch.nn.functional.normalize(openclip_family(pair).build(known.file)(pixels)).numpy()
        texts = whole.encode_text(tokens, normalize=True).numpy()
    assert _far(got, expected) < 1e-5
    assert _far(texts, known.texts(_TEXTS)) < 1e-5


def test_it_keeps_the_contracts(ours: OpenClipEmbedder) -> None:
    for contract in (Embedder, ReducedInput, Versioned, TextEmbedder):
        assert isinstance(ours, contract)
    assert ours.device == "cpu"
    nothing = ours.embed([])
    assert nothing.shape == (0, ours.dim)
    assert nothing.dtype == np.float32


@pytest.mark.parametrize("shape", [(90, 131), (701, 500)])
def test_pictures_are_prepared_for_every_pair_as_openclip_does(shape: tuple[int, int]) -> None:
    picture, wrong = _noise(2, *shape), []
    expected: dict[str, NDArray[Any]] = {}
    pairs = [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]
    assert openclip_family.models() == pairs
    for pair in pairs:
        preparing = openclip_family(pair).preprocessing()
        transform = _transform(pair)
        if repr(transform) not in expected:
            expected[repr(transform)] = transform(Image.fromarray(picture)).numpy()
        theirs = expected[repr(transform)]
        got = (preparing(picture) / 255 - preparing.mean) / np.array(preparing.std)
        got = got.transpose(2, 0, 1)
        if got.shape != theirs.shape or np.abs(got - theirs).max() > 1e-5:
            wrong.append(pair)
    assert wrong == []
    assert len(expected) > 10


def test_the_configuration_without_a_network_is_that_of_the_network(small: Theirs) -> None:
    """What the test of all pairs compares with is what OpenCLIP makes with the network."""
    with_network = image_transform_v2(
        PreprocessCfg(**small.network.visual.preprocess_cfg), is_train=False
    )
    assert repr(with_network) == repr(_transform(small.pair))


# Texts ---------------------------------------------------------------------------------------


def test_vectors_of_texts_are_those_of_openclip(theirs: Theirs, ours: OpenClipEmbedder) -> None:
    got = ours.embed_text(_TEXTS)
    assert got.dtype == np.float32
    assert got.shape == (len(_TEXTS), ours.dim)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)
    expected = theirs.texts(_TEXTS)
    assert _far(expected[1:], expected[:-1]) > 1e-3, "the texts are told apart by nothing"
    assert _far(got, expected) < 1e-5


def test_no_texts_give_no_rows(ours: OpenClipEmbedder) -> None:
    vectors = ours.embed_text([])
    assert vectors.shape == (0, ours.dim)
    assert vectors.dtype == np.float32


def test_the_scale_of_the_cosines_is_the_one_that_was_learned(
    theirs: Theirs, ours: OpenClipEmbedder
) -> None:
    assert ours.logit_scale == pytest.approx(float(np.exp(3.0)), rel=1e-6)
    assert ours.logit_scale == pytest.approx(theirs.network.logit_scale.detach().exp().item())


@pytest.mark.slow
def test_weights_that_were_trained_with_a_quick_gelu_are_run_with_it(tmp_path: Path) -> None:
    """OpenCLIP only warns that RN50 and the weights "openai" do not agree; RN50-quickgelu does."""
    theirs = theirs_in(tmp_path, "RN50/openai")
    torch.manual_seed(7)
    plain = open_clip.create_model("RN50-quickgelu", pretrained=None, load_weights=False).eval()
    plain.load_state_dict(theirs.network.state_dict())
    tokens = open_clip.get_tokenizer("RN50")(_TEXTS)
    with torch.inference_mode():
        expected = plain.encode_text(tokens, normalize=True).numpy()
        whole = openclip_family("RN50/openai").whole(theirs.file)
        got = whole.encode_text(tokens, normalize=True).numpy()
    assert _far(got, expected) < 1e-5


# The weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused_in_one_line(
    small: Theirs, tmp_path: Path, share: float
) -> None:
    file = tmp_path / small.file.name
    shutil.copy(small.file, file)
    with file.open("r+b") as opened:
        opened.truncate(int(file.stat().st_size * share))
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        openclip_family(PAIR).build(file)
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("pair", ["RN101/yfcc15m", "ViTamin-S/datacomp1b"])
def test_the_weights_of_another_network_are_refused_in_one_line(small: Theirs, pair: str) -> None:
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        openclip_family(pair).build(small.file)
    assert f"openclip:{pair}" in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("change", ["one missing", "one too many", "another shape", "no texts"])
def test_weights_that_nearly_fit_are_refused(small: Theirs, tmp_path: Path, change: str) -> None:
    state = dict(small.network.state_dict())
    name = "visual.conv1.weight"
    if change == "one missing":
        del state[name]
    elif change == "one too many":
        state["visual.conv99.weight"] = state[name]
    elif change == "another shape":
        state[name] = state[name][:, :1]
    else:
        state = {key: value for key, value in state.items() if key.startswith("visual.")}
    torch.save(state, tmp_path / "near.pth")
    with pytest.raises(WeightsError, match="does not hold the weights of") as caught:
        openclip_family(PAIR).build(tmp_path / "near.pth")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "content", [{}, {"a": 1}, [torch.zeros(2)], "text", {"state_dict": {}}], ids=repr
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError) as caught:
        openclip_family(PAIR).build(tmp_path / "other.pth")
    assert str(tmp_path / "other.pth") in caught.value.message
    assert "\n" not in caught.value.message


def test_nothing_in_a_weights_file_is_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "executed",)

    torch.save({"visual.conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        openclip_family(PAIR).build(tmp_path / "trap.pth")
    assert not (tmp_path / "executed").exists()


def test_the_text_tower_of_another_library_is_reported(small: Theirs) -> None:
    """Some pairs need transformers, which does not come with this program."""
    try:
        import transformers  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match="roberta-ViT-B-32") as caught:
            openclip_family("roberta-ViT-B-32/laion2b_s12b_b32k").build(small.file)
        assert "\n" not in caught.value.message
    else:
        pytest.skip("transformers is here")


# Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("RN50/yfcc51m", "RN50/yfcc15m"),
        ("ViT-B-32/laion2b_s34b_b97k", "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
        ("vit-b-32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_an_unknown_pair_suggests_known_ones(typed: str, suggested: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no OpenCLIP pair") as caught:
        openclip_family(typed).describe(weights=tmp_path)
    assert typed in caught.value.message
    assert "did you mean" in caught.value.hint
    assert suggested in caught.value.hint


@pytest.mark.parametrize("typed", ["ViT-B-32", "", "/", "RN50/"])
def test_an_architecture_alone_is_no_name(typed: str) -> None:
    with pytest.raises(SettingsError, match=r"no OpenCLIP pair") as caught:
        openclip_family(typed).source()
    assert f"{typed!r}" in caught.value.message


def test_what_a_network_tells_of_itself_is_true(tmp_path: Path) -> None:
    network = openclip_family(PAIR)
    absent = network.describe(weights=tmp_path)
    assert (absent.name, absent.weights, absent.text) == (f"openclip:{PAIR}", "downloadable", True)
    assert absent.location.startswith("https://huggingface.co/")
    (tmp_path / "RN50-yfcc15m.safetensors").write_bytes(b"not looked into")
    here = network.describe(weights=tmp_path)
    assert (here.weights, here.location) == ("here", str(tmp_path / "RN50-yfcc15m.safetensors"))
    assert network.describe(weights=tmp_path / "nowhere").weights == "missing"


def test_every_pair_that_is_listed_has_a_place_of_its_weights() -> None:
    assert [
        pair for pair in openclip_family.models() if not openclip_family(pair).source().address
    ] == []


def test_what_is_cached_is_known_without_openclip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub" / "models--laion--of-something-else").mkdir(parents=True)
    for network in map(openclip_family, openclip_family.models()):
        assert not network.may_be_cached(), network.name
        kept = keep_something_of(network.source())
        assert network.may_be_cached(), network.name
        kept.rename(kept.with_name("elsewhere"))


def test_a_hub_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    def ask(*_: Any, **__: Any) -> None:
        pytest.fail("it was asked")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(urllib.request, "urlopen", ask)
    with pytest.raises(WeightsMissingError, match="HF_HUB_OFFLINE is set"):
        openclip_family(PAIR)()


def test_a_pair_is_known_by_one_name() -> None:
    name = f"openclip:{PAIR}"
    assert registry.canonical_name("organizer.embedders", name) == name


def test_absent_weights_are_missed_with_all_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib.request

    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(WeightsMissingError) as caught:
        _made(PAIR, tmp_path)
    assert f"{tmp_path}/RN50-yfcc15m.pth" in caught.value.message
    assert "huggingface.co" in caught.value.message
    assert "RN50-yfcc15m.pth" in caught.value.hint
