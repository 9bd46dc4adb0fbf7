"""Packages held to the published schemas of Camtrap DP by the frictionless library.

The schemas are not part of this repository. To run this: pip install frictionless, put
camtrap-dp-profile.json and the three table schemas of https://github.com/tdwg/camtrap-dp (1.0.2)
into a folder, and name it in CAMTRAP_DP_SCHEMAS.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.batches import batch, looked_at
from tests.camera_trap.test_camtrap_dp import package

_VARIABLE = "CAMTRAP_DP_SCHEMAS"
_SCHEMAS = (
    "camtrap-dp-profile.json", "deployments-table-schema.json", "media-table-schema.json",
    "observations-table-schema.json",
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore")  # what other libraries warn of is theirs


@pytest.fixture
def schemas() -> Path:
    folder = Path(os.environ.get(_VARIABLE) or "no-such-folder")
    if not all((folder / name).is_file() for name in _SCHEMAS):
        pytest.skip(f"NOT TESTED: {_VARIABLE} names no folder with {', '.join(_SCHEMAS)}")
    return folder


def _errors(to: Path, schemas: Path) -> list[str]:
    """What frictionless finds in a package, with the schemas of a folder in place of the web's."""
    frictionless = pytest.importorskip("frictionless", reason="NOT TESTED: no frictionless")
    jsonschema = pytest.importorskip("jsonschema", reason="NOT TESTED: no jsonschema")
    metadata = json.loads((to / "datapackage.json").read_text(encoding="utf-8"))
    profile = json.loads((schemas / _SCHEMAS[0]).read_text(encoding="utf-8"))
    found = [
        error.message
        for error in jsonschema.Draft4Validator(_offline(profile)).iter_errors(metadata)
    ]
    for resource in metadata["resources"]:
        name = resource["schema"].rpartition("/")[2]
        shutil.copy(schemas / name, to / name)
        resource["schema"] = name
    del metadata["profile"]
    (to / "datapackage.json").write_text(json.dumps(metadata), encoding="utf-8")
    report = frictionless.validate(str(to / "datapackage.json"))
    return [*found, *(str(row) for row in report.flatten(["title", "rowNumber", "message"]))]


def _offline(schema: Any) -> Any:
    """A schema without what it refers to on the web."""
    if isinstance(schema, dict):
        return {k: _offline(v) for k, v in schema.items() if k != "$ref" or v.startswith("#/")}
    return [_offline(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("level", ["event", "media", "both"])
def test_frictionless_finds_nothing_wrong(schemas: Path, tmp_path: Path, level: str) -> None:
    taxa = tmp_path / "taxa.csv"
    taxa.write_text("name,scientificName,eng\nRed fox,Vulpes vulpes,fox\n", encoding="utf-8")
    to = tmp_path / "dp"
    parts = (batch(5), looked_at(7, seed=1))
    package(to, *parts, level=level, taxa=str(taxa))
    assert _errors(to, schemas) == []


def test_frictionless_finds_what_is_wrong(schemas: Path, tmp_path: Path) -> None:
    to = tmp_path / "dp"
    package(to, batch(3))
    text = (to / "media.csv").read_text(encoding="utf-8")
    (to / "media.csv").write_text(text.replace("activityDetection", "magic"), encoding="utf-8")
    assert any("magic" in error for error in _errors(to, schemas))
