"""The tasks of a comparison: the cells of its plan, and the seeds of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from organizer import registry
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.compare.fit import takes_seed
from organizer.library.compare.grid import CLASSES, ComparisonPlan, FeatureSpec
from organizer.report.comparison import ComparisonCell

SEEDS_APART = 1_000
"""From one repeat to the next. K-means takes the numbers after its seed for its other starts: with
seeds that follow each other the repeats would share nine of ten starts, and hardly differ."""


@dataclass(frozen=True, slots=True)
class ComparisonTask:
    """A cell to run.

    Attributes:
        cell: The cell, without its runs.
        feature: Its vectors.
        seeds: The seed of each run.
    """

    cell: ComparisonCell
    feature: FeatureSpec
    seeds: tuple[int, ...]


def replaced_embedders(used: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """For each substitute the embedders that it replaces.

    Args:
        used: The embedder that is used for each embedder of the plan.
    """
    replaced: dict[str, list[str]] = {}
    for asked, name in used.items():
        if registry.canonical_name(embedders.EMBEDDERS, asked) != name:
            replaced.setdefault(name, []).append(asked)
    return {name: tuple(asked) for name, asked in replaced.items()}


def comparison_tasks(
    plan: ComparisonPlan, used: Mapping[str, str], *, images: int, classes: int, seed: int
) -> Iterator[ComparisonTask]:
    """The cells of a plan; those that two substituted embedders share are one.

    Args:
        plan: The plan.
        used: The embedder that is used for each embedder of the plan.
        images: Number of images.
        classes: Number of classes of the labels; 0 where there are none.
        seed: Of the first repeat.

    Raises:
        SettingsError: There are to be as many clusters as classes, and there are no labels.
    """
    seeds = tuple(seed + SEEDS_APART * number for number in range(plan.repeats))
    replaced = replaced_embedders(used)
    known: set[ComparisonCell] = set()
    for grid in plan.grids:
        if grid.ks == CLASSES and not classes:
            raise SettingsError(
                "as many clusters as classes: there are no labels", "--labels folders"
            )
        for feature, algorithm, k in grid.rows(classes):
            name = used[feature.embedder]
            seeded = takes_seed(algorithm)
            setting = (feature.space, feature.lengths, algorithm, k, seeded)
            cell = ComparisonCell(name, replaced.get(name, ()), *setting, images=images)
            if cell not in known:
                known.add(cell)
                yield ComparisonTask(cell, feature, seeds if seeded else seeds[:1])
