"""The plan of a comparison: grids of features, algorithms and numbers of clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from organizer import registry
from organizer.arguments import (
    require_choice,
    require_integer,
    require_object,
    require_objects,
    require_text,
    require_texts,
)
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.clustering.fit import CLUSTERERS, finds_own_k
from organizer.library.clustering.space import NO_REDUCER, parse_reducer
from organizer.settings import DEFAULT_REDUCER
from organizer.types import PartSpec

Lengths = Literal["unit", "kept"]
"""Whether vectors are scaled to length one before anything else, or stay as the embedder gave
them."""

CLASSES: Literal["classes"] = "classes"
"""As many clusters as the labels have classes."""

Ks = tuple[int, ...] | Literal["classes"]

_SYNONYMS = {"agglomerative": "ward"}
_KEEP_LENGTHS = (NO_REDUCER, "pca")
_MOST_KS = 200


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The vectors of an embedder in a space.

    Attributes:
        embedder: Name of the embedder.
        reducer: The space.
        lengths: See `Lengths`.
    """

    embedder: str
    reducer: PartSpec
    lengths: Lengths = "unit"

    @property
    def space(self) -> str:
        """The reducer as it is typed."""
        number = self.reducer.params.get("n_components")
        return self.reducer.name if number is None else f"{self.reducer.name}:{number}"


@dataclass(frozen=True, slots=True)
class ComparisonGrid:
    """Features times algorithms times numbers of clusters."""

    features: tuple[FeatureSpec, ...]
    algorithms: tuple[str, ...]
    ks: Ks

    def rows(self, classes: int) -> Iterator[tuple[FeatureSpec, str, int | None]]:
        """Feature, algorithm and k of each cell; no k for an algorithm that finds its own."""
        ks = (classes,) if self.ks == CLASSES else self.ks
        for feature in self.features:
            for algorithm in self.algorithms:
                own = finds_own_k(algorithm)
                for k in (None,) if own else ks:
                    yield feature, algorithm, k


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What to compare.

    Attributes:
        grids: The grids, run one after the other.
        repeats: Runs of each cell with different seeds; one where nothing is drawn.
        substitutes: Embedders that replace those whose weights are missing, in turn.
    """

    grids: tuple[ComparisonGrid, ...]
    repeats: int = 5
    substitutes: tuple[str, ...] = ()

    def check(self) -> None:
        """Make sure that the plan can be run, before anything is embedded.

        Raises:
            SettingsError: A name is unknown, or a number cannot be.
        """
        require_integer("repeats", self.repeats, least=1)
        for name in require_texts("substitutes", self.substitutes):
            embedders.check_embedder(name)
        for grid in require_objects("grids", self.grids, ComparisonGrid):
            if grid.ks != CLASSES:
                for k in require_objects("ks", grid.ks, object):
                    require_integer("k", k, least=1)
            for algorithm in require_texts("algorithms", grid.algorithms, least=1):
                registry.check_part(CLUSTERERS, algorithm)
            for feature in require_objects("features", grid.features, FeatureSpec):
                require_text("embedder", feature.embedder)
                require_object("reducer", feature.reducer, PartSpec)
                require_choice("lengths", feature.lengths, get_args(Lengths))
                embedders.check_embedder(feature.embedder)
                if feature.lengths == "kept" and feature.reducer.name not in _KEEP_LENGTHS:
                    raise SettingsError(
                        f"the space {feature.space} is made for vectors of unit length",
                        "--lengths kept goes with --reduce none or pca:64",
                    )


def parse_plan(
    *,
    embedders: Sequence[str],
    algorithms: Sequence[str] = ("kmeans",),
    k: str = "2:10",
    reduce: Sequence[str] = (DEFAULT_REDUCER,),
    lengths: Lengths = "unit",
    repeats: int = 5,
    substitutes: Sequence[str] = (),
) -> ComparisonPlan:
    """Parse a plan of one grid.

    Args:
        embedders: Names of embedders.
        algorithms: Names of clusterers; "agglomerative" is Ward's.
        k: A number, a range 2:10, a list 2,16,64, or "classes".
        reduce: Spaces, NAME or NAME:DIMENSIONS.
        lengths: See `Lengths`.
        repeats: See `ComparisonPlan`.
        substitutes: See `ComparisonPlan`.

    Raises:
        SettingsError: A name is unknown, or a number cannot be.

    Examples:
        >>> parse_plan(embedders=["hog"], k="2:4").grids[0].ks  # doctest: +SKIP
        (2, 3, 4)
    """
    embedders = require_texts("embedders", embedders)
    algorithms = require_texts("algorithms", algorithms)
    reduce = require_texts("reduce", reduce)
    if not embedders or not algorithms or not reduce:
        raise SettingsError("there is nothing to compare", "--embedders mobilenet_v2,hog")
    substitutes = require_texts("substitutes", substitutes)
    require_choice("lengths", lengths, get_args(Lengths))
    require_integer("repeats", repeats, least=1)
    features = [
        FeatureSpec(name, parse_reducer(space), lengths)
        for name in dict.fromkeys(embedders)
        for space in dict.fromkeys(reduce)
    ]
    names = [_SYNONYMS.get(name, name) for name in algorithms]
    grid = ComparisonGrid(
        tuple(features), tuple(dict.fromkeys(names)), parse_ks(require_text("k", k))
    )
    return ComparisonPlan((grid,), repeats, tuple(substitutes))


def split_names(text: str | None) -> list[str]:
    """Split a list of names at its commas."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def parse_ks(text: str) -> Ks:
    """Parse numbers of clusters as they are typed: ``5``, ``2:10``, ``2,16,64``, ``classes``.

    Raises:
        SettingsError: They cannot be read, or one is less than 2.
    """
    if text.strip() == CLASSES:
        return CLASSES
    found: list[int] = []
    for part in text.split(","):
        first, colon, last = part.strip().partition(":")
        if not first.isdecimal() or (colon and not last.isdecimal()):
            raise SettingsError(
                f"--k cannot be {text!r}",
                "it is a number, a range such as 2:10, a list such as 2,16,64, or the word classes",
            )
        found += range(int(first), int(last if colon else first) + 1)
    if not found or min(found) < 2 or len(found) > _MOST_KS:
        raise SettingsError(
            f"--k cannot be {text!r}", f"numbers from 2 up, at most {_MOST_KS} of them"
        )
    return tuple(sorted(set(found)))
