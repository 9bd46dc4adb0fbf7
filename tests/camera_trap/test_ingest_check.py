"""What an ingest says of the cards that came: clocks, flashes and places to look at."""

from __future__ import annotations

from pathlib import Path

from organizer.library import Library
from organizer.settings import Settings
from tests.traps import COLOUR, FOX, frame
from tests.typed import in_this_process


def _cards(folder: Path) -> None:
    for i in range(6):
        at = f"2024:05:0{i + 1} 23:00:00"
        year = 2024 if i < 3 else 2000
        frame(folder / "reset" / f"IMG_{i}.JPG", FOX, at=f"{year}:05:0{i + 1} 23:00:00", seed=i)
        frame(folder / "dark" / f"IMG_{i}.JPG", (2, 2, 2), at=at, noise=1, seed=10 + i)
        frame(folder / "fine" / f"IMG_{i}.JPG", FOX, at=at, seed=20 + i)


def test_an_ingest_says_which_cards_to_look_at(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    _cards(cards)
    told = in_this_process(tmp_path, "ingest", str(cards), "--embedder", COLOUR)
    looked = [line for line in told.out.splitlines() if line.startswith("look at: ")]
    assert len(looked) == 2
    assert looked[0].endswith("dark: its photos of the nights are black: did the flash fail?")
    assert "the clock went back from 2024-05-03 23:00:00 to 2000-05-04 23:00:00" in looked[1]
    again = in_this_process(tmp_path, "ingest", str(cards), "--json").json
    assert (again["unchanged"], again["remarks"], again["failed_checks"]) == (18, [], [])


def test_a_camera_is_looked_at_with_the_photos_that_came_before(tmp_path: Path) -> None:
    cards, table = tmp_path / "cards", tmp_path / "deployments.csv"
    _cards(cards)
    lines = ["id,start,end", "fine,2024-05-03,2024-06-30", "reset,,", "dark,,"]
    table.write_text("\n".join(lines), encoding="utf-8")
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([cards], embedder=COLOUR)
        library.deployments.read_csv(table)
        frame(cards / "fine" / "IMG_7.JPG", FOX, at="2024:05:20 10:00:00", seed=31)
        frame(cards / "elsewhere" / "IMG_1.JPG", FOX, at="2024:05:20 10:00:00", seed=32)
        report = library.ingest([cards])
    early = "2 of 7 photos before the start of the deployment"
    assert [(said.check, said.text) for said in report.remarks] == [
        ("camera-trap", "1 photo is in no deployment: organizer deployments"),
        (
            "camera-trap",
            f"fine: {early}; no photo in the last 41 days before its end",
        ),
    ]
    assert report.failed_checks == ()


def test_of_many_cards_few_are_told_of_one_by_one(tmp_path: Path) -> None:
    for card in range(7):
        for i in range(4):
            at = f"{2024 if i < 2 else 2000}:05:0{i + 1} 10:00:00"
            frame(tmp_path / "cards" / f"c{card}" / f"IMG_{i}.JPG", FOX, at=at, seed=10 * card + i)
    with Library.open_or_create(tmp_path, Settings()) as library:
        report = library.ingest([tmp_path / "cards"], embedder=COLOUR)
    assert len(report.remarks) == 6
    assert report.remarks[-1].text == "2 cameras more: organizer deployments check"
