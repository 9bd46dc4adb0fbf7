from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from organizer import registry
from organizer.embed import mini as ours
from organizer.embed.mini import Mini, mini, mini_network, pack_weights, unpack_weights
from organizer.embed.precision import has_bfloat16
from organizer.errors import WeightsError
from organizer.types import Labels, PartSpec, Vectors

_GROUP = "organizer.embedders"


def _pictures(n: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Smooth colours: noise tells nothing of how a network sees photos."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (n, 5, 7, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(each).resize((160, 130))) for each in small]


def _embed(embedder: Any, pictures: list[NDArray[np.uint8]]) -> Vectors:
    vectors: Vectors = embedder.embed([embedder.prepare(picture) for picture in pictures])
    return vectors


# --- the file -----------------------------------------------------------------------------------


def test_the_weights_are_small_and_are_those_that_the_code_names() -> None:
    assert ours.WEIGHTS.stat().st_size <= 8_000_000
    assert hashlib.sha256(ours.WEIGHTS.read_bytes()).hexdigest() == ours.SHA256


def test_the_file_holds_the_network_and_nothing_else() -> None:
    state = unpack_weights(load_file(ours.WEIGHTS))
    expected = {key: value.shape for key, value in mini_network().state_dict().items()}
    assert {key: value.shape for key, value in state.items()} == expected
    assert all(torch.isfinite(value).all() for value in state.values())
    # What was never set, or set alike, has learnt nothing.
    assert all(float(value.std()) > 0 for value in state.values())


@pytest.mark.parametrize("place", [100, -1, 2_000_000])
def test_a_flipped_bit_is_refused(tmp_path: Path, place: int) -> None:
    damaged = bytearray(ours.WEIGHTS.read_bytes())
    damaged[place] ^= 1
    file = tmp_path / "weights.safetensors"
    file.write_bytes(damaged)
    with pytest.raises(WeightsError, match="damaged") as caught:
        Mini(file)()
    assert str(file) in caught.value.message
    assert caught.value.hint
    told = Mini(file).describe()
    assert (told.weights, told.location) == ("missing", caught.value.message)


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    with pytest.raises(WeightsError, match=r"weights\.safetensors"):
        Mini(file)()
    file.write_bytes(ours.WEIGHTS.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="damaged"):
        Mini(file)()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"embed.weight": torch.zeros(2, 2)}, file)
    other = Mini(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(WeightsError, match="does not hold the weights of organizer-mini"):
        other()


# --- small integers -----------------------------------------------------------------------------


def test_weights_survive_their_packing_to_half_a_step() -> None:
    torch.manual_seed(0)
    scales = torch.logspace(-6, 3, 12)
    state = {"a.weight": torch.randn(12, 5, 3, 3) * scales.view(-1, 1, 1, 1),
             "a.bias": torch.randn(12)}  # fmt: skip
    packed = pack_weights(state)
    assert packed["a.weight"].dtype == torch.int8
    back = unpack_weights(packed)
    step = state["a.weight"].abs().amax((1, 2, 3)) / 127
    error = (back["a.weight"] - state["a.weight"]).abs().amax((1, 2, 3))
    assert bool((error <= 0.5001 * step).all())
    torch.testing.assert_close(back["a.bias"], state["a.bias"])
    assert not pack_weights({"z.weight": torch.zeros(2, 3)})["z.weight"].any()


# --- vectors ------------------------------------------------------------------------------------


def test_vectors_are_those_of_plain_torch() -> None:
    embedder = mini(device="cpu", precision="float32")
    pictures = _pictures(5)
    state = unpack_weights(load_file(ours.WEIGHTS))
    found = _embed(embedder, pictures)
    for picture, vector in zip(pictures, found, strict=True):
        np.testing.assert_allclose(vector, _by_hand(state, embedder.prepare(picture)), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def _by_hand(state: dict[str, Any], pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network written out, by its file alone."""
    from torch.nn.functional import conv2d

    mean, std = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
    values = ((torch.tensor(pixels) / 255 - mean) / std).permute(2, 0, 1)[None]
    for stage in range(5):
        at = f"stages.{stage}.down"
        values = conv2d(values, state[f"{at}.weight"], state[f"{at}.bias"], 2, 1).clamp(0)
        for depth in range(9):
            at = f"stages.{stage}.same.{depth}"
            if f"{at}.weight" not in state:
                break
            more = conv2d(values, state[f"{at}.weight"], state[f"{at}.bias"], 1, 1)
            values = (values + more).clamp(0)
    vector = state["embed.weight"] @ values.mean((0, 2, 3)) + state["embed.bias"]
    unit: NDArray[np.float32] = (vector / vector.norm()).numpy()
    return unit


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16 units")
def test_bfloat16_gives_nearly_the_vectors_of_float32() -> None:
    pictures = _pictures(40)
    exact, fast = (
        _embed(mini(device="cpu", precision=precision), pictures)
        for precision in ("float32", "bfloat16")
    )
    exact, fast = exact - exact.mean(0), fast - exact.mean(0)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(fast, axis=1)
    assert ((exact * fast).sum(1) / lengths).min() > 0.99


def test_without_a_network_and_a_place_to_write_it_gives_the_same_vectors(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "no-folder"
    blocked.write_text("")  # neither root nor anyone else makes folders in a file
    code = (
        "import socket, numpy as np\n"
        "def no(*_, **__): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "from organizer.embed.mini import mini\n"
        "made = mini(device='cpu', precision='float32')\n"
        "picture = np.arange(90 * 70 * 3, dtype=np.uint8).reshape(90, 70, 3)\n"
        "print(' '.join(map(str, made.embed([made.prepare(picture)])[0])))\n"
    )
    places = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "TORCH_HOME", "HF_HOME", "HOME")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **dict.fromkeys(places, str(blocked / "below"))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    picture = np.arange(90 * 70 * 3, dtype=np.uint8).reshape(90, 70, 3)
    here = _embed(mini(device="cpu", precision="float32"), [picture])[0]
    np.testing.assert_allclose(np.array(done.stdout.split(), np.float32), here, atol=1e-6)


def test_it_is_registered_with_the_version_of_its_weights() -> None:
    spec, part = registry.create_part(_GROUP, PartSpec("organizer-mini"), options={"device": "cpu"})
    assert spec.version == f"1-{ours.SHA256[:16]}"
    assert (part.dim, part.min_side) == (ours.DIM, ours.MINI_SIDE)
    info = registry.part_factory(_GROUP, "organizer-mini").describe()  # type: ignore[attr-defined]
    assert (info.weights, info.location) == ("here", str(ours.WEIGHTS))
    assert info.licence.startswith("Apache-2.0")


# --- real photos --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def teacherless() -> dict[str, Any]:
    """What needs no download."""
    names = ("organizer-mini", "hog+hsv", "hog", "hsv", "gabor", "raw")
    options = {"device": "cpu"}
    return {
        name: registry.create_part(_GROUP, PartSpec(name), options=options)[1] for name in names
    }


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("folder", ["wildcats", "catsdogs", "caltech20"])
def test_it_groups_real_photos_better_than_any_handcrafted_embedder(
    real_photos: Path, teacherless: dict[str, Any], folder: str
) -> None:
    pictures, labels = _some(real_photos / folder, each=60 if folder != "caltech20" else 15)
    scores = {name: _nmi(_embed(part, pictures), labels) for name, part in teacherless.items()}
    mine = scores.pop("organizer-mini")
    assert mine > max(scores.values()), scores


def _some(folder: Path, *, each: int) -> tuple[list[NDArray[np.uint8]], Labels]:
    pictures, labels = [], []
    for label, place in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for file in sorted(place.iterdir())[:each]:
            with Image.open(file) as image:
                pictures.append(np.asarray(image.convert("RGB")))
            labels.append(label)
    return pictures, np.array(labels, np.int64)


def _nmi(vectors: Vectors, labels: Labels) -> float:
    k = int(labels.max()) + 1
    found = [KMeans(k, n_init=3, random_state=seed).fit_predict(vectors) for seed in range(3)]
    return float(np.mean([normalized_mutual_info_score(labels, each) for each in found]))
