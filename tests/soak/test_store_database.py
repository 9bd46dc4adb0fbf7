"""Every harm to every table of a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.damages import HARMS, OTHERS, Harm, harm_and_use_all, make_sound


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("table", OTHERS)
@pytest.mark.parametrize(("kind", "harm"), HARMS)
def test_a_damaged_file_never_gives_a_raw_error(
    sound: Path, tmp_path: Path, table: str, kind: str, harm: Harm
) -> None:
    harm_and_use_all(sound, tmp_path, table, kind, harm)
