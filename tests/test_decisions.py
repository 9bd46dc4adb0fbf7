"""The constraints that decisions make together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.cluster.decisions import (
    Constraints,
    ConstraintsBuilder,
    compile_constraints,
    describe_decision,
    with_counterparts,
)
from organizer.types import Decision, DecisionKind

A, B, C, D = (c * 32 for c in "abcd")


def decisions(*made: tuple[object, ...]) -> list[Decision]:
    """Decisions from (kind, cluster, images, options)."""
    found = []
    for number, (kind, cluster_id, image_ids, *rest) in enumerate(made, 1):
        options = dict(rest[0]) if rest else {}  # type: ignore[call-overload]
        options.setdefault("groups", (0,) * len(image_ids))  # type: ignore[arg-type]
        found.append(
            Decision(number, "", DecisionKind(kind), cluster_id, image_ids=image_ids, **options)  # type: ignore[arg-type]
        )
    return found


def test_no_decisions_make_no_constraints() -> None:
    assert compile_constraints([]) == Constraints()


def test_a_name_keeps_its_cluster_with_its_representatives() -> None:
    found = compile_constraints(decisions(("name", 3, (A, B), {"name": "Fox"})))
    assert found.names == {3: "Fox"}
    assert found.required == {3}
    assert found.fixed == {A: 3, B: 3}
    assert found.seeds == {3: ((A, B),)}


def test_the_last_name_counts() -> None:
    found = compile_constraints(
        decisions(("name", 3, (A,), {"name": "Fox"}), ("name", 3, (B,), {"name": "Lynx"}))
    )
    assert found.names == {3: "Lynx"}
    assert found.seeds == {3: ((B,),)}
    assert found.fixed == {A: 3, B: 3}


def test_a_pin_keeps_a_cluster_without_a_name() -> None:
    found = compile_constraints(decisions(("pin", 3, (A,))))
    assert not found.names
    assert (found.required, found.fixed) == (frozenset({3}), {A: 3})


def test_a_move_outlives_the_name_that_the_image_represented() -> None:
    found = compile_constraints(decisions(("name", 3, (A, B), {"name": "Fox"}), ("move", 5, (A,))))
    assert found.fixed == {A: 5, B: 3}
    assert found.seeds == {3: ((B,),), 5: ((A,),)}


def test_an_image_that_was_moved_away_represents_nothing_here_any_more() -> None:
    found = compile_constraints(decisions(("move", 5, (A,)), ("name", 3, (A, B), {"name": "Fox"})))
    assert found.fixed == {A: 5, B: 3}


def test_not_takes_an_image_out_and_a_move_brings_it_back() -> None:
    made = decisions(("move", 3, (A,)), ("not", 3, (A,)))
    found = compile_constraints(made)
    assert found.fixed == {}
    assert found.banned == {A: {3}}
    back = compile_constraints(
        [*made, *decisions(("not", 3, (A,)), ("not", 3, (A,)), ("move", 3, (A,)))[2:]]
    )
    assert back.fixed == {A: 3}
    assert back.banned == {}


def test_a_merge_carries_images_names_and_bans_over() -> None:
    found = compile_constraints(
        decisions(
            ("name", 4, (A,), {"name": "Fox"}),
            ("move", 4, (B,)),
            ("not", 4, (C,)),
            ("merge", 3, (D, A), {"others": (4,), "groups": (1, 2)}),
        )
    )
    assert found.fixed == {A: 3, B: 3, D: 3}
    assert found.names == {3: "Fox"}
    assert found.banned == {C: {3, 4}}
    assert found.required == {3}
    assert found.retired == {4}
    assert found.seeds == {3: ((D,), (A,))}, "each of its modes has its own images"


def test_of_two_names_the_first_clusters_stays() -> None:
    found = compile_constraints(
        decisions(
            ("name", 3, (A,), {"name": "Fox"}),
            ("name", 4, (B,), {"name": "Lynx"}),
            ("merge", 3, (A, B), {"others": (4,)}),
        )
    )
    assert found.names == {3: "Fox"}


def test_the_parts_of_a_split_are_clusters_for_good() -> None:
    found = compile_constraints(
        decisions(
            ("move", 3, (A,)),
            ("split", 3, (A, B, C), {"others": (3, 9), "groups": (9, 3, 3)}),
        )
    )
    assert found.fixed == {A: 9, B: 3, C: 3}
    assert found.required == {3, 9}


def test_a_retired_cluster_makes_no_constraints_any_more() -> None:
    found = compile_constraints(
        decisions(("name", 3, (A,), {"name": "Fox"}), ("move", 3, (B,)), ("retire", 3, ()))
    )
    assert found == Constraints(retired=frozenset({3}))


def test_one_decision_after_the_other_gives_what_all_give_at_once() -> None:
    made = decisions(
        ("name", 3, (A,), {"name": "Fox"}),
        ("merge", 3, (A, B), {"others": (4,)}),
        ("not", 3, (C,)),
    )
    builder = ConstraintsBuilder()
    builder.apply(made[0])
    other = builder.copy()
    for decision in made[1:]:
        other.apply(decision)
    assert other.constraints() == compile_constraints(made)
    assert builder.constraints() == compile_constraints(made[:1]), "the copy is one of its own"
    assert other.of_images([C]).banned == {C: {3}}
    assert other.of_images([C]).fixed == {}


def test_an_image_that_has_to_be_where_it_may_not_be_is_a_conflict() -> None:
    found = compile_constraints(
        decisions(("not", 3, (A,)), ("move", 4, (A,)), ("merge", 3, (B, C), {"others": (4,)}))
    )
    assert found.conflicts() == [(A, 3)]
    assert compile_constraints(decisions(("not", 3, (A,)), ("move", 3, (A,)))).conflicts() == []


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_every_kind_is_described(kind: DecisionKind) -> None:
    decision = Decision(1, "", kind, 3, name="Fox", image_ids=(A,), groups=(0,), others=(4,))
    assert describe_decision(decision)


_ids = st.integers(1, 4)
_images = st.lists(st.sampled_from([A, B, C, D]), min_size=1, max_size=3, unique=True).map(tuple)
_sequences = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["name", "pin", "move", "not"]), _ids, _images),
        st.tuples(st.just("retire"), _ids, st.just(())),
    ),
    max_size=12,
)


@given(_sequences)
def test_laws_of_any_sequence(made: list[tuple[str, int, tuple[str, ...]]]) -> None:
    found = compile_constraints(decisions(*made))
    assert found.conflicts() == [], "single words never contradict each other: the last counts"
    assert set(found.fixed.values()) <= found.required
    assert set(found.names) <= found.required
    assert set(found.seeds) == set(found.required)
    for cluster_id, groups in found.seeds.items():
        for group in groups:
            assert {found.fixed[i] for i in group} == {cluster_id}
    for kind, cluster_id, image_ids in made[-1:]:
        for image_id in image_ids:
            if kind == "move":
                assert found.fixed[image_id] == cluster_id
            if kind == "not":
                assert cluster_id in found.banned[image_id]
                assert found.fixed.get(image_id) != cluster_id


# Photos and their crops ----------------------------------------------------------------------

_BOTH = {A: B, B: A}  # a photo and its crop


@given(_sequences)
def test_laws_of_counterparts(made: list[tuple[str, int, tuple[str, ...]]]) -> None:
    stored = decisions(*made)
    own, found = (compile_constraints(d) for d in (stored, with_counterparts(stored, _BOTH)))
    assert found.conflicts() == []
    assert found.names == own.names
    assert found.required == own.required
    moved = {i for kind, _, image_ids in made for i in image_ids if kind == "move"}
    about = {i for _, _, image_ids in made for i in image_ids}
    for image_id, other in _BOTH.items():
        assert own.banned.get(image_id, frozenset()) <= found.banned.get(image_id, frozenset())
        if image_id in moved and image_id in own.fixed:
            assert found.fixed[image_id] == own.fixed[image_id]
        if image_id not in about:
            assert found.fixed.get(image_id) == own.fixed.get(other)
            assert found.banned.get(image_id) == own.banned.get(other)
    for image_id in (C, D):
        assert found.fixed.get(image_id) == own.fixed.get(image_id)
    assert with_counterparts(stored, {}) == tuple(stored)


def test_a_photo_that_was_moved_is_stronger_than_its_crop_that_stands_for_a_name() -> None:
    made = decisions(("name", 3, (B, C), {"name": "Fox"}), ("move", 5, (A,)))
    assert compile_constraints(with_counterparts(made, {A: B})).fixed == {A: 5, B: 5, C: 3}


def test_a_later_exclusion_takes_back_what_was_decided_about_the_other() -> None:
    made = decisions(("move", 3, (A,)), ("not", 3, (B,)))
    found = compile_constraints(with_counterparts(made, _BOTH))
    assert found.fixed == {A: 3}
    assert found.banned == {B: frozenset({3})}


def test_an_exclusion_holds_where_the_cluster_was_merged_into_another() -> None:
    made = decisions(
        ("not", 7, (B,)),
        ("move", 3, (A,)),
        ("merge", 7, (D,), {"others": (3,)}),
    )
    found = compile_constraints(with_counterparts(made, _BOTH))
    assert found.fixed == {A: 7, D: 7}
    assert found.conflicts() == []


def test_each_part_of_a_split_keeps_the_counterparts_of_its_images() -> None:
    made = decisions(("split", 3, (A, C), {"groups": (3, 4), "others": (3, 4)}))
    found = compile_constraints(with_counterparts(made, {A: B, C: D}))
    assert found.fixed == {A: 3, B: 3, C: 4, D: 4}
