"""Files with bytes that were changed at random: each is a photo, a problem, or a duplicate."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.types import Outcome
from tests.mutations import ingest_mutated


@pytest.mark.slow
def test_changed_files_are_all_accounted_for(tmp_path: Path) -> None:
    counts = ingest_mutated(tmp_path, 2_000, seed=1).counts
    assert counts[Outcome.ADDED] > 500
    assert counts[Outcome.BROKEN] > 200
