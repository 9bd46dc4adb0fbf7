"""The description of the API: committed, reviewed, and kept by the service."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from docs.make_openapi import (
    DESCRIPTION,
    MODELS,
    PAGE,
    describe,
    description_text,
    models_text,
    page_text,
)
from organizer.client import Client
from organizer.client.models import ExportRequest
from organizer.client.queries import ImageQuery
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import examples
from tests.service.servers import running
from tests.shades import make_shades

COMMITTED: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
OPERATIONS = [
    (method.upper(), path)
    for path, operations in COMMITTED["paths"].items()
    for method in operations
]
_HINT = "if that is meant: python docs/make_openapi.py, and say it in the changelog"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """What the service says of itself."""
    return describe()


MADE = {DESCRIPTION: description_text, MODELS: models_text, PAGE: page_text}


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.name)
def test_no_change_of_the_api_goes_unseen(described: dict[str, Any], file: Path) -> None:
    now = MADE[file](described)
    committed = file.read_text(encoding="utf-8")
    lines = difflib.unified_diff(
        committed.splitlines(), now.splitlines(), "committed", "now", lineterm="", n=2
    )
    assert now == committed, "\n".join([_HINT, *lines])


def test_every_route_says_what_it_does_and_what_it_answers() -> None:
    for path, operations in COMMITTED["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].strip(), (method, path)
            assert operation["tags"], (method, path)
            answers = operation["responses"]
            assert answers["default"]["content"].keys() == {"application/problem+json"}
            for status, answer in answers.items():
                body = answer.get("content", {}).get("application/json")
                assert body is None or body["schema"], (method, path, status)


def test_every_route_that_decides_asks_for_the_revision() -> None:
    deciding = {
        path
        for path, operations in COMMITTED["paths"].items()
        for parameter in operations.get("post", {}).get("parameters", ())
        if parameter["name"] == "if-match"
    }
    api = "/api/v1"
    assert deciding == {
        f"{api}/decisions",
        f"{api}/undo",
        f"{api}/redo",
        f"{api}/suggestions/accept",
        f"{api}/review/correct",
        f"{api}/reclusters",
    }


def test_the_service_gives_its_own_description(field_url: str) -> None:
    assert httpx.get(f"{field_url}/api/v1/openapi.json").json() == COMMITTED


def test_the_filters_of_the_client_are_those_of_the_api() -> None:
    parameters = COMMITTED["paths"]["/api/v1/images"]["get"]["parameters"]
    names = {p["name"] for p in parameters if p["in"] == "query"}
    assert {*get_type_hints(ImageQuery)} == names - {"order", "limit", "cursor"}


def test_the_client_has_a_method_for_every_route() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in MODELS.parent.glob("*.py"))
    paths = re.findall(r'f?"(/[a-z][^"?]*)"', source)
    known = {re.sub(r"\{[^}]*\}", "{}", path) for path in paths}
    routes = {re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1")) for _, path in OPERATIONS}
    assert routes - known == {"/session"}, "a program sends the token itself"


# Any request --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """A service of a library that any request may change.

    Attributes:
        home: Its folder.
        url: Where it is.
        images: Images that are there: with ids that are drawn, nothing is found.
        cluster: A cluster that is there.
        job: A job that is there.
    """

    home: Path
    url: str
    images: list[str]
    cluster: int
    job: str

    def within(self, value: Any, name: str = "") -> Any:
        """A body about what is there, of which no path is outside: it is really done."""
        if isinstance(value, dict):
            return {key: self.within(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.within(inner, name) for inner in value]
        if isinstance(value, str):
            return self._text(value, name)
        if name in {"cluster", "clusters", "to"} and type(value) is int and value > 0:
            return self.cluster
        return value

    def _text(self, value: str, name: str) -> str:
        folder = f"{self.home}/sorted" if name == "target" else f"{self.home}/photos"
        if name in {"paths", "target"} or value.startswith("/"):
            return folder
        if re.fullmatch("[0-9a-f]{32}", value):
            return self.images[int(value, 16) % len(self.images)]
        return {"format": "csv", "algorithm": "kmeans"}.get(name, value)

    @property
    def known(self) -> dict[str, str]:
        """Path parameters of what is there."""
        return {
            "image_id": self.images[0],
            "cluster_id": str(self.cluster),
            "job_id": self.job,
            "size": "96",
        }


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    home = make_shades(tmp_path_factory.mktemp("any"))
    with Library.open(home, Settings()) as library, running(library) as url:
        with Client(url) as client:
            images = [item.id for item in client.images()]
            cluster = client.clusters().clusters[0].id
            job = client.jobs.wait(client.jobs.export(ExportRequest(format="csv")))
        yield Target(home, url, images, cluster, job.id)


SCHEMA: Any = schemathesis.openapi.from_dict(COMMITTED)
_NEVER_ENDS = {"/api/v1/events"}
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]


@pytest.mark.parametrize(
    ("method", "path"),
    [pytest.param(*o, id=" ".join(o)) for o in OPERATIONS if o[1] not in _NEVER_ENDS],
)
def test_any_request_is_answered_within_the_description(
    target: Target, method: str, path: str
) -> None:
    """No 5xx, nothing that is not described, whatever comes."""
    operation = SCHEMA[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = [operation.as_strategy(generation_mode=mode) for mode in modes]

    @settings(
        max_examples=examples(8, soak=300),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(case=st.one_of(cases))
    def ask(case: schemathesis.Case[Any]) -> None:
        if case.meta is not None and case.meta.generation.mode.is_positive:
            case.path_parameters.update(
                {name: v for name, v in target.known.items() if name in case.path_parameters}
            )
            case.headers["If-Match"] = "*"
        case.body = target.within(case.body)
        response = case.call(base_url=target.url, timeout=60)
        case.validate_response(response, checks=_CHECKS)

    ask()
