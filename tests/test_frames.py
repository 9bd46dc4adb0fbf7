"""Several pictures of one image give one vector, and one of them stands for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.embed.frames import join_pictures
from organizer.embed.pictures import EmbeddedPictures, PictureFailure


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_an_image_has_the_mean_of_its_pictures(counts: list[int], data: st.DataObject) -> None:
    total = sum(counts)
    rows = sorted(data.draw(st.sets(st.integers(0, total - 1))))
    draw = np.random.default_rng(total)
    vectors = draw.normal(size=(len(rows), 4)).astype(np.float32)
    failures = {row: PictureFailure(str(row)) for row in range(total) if row not in rows}
    joined = join_pictures(EmbeddedPictures(tuple(rows), vectors, failures), counts)
    begin, expected = 0, {}
    for image, count in enumerate(counts):
        own = [row for row in rows if begin <= row < begin + count]
        if own:
            of_image = vectors[[rows.index(row) for row in own]]
            mean = of_image.mean(axis=0)
            nearest = int(np.linalg.norm(of_image - mean, axis=1).argmin())
            expected[image] = (mean, own[nearest] - begin)
        else:
            assert joined.failures[image].reason == str(begin)
        begin += count
    assert joined.rows == tuple(expected)
    assert len(joined.failures) == len(counts) - len(expected)
    for vector, medoid, (mean, nearest) in zip(
        joined.vectors, joined.medoids, expected.values(), strict=True
    ):
        assert vector == pytest.approx(mean, abs=1e-6)
        assert len(counts) == 1 or medoid == nearest
