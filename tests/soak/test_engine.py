"""The fast way on many real photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_engine import compare_fast_and_exact, on_each_network, photos_in


@pytest.mark.weights
@on_each_network
def test_the_fast_way_tells_real_photos_apart_as_float32_does(
    real_weights: Path, real_photos: Path, name: str, file: str
) -> None:
    compare_fast_and_exact(name, real_weights / file, photos_in(real_photos, each=120))
