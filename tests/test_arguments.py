"""Wrong arguments: each is named, with what is possible, before anything is read or written."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import organizer
from organizer import arguments
from organizer.arrange import ArrangeMode
from organizer.errors import OrganizerError, SettingsError
from organizer.library import Library
from organizer.library.exports.options import ExportOptions
from organizer.library.folders.options import ArrangeOptions
from organizer.settings import Settings

Call = Callable[[Any], object]

NOTHING: Any = None
CUT: Any = "cut"


def wrong(what: str, call: Call) -> Any:
    return pytest.param(call, what, id=what)


WRONG = [
    wrong("k cannot be 3.5", lambda lib: lib.recluster(k=3.5)),
    wrong("k cannot be True", lambda lib: lib.recluster(k=True)),
    wrong("k cannot be (2, True)", lambda lib: lib.recluster(k=(2, True))),
    wrong("k cannot be 'bogus'", lambda lib: lib.recluster(k="bogus")),
    wrong("k = 0 makes no clusters", lambda lib: lib.recluster(k=0)),
    wrong("k = -2 makes no clusters", lambda lib: lib.recluster(k=-2)),
    wrong("k_method cannot be 'bogus'", lambda lib: lib.recluster(k_method="bogus")),
    wrong("clusterer 'bogus'", lambda lib: lib.recluster(algorithm="bogus")),
    wrong("reducer 'bogus'", lambda lib: lib.recluster(reduce="bogus")),
    wrong("reduce cannot be 3", lambda lib: lib.recluster(reduce=3)),
    wrong("bursts cannot be 'no'", lambda lib: lib.recluster(bursts="no")),
    wrong("seed cannot be 2147483648", lambda lib: lib.recluster(seed=2**31)),
    wrong("seed cannot be 1.0", lambda lib: lib.recluster(seed=1.0)),
    wrong("progress cannot be 3", lambda lib: lib.recluster(progress=3)),
    wrong("stop cannot be None", lambda lib: lib.ingest("photos", stop=None)),
    wrong("paths cannot be None", lambda lib: lib.ingest(None)),
    wrong("paths cannot be []", lambda lib: lib.ingest([])),
    wrong("paths cannot be None", lambda lib: lib.ingest(["photos", None])),
    wrong("paths cannot be b'photos'", lambda lib: lib.ingest(b"photos")),
    wrong("embedder 'bogus'", lambda lib: lib.embeddings(embedder="bogus")),
    wrong("limit cannot be -1", lambda lib: lib.search("photos/red/000.jpg", limit=-1)),
    wrong("limit cannot be 2.5", lambda lib: lib.search("photos/red/000.jpg", limit=2.5)),
    wrong("limit cannot be 0", lambda lib: lib.search_text("fox", limit=0)),
    wrong("text cannot be PosixPath('fox')", lambda lib: lib.search_text(Path("fox"))),
    wrong("the text is empty", lambda lib: lib.search_text(" ")),
    wrong("photos cannot be 3", lambda lib: lib.search(3)),
    wrong("photos cannot be []", lambda lib: lib.search([])),
    wrong("photos cannot be 'a\\x00b'", lambda lib: lib.search("a\0b")),
    wrong("unlikes cannot be None", lambda lib: lib.search("photos/red/000.jpg", unlikes=[None])),
    wrong("likes cannot be 3", lambda lib: lib.search_text("fox", likes=3)),
    wrong("data cannot be 'a'", lambda lib: lib.search_picture("a")),
    wrong("the picture cannot be searched for", lambda lib: lib.search_picture(b"")),
    wrong("the picture cannot be searched for", lambda lib: lib.search_picture(b"no picture")),
    wrong("batch_size cannot be 0", lambda lib: lib.embedding_batches(batch_size=0)),
    wrong("with_people cannot be 'yes'", lambda lib: lib.assignments(with_people="yes")),
    wrong("plan cannot be None", lambda lib: lib.compare(None)),
    wrong("no cluster was named", lambda lib: lib.corrections.merge([])),
    wrong("one cluster cannot be merged", lambda lib: lib.corrections.merge([1])),
    wrong("cluster 1 cannot be merged with itself", lambda lib: lib.corrections.merge([1, 2, 1])),
    wrong("cluster 1 cannot be merged with itself", lambda lib: lib.clusters[1].merge(1)),
    wrong("cluster_ids cannot be '12'", lambda lib: lib.corrections.merge("12")),
    wrong("cluster_id cannot be '1'", lambda lib: lib.corrections.rename("1", "fox")),
    wrong("cluster_id cannot be 1.0", lambda lib: lib.corrections.pin(1.0)),
    wrong("cluster_id cannot be True", lambda lib: lib.corrections.retire(True)),
    wrong("cluster_id cannot be None", lambda lib: lib.clusters.members(None)),
    wrong("name cannot be None", lambda lib: lib.corrections.rename(1, None)),
    wrong("name cannot be 3", lambda lib: lib.corrections.new_cluster("photos", name=3)),
    wrong("k cannot be 2.0", lambda lib: lib.corrections.split(1, k=2.0)),
    wrong("images cannot be None", lambda lib: lib.corrections.move([None], 1)),
    wrong("images cannot be []", lambda lib: lib.corrections.exclude([], 1)),
    wrong("burst cannot be 1", lambda lib: lib.corrections.move("photos/red/000.jpg", 1, burst=1)),
    wrong("a cluster cannot be True", lambda lib: lib.clusters[True]),
    wrong("group cannot be 'dogs'", lambda lib: lib.clusters.photos_in("dogs")),
    wrong("labels cannot be 'fox'", lambda lib: lib.clusters.suggest_names("fox")),
    wrong("limit cannot be 0", lambda lib: lib.review.sample(0)),
    wrong("limit cannot be -1", lambda lib: lib.review.doubtful(-1)),
    wrong("cluster_ids cannot be 1", lambda lib: lib.review.sample(3, cluster_ids=1)),
    wrong("answers cannot be True", lambda lib: lib.review.answer([True])),
    wrong(
        "labels cannot be PosixPath('x.csv')", lambda lib: lib.reports.make(labels=Path("x.csv"))
    ),
    wrong("map_method cannot be 'bogus'", lambda lib: lib.reports.write(map_method="bogus")),
    wrong("force cannot be None", lambda lib: lib.reports.write(force=None)),
    wrong("exporter 'bogus'", lambda lib: lib.exports.write("bogus")),
    wrong("to cannot be 3", lambda lib: lib.exports.write("csv", 3)),
    wrong("options cannot be {}", lambda lib: lib.exports.write("csv", "x.csv", {})),
    wrong(
        "clusters cannot be None",
        lambda lib: lib.exports.write("csv", "x.csv", ExportOptions(clusters=[NOTHING])),
    ),
    wrong("csv has no bogus", lambda lib: lib.exports.write("csv", "x.csv", params={"bogus": 1})),
    wrong("options cannot be 'out'", lambda lib: lib.folders.arrange("out")),
    wrong("mode cannot be 'cut'", lambda lib: lib.folders.arrange(ArrangeOptions("out", mode=CUT))),
    wrong("to cannot be None", lambda lib: lib.folders.read_back(None)),
    wrong("dry_run cannot be 'no'", lambda lib: lib.folders.read_back("photos", dry_run="no")),
    wrong("text cannot be 3", lambda lib: lib.deployments.set_template(3)),
    wrong("seconds cannot be nan", lambda lib: lib.deployments.shift("red", math.nan)),
    wrong("seconds cannot be 2.5", lambda lib: lib.deployments.shift("red", 2.5)),
    wrong("threshold cannot be nan", lambda lib: lib.detections.add([], threshold=math.nan)),
    wrong("threshold cannot be 1.5", lambda lib: lib.detections.add([], threshold=1.5)),
    wrong("total cannot be -1", lambda lib: lib.detections.add([], total=-1)),
    wrong("found cannot be 3", lambda lib: lib.detections.add(3)),
]


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Library:
    from tests.conftest import make_groups

    folder = tmp_path_factory.mktemp("clustered")
    make_groups(folder / "photos", each=3)
    library = Library.open_or_create(folder, Settings())
    library.ingest(folder / "photos", embedder="channel-mean")
    library.recluster(k=3)
    return library


def state_of(library: Library) -> dict[Path, tuple[int, int]]:
    """Size and time of every file of a library."""
    files = [file for file in library.store.path.rglob("*") if file.is_file()]
    return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


@pytest.mark.parametrize(("call", "what"), WRONG)
def test_a_wrong_argument_is_named_and_nothing_is_written(
    clustered: Library, call: Call, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clustered.store.path.parent)
    before = state_of(clustered)
    with pytest.raises(SettingsError) as caught:
        call(clustered)
    assert what in caught.value.message
    assert caught.value.hint
    assert state_of(clustered) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", True),
        ("seed", -1),
        ("seed", 2**31),
        ("threads", 2.5),
        ("batch_size", 0),
        ("batch_size", True),
        ("burst_gap", math.nan),
        ("event_gap", math.inf),
        ("commit_seconds", -math.inf),
        ("with_people", "maybe"),
        ("device", "tpu"),
        ("weights", 3),
        ("weights", "a\0b"),
        ("library", b"photos"),
        ("viewer", 3),
        ("executor", None),
        ("sead", 1),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"'{name}'") as caught:
        Settings(**{name: value})
    assert caught.value.hint
    if name not in {"library", "executor"}:
        with pytest.raises(SettingsError, match=f"'{name}'"):
            organizer.open(tmp_path, **{name: value})
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [None, 3, b"photos", "", "a\0b", ["photos"]])
def test_a_library_is_not_opened_at_what_is_no_path(path: Any) -> None:
    for way in (organizer.open, Library.open, Library.open_or_create):
        with pytest.raises(OrganizerError, match="path cannot be"):
            way(path)


def test_settings_of_another_kind_are_refused_before_a_library_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="settings cannot be"):
        Library.open_or_create(tmp_path, {"seed": 1})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_numbers() -> None:
    assert type(arguments.require_integer("n", np.int64(3))) is int
    assert type(arguments.require_number("n", np.float32(0.5))) is float
    assert arguments.require_flag("n", np.bool_(True)) is True
    assert arguments.require_cluster_ids(np.array([3, 1, 3])) == [3, 1]


def test_what_is_possible_is_said_with_its_bounds() -> None:
    for call, possible in (
        (lambda: arguments.require_integer("n", -1, least=0), "0 or more"),
        (lambda: arguments.require_integer("n", 9, least=2, most=5), "2 to 5"),
        (lambda: arguments.require_number("n", math.nan, least=0, most=1), "0 to 1"),
        (lambda: arguments.require_choice("n", "x", ["a", "b"]), "one of a, b"),
        (lambda: arguments.require_object("n", 3, ArrangeMode), "ArrangeMode"),
    ):
        with pytest.raises(SettingsError) as caught:
            call()
        assert possible in caught.value.hint


def test_a_long_value_is_shown_by_its_beginning() -> None:
    with pytest.raises(SettingsError) as caught:
        arguments.require_integer("n", "x" * 10_000)
    assert len(caught.value.message) < 100
