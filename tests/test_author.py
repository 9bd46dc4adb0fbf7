"""Who decided is kept with the decision: steps of the history, answers, exports."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.exports.membership import Membership
from organizer.settings import Settings
from organizer.store import Answer, SampleKind
from organizer.store.author import Author
from organizer.store.ids import pack_ids
from tests.cards import blobs, fill, ids_of

_IDS = ids_of(range(40))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Two clusters, which Olga made."""
    with Library.open_or_create(tmp_path, Settings(user="Olga")) as opened:
        fill(opened, _IDS, blobs([20, 20]))
        opened.recluster(k=2)
        yield opened


def _users(library: Library) -> list[str]:
    return [event.user for event in library.corrections.history()]


def test_every_step_has_who_made_it(library: Library) -> None:
    with library.acting_as("Ann"):
        library.corrections.rename(1, "Fox")
        with library.acting_as("Ben"):
            library.corrections.move(_IDS[0], 2)
        library.undo()
    library.redo()
    with library.acting_as(""):
        library.corrections.pin(2)
    assert _users(library) == ["Olga", "Ann", "Ben", "Ann", "Olga", ""]
    assert [step.user for step in library.store.steps.all()] == _users(library)


def test_answers_have_who_gave_them_and_the_same_answer_is_known_whoever_gives_it(
    library: Library,
) -> None:
    answer = Answer(_IDS[0], 1, belongs=True, drawn=SampleKind.RANDOM)
    with library.acting_as("Ann"):
        assert library.review.answer([answer]) == 1
    assert library.review.answer([answer]) == 0
    assert [kept.user for kept in library.store.answers.all()] == ["Ann"]


def test_a_refused_decision_ends_the_acting_too(library: Library) -> None:
    with pytest.raises(SettingsError), library.acting_as("Ann"):
        library.corrections.rename(99, "Fox")
    library.corrections.pin(1)
    assert _users(library)[-1] == "Olga"


def test_each_thread_and_each_task_acts_for_its_own_person() -> None:
    author, meeting = Author(), Barrier(8)
    author.usual = lambda: "Olga"

    def act(name: str) -> tuple[str, str]:
        with author.acting_as(name):
            meeting.wait(10)  # all of them act at once
            inside = author.name
            meeting.wait(10)
        return inside, author.name

    names = [f"person {i}" for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(act, names)) == [(name, "Olga") for name in names]

    async def act_in_thread(name: str) -> str:
        with author.acting_as(name):
            await asyncio.sleep(0)
            return await asyncio.to_thread(lambda: author.name)

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*map(act_in_thread, names))

    with ThreadPoolExecutor(1) as pool:  # a browser of other tests may have a loop on this thread
        found = pool.submit(asyncio.run, all_at_once()).result()
    assert found == names, "a worker thread acts for whoever sent it"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Ann\nBen", "on one line"),
        ("Ann\x1b[31m", "on one line"),
        ("\ud800", "on one line"),
        ("x" * 101, "at most 100"),
        (None, "a text"),
        (7, "a text"),
    ],
)
def test_what_cannot_be_a_name_is_refused_before_anything_is_written(
    library: Library, name: str, why: str
) -> None:
    with pytest.raises(SettingsError) as error, library.acting_as(name):
        raise AssertionError("it was let in")
    assert why in error.value.hint
    if name is not None:
        with pytest.raises(SettingsError):
            Settings(user=name)


def test_a_name_is_kept_as_one_character_for_an_accent_without_spaces_around() -> None:
    assert Settings(user=" Rene\u0301 D. ").user_name == "Ren\xe9 D."
    assert Settings(user="x" * 100).user_name == "x" * 100


def test_the_name_is_from_the_settings_else_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME", "ORGANIZER_USER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LOGNAME", "alice")
    assert Settings().user_name == "alice"
    monkeypatch.setenv("ORGANIZER_USER", "Alice A.")
    assert Settings().user_name == "Alice A."
    assert Settings(user="Ann").user_name == "Ann"
    assert Settings(user="").user_name == "", "nobody is to be named"


def _without_account() -> str:
    raise KeyError("getpwuid(): uid not found: 1234")


def _without_account_since_3_13() -> str:
    raise OSError("No username set in the environment")


@pytest.mark.parametrize(
    "getuser", [_without_account, _without_account_since_3_13, lambda: "a\nb", lambda: "x" * 101]
)
def test_where_the_system_knows_no_name_nobody_is_named(
    monkeypatch: pytest.MonkeyPatch, getuser: Callable[[], str], tmp_path: Path
) -> None:
    monkeypatch.delenv("ORGANIZER_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", getuser)
    with Library.open_or_create(tmp_path) as opened:
        fill(opened, _IDS, blobs([20, 20]))
        opened.recluster(k=2)
        assert _users(opened) == [""]


def test_an_export_knows_who_moved_an_image_last(library: Library) -> None:
    with library.acting_as("Ann"):
        library.corrections.rename(1, "Fox")  # its representatives are nobody's decision
        library.corrections.move(_IDS[:2], 2)
    with library.acting_as("Ben"):
        library.corrections.move(_IDS[1], 1)
    with library.acting_as(""):
        library.corrections.move(_IDS[3], 2)
    columns = Membership.read(library.store).columns(pack_ids(_IDS))
    assert columns["decided_by"][:4] == ("Ann", "Ben", None, None)
    assert columns["states"][:4] == ("decided", "decided", "auto", "decided")
    assert set(columns["decided_by"][4:]) == {None}
