from __future__ import annotations

import dataclasses
import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.errors import (
    ClusteringError,
    ImageError,
    OrganizerError,
    PluginError,
    SettingsError,
    StoreError,
    WeightsError,
)
from organizer.types import Assignments, EmbeddingBatch, ImageRef, Outcome, PartSpec

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_SPECS = st.builds(
    PartSpec,
    name=st.text(max_size=8),
    params=st.dictionaries(st.text(max_size=4), _VALUES, max_size=3),
    version=st.text(max_size=4),
)
# Few values, so that two draws are often equal or nearly so.
_ALIKE = st.builds(
    PartSpec,
    name=st.sampled_from(["a", "b"]),
    params=st.dictionaries(st.sampled_from("xy"), st.sampled_from(["1", 1, 2]), max_size=2),
    version=st.sampled_from(["", "1"]),
)


@given(_ALIKE, _ALIKE)
def test_fingerprints_are_equal_exactly_where_the_specs_are(one: PartSpec, other: PartSpec) -> None:
    assert (one.fingerprint == other.fingerprint) == (one == other)


@given(_SPECS, _SPECS)
def test_no_two_different_specs_share_a_fingerprint(one: PartSpec, other: PartSpec) -> None:
    if one != other:
        assert one.fingerprint != other.fingerprint


@given(_SPECS)
def test_a_fingerprint_is_twelve_hexadecimal_digits(spec: PartSpec) -> None:
    assert len(spec.fingerprint) == 12
    assert set(spec.fingerprint) <= set(string.hexdigits.lower())


@given(_SPECS)
def test_a_spec_comes_back_from_json(spec: PartSpec) -> None:
    back = PartSpec.from_json(spec.to_json())
    assert back == spec
    assert back.fingerprint == spec.fingerprint


@given(st.permutations(["alpha", "beta", "gamma", "delta"]))
def test_the_order_of_params_changes_nothing(order: list[str]) -> None:
    params = {name: len(name) for name in order}
    usual = PartSpec("part", {name: len(name) for name in sorted(order)})
    assert PartSpec("part", params).to_json() == usual.to_json()


def test_json_of_a_spec_holds_its_three_fields() -> None:
    text = PartSpec("kmeans", {"n_clusters": 5}, "7").to_json()
    assert json.loads(text) == {"name": "kmeans", "params": {"n_clusters": 5}, "version": "7"}


def test_a_pinned_spec_differs_in_the_version_alone() -> None:
    spec = PartSpec("hog+hsv", {"a": 1})
    pinned = spec.with_version("2")
    assert (pinned.name, pinned.params, pinned.version) == ("hog+hsv", {"a": 1}, "2")
    assert spec.version == ""
    assert pinned.fingerprint != spec.fingerprint


def test_values_between_stages_cannot_be_changed() -> None:
    spec: Any = PartSpec("part")
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"


def test_an_image_ref_knows_where_its_file_lies(tmp_path: Path) -> None:
    assert ImageRef(tmp_path, "a/b.jpg", 1, 2).file == tmp_path / "a" / "b.jpg"


@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        (("a",), np.zeros((2, 3), np.float32)),
        (("a", "b"), np.zeros((1, 3), np.float32)),
        ((), np.zeros((1, 3), np.float32)),
        (("a",), np.zeros(3, np.float32)),
        (("a",), np.zeros((1, 3, 1), np.float32)),
        (("a",), np.zeros((1, 3), np.float64)),
        (("a",), np.zeros((1, 3), np.int32)),
    ],
)
def test_an_embedding_batch_refuses_rows_that_do_not_fit(
    ids: tuple[str, ...], vectors: Any
) -> None:
    with pytest.raises(ValueError, match="vectors"):
        EmbeddingBatch(ids, vectors)


def test_an_embedding_batch_may_be_empty() -> None:
    batch = EmbeddingBatch((), np.zeros((0, 3), np.float32))
    assert batch.vectors.shape == (0, 3)


_COLUMNS = ("image_ids", "cluster_ids", "candidates", "distances", "margins", "states", "since")


def _members(**rows: int) -> Assignments:
    kinds = {"image_ids": object, "states": object, "distances": np.float32, "margins": np.float32}
    return Assignments(
        *(np.zeros(rows.get(name, 2), kinds.get(name, np.int64)) for name in _COLUMNS)
    )


def test_members_take_what_fits_and_can_be_taken_apart() -> None:
    members = _members()
    assert len(members) == 2
    assert len(members.take(np.array([True, False]))) == 1
    assert len(Assignments.joined([members, members.take(np.array([0]))])) == 3


@pytest.mark.parametrize("wrong", _COLUMNS)
def test_members_refuse_what_does_not_fit(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\d+ ids"):
        _members(**{wrong: 3})


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (OrganizerError, 1),
        (SettingsError, 2),
        (WeightsError, 2),
        (PluginError, 1),
        (StoreError, 1),
        (ClusteringError, 1),
        (ImageError, 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[OrganizerError], code: int) -> None:
    error = kind("what happened")
    assert isinstance(error, OrganizerError)
    assert (error.exit_code, error.message, error.hint) == (code, "what happened", "")


def test_an_image_error_is_lasting_and_broken_by_default() -> None:
    usual = ImageError("damaged")
    assert (usual.outcome, usual.lasting) == (Outcome.BROKEN, True)
    other = ImageError("big", too_large=True, lasting=False)
    assert (other.outcome, other.lasting) == (Outcome.TOO_LARGE, False)
