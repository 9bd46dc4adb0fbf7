"""A season with a camera trap, as the plugin's README has it: two cards, folders, tables, undo."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.camera_trap.season import SPECIES, STATIONS, Card
from tests.conftest import Ran, Run
from tests.typed import in_this_process

_PROJECT = """
[project]
title = "A season"
samplingDesign = "simpleRandom"
captureMethod = ["activityDetection"]
individualAnimals = false
"""


@pytest.mark.slow
def test_a_season(tmp_path: Path) -> None:
    """In this process; tests/soak has every command in a process of its own."""
    live_a_season(partial(in_this_process, tmp_path), tmp_path)


def live_a_season(run: Run, tmp_path: Path) -> None:
    """Two cards, names, deployments, folders and tables."""
    first = _card_of_may(tmp_path)
    _typed(run, "ingest", "cards/may", "--embedder", "hsv")
    _typed(run, "deployments", "template", "{site}/{camera}/...")
    _typed(run, "detections", "import", first.results().relative_to(tmp_path))
    _typed(run, "recluster", "--embedder", "crops:hsv", "--k", "auto", "--bursts")
    named = _name_all(run, tmp_path, first)
    assert sorted(named) == list(SPECIES[:12])
    before = _members(tmp_path)

    second, broken = _card_of_august(tmp_path)
    ingested = run("ingest", "cards/august", "--json")
    assert ingested.code == 3, ingested.err
    assert ingested.json["broken"] == len(broken)
    listed = _typed(run, "problems", "--json").json["problems"]
    assert {Path(row["path"]) for row in listed} == broken
    imported = _typed(run, "detections", "import", second.results().relative_to(tmp_path))
    assert "1 novel cluster was found" in imported.out + imported.err

    after = _members(tmp_path)
    for name, cluster_id in named.items():
        assert before[cluster_id] < after[cluster_id], f"{name} has grown, and lost nobody"
        assert _species_of(tmp_path, after[cluster_id], first, second) == {name}
    novel = set(after) - set(before)
    assert len(novel) == 1, "the species that came is one cluster"
    assert _species_of(tmp_path, after[novel.pop()], first, second) == {SPECIES[12]}
    _deployments_know_the_dead_camera(run)
    _files_come_and_go(run, tmp_path, named)
    _the_tables_are_handed_in(run, tmp_path, named)


def _deployments_know_the_dead_camera(run: Run) -> None:
    rows = _typed(run, "deployments", "--json").json["deployments"]
    last = {row["deployment_id"]: row["last"] for row in rows}
    assert last["ridge/cam1"] < "2026-08-02" < last["brook/cam1"]


def _files_come_and_go(run: Run, home: Path, named: dict[str, int]) -> None:
    cards = _tree(home / "cards")
    arranged = _typed(run, "arrange", "--to", "sorted", "--json").json
    files = [path for path in (home / "sorted").rglob("*") if path.is_file()]
    people = 6
    assert arranged["done"] == len(files) == arranged["files"] - people
    assert sum(arranged["left"].values()) == people, "all are accounted for"
    folders = {path.name for path in (home / "sorted").iterdir()}
    assert folders >= {*named, "empty"}
    assert "people" not in folders, "they are in quarantine"
    _typed(run, "arrange", "--undo")
    assert not (home / "sorted").exists()
    assert _tree(home / "cards") == cards


def _the_tables_are_handed_in(run: Run, home: Path, named: dict[str, int]) -> None:
    _typed(run, "deployments", "write-csv", "deployments.csv")
    _fill_in(home / "deployments.csv")
    _typed(run, "deployments", "read", "deployments.csv")
    (home / "project.toml").write_text(_PROJECT + '[[contributors]]\ntitle = "Ann"\n')
    taxa = "\n".join(["name,scientificName", *(f"{name},Genus {name[-2:]}" for name in named)])
    (home / "taxa.csv").write_text(taxa + "\n")
    options = ("timezone=+02:00", "project=project.toml", "taxa=taxa.csv")
    chosen = [word for option in options for word in ("--set", option)]
    _typed(run, "export", "camtrap-dp", "--to", "camtrap", *chosen)
    observations = _rows(home / "camtrap" / "observations.csv")
    assert {row["observationType"] for row in observations} >= {"animal", "blank"}
    _typed(run, "export", "timelapse-csv", "--to", "timelapse.csv", "--relative-to", "cards")
    rows = Counter(row["ClusterName"] for row in _rows(home / "timelapse.csv"))
    assert all(rows[name] > 0 for name in named)
    _typed(run, "export", "megadetector-json", "--to", "md.json", "--relative-to", "cards")


def _card_of_may(home: Path) -> Card:
    card = Card(home / "cards" / "may")
    visits = [*SPECIES[:12], "", *SPECIES[:12], "person"]
    for seed, station in enumerate(STATIONS):
        card.fill(station, visits, since=timedelta(0), seed=seed)
    return card


def _card_of_august(home: Path) -> tuple[Card, set[Path]]:
    """The same names again, a new species, a camera that died, and files that were cut short."""
    card = Card(home / "cards" / "august")
    visits = [*SPECIES[:12], *(SPECIES[12],) * 6, ""]
    for seed, station in enumerate(STATIONS):
        dead = station == "ridge"
        card.fill(station, [""] if dead else visits, since=timedelta(days=92), seed=10 + seed)
    files = [card.folder / "brook" / "cam1" / "DCIM" / f"IMG_000{n}.JPG" for n in (1, 4)]
    for file in files:
        file.write_bytes(file.read_bytes()[:700])
    return card, set(files)


def _name_all(run: Run, home: Path, card: Card) -> dict[str, int]:
    """Give every cluster the name of what is in it: one as typed, the others as called."""
    members = _members(home)
    what = {
        cluster_id: _species_of(home, members[cluster_id], card) for cluster_id in sorted(members)
    }
    named = {kinds.pop(): cluster_id for cluster_id, kinds in what.items() if len(kinds) == 1}
    (name, cluster_id), *others = named.items()
    _typed(run, "clusters", "rename", cluster_id, name)
    with Library.open(home, Settings()) as library:
        for name, cluster_id in others:
            library.corrections.rename(cluster_id, name)
    return named


def _members(home: Path) -> dict[int, set[str]]:
    """The crops in each cluster."""
    with Library.open(home, Settings()) as library:
        current = library.store.clusterings.current()
        assert current is not None
        members = library.store.clusterings.assignments(current.clustering_id)
    found: dict[int, set[str]] = {}
    for image_id, cluster_id in zip(members.image_ids, members.cluster_ids.tolist(), strict=True):
        if cluster_id >= 0:
            found.setdefault(cluster_id, set()).add(str(image_id))
    return found


def _species_of(home: Path, crops: set[str], *cards: Card) -> set[str]:
    """What is on the photos of some crops."""
    truth = {card.folder / path: kind for card in cards for path, kind in card.species.items()}
    with Library.open(home, Settings()) as library:
        files = library.store.photos.files_of(crops, with_people=True)
    return {truth[rows[0].file] for rows in files.values()}


def _tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _fill_in(file: Path) -> None:
    rows = _rows(file)
    for number, row in enumerate(rows):
        row |= {"latitude": f"{51 + number}", "longitude": "7.5"}
        row |= {"start": "2026-05-01T00:00:00", "end": "2026-08-31T00:00:00"}
    with file.open("w", newline="") as written:
        lines = csv.DictWriter(written, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)


def _rows(file: Path) -> list[dict[str, Any]]:
    with file.open(newline="", encoding="utf-8-sig") as read:
        return list(csv.DictReader(read))


def _typed(run: Run, *words: object) -> Ran:
    done = run(*words)
    assert done.code == 0, (words, done.out, done.err)
    return done
