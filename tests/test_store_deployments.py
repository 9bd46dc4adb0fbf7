"""Deployments and choices on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.store import Store
from organizer.types import Deployment

_NORTH = Deployment("north", "Ridge", "cam 1", 47.5, -11.25, "2024-05-01T00:00:00", None, 3600)
_QUOTED = Deployment('it\'s "north" 北')


def test_deployments_are_kept_as_they_were_given(tmp_path: Path) -> None:
    store = Store.create(tmp_path / ".organizer")
    assert store.deployments.all() == ()
    store.deployments.write([_NORTH, _QUOTED])
    assert Store.open(store.path).deployments.all() == (_QUOTED, _NORTH)
    store.deployments.write([_QUOTED])
    assert store.deployments.all() == (_QUOTED,)
    store.deployments.write([])
    assert Store.open(store.path).deployments.all() == ()
    with store.writing():
        store.tidy()
    store.deployments.write([_NORTH])
    assert store.deployments.all() == (_NORTH,)


def test_two_deployments_of_one_id_are_a_bug_of_the_caller(tmp_path: Path) -> None:
    store = Store.create(tmp_path / ".organizer")
    with pytest.raises(ValueError, match="one id"):
        store.deployments.write([Deployment("a"), Deployment("a", "elsewhere")])


def test_the_last_choice_counts(tmp_path: Path) -> None:
    store = Store.create(tmp_path / ".organizer")
    assert store.choices.get("template") is None
    store.choices.set("template", "{site}/{camera}")
    store.choices.set('it\'s "quoted"', {"a": [1, 2.5, None, "ü"]})
    store.choices.set("template", "{deployment}")
    again = Store.open(store.path)
    assert again.choices.get("template") == "{deployment}"
    assert again.choices.get('it\'s "quoted"') == {"a": [1, 2.5, None, "ü"]}
    again.choices.set("template", None)
    assert again.choices.get("template") is None
