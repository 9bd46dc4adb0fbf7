"""Odd arguments to every public method: refused with an `OrganizerError`, or taken; never a bug.

The methods are found by looking at the objects, so that a new one is covered by itself. `VALID` has
a value for the parameters that must be given, so that one odd value at a time is tried; a parameter
that is not in it is only ever given odd ones.
"""

from __future__ import annotations

import inspect
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import organizer
from organizer.arrange import ArrangeMode
from organizer.errors import OrganizerError
from organizer.library import Library
from organizer.library.clusters.api import Cluster
from organizer.library.compare.grid import ComparisonPlan
from organizer.library.exports.options import ExportOptions
from organizer.library.folders.options import ArrangeOptions
from organizer.library.suggestions.propose import Suggestion
from organizer.settings import Settings
from organizer.store import Answer, SampleKind
from organizer.types import Detected, ImageDetections
from tests.conftest import examples, make_groups

OPERATORS = ("__getitem__", "__contains__")
LEFT_OUT = {("Library", "close")}
"""It makes every later call fail, whatever its arguments are; it has none."""

PHOTO = Path("photos/red/000.jpg")
VALID: dict[str, Any] = {
    "answers": [],
    "cluster_id": 1,
    "cluster_ids": [1, 2],
    "deployment_id": "red",
    "exporter": "csv",
    "file": Path("deployments.csv"),
    "found": [],
    "group": "people",
    "images": PHOTO,
    "key": 1,
    "labels": ["fox"],
    "name": "Red fox",
    "path": Path(),
    "paths": Path("photos"),
    "photo": PHOTO,
    "seconds": 60,
    "suggestions": [],
    "text": "{deployment}",
    "to": Path("out"),
}


def named(objects: Library) -> dict[str, object]:
    """The objects of a library by the names of their classes."""
    found = [objects, *vars(objects).values(), next(iter(objects.clusters))]
    public = [one for one in found if type(one).__module__.endswith((".api", ".core"))]
    return {type(one).__name__: one for one in public}


def methods_of(kind: type) -> list[str]:
    names = [name for name, _ in inspect.getmembers(kind, inspect.isroutine)]
    return [name for name in names if not name.startswith("_") or name in OPERATORS]


def public_methods() -> Iterator[tuple[str, str]]:
    """Class and method of all that `Library` offers, without opening one."""
    annotated = inspect.getsource(Library.__init__)
    for kind in [Library, Cluster, *_kinds(annotated)]:
        for name in methods_of(kind):
            if (kind.__name__, name) not in LEFT_OUT and hasattr(kind, name):
                yield kind.__name__, name


def _kinds(source: str) -> list[type]:
    """The classes of the objects that the constructor makes."""
    module = inspect.getmodule(Library)
    words = [
        line.split("=")[1].split("(")[0].strip() for line in source.splitlines() if "(o" in line
    ]
    kinds = [getattr(module, word) for word in words if hasattr(module, word)]
    return [kind for kind in kinds if kind.__module__.endswith(".api")]


METHODS = [method for method in public_methods() if method[1] not in vars(object)]


# What is given --------------------------------------------------------------------------------

ODD_TEXTS = [
    "", " ", "\0", "a\0b", "\n", "a\nb", "\x1b[31m", "\u202e", "\ud800", "~nobody/x", "a/../b",
    "x" * 300, "x" * 5_000, "3", "-1", "nan", "auto", "none", "null", "'; DROP", "%s{0}{", "{",
    "{x}", "+", ":", "@", "a:b", "a,b", "*", "nowhere.jpg", "photos", "photos/red/000.jpg",
    "00000000", "abcdef", "NUL", "käse 😀", "<b>", "out.csv", ".organizer/library.json",
]  # fmt: skip
ODD_NUMBERS = [
    True, False, 0, 1, 2, -1, -(10**30), 2**31, 2**63, 10**30, 0.0, 0.5, 2.5, 3.0, -1.0, 1e300, 1j,
    math.nan, math.inf, -math.inf, np.int64(1), np.int64(-1), np.float32(math.nan), np.bool_(True),
]  # fmt: skip
ODD_OBJECTS = [
    None, b"", b"photos", b"\0", bytearray(b"x"), Path(), Path("nowhere"), Path("photos"), PHOTO,
    Path("\0"), Path("x" * 5_000), object(), object, len, Ellipsis, (), [], {}, set(), {"a": 1},
    {1: 2}, {None: None}, range(3), np.array([1, 2]), np.array(3), np.zeros((2, 2)),
    ArrangeMode.LINK, Settings,
]  # fmt: skip

