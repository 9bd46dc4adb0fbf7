"""A season as it happens: two cameras of one model, keywords written between the cards, a clock
that begins anew, a raw file, a video, and detections that come after the clusters were named."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.camera_trap.season import SPECIES, Card
from tests.conftest import Ran, Run
from tests.typed import in_this_process
from tests.videos import make_video, plain

_STATIONS = ("brook", "ridge")
_CLOCK_RESET = -timedelta(days=4_000)


@pytest.mark.slow
def test_a_season_in_the_field(tmp_path: Path) -> None:
    run: Run = partial(in_this_process, tmp_path)
    may = _card(tmp_path / "cards" / "may")
    first = may.folder / "brook" / "cam1" / "DCIM" / "IMG_0001.JPG"
    first.with_suffix(".CR2").write_bytes(b"II*\0 what only the maker's program reads")
    video = first.with_name("VID_0001.AVI")
    video.write_bytes(make_video(".avi", plain((90, 120, 140))))
    ingested = _typed(run, "ingest", "cards/may", "--embedder", "hsv", "--json").json
    assert (ingested["added"], ingested["companions"]) == (len(may.species) + 1, 1)

    names = _name_all(run)
    _typed(run, "clusters", "move", first.relative_to(tmp_path), "--to", min(names))
    with Library.open(tmp_path, Settings()) as library:
        moved = library.corrections.move([first], min(names), burst=True)
        assert len(moved.decision.image_ids) <= 2, "those of the other camera"
    decided = _decided(tmp_path)
    assert str(first) in decided

    for path in may.species:
        _write_keyword(may.folder / path)
    august = _card(tmp_path / "cards" / "august", since=timedelta(days=92))
    _reset_clock(august)
    ingested = _typed(run, "ingest", "cards/may", "cards/august", "--json").json
    assert ingested["new_metadata"] == len(may.species)
    assert ingested["added"] == len(august.species)
    assert _decided(tmp_path) == decided, "a keyword changes no decision"
    assert _names(run) == names

    _typed(run, "deployments", "template", "{site}/{camera}/...")
    checked = _typed(run, "deployments", "check", "--json").json["cameras"]
    assert any(camera["clock"]["set_back"] for camera in checked)

    for card in (may, august):
        _typed(run, "detections", "import", card.results().relative_to(tmp_path))
    _typed(run, "recluster", "--embedder", "crops:hsv", "--k", "3")
    assert set(names.values()) <= set(_names(run).values())
    _typed(run, "undo")
    assert _names(run) == names
    assert _decided(tmp_path) == decided


def _card(folder: Path, *, since: timedelta = timedelta(0)) -> Card:
    card = Card(folder)
    for seed, station in enumerate(_STATIONS):
        card.fill(station, [*SPECIES[:3]] * 4, since=since, seed=seed + since.days)
    return card


def _reset_clock(card: Card) -> None:
    """Photos with higher numbers and times long before: the battery was empty."""
    later = Card(card.folder / "more")
    later.fill("brook", [*SPECIES[:3]] * 2, since=_CLOCK_RESET, seed=99)
    count = len([path for path in card.species if path.startswith("brook/")])
    for number, path in enumerate(sorted(later.species), start=count + 1):
        target = f"brook/cam1/DCIM/IMG_{number:04}.JPG"
        (later.folder / path).rename(card.folder / target)
        card.species[target] = later.species[path]
        card._boxes[target] = later._boxes[path]


def _write_keyword(file: Path) -> None:
    """A comment in the JPEG, as programs write keywords: before the picture."""
    data, comment = file.read_bytes(), b"a keyword"
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    file.write_bytes(data[:2] + segment + data[2:])


def _name_all(run: Run) -> dict[int, str]:
    _typed(run, "recluster", "--k", "3")
    names = {int(one["cluster_id"]): f"kind {one['cluster_id']}" for one in _clusters(run)}
    for cluster_id, name in names.items():
        _typed(run, "clusters", "rename", cluster_id, name)
    return names


def _names(run: Run) -> dict[int, str]:
    return {int(one["cluster_id"]): one["name"] for one in _clusters(run) if one["name"]}


def _clusters(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _typed(run, "clusters", "--json").json["clusters"]
    return found


def _decided(home: Path) -> set[str]:
    """The photos that a person decided about."""
    with Library.open(home, Settings()) as library:
        rows = library.assignments().to_pylist()
    return {row["path"] for row in rows if row["state"] == "decided"}


def _typed(run: Run, *words: object) -> Ran:
    done = run(*words)
    assert done.code == 0, (words, done.out, done.err)
    return done
