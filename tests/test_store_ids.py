"""IdSet against a Python set."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.store import IdSet, ids
from organizer.store.ids import contains_ids, pack_ids

# Few different bytes, short before the padding: ids that share beginnings and end in zero bytes.
_tricky = st.lists(st.sampled_from([0, 1, 255]), max_size=16).map(
    lambda parts: bytes(parts).ljust(16, b"\0").hex()
)
_any_id = _tricky | st.binary(min_size=16, max_size=16).map(bytes.hex)
_ids = st.lists(_any_id, max_size=30)


@settings(deadline=None)
@given(first=_ids, later=st.lists(_ids, max_size=4), asked=_ids)
def test_an_id_set_answers_like_a_python_set(
    first: list[str], later: list[list[str]], asked: list[str]
) -> None:
    own, reference = IdSet(first), set(first)
    for ids_of_a_batch in later:
        fresh = set(ids_of_a_batch) - reference
        own.add(fresh)
        reference |= fresh
    wanted = [*asked, *reference]
    assert len(own) == len(reference)
    assert [image_id in own for image_id in wanted] == [i in reference for i in wanted]
    assert own.holds(pack_ids(wanted)).tolist() == [i in reference for i in wanted]


@given(first=_ids, later=st.lists(_ids, max_size=6), limit=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_loose_ids_are_sorted_in_without_losing_one(
    first: list[str], later: list[list[str]], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_LOOSE", limit)
        own, reference = IdSet(first), set(first)
        for batch in later:
            fresh = set(batch) - reference
            own.add(fresh)
            reference |= fresh
            assert len(own) == len(reference)
            assert all(image_id in own for image_id in reference)
    assert own.holds(pack_ids(reference)).all()


def test_more_than_sixty_five_thousand_loose_ids_are_all_held() -> None:
    own = IdSet()
    many = [f"{number:032x}" for number in range(0, 140_000, 2)]
    own.add(many)
    assert len(own) == len(many)
    assert own.holds(pack_ids(many)).all()
    assert f"{2:032x}" in own
    assert f"{3:032x}" not in own


@given(one=_any_id, other=_any_id)
def test_packed_ids_are_equal_exactly_where_the_ids_are(one: str, other: str) -> None:
    assert bool(pack_ids([one])[0] == pack_ids([other])[0]) == (one == other)


@given(held=_ids, wanted=_ids)
def test_found_says_for_each_wanted_id_whether_it_is_held(
    held: list[str], wanted: list[str]
) -> None:
    ascending = pack_ids(sorted(set(held)))
    assert contains_ids(ascending, pack_ids(wanted)).tolist() == [i in set(held) for i in wanted]


def test_an_empty_set_holds_nothing() -> None:
    zero = "00" * 16
    assert len(IdSet()) == 0
    assert zero not in IdSet()
    assert zero in IdSet([zero])
    assert IdSet().holds(pack_ids([])).tolist() == []
