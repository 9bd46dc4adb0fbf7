"""Weights: listed, fetched, imported, and every way in which they can be wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from tests.conftest import Ran, Run, Site, make_groups
from tests.networks import enliven


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    """The state dict of a random MobileNetV2."""
    torch.manual_seed(2)
    network = torchvision.models.mobilenet_v2(weights=None)
    return dict(enliven(network, 64).state_dict())


@pytest.fixture(scope="module")
def file(state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights, in a file of another name."""
    path = tmp_path_factory.mktemp("file") / "mine.pth"
    torch.save(state, path)
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways out lead to a port of this machine where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request._opener", None)


def _is_refused(ran: Ran, message: str, *, code: int = 2) -> None:
    """One line of what happened, one of what to do, nothing on stdout."""
    lines = ran.err.splitlines()
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], ran.err
    assert message in lines[0], ran.err


# List, where ---------------------------------------------------------------------------------


def test_every_short_name_is_listed(typed: Run) -> None:
    listed = typed("models", "list", "--json").json["models"]
    assert typed("models", "--json").json["models"] == listed
    names = {model["name"] for model in listed}
    wanted = (
        "vgg16 vgg19 resnet18 resnet34 resnet50 resnet101 inception_v3 alexnet mobilenet_v2 "
        "efficientnet_b0 convnext_tiny vit_b_16 raw hog gabor hsv"
    )
    assert set(wanted.split()) <= names


