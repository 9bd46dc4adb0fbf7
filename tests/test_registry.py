from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from organizer import registry
from organizer.embed.handcrafted import HsvEmbedder
from organizer.errors import PluginError, SettingsError, WeightsError
from organizer.protocols import GROUPS, Embedder
from organizer.types import PartSpec
from tests.conftest import Run, Site, make_photo

_EMBEDDERS = "organizer.embedders"
_HEAVY = (
    "torch", "torchvision", "timm", "open_clip", "openvino", "faiss", "lancedb", "lance", "sklearn",
    "umap",
)  # fmt: skip

_LISTS_NAMES = """
from organizer import registry
from organizer.protocols import GROUPS
assert all(registry.part_names(group) for group in GROUPS)
registry.check_part("organizer.embedders", "mobilenet_v2")
"""

_GOOD = """
import numpy as np

class Good:
    dim = 1

    def prepare(self, image):
        return image.mean(keepdims=True)[0, 0]

    def embed(self, batch):
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 1)
"""


def _imported_after(code: str) -> set[str]:
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_what_is_installed_or_removed_meanwhile_is_noticed(site: Site) -> None:
    site.install("first-plugin", _GOOD, first="Good")
    assert "first" in registry.part_names(_EMBEDDERS)
    assert "second" not in registry.part_names(_EMBEDDERS)
    site.install("second-plugin", _GOOD, second="Good")
    assert {"first", "second"} <= {*registry.part_names(_EMBEDDERS)}
    shutil.rmtree(site.folder / "first_plugin-1.0.dist-info")
    assert "first" not in registry.part_names(_EMBEDDERS)
    with pytest.raises(SettingsError):
        registry.check_part(_EMBEDDERS, "first")


@pytest.mark.parametrize(
    "code",
    [
        "import organizer.cli",
        _LISTS_NAMES,
    ],
)
def test_heavy_libraries_wait_until_they_are_needed(code: str) -> None:
    loaded = _imported_after(code)
    assert "organizer.registry" in loaded or "organizer.cli" in loaded
    assert not loaded.intersection(_HEAVY)


def test_built_in_parts_and_plugins_are_listed_alike() -> None:
    assert {"mobilenet_v2", "resnet50", "vgg16", "hog", "channel-mean"} <= set(
        registry.part_names(_EMBEDDERS)
    )
    assert "kmeans" in registry.part_names("organizer.clusterers")
    assert {"pca", "umap"} <= set(registry.part_names("organizer.reducers"))
    assert "threads" in registry.part_names("organizer.executors")


def test_names_are_sorted_and_each_there_once() -> None:
    for group in GROUPS:
        names = registry.part_names(group)
        assert list(names) == sorted(set(names))


