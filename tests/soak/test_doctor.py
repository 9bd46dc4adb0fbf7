"""Every file of a small library flipped, cut, emptied and gone, one at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.damages import make_sound
from tests.doctoring import HARMS, Known, files_of, forget_content, forget_copies, mend_one


def _as_it_is(_: Path) -> None:
    """All safety copies are there."""


@pytest.mark.parametrize("before", [_as_it_is, forget_content, forget_copies])
def test_every_file_may_be_damaged_and_no_decision_is_lost(
    tmp_path: Path, before: Callable[[Path], None]
) -> None:
    sound = make_sound(tmp_path / "sound")
    known, wrong, done = Known.of(sound), [], 0
    for name in files_of(sound):
        for label, how in HARMS.items():
            mended = mend_one(sound, tmp_path / "home", name, how, known, before=before)
            shutil.rmtree(tmp_path / "home")
            if mended is not None:
                done += 1
                wrong += [f"{name} {label}: {what}" for what in mended.complaints()]
    assert wrong == []
    assert done > 150
