"""``organizer deployments`` as typed."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run
from tests.test_deployments_of_library import take
from tests.typed import in_this_process


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras with three photos each, one of them without a time, and a photo apart."""
    home = tmp_path_factory.mktemp("trap")
    for place, camera in enumerate(["cam1", "cam2"]):
        for i in range(3):
            after = None if (place, i) == (1, 2) else 60 * i
            take(home / "photos" / "ridge" / camera / f"IMG_{i}.jpg", place * 10 + i, after)
    take(home / "photos" / "apart.jpg", 99, 5)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
    return home


@pytest.fixture(scope="session")
def placed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a template."""
    home = tmp_path_factory.mktemp("placed")
    shutil.copytree(made, home, dirs_exist_ok=True)
    with Library.open(home, Settings()) as library:
        library.deployments.set_template("{site}/{camera}")
    return home


@pytest.fixture
def typed(made: Path, tmp_path: Path) -> Run:
    """The program in a copy of that folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return partial(in_this_process, tmp_path, "deployments")


@pytest.fixture
def told(placed: Path, tmp_path: Path) -> Run:
    """The program in a copy of that one."""
    shutil.copytree(placed, tmp_path, dirs_exist_ok=True)
    return partial(in_this_process, tmp_path, "deployments")


def test_a_new_user_is_told_how_to_begin(typed: Run) -> None:
    ran = typed()
    assert (ran.code, ran.out) == (0, "")
    assert (
        "no deployments yet; to tell them by folders: "
        'organizer deployments template "{site}/{camera}/..."'
    ) in ran.err
    assert "without a time: 1 image; the date of a file is not used as one" in ran.err