odd_one = st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, *ODD_OBJECTS])
odd_list = st.lists(odd_one, max_size=3) | st.lists(odd_one, max_size=2).map(tuple)


def with_one_odd_field(kind: type, **sound: Any) -> st.SearchStrategy[Any]:
    """An object of a dataclass one of whose fields is odd."""
    names = st.sampled_from([field.name for field in fields(kind)])
    return st.tuples(names, odd_one | odd_list).map(lambda odd: kind(**(sound | {odd[0]: odd[1]})))


PLAN = organizer.parse_plan(embedders=["channel-mean"], k="2", repeats=1)
odd_objects = st.one_of(
    with_one_odd_field(ExportOptions),
    with_one_odd_field(ArrangeOptions, to=Path("out")),
    with_one_odd_field(ComparisonPlan, grids=PLAN.grids, repeats=1),
    with_one_odd_field(
        Answer, image_id="a" * 32, cluster_id=1, belongs=True, drawn=SampleKind.RANDOM
    ).map(lambda one: [one]),
    with_one_odd_field(
        Suggestion,
        image_id="a" * 32,
        path=PHOTO,
        cluster_id=1,
        name="first",
        confidence=0.9,
        current=None,
    ).map(lambda one: [one]),
    with_one_odd_field(ImageDetections, image_id="a" * 32, outcome=Detected.EMPTY).map(
        lambda one: [one]
    ),
)
odd = odd_one | odd_list | odd_objects


def valid(name: str, method: str) -> Any:
    if name == "plan":
        return PLAN if method == "compare" else None
    return ArrangeOptions(Path("out")) if name == "options" else VALID[name]


@st.composite
def arguments(draw: st.DrawFn, method: Callable[..., object]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a method, at least one of them odd, in the number and by the names it takes."""
    parameters = [*inspect.signature(method).parameters.values()]
    wrong = draw(st.sets(st.sampled_from(range(len(parameters))), min_size=1)) if parameters else ()
    positional: list[Any] = []
    by_name: dict[str, Any] = {}
    for place, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += draw(st.lists(odd, max_size=3))
        elif place in wrong or not _has_value(parameter):
            by_name[parameter.name] = draw(odd)
        elif parameter.default is parameter.empty:
            by_name[parameter.name] = valid(parameter.name, method.__name__)
    return positional, by_name


def _has_value(parameter: inspect.Parameter) -> bool:
    known = parameter.name in VALID or parameter.name in {"plan", "options"}
    return known or parameter.default is not parameter.empty


# The law --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dozen photos, their clusters, a decision and deployments."""
    folder = tmp_path_factory.mktemp("sound")
    make_groups(folder / "photos", each=4)
    with Library.open_or_create(folder, Settings()) as library:
        library.ingest([folder / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        library.corrections.rename(1, "first")
        library.deployments.set_template("{deployment}")
        library.deployments.write_csv(folder / "deployments.csv")
    return folder


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_odd_arguments_are_refused_or_taken_and_the_library_stays_whole(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    with Library.open(tmp_path, Settings()) as library:
        method = getattr(named(library)[kind], name)

        @settings(
            max_examples=examples(6, soak=500),
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        )
        @given(arguments(method))
        def never_a_bug(given_: tuple[list[Any], dict[str, Any]]) -> None:
            refusal = _refusal(method, *given_)
            assert refusal is None or _is_one_line(refusal)

        never_a_bug()
    with Library.open(tmp_path, Settings()) as again:
        assert [cluster.size for cluster in again.clusters]
        assert again.clusters.summaries()


def _refusal(
    method: Callable[..., object], positional: list[Any], by_name: dict[str, Any]
) -> OrganizerError | None:
    """How a method refuses its arguments; None where it takes them."""
    try:
        _use(method(*positional, **by_name))
    except OrganizerError as error:
        return error
    return None


def _is_one_line(error: OrganizerError) -> bool:
    return len(error.message.splitlines()) == 1 and len(error.hint.splitlines()) <= 1


def _use(result: object) -> None:
    """Take what a generator gives: some methods do their work only then."""
    if isinstance(result, Library):
        result.close()
    elif isinstance(result, Iterator):
        list(islice(result, 5))


def test_every_object_of_a_library_is_covered(filled: Library) -> None:
    filled.recluster(k=2)
    kinds = named(filled)
    assert {kind for kind, _ in METHODS} == set(kinds)
    assert {"ingest", "recluster", "search", "open"} <= {name for _, name in METHODS}
    for kind, one in kinds.items():
        for name in methods_of(type(one)):
            assert (kind, name) in METHODS or (kind, name) in LEFT_OUT
