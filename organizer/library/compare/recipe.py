"""What a recipe is: a published experiment, its plan and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from organizer import registry
from organizer.library.clustering.fit import CLUSTERERS
from organizer.library.compare.grid import ComparisonPlan
from organizer.reduce.projection import Method


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A published score.

    Attributes:
        score: Its name, one of `organizer.report.comparison.TITLES`.
        value: The score.
        embedder: Name of the embedder.
        algorithm: Name of the clusterer.
        k: Number of clusters.
        on: The images of the source.
        space: The reducer as it is typed.
    """

    score: str
    value: float
    embedder: str
    algorithm: str
    k: int
    on: str
    space: str = "none"


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """A published index difference rate.

    Attributes:
        score: Name of the index.
        value: The rate.
        k: Number of clusters.
        on: The images of the source.
        with_raw: Whether raw pixels are among the features.
        algorithm: Name of the clusterer.
    """

    score: str
    value: float
    k: int
    on: str
    with_raw: bool = False
    algorithm: str = "kmeans"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A published experiment.

    Attributes:
        name: Its name on the command line.
        authors: Who published it.
        year: When; empty where the source does not tell.
        title: Under which title.
        about: What was done, a line each.
        plan: The same as a plan.
        differs: What is not as in the source, a line each.
        published: Its scores.
        other_findings: What it found besides scores, a line each.
        rates: Its index difference rates.
        elbow: Whether the number of clusters is read off the inertia.
        clusters: Numbers of clusters whose clusters are shown one by one.
        map_method: How the map is drawn; None where there is none.
        labels: Source of the truth.
        needs: The plugins that some of its algorithms come from, by the algorithms' names.
    """

    name: str
    authors: str
    year: str
    title: str
    about: tuple[str, ...]
    plan: ComparisonPlan
    differs: tuple[str, ...]
    published: tuple[PublishedFigure, ...] = ()
    other_findings: tuple[str, ...] = ()
    rates: tuple[PublishedRate, ...] = ()
    elbow: bool = False
    clusters: tuple[int, ...] = ()
    map_method: Method | None = None
    labels: str = "folders"
    needs: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Authors, title and year on one line."""
        return f"{self.authors}: {self.title}" + (f" ({self.year})" if self.year else "")

    @property
    def lacking(self) -> dict[str, str]:
        """The plugins that are not installed, by the names of the algorithms that need them."""
        known = registry.part_names(CLUSTERERS)
        return {name: plugin for name, plugin in self.needs.items() if name not in known}

    def available(self) -> Recipe:
        """The same recipe without the algorithms whose plugins are not installed."""
        lacking = self.lacking
        if not lacking:
            return self
        kept = [
            replace(grid, algorithms=tuple(name for name in grid.algorithms if name not in lacking))
            for grid in self.plan.grids
        ]
        grids = tuple(grid for grid in kept if grid.algorithms)
        return replace(self, plan=replace(self.plan, grids=grids))

    def with_plan(self, *, repeats: int | None, substitutes: Sequence[str]) -> Recipe:
        """The same recipe with other repeats, and with substitutes for missing weights."""
        plan = replace(
            self.plan, repeats=repeats or self.plan.repeats, substitutes=tuple(substitutes)
        )
        return replace(self, plan=plan)