@pytest.mark.parametrize(
    ("family", "one"),
    [
        ("torchvision", "torchvision:resnet50"),
        ("timm", "timm:vit_small_patch14_dinov2.lvd142m"),
        ("openclip", "openclip:ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_a_family_lists_its_names(typed: Run, family: str, one: str) -> None:
    ran = typed("models", "list", family)
    names = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert one in names
    assert len(names) == len(set(names)) > 50
    assert typed("models", "list", family, "--json").json == {
        "models": [{"name": n} for n in names]
    }


def test_an_unknown_family_is_wrong_use(typed: Run) -> None:
    _is_refused(typed("models", "list", "tim"), "there is no family of embedders 'tim'")
    assert "timm" in typed("models", "list", "tim").err
    _is_refused(typed("models", "list", "+"), "'+' has no names to list")


def test_where_lists_the_folders_of_weights(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "t"))
    (tmp_path / "w").mkdir()
    places = typed("models", "where", "--weights", "w", "--json").json["places"]
    assert [Path(place).name for place in places[:2]] == ["w", "weights"]
    assert str(tmp_path / "t" / "hub" / "checkpoints") in places
    assert typed("models", "where", "--weights", "w").out.splitlines()[1:] == places[1:]


def test_where_finds_the_weights_of_one_embedder(typed: Run, file: Path) -> None:
    absent = typed("models", "where", "mobilenet_v2", "--json").json
    assert absent["weights"] == "downloadable"
    assert absent["location"].startswith("https://download.pytorch.org/")
    here = typed("models", "where", "mobilenet_v2", "--weights", file, "--json").json
    assert (here["weights"], here["location"]) == ("here", str(file))
    assert typed("models", "where", "hog").out == "none needed\n"
    for unknown in ("mobilenet", "vgg16@conv5", "openclip:ViT-B-23/openai"):
        _is_refused(typed("models", "where", unknown), "there is no")
    assert "ViT-B-32/openai" in typed("models", "where", "openclip:ViT-B-23/openai").err


# Import --------------------------------------------------------------------------------------


def test_what_was_imported_is_used_from_then_on(typed: Run, file: Path, tmp_path: Path) -> None:
    ran = typed("models", "import", file, "--name", "mobilenet_v2")
    assert ran.code == 0
    assert "--embedder mobilenet_v2" in ran.err, "what to do next"
    kept = Path(ran.out.strip())
    assert kept.read_bytes() == file.read_bytes()
    photos = make_groups(tmp_path / "photos", each=2)
    done = typed("ingest", photos, "--embedder", "mobilenet_v2", "--json")
    assert done.code == 0, done.err
    assert done.json["embedder"] == "mobilenet_v2"
    status = typed("status", "--json").json
    assert hashlib.sha256(file.read_bytes()).hexdigest()[:16] in str(status)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_the_name_of_the_file_may_be_the_embedder_s(
    typed: Run, state: dict[str, Any], tmp_path: Path, suffix: str
) -> None:
    named = tmp_path / f"mobilenet_v2-7ebf99e0{suffix}"  # as torchvision names its files
    if suffix == ".pth":
        torch.save(state, named)
    else:
        save_file(state, named)
    assert typed("models", "import", named).code == 0
    assert typed("models", "pull", "mobilenet_v2").out.strip().endswith(f"mobilenet_v2{suffix}")


def test_other_weights_of_the_same_name_are_refused(
    typed: Run, file: Path, state: dict[str, Any], tmp_path: Path
) -> None:
    kept = Path(typed("models", "import", file, "--name", "mobilenet_v2").out.strip())
    torch.save(
        {**state, "features.0.0.weight": state["features.0.0.weight"] + 1}, tmp_path / "b.pth"
    )
    _is_refused(typed("models", "import", "b.pth", "--name", "mobilenet_v2"), "imported before")
    assert kept.read_bytes() == file.read_bytes()


def test_what_does_not_fit_is_not_taken_in(typed: Run, file: Path, tmp_path: Path) -> None:
    _is_refused(typed("models", "import", file, "--name", "resnet18"), "does not hold the weights")
    cut = tmp_path / "cut.pth"
    cut.write_bytes(file.read_bytes()[:-1000])
    _is_refused(typed("models", "import", cut, "--name", "mobilenet_v2"), "cannot be read")
    _is_refused(typed("models", "import", "nowhere.pth", "--name", "mobilenet_v2"), "nowhere.pth")
    _is_refused(typed("models", "import", file, "--name", "hog"), "hog needs no weights")
    _is_refused(typed("models", "import", file, "--name", "mobilnet_v2"), "mobilnet_v2")
    _is_refused(typed("models", "import", file), "there is no embedder 'mine'")
    assert not (tmp_path / "no-data").exists()


# Pull ----------------------------------------------------------------------------------------


def test_weights_that_are_here_are_not_fetched(typed: Run, file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "mobilenet_v2.pth")
    ran = typed("models", "pull", "mobilenet_v2", "--weights", tmp_path, "--json")
    assert ran.json == {"name": "mobilenet_v2", "path": str(tmp_path / "mobilenet_v2.pth")}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "name",
    [
        "resnet50",
        "torchvision:densenet121",
        "timm:vit_small_patch14_dinov2.lvd142m",
        "openclip:ViT-B-32/laion2b_s34b_b79k",
        "resnet18+hsv",
    ],
)
def test_without_a_network_it_fails_within_five_seconds(
    run: Run, photos: Path, tmp_path: Path, name: str
) -> None:
    begun = time.monotonic()
    ran = run("ingest", photos, "--embedder", name)
    seconds = time.monotonic() - begun
    lines = ran.err.splitlines()
    assert ran.code != 0
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], ran.err
    assert f"the weights of {name.removesuffix('+hsv')} cannot be had" in lines[0]
    assert seconds < 5 or _is_busy()
    assert not (tmp_path / ".organizer").exists()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "name",
    [
        "resnet50",
        "torchvision:convnext_small",
        "timm:vit_small_patch14_dinov2.lvd142m",
        "openclip:ViT-B-32/laion2b_s34b_b79k",
    ],
)
def test_other_weights_in_the_caches_are_not_waited_for(
    run: Run, photos: Path, tmp_path: Path, name: str
) -> None:
    """Importing torch takes seconds, and there is nothing that it could be imported for."""
    checkpoints = tmp_path / "no-torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for file in ("resnet18-f37072fd.pth", "ViT-B-16.pt"):
        (checkpoints / file).touch()
    for repo in ("timm--resnet18.a1_in1k", "laion--CLIP-ViT-B-16-laion2B-s34B-b88K"):
        (tmp_path / "no-hub" / "hub" / f"models--{repo}").mkdir(parents=True)
    words = ("ingest", photos, "--embedder", name)
    ran = run(*words, env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.split("|")[-1].strip() for line in ran.err.splitlines() if "|" in line}
    assert f"the weights of {name} cannot be had" in ran.err
    assert "numpy" in imported
    assert not imported & {"torch", "timm", "open_clip", "torchvision"}