def test_a_template_lists_what_it_found_and_what_it_did_not(typed: Run) -> None:
    ran = typed("template", "{site}/{camera}/...")
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines() if "ridge" in line] == [
        ["ridge/cam1", "3"],
        ["ridge/cam2", "3"],
    ]
    assert "2024-05-01 12:00:00   2024-05-01 12:02:00" in ran.out
    assert "in no deployment: 1 of 7 images, for example photos/apart.jpg" in ran.err
    again = typed("--json").json
    assert again["template"] == "{site}/{camera}"
    assert [row["deployment_id"] for row in again["deployments"]] == ["ridge/cam1", "ridge/cam2"]
    assert [row["without_time"] for row in again["deployments"]] == [0, 1]
    forgotten = typed("template", "--forget", "--json")
    assert forgotten.json["deployments"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["template"], "give a template, or --forget"),
        (["template", "{site}", "--forget"], "give a template, or --forget"),
        (["template", "{place}"], "is no template of folders"),
        (["template", "x/{camera}"], "no photo lies in folders like x/{camera}"),
        (["read", "no.csv"], "cannot read the deployments no.csv"),
        (["shift", "ridge/cam1"], "a shift is missing"),
        (["shift", "ridge/cam1", "1 week"], "'1 week' is no shift of a clock"),
        (["shift", "cam9", "+1h"], "there is no deployment 'cam9'"),
        (["write-csv", "photos/apart.jpg"], "is a photo of the library"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_two_lines(told: Run, words: list[str], said: str) -> None:
    ran = told(*words)
    assert (ran.code, ran.out) == (2, "")
    error, hint = ran.err.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert hint.startswith("hint: ")


def test_options_before_a_word_are_not_lost_in_silence(typed: Run) -> None:
    ran = typed("--json", "template", "{site}/{camera}")
    assert (ran.code, ran.out) == (2, "")
    assert "options come after template" in ran.err


@pytest.mark.parametrize(
    ("words", "shift", "first"),
    [
        (["+1h"], "+1h", "13:00:00"),
        (["-30m"], "-30m", "11:30:00"),
        (["-1h"], "-1h", "11:00:00"),
        (["+00:30:00"], "+30m", "12:30:00"),
        (["+1d2h"], "+1d2h", "14:00:00"),
        (["--reset", "-1h"], "-1h", "11:00:00"),
        (["90"], "+1m30s", "12:01:30"),
    ],
)
def test_a_shift_says_old_and_new(told: Run, words: list[str], shift: str, first: str) -> None:
    ran = told("shift", "ridge/cam1", *words)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == f"ridge/cam1: the clock is shifted by {shift} (before: 0)"
    assert lines[1].startswith("  first photo  2024-05-01 12:00:00 -> ")
    assert lines[1].endswith(first)
    assert lines[2].startswith("  last photo   2024-05-01 12:02:00 -> ")


def test_shifts_add_up_and_are_taken_back(told: Run) -> None:
    once = told("shift", "ridge/cam1", "+1h")
    assert "to take it back: organizer deployments shift ridge/cam1 -1h\n" in once.err
    twice = told("shift", "ridge/cam1", "+1h", "--json").json
    assert (twice["before"]["shift"], twice["after"]["shift"]) == (3600, 7200)
    assert twice["after"]["first"] == "2024-05-01T14:00:00"
    back = told("shift", "ridge/cam1", "--reset")
    assert back.out.splitlines()[0] == "ridge/cam1: the clock is not shifted (before: +2h)"
    assert told("shift", "ridge/cam1", "--help").code == 0


def test_a_table_is_written_filled_in_and_read(told: Run, tmp_path: Path) -> None:
    ran = told("write-csv", "d.csv")
    assert (ran.code, ran.out) == (0, "2 deployments: d.csv\n")
    file = tmp_path / "d.csv"
    text = file.read_text(encoding="utf-8-sig")
    text = text.replace(
        "ridge/cam1,ridge,cam1,,,,", "ridge/cam1,ridge,cam1,47.5,11,,2024-05-01T12:01"
    )
    file.write_text(text, encoding="utf-8")
    ran = told("read", "d.csv")
    assert ran.code == 0
    assert "47.50000, 11.00000" in ran.out
    assert (
        "ridge/cam1: 1 of 3 photos outside its period (- to 2024-05-01 12:01:00): was its clock "
        "wrong?"
    ) in ran.err
    assert "read: 2 new" in ran.err
    assert "with photos, not in the table" not in ran.err
    said = told("read", "d.csv", "--json").json["read"]
    assert (said["new"], said["same"]) == ([], 2)
    assert told("write-csv", "d.csv").code == 2
    assert "47.5" in file.read_text(encoding="utf-8")
    assert told("write-csv", "d.csv", "--force", "--json").json["deployments"] == 2


def test_a_name_cannot_command_the_terminal(typed: Run, tmp_path: Path) -> None:
    evil = "ri\x1b[31mdge"
    take(tmp_path / "photos" / evil / "cam3" / "IMG_0.jpg", 50)
    in_this_process(tmp_path, "ingest")
    ran = typed("template", "{site}/{camera}")
    assert ran.code == 0
    assert "ri?[31mdge/cam3" in ran.out
    assert "\x1b" not in ran.out + ran.err


def test_a_deployment_is_split_and_joined_again(told: Run) -> None:
    ran = told("split", "ridge/cam1", "--gap", "60s")
    assert [line.split()[0] for line in ran.out.splitlines() if "ridge" in line] == [
        "ridge/cam1"
    ] * 3
    assert 'organizer deployments shift "ridge/cam1 (3)" +1h' in ran.err
    parts = told("--json").json["deployments"]
    assert [part["deployment_id"] for part in parts] == [
        "ridge/cam1",
        "ridge/cam1 (2)",
        "ridge/cam1 (3)",
        "ridge/cam2",
    ]
    left = told("remove", "ridge/cam1 (2)", "ridge/cam1 (3)", "--json").json["deployments"]
    assert [(part["deployment_id"], part["images"]) for part in left] == [
        ("ridge/cam1", 3),
        ("ridge/cam2", 3),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["split", "ridge/cam1"], "give a gap or a time to split at"),
        (["split", "ridge/cam1", "--gap", "5d"], "a shorter --gap"),
        (["remove", "ridge/cam2"], "no deployment 'ridge/cam2' was described"),
    ],
)
def test_what_cannot_be_split_or_removed_is_told(told: Run, words: list[str], said: str) -> None:
    ran = told(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_deployments_named_after_folders_of_cards_are_called_that(tmp_path: Path) -> None:
    """Cards that were ingested one by one all have DCIM, which joins them silently."""
    run = partial(in_this_process, tmp_path, "deployments")
    cards = [tmp_path / "cards" / name for name in ("Oak Hill", "Mill Creek")]
    for place, card in enumerate(cards):
        take(card / "DCIM" / "100RECNX" / "IMG_0001.JPG", place)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest(cards, embedder="channel-mean")
    template = f"{(tmp_path / 'cards').as_posix()}/{{deployment}}/..."
    command = f'organizer deployments template "{template}"'
    assert command in run().err
    joined = run("template", "{site}/{camera}/...")
    assert "DCIM/100RECNX: folders that cameras make, the same on every card" in joined.err
    assert f"to tell deployments by the folders above: {command}" in joined.err
    told = run("template", template)
    assert "cameras make" not in told.err
    assert [line for line in told.out.splitlines() if "Oak Hill" in line]
