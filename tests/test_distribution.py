"""What is built is whole, and runs where nothing but it and its dependencies is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

import pytest

_HERE = Path(__file__).parents[1]
_PLUGINS = sorted((_HERE / "plugins").glob("*/pyproject.toml"))
_PROJECTS = [_HERE / "pyproject.toml", *_PLUGINS]


def project_of(file: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of organizer and its plugins, as pip builds them."""
    pytest.importorskip("hatchling", reason="NOT TESTED: pip install hatchling")
    to = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    folders = [str(file.parent) for file in _PROJECTS]
    subprocess.run([*command, "--no-index", "-w", str(to), *folders], check=True, timeout=240)
    return to


@pytest.fixture(scope="module")
def unpacked(wheels: Path) -> Path:
    """What is installed of them."""
    to = wheels / "installed"
    for file in wheels.glob("*.whl"):
        with zipfile.ZipFile(file) as packed:
            packed.extractall(to)
    return to


def _files(package: Path) -> Iterator[str]:
    for file in package.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(package).as_posix()


def test_each_project_has_a_wheel(wheels: Path) -> None:
    built = {file.name.split("-")[0] for file in wheels.glob("*.whl")}
    assert built == {str(project_of(file)["name"]).replace("-", "_") for file in _PROJECTS}


def test_the_wheel_has_every_file_of_the_package(unpacked: Path) -> None:
    for package in (
        "organizer",
        "plugins/organizer-camera-trap/organizer_camera_trap",
        "plugins/organizer-deep-clustering/organizer_deep_clustering",
    ):
        source = _HERE / package
        assert set(_files(source)) == set(_files(unpacked / source.name)), package


def test_what_the_index_shows_is_sound(wheels: Path) -> None:
    """As `twine check --strict` has it, where that is installed."""
    pytest.importorskip("twine", reason="NOT TESTED: pip install twine")
    built = sorted(map(str, wheels.glob("*.whl")))
    command = [sys.executable, "-m", "twine", "check", "--strict", *built]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout


def test_the_plugins_need_the_distribution_and_an_extra_brings_them(unpacked: Path) -> None:
    for file in _PLUGINS:
        name = str(project_of(file)["name"]).replace("-", "_")
        (info,) = unpacked.glob(f"{name}-*.dist-info")
        needed = message_from_string((info / "METADATA").read_text()).get_all("Requires-Dist", [])
        assert any(line.startswith("organizer-photos") for line in needed), name
    (info,) = unpacked.glob("organizer_photos-*.dist-info")
    metadata = message_from_string((info / "METADATA").read_text())
    assert "camera-trap" in (metadata.get_all("Provides-Extra") or [])


def test_the_wheels_run(unpacked: Path, tmp_path: Path) -> None:
    """With the dependencies of this environment, and nothing else of this folder."""
    script = "import organizer.cli; print(organizer.cli.__file__); organizer.cli.main()"
    env = {**os.environ, "PYTHONPATH": str(unpacked), "COLUMNS": "100"}

    def run(*words: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-c", script, *words],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        where, _, printed = ran.stdout.partition("\n")
        assert Path(where).is_relative_to(unpacked)
        return printed

    assert run("--version") == f"organizer {project_of(_PROJECTS[0])['version']}\n"
    assert "deployments" in run("--help")
    assert "efficientnet_lite2" in run("models")
