"""A hundred thousand files with bytes that were changed at random."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutations import ingest_mutated


@pytest.mark.timeout(7_200)
def test_changed_files_are_all_accounted_for(tmp_path: Path) -> None:
    for seed in range(2, 52):
        ingest_mutated(tmp_path / str(seed), 2_000, seed=seed)
        shutil.rmtree(tmp_path / str(seed))