def _is_busy() -> bool:
    """Whether others run on the same cores: starting Python alone may then take seconds."""
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["hog", "hog+hsv"])
def test_what_needs_no_weights_cannot_be_pulled(typed: Run, name: str) -> None:
    _is_refused(typed("models", "pull", name), f"{name} needs no weights")


# Bad weights at an ingest ---------------------------------------------------------------------


@pytest.fixture
def filled(typed: Run, tmp_path: Path) -> Run:
    """The program in a library of six clustered photos."""
    make_groups(tmp_path / "photos", each=2)
    typed("ingest", "photos", "--embedder", "channel-mean")
    typed("recluster", "--k", "3")
    return typed


def _stays(typed: Run, *words: object, message: str, code: int = 2) -> None:
    """The command fails in two lines and the library is what it was."""
    before = [typed(*c, "--json").out for c in (["status"], ["clusters"], ["problems"])]
    _is_refused(typed(*words), message, code=code)
    after = [typed(*c, "--json").out for c in (["status"], ["clusters"], ["problems"])]
    assert after == before


def test_weights_of_another_network_change_nothing(filled: Run, file: Path) -> None:
    words = ["ingest", "--embedder", "resnet18", "--weights", file]
    _stays(filled, *words, message="does not hold the weights of resnet18")


def test_truncated_weights_change_nothing(filled: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "mobilenet_v2.pth").write_bytes(file.read_bytes()[:1_000_000])
    words = ["ingest", "--embedder", "mobilenet_v2", "--weights", tmp_path]
    _stays(filled, *words, message="cannot be read")


@pytest.mark.parametrize("key", ["features.0.0.weight", "features.18.1.bias"])
def test_a_network_that_gives_no_numbers_changes_nothing(
    filled: Run, state: dict[str, Any], tmp_path: Path, key: str
) -> None:
    wrong = {**state, key: state[key] * float("nan")}
    torch.save(wrong, tmp_path / "mobilenet_v2.pth")
    words = ["ingest", "--embedder", "mobilenet_v2", "--weights", tmp_path]
    _stays(filled, *words, message="mobilenet_v2", code=1)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("resnet51", "resnet50"),
        ("vgg16@fc9", "fc2"),
        ("timm:vit_smal_patch14_dinov2.lvd142m", "vit_small_patch14_dinov2"),
        ("openclip:ViT-B-32/laion2b_s34b_b97k", "ViT-B-32/laion2b_s34b_b79k"),
        ("openclip:ViT-B-23/openai", "ViT-B-32/openai"),
        ("torchvision:resnet51", "resnet50"),
        ("tim:resnet18", "timm"),
        ("hog+hsb", "hsv"),
        ("hog@3", ""),
    ],
)
def test_an_unknown_name_suggests_the_nearest(filled: Run, name: str, suggested: str) -> None:
    _stays(filled, "ingest", "--embedder", name, message="")
    assert suggested in filled("ingest", "--embedder", name).err


def test_a_picture_of_one_pixel_is_embedded(typed: Run, file: Path, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for number, size in enumerate([(1, 1), (1, 200), (200, 1), (3, 2)]):
        Image.new("RGB", size, (number * 50, 90, 20)).save(tmp_path / "photos" / f"{number}.png")
    words = ("photos", "--embedder", "mobilenet_v2", "--weights", file, "--json")
    ran = typed("ingest", *words)
    assert (ran.code, ran.json["embedded"]) == (0, 4), ran.err


def test_precision_can_be_ordered(typed: Run, photos: Path, file: Path) -> None:
    words = ("ingest", photos, "--embedder", "mobilenet_v2", "--weights", file)
    ran = typed(*words, "--precision", "float32", "--json")
    assert ran.code == 0, ran.err
    assert "float32" in ran.json["engine"]
    assert typed(*words, "--precision", "float8").code == 2


def test_a_plugin_is_a_model_like_the_others(typed: Run, site: Site) -> None:
    site.install("no-model", "raise RuntimeError('out of order')", strange="Strange")
    listed = {m["name"]: m for m in typed("models", "--json").json["models"]}
    assert listed["strange"]["weights"] == "broken"
    assert "out of order" in listed["strange"]["location"]
