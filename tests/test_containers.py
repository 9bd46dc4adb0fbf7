"""The files for containers agree with the project: nothing here runs a container engine."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from typing import Any

import pytest
import yaml

from organizer.settings import Settings
from tests.docs_pages import ROOT, parse_call

_PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
_DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
_COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
_GPU: dict[str, Any] = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text("utf-8"))
_PORT = "8765"

Step = tuple[str, str]


def stages() -> list[list[Step]]:
    """The steps of each stage: the instruction and its arguments."""
    lines = [line for line in _DOCKERFILE.splitlines() if not line.startswith("#")]
    found: list[list[Step]] = []
    for step in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not step.strip():
            continue
        word, _, rest = step.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, " ".join(rest.split())))
    return found


def arguments(stage: list[Step], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


BUILD, FINAL = stages()


def test_both_stages_have_the_same_debian_and_its_python_is_one_that_the_project_takes() -> None:
    bases = [arguments(stage, "FROM")[0].split()[0] for stage in (BUILD, FINAL)]
    assert len(set(bases)) == 1, "an environment is copied from one to the other"
    version = {"debian:bookworm-slim": (3, 11)}[bases[0]]
    least = re.fullmatch(r">=(\d+)\.(\d+)", _PROJECT["requires-python"])
    assert least is not None
    assert version >= tuple(map(int, least.groups()))
    assert f"Programming Language :: Python :: {version[0]}.{version[1]}" in _PROJECT["classifiers"]


def test_what_is_installed_first_is_what_the_project_asks_for() -> None:
    installed = re.findall(
        r'"((?:torch|torchvision)[<>=]+[^"]+)"', " ".join(arguments(BUILD, "RUN"))
    )
    assert len(installed) == 2
    assert set(installed) <= set(_PROJECT["dependencies"])


def test_the_extras_that_can_be_chosen_are_the_projects() -> None:
    chosen = dict(arg.split("=", 1) for arg in arguments(BUILD, "ARG"))["EXTRA"]
    named = re.findall(r"EXTRA=(\w+)", _DOCKERFILE)
    assert {chosen, *named} == {"cpu", "gpu"}
    assert {chosen, *named} <= _PROJECT["optional-dependencies"].keys()
    assert '"/src[$EXTRA]"' in " ".join(arguments(BUILD, "RUN"))


def test_what_is_copied_is_what_the_wheel_is_built_from() -> None:
    kept = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    needed = {"pyproject.toml", "organizer", _PROJECT["readme"], *_PROJECT["license-files"]}
    assert needed <= kept
    assert all((ROOT / name).exists() for name in kept)
    plugin = re.search(r"/src/(plugins/\S+)", " ".join(arguments(BUILD, "RUN")))
    assert plugin is not None
    assert (ROOT / plugin[1] / "pyproject.toml").exists()
    assert "plugins" in kept


def test_the_program_that_is_started_is_the_projects() -> None:
    (program,) = arguments(FINAL, "ENTRYPOINT")
    assert yaml.safe_load(program) == ["organizer"]
    assert "organizer" in _PROJECT["scripts"]
    assert "organizer" in {point.name for point in entry_points(group="console_scripts")}
    assert f"PATH={_copied_to()}/bin:" in " ".join(arguments(FINAL, "ENV"))


def _copied_to() -> str:
    source, target = arguments(FINAL, "COPY")[0].removeprefix("--from=build ").split()
    assert source == target, "the scripts of an environment name its place"
    return target


def test_it_does_not_run_as_root_and_its_volumes_are_its_users() -> None:
    (user,) = arguments(FINAL, "USER")
    assert int(user) > 0
    created = " ".join(arguments(FINAL, "RUN"))
    assert f"--uid {user} " in created
    (volumes,) = (yaml.safe_load(volume) for volume in arguments(FINAL, "VOLUME"))
    assert all(volume in created.split("install -d", 1)[1] for volume in volumes)
    below = [line.rsplit(":", 2)[-1] for line in _mounts()]
    assert {mount for mount in below if mount != "ro"} | {"/photos"} == set(volumes)


def _mounts() -> list[str]:
    mounts: list[str] = _COMPOSE["services"]["serve"]["volumes"]
    return mounts


def test_what_is_written_lies_in_volumes() -> None:
    values = dict(re.findall(r"(\w+)=(\S+)", " ".join(arguments(FINAL, "ENV"))))
    assert values.pop("ORGANIZER_LIBRARY") == "/library"
    assert "library" in Settings.model_fields
    values.pop("PATH")
    assert all(value.startswith("/weights/") for value in values.values()), values
    assert {"TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} <= values.keys()


def test_one_port_is_served_checked_and_published() -> None:
    assert arguments(FINAL, "EXPOSE") == [_PORT]
    (check,) = arguments(FINAL, "HEALTHCHECK")
    assert f"http://127.0.0.1:{_PORT}/api/v1/health" in check
    for words in (yaml.safe_load(arguments(FINAL, "CMD")[0]), _service("serve")["command"]):
        assert words == ["serve", "--host", "0.0.0.0", "--port", _PORT]  # noqa: S104 - so typed
    assert _service("serve")["ports"] == [f"127.0.0.1:{_PORT}:{_PORT}"]


def _service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = _COMPOSE["services"][name]
    return service


@pytest.mark.parametrize("name", ["serve", "watch"])
def test_the_services_type_commands_that_there_are(name: str) -> None:
    assert parse_call(_service(name)["command"]) == f"organizer {name}"


def test_nothing_starts_without_a_token_and_photos() -> None:
    token = _service("serve")["environment"]["ORGANIZER_TOKEN"]
    assert token.startswith("${ORGANIZER_TOKEN:?")
    assert _mounts()[0].startswith("${PHOTOS:?")
    assert _mounts()[0].endswith(":ro")


def test_the_service_and_the_watcher_share_one_library_and_one_image() -> None:
    serve, watch = _service("serve"), _service("watch")
    assert serve["volumes"] == watch["volumes"]
    assert serve["image"] == watch["image"]
    assert "library:/library" in serve["volumes"]
    assert {"library", "weights"} <= _COMPOSE["volumes"].keys()
    assert watch["healthcheck"] == {"disable": True}, "it has no port to ask"


def test_arguments_of_the_build_are_those_of_the_dockerfile() -> None:
    declared = {arg.partition("=")[0] for arg in arguments(BUILD, "ARG")}
    assert _service("serve")["build"]["args"].keys() == declared
    default = _service("serve")["build"]["args"]["TORCH_INDEX"]
    assert default in {
        f"${{TORCH_INDEX-{arg.partition('=')[2]}}}" for arg in arguments(BUILD, "ARG")
    }


def test_the_services_with_a_gpu_are_the_same_ones() -> None:
    assert _GPU["services"].keys() == _COMPOSE["services"].keys()
