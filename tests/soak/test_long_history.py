"""A thousand ingests, renames and reclusters: files and bytes with the data, the last as fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = 1_000


@pytest.mark.timeout(14_400)
def test_a_thousand_rounds_cost_no_more_than_the_first(tmp_path: Path) -> None:
    words = ["--rounds", str(ROUNDS), "--shown", "50", str(ROUNDS), "--folder", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.history", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=14_000,
    )
    early, late = (
        [float(cell.replace(",", "")) for cell in line.split()]
        for line in ran.stdout.splitlines()[2:]
    )
    more = late[1] / early[1]  # images
    assert late[2] < 1.3 * early[2], "files"
    assert late[3] < 1.5 * more * early[3], "bytes"
    for column in (5, 6, 7):  # seconds of an ingest, a rename and a recluster
        assert late[column] < 2 * more * early[column]