def test_a_plugin_is_found_and_made(site: Site) -> None:
    site.install("found-plugin", _GOOD, **{"found-one": "Good"})
    assert "found-one" in registry.part_names(_EMBEDDERS)
    spec, part = registry.create_part(_EMBEDDERS, PartSpec("found-one"))
    assert spec == PartSpec("found-one")
    assert isinstance(part, Embedder)
    assert part.dim == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("mobilenet", "mobilenet_v2"), ("resnet51", "resnet50"), ("hsb", "hsv")],
)
def test_an_unknown_name_suggests_the_near_one(typed: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        registry.create_part(_EMBEDDERS, PartSpec(typed))
    assert typed in caught.value.message
    assert meant in caught.value.hint
    assert caught.value.exit_code == 2


def test_for_a_name_near_to_none_all_names_are_listed() -> None:
    with pytest.raises(SettingsError) as caught:
        registry.check_part(_EMBEDDERS, "zzzzzzzz")
    assert all(name in caught.value.hint for name in registry.part_names(_EMBEDDERS))


def test_the_program_ends_with_2_for_an_unknown_name(run: Run, tmp_path: Path) -> None:
    make_photo(tmp_path / "photos" / "a.jpg")
    ran = run("ingest", tmp_path / "photos", "--embedder", "chanel-mean")
    assert ran.code == 2
    assert "channel-mean" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("dist", "code"),
    [
        ("bad-raises", "raise RuntimeError('out of order')"),
        ("bad-misses-a-module", "import no_such_module_anywhere"),
        ("bad-is-no-python", "def broken(:"),
        ("bad-lacks-its-factory", ""),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_and_harms_nobody(
    site: Site, dist: str, code: str
) -> None:
    site.install(dist, code, bad="Bad")
    assert {"bad", "hsv"} <= set(registry.part_names(_EMBEDDERS))
    with pytest.raises(PluginError) as caught:
        registry.create_part(_EMBEDDERS, PartSpec("bad"))
    assert "'bad'" in caught.value.message
    assert dist in caught.value.message
    _, part = registry.create_part(_EMBEDDERS, PartSpec("hsv"))
    assert isinstance(part, HsvEmbedder)


def test_the_program_lists_models_beside_a_broken_plugin(site: Site, run: Run) -> None:
    site.install("bad-plugin-listed", "raise RuntimeError('out of order')", bad="Bad")
    ran = run("models")
    assert ran.code == 0
    assert "hsv" in ran.out
    assert "bad" in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_two_parts_of_one_name_are_an_error_that_names_both(site: Site) -> None:
    site.install("first-twin", _GOOD, twin="Good")
    site.install("second-twin", _GOOD, twin="Good")
    assert registry.part_names(_EMBEDDERS).count("twin") == 1
    with pytest.raises(PluginError) as caught:
        registry.create_part(_EMBEDDERS, PartSpec("twin"))
    assert "first-twin" in caught.value.message
    assert "second-twin" in caught.value.message


def test_a_plugin_cannot_take_the_name_of_a_built_in_part(site: Site) -> None:
    site.install("greedy-plugin", _GOOD, resnet50="Good")
    with pytest.raises(PluginError, match="greedy-plugin and organizer"):
        registry.check_part(_EMBEDDERS, "resnet50")


@pytest.mark.parametrize("group", list(GROUPS))
def test_a_part_that_does_not_keep_its_protocol_is_refused(site: Site, group: str) -> None:
    site.install(f"lame-{group[10:]}", "class Lame: pass", group=group, lame="Lame")
    with pytest.raises(PluginError) as caught:
        registry.create_part(group, PartSpec("lame"))
    assert "lame" in caught.value.message
    assert GROUPS[group].__name__ in caught.value.message
    assert f"lame-{group[10:]}" in caught.value.hint


def test_an_embedder_without_its_dim_is_refused(site: Site) -> None:
    site.install("dimless", _GOOD.replace("dim = 1", "size = 1"), dimless="Good")
    with pytest.raises(PluginError, match="not an Embedder"):
        registry.create_part(_EMBEDDERS, PartSpec("dimless"))


def test_a_created_part_tells_its_version() -> None:
    spec, part = registry.create_part(_EMBEDDERS, PartSpec("hog+hsv"))
    assert spec.version == part.version != ""


def test_a_spec_of_the_same_version_makes_the_part_again() -> None:
    spec, _ = registry.create_part(_EMBEDDERS, PartSpec("hog+hsv"))
    again, _ = registry.create_part(_EMBEDDERS, spec)
    assert again == spec


@pytest.mark.parametrize("name", ["hog+hsv", "channel-mean"])
def test_a_spec_of_another_version_is_refused(name: str) -> None:
    with pytest.raises(PluginError) as caught:
        registry.create_part(_EMBEDDERS, PartSpec(name, version="of-last-year"))
    assert "of-last-year" in caught.value.message


def test_params_that_a_part_does_not_take_are_wrong_use() -> None:
    with pytest.raises(SettingsError, match="sharpness"):
        registry.create_part("organizer.clusterers", PartSpec("kmeans", {"sharpness": 3}))


def test_a_part_is_given_the_options_that_it_names_and_no_others() -> None:
    options = {"threads": 3, "batch_size": 5, "device": "cpu"}
    _, part = registry.create_part("organizer.executors", PartSpec("threads"), options=options)
    assert (part._threads, part._batch_size) == (3, 5)


def test_params_count_more_than_options() -> None:
    spec = PartSpec("threads", {"batch_size": 7})
    made, part = registry.create_part("organizer.executors", spec, options={"batch_size": 5})
    assert part._batch_size == 7
    assert made.params == {"batch_size": 7}


def test_options_do_not_enter_the_spec() -> None:
    made, _ = registry.create_part(
        "organizer.executors", PartSpec("threads"), options={"threads": 2}
    )
    assert made == PartSpec("threads")


def test_missing_weights_stay_a_weights_error(tmp_path: Path) -> None:
    options = {"weights": tmp_path / "nowhere"}
    with pytest.raises(WeightsError, match="nowhere"):
        registry.create_part(_EMBEDDERS, PartSpec("mobilenet_v2"), options=options)
