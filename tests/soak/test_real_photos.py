"""The product's proof, each command that writes in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.e2e.test_real_photos import CATS_EACH, Person, grow


@pytest.mark.weights
def test_a_library_grows_and_keeps_what_a_person_made_of_it(
    run: Run, real_weights: Path, real_photos: Path, tmp_path: Path
) -> None:
    person = Person(run, tmp_path, real_weights, in_processes=("ingest", "recluster", "undo"))
    grow(person, real_photos, tmp_path, each=CATS_EACH)
