"""``organizer events``, ``organizer counts`` and the workbook as typed, of one small season."""

from __future__ import annotations

import csv
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.sightings import DIMENSIONS
from organizer.settings import Settings
from tests.conftest import Run
from tests.traps import BOAR, COLOUR, FOX, OWL, frame
from tests.typed import in_this_process

_CLOCKS = ("19:00:00", "19:00:20", "19:25:00", "19:56:00", "23:50:00")


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stations: foxes and owls in the evening, boars later, one photo without a time."""
    home = tmp_path_factory.mktemp("season")
    card = home / "card"
    for number, (station, first) in enumerate((("A", FOX), ("B", OWL))):
        for i, clock in enumerate(_CLOCKS):
            colour, seed = (first if i < 3 else BOAR), 10 * number + i
            at = f"2024:05:31 {clock}"
            frame(card / station / f"{i}.jpg", colour, at=at, camera=station, seed=seed)
    frame(card / "A" / "later.jpg", FOX, at="2024:06:01 00:10:00", camera="A", seed=70)
    frame(card / "A" / "no-time.jpg", OWL, at=None, camera="A", seed=80)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=3, reduce="none")
        library.deployments.set_template("{site}/...")
        for name, path in (("=fox", "A/0.jpg"), ("owl", "B/0.jpg"), ("boar", "A/3.jpg")):
            image_id = library.store.photos.image_at(card / path)
            assert image_id is not None
            current = library.store.clusterings.current()
            assert current is not None
            found = library.store.clusterings.clusters_of(current.clustering_id, [image_id])
            library.corrections.rename(found[image_id], name)
    return home


@pytest.fixture
def typed(season: Path, tmp_path: Path) -> Run:
    return partial(in_this_process, tmp_path, env={"ORGANIZER_LIBRARY": str(season)})


def _counts(typed: Run, by: str) -> list[tuple[Any, ...]]:
    found = typed("counts", "--by", by, "--json").json
    assert sum(row["images"] for row in found["counts"]) == found["images"] == 12
    assert (found["without_time"], found["with_people"]) == (1, 0)
    return [tuple(row.values()) for row in found["counts"]]


def test_images_and_events_are_counted(typed: Run) -> None:
    assert _counts(typed, "species") == [("=fox", 4, 2), ("boar", 4, 4), ("owl", 4, 1)]
    assert _counts(typed, "species,site,month") == [
        ("=fox", "A", "2024-05", 3, 1),
        ("=fox", "A", "2024-06", 1, 1),
        ("boar", "A", "2024-05", 2, 2),
        ("boar", "B", "2024-05", 2, 2),
        ("owl", "A", None, 1, 0),
        ("owl", "B", "2024-05", 3, 1),
    ]
    assert _counts(typed, "night") == [("2024-05-31", 11, 6), (None, 1, 0)]
    assert _counts(typed, "day,year") == [
        ("2024-05-31", "2024", 10, 6),
        ("2024-06-01", "2024", 1, 1),
        (None, None, 1, 0),
    ]
    for name in DIMENSIONS:
        assert _counts(typed, name)


def test_counts_are_a_table_with_what_is_not_known_and_a_total(typed: Run, tmp_path: Path) -> None:
    ran = typed("counts", "--by", "month, species")
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["unknown", "owl", "1", "0"] in lines
    assert ["total", "12", "6"] in lines
    assert "30 minutes" in ran.out
    assert "1 image without a time counts for no event" in ran.err
    assert typed("counts", "--csv", "counts.csv").out == "3 lines in counts.csv\n"
    text = (tmp_path / "counts.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines() == ["species,images,events", "'=fox,4,2", "boar,4,4", "owl,4,1"]
    assert "is there already" in typed("counts", "--csv", "counts.csv").err
    assert typed("counts", "--csv", "counts.csv", "--force").code == 0
    wrong = typed("counts", "--by", "species,moon")
    assert (wrong.code, "moon" in wrong.err) == (2, True)


def test_events_have_a_start_an_end_and_what_was_seen(typed: Run, tmp_path: Path) -> None:
    found = typed("events", "--json").json
    first = found["events"][0]
    assert first | {"camera": None} == {
        "number": 0,
        "start": "2024-05-31T19:00:00",
        "end": "2024-05-31T19:25:00",
        "site": "A",
        "deployment": "A",
        "camera": None,
        "images": 3,
        "species": [{"name": "=fox", "images": 3}],
    }
    assert len(found["events"]) == 6
    two = found["events"][2]
    assert two["species"] == [{"name": "boar", "images": 1}, {"name": "=fox", "images": 1}]
    assert [event["deployment"] for event in found["events"]] == ["A"] * 3 + ["B"] * 3
    bursts = typed("events", "--bursts", "--json").json["bursts"]
    assert Counter(burst["images"] for burst in bursts) == {2: 2, 1: 7}
    ran = typed("events")
    assert "2024-05-31 19:00:00" in ran.out
    assert "6 events; a gap of 30 minutes ends one" in ran.out
    assert "1 image without a time is of no event" in ran.err
    assert typed("events", "--csv", "events.csv").code == 0
    with (tmp_path / "events.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["species"] for row in rows][2] == "boar (1), =fox (1)"
    assert rows[0]["species"] == "'=fox (3)"


def test_the_summary_of_the_workbook_is_what_is_counted(typed: Run, tmp_path: Path) -> None:
    assert typed("export", "xlsx").out == "12 images: organizer.xlsx\n"
    book = openpyxl.load_workbook(tmp_path / "organizer.xlsx", read_only=True)
    _, *rows, total = book["Summary"].iter_rows(values_only=True)
    assert rows == [
        ("A", "2024-05", "=fox", 3, 1),
        ("A", "2024-05", "boar", 2, 2),
        ("A", "2024-06", "=fox", 1, 1),
        ("A", None, "owl", 1, 0),
        ("B", "2024-05", "boar", 2, 2),
        ("B", "2024-05", "owl", 3, 1),
    ]
    assert {(site, month or None, name) for site, month, name, *_ in rows} == {
        (site, month, name) for name, site, month, *_ in _counts(typed, "species,site,month")
    }
    assert total == ("Total", None, None, 12, 6)
    book.close()


def test_nothing_to_count_by_is_refused(season: Path) -> None:
    with Library.open(season) as library, pytest.raises(SettingsError, match="to count by"):
        library.sightings.counts([])
