"""A comparison as a table, JSON and CSV; a recipe with its published scores beside ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from organizer.atomic import write_atomically
from organizer.cli.output import (
    count_text,
    number_text,
    print_json,
    print_line,
    print_table,
    print_text,
    short,
    terminal_width,
)
from organizer.cli.session import say
from organizer.library.compare.findings import (
    ClusteringExample,
    FigureComparison,
    MeasuredRate,
    RecipeFindings,
)
from organizer.library.compare.recipe import Recipe
from organizer.library.compare.recipes import RECIPES
from organizer.library.compare.verdict import cell_text
from organizer.report.comparison import TITLES, ClusterSample, Comparison, ComparisonCell

_NAMES_WIDTH, _SCORE_WIDTH = 38, 16
"""Cells of a line that what was clustered takes, and one score with its deviation."""

_SHOWN = ("silhouette", "davies_bouldin", "purity", "nmi", "ami", "ari", "acc")
_SHOWN_BY_RECIPE = {
    "cnn-architectures": ("silhouette", "davies_bouldin", "nmi", "ari", "acc"),
    "feature-weak-relevant": ("jaccard", "fmi", "nmi", "ari", "acc", "davies_bouldin_ratio"),
}


def print_recipes(*, json: bool) -> None:
    """Print the recipes."""
    if json:
        print_json({"recipes": [_recipe_fields(recipe) for recipe in RECIPES]})
        return
    for recipe in RECIPES:
        _heading(recipe)
        print_line("")


def print_comparison(
    comparison: Comparison,
    recipe: Recipe | None,
    findings: RecipeFindings | None,
    *,
    all_scores: bool,
    json: bool,
) -> None:
    """The result to stdout, first what is best and by which rule; notes on it to stderr."""
    if json:
        print_json(_fields(comparison, recipe, findings))
    else:
        if recipe is not None:
            _heading(recipe)
        for line in comparison.verdict.lines:
            print_text(line)
        print_text(f"rule: {comparison.verdict.rule}")
        if all_scores:
            scores = _SHOWN_BY_RECIPE.get(recipe.name if recipe else "", _SHOWN)
            _table(comparison, [*_scores(comparison, scores), *_efforts(comparison)])
        else:
            _table(
                comparison, _scores(comparison, ["nmi" if comparison.labelled else "silhouette"])
            )
        if findings is not None:
            _findings(findings)
    for remark in comparison.remarks:
        say(remark)
    for cell in comparison.cells:
        if cell.refused:
            say(f"not run: {cell.name}: {cell.refused}")
    say(f"{count_text(comparison.computed, 'run')} done, {comparison.kept:,} kept from earlier")
    if comparison.interrupted:
        say("interrupted: the same command continues from here")


_COLUMNS = (
    "embedder", "in_place_of", "space", "lengths", "algorithm", "k", "found", "noise", "images",
    "runs", "seeded", "refused",
)  # fmt: skip


def write_comparison_csv(comparison: Comparison, file: Path) -> Path:
    """Write a row for each cell, with all scores.

    Raises:
        OSError: The file cannot be written.
    """
    head = list(_COLUMNS)
    for score in TITLES:
        head += [score, f"{score}_sd"]
    head += ["seconds", "rounds"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(_csv_row(cell) for cell in comparison.cells)
    return write_atomically(file, out.getvalue().encode())


def is_csv(file: Path) -> bool:
    """Whether a file is empty, or what `write_comparison_csv` wrote.

    Raises:
        OSError: It cannot be read.
    """
    head = ",".join(_COLUMNS).encode()
    with file.open("rb") as stream:
        begins = stream.read(len(head))
    return begins in {b"", head}


def _csv_row(cell: ComparisonCell) -> list[object]:
    row: list[object] = [
        cell.embedder,
        " ".join(cell.in_place_of),
        cell.space,
        cell.lengths,
        cell.algorithm,
        _blank(cell.k),
        _blank(cell.found),
        cell.noise if cell.runs else "",
        cell.images,
        len(cell.runs),
        "yes" if cell.seeded else "no",
        cell.refused,
    ]
    for score in TITLES:
        row += [_blank(cell.mean(score)), _blank(cell.deviation(score))]
    return [*row, _blank(cell.seconds), _blank(cell.rounds)]


def _blank(value: float | None) -> object:
    return "" if value is None else value


def _heading(recipe: Recipe) -> None:
    print_line(f"{recipe.name}: {recipe.source}")
    for line in recipe.about:
        print_line(f"  {line}")
    print_line("  what differs here:")
    for line in recipe.differs:
        print_line(f"  - {line}")
    for line in recipe.other_findings:
        print_line(f"  {line}")


_Column = tuple[str, Callable[[ComparisonCell], str]]
"""A title, and what a cell has there."""


def _scores(comparison: Comparison, scores: Sequence[str]) -> list[_Column]:
    """A column for each of some scores that is defined."""
    return [
        (TITLES[score], partial(cell_text, score=score))
        for score in scores
        if score in comparison.scores
    ]


def _efforts(comparison: Comparison) -> list[_Column]:
    """The rounds, where a network was trained, and the seconds."""
    trained = any(cell.rounds is not None for cell in comparison.cells)
    rounds: _Column = ("rounds", lambda cell: number_text(cell.rounds, 0))
    return [*([rounds] if trained else []), ("seconds", lambda cell: number_text(cell.seconds, 1))]


def _table(comparison: Comparison, shown: Sequence[_Column]) -> None:
    """The cells with some columns; on a terminal several tables where one would be too wide."""
    known = (
        f", {comparison.labelled:,} labelled, {count_text(comparison.classes, 'class', 'classes')}"
        if comparison.labelled
        else ""
    )
    spaces = {_space(cell) for cell in comparison.cells}
    space = f", in {next(iter(spaces))}" if len(spaces) == 1 else ""
    print_text(f"{count_text(comparison.images, 'image')}{known}{space}")
    width = terminal_width()
    each = max((width - _NAMES_WIDTH) // _SCORE_WIDTH, 1) if width else len(shown)
    title = f"mean ± deviation of {count_text(_runs(comparison), 'run')}"
    for start in range(0, max(len(shown), 1), max(each, 1)):
        _part_of_table(comparison, shown[start : start + each], len(spaces) > 1, title=title)


def _part_of_table(
    comparison: Comparison, shown: Sequence[_Column], has_spaces: bool, *, title: str
) -> None:
    columns = ["embedder", *(["space"] if has_spaces else []), "algorithm", ">k"]
    columns += [f">{name}" for name, _ in shown]
    noisy = any(cell.noise for cell in comparison.cells)
    columns += [">unassigned"] if noisy else []
    rows = []
    for cell in comparison.cells:
        row = [cell.source, *([_space(cell)] if has_spaces else []), cell.algorithm, _k(cell)]
        row += ["refused" if cell.refused else text(cell) for _, text in shown]
        row += [f"{cell.noise / cell.images:.0%}" if cell.runs else "-"] if noisy else []
        rows.append(row)
    print_table(columns, rows, title=title)


def _space(cell: ComparisonCell) -> str:
    return cell.space + (", kept" if cell.lengths == "kept" else "")


def _k(cell: ComparisonCell) -> str:
    if cell.found is None:
        return "-" if cell.k is None else str(cell.k)
    found = f"{cell.found:.0f}"
    return found if cell.k in {None, round(cell.found)} else f"{cell.k} ({found} found)"


def _runs(comparison: Comparison) -> int:
    """Runs of a cell; one where the seed changes nothing."""
    return max((len(cell.runs) for cell in comparison.cells), default=0)


def _findings(findings: RecipeFindings) -> None:
    if findings.beside:
        _beside(findings.beside)
    for elbow in findings.elbows:
        print_line(f"elbow of {elbow.source}: k = {elbow.k}")
    for shown in findings.clusters:
        _clusters(shown)
    if findings.rates:
        _rates(findings.rates)


def _beside(rows: Sequence[FigureComparison]) -> None:
    here = [(row.published, row.cell) for row in rows if row.cell is not None]
    if not here:
        print_line("no published score has as many clusters as here")
        return
    columns = ["published of", "algorithm", ">k", "score", ">published", ">here", "by", "on"]
    table = []
    for figure, cell in here:
        space = "" if figure.space == "none" else f", {figure.space}"
        table.append([
            figure.embedder + space, figure.algorithm, str(figure.k), TITLES[figure.score],
            number_text(figure.value), cell_text(cell, figure.score), cell.embedder, figure.on,
        ])  # fmt: skip
    print_table(columns, table, title="published, and here on other images")


def _clusters(shown: ClusteringExample) -> None:
    rows = [
        [
            str(made.number),
            f"{made.count:,}",
            made.majority or "-",
            "-" if made.share is None else f"{made.share:.2%}",
            number_text(made.silhouette),
            short(made.samples[0]) if made.samples else "-",
        ]
        for made in shown.made
    ]
    columns = [">cluster", ">images", "mostly", ">share", ">silhouette", "most typical"]
    title = f"clusters of {shown.cell.name}"
    print_table(columns, rows, title=title, paths=("most typical",))
    if shown.mean_share is not None:
        print_line(f"mean share over the clusters: {shown.mean_share:.2%}")


def _rates(rates: Sequence[MeasuredRate]) -> None:
    groups: dict[tuple[str, tuple[str, ...]], list[MeasuredRate]] = {}
    for rate in rates:
        groups.setdefault((rate.algorithm, rate.features), []).append(rate)
    scores = list(dict.fromkeys(rate.score for rate in rates))
    rows = []
    for (algorithm, features), group in groups.items():
        rows.append(
            [algorithm, ", ".join(features), "here", *(number_text(r.value, 2) for r in group)]
        )
        if any(rate.published is not None for rate in group):
            where = f"published, {group[0].on}"
            rows.append(["", "", where, *(number_text(rate.published, 2) for rate in group)])
    columns = ["algorithm", "features", "", *(f">{TITLES[score]}" for score in scores)]
    print_table(columns, rows, title="index difference rate: deviation over mean across features")


# JSON ------------------------------------------------------------------------------------------


def _fields(
    comparison: Comparison, recipe: Recipe | None, findings: RecipeFindings | None
) -> dict[str, object]:
    verdict = comparison.verdict
    fields: dict[str, object] = {
        "images": comparison.images,
        "labelled": comparison.labelled,
        "classes": comparison.classes,
        "seed": comparison.seed,
        "repeats": comparison.repeats,
        "cells": [_cell_fields(cell) for cell in comparison.cells],
        "best": _named(verdict.best) if verdict.best else None,
        "rule": verdict.rule,
        "verdict": list(verdict.lines),
        "remarks": list(comparison.remarks),
        "computed": comparison.computed,
        "kept": comparison.kept,
        "interrupted": comparison.interrupted,
    }
    if recipe is not None:
        fields["recipe"] = _recipe_fields(recipe)
    if findings is not None:
        fields |= _finding_fields(findings)
    return fields


def _named(cell: ComparisonCell) -> dict[str, object]:
    return {
        "embedder": cell.embedder,
        "in_place_of": list(cell.in_place_of),
        "space": cell.space,
        "lengths": cell.lengths,
        "algorithm": cell.algorithm,
        "k": cell.k,
    }


def _cell_fields(cell: ComparisonCell) -> dict[str, object]:
    return _named(cell) | {
        "found": cell.found,
        "noise": cell.noise,
        "seeded": cell.seeded,
        "refused": cell.refused or None,
        "seconds": cell.seconds,
        "rounds": cell.rounds,
        "mean": {score: cell.mean(score) for score in TITLES if cell.values(score)},
        "deviation": {score: cell.deviation(score) for score in TITLES if cell.values(score)},
        "runs": [
            {
                "seed": run.seed,
                "found": run.found,
                "noise": run.noise,
                "scores": dict(run.scores),
                "seconds": run.seconds,
                "rounds": run.rounds,
            }
            for run in cell.runs
        ],
    }


def _recipe_fields(recipe: Recipe) -> dict[str, object]:
    return {
        "name": recipe.name,
        "authors": recipe.authors,
        "year": recipe.year or None,
        "title": recipe.title,
        "about": list(recipe.about),
        "differs": list(recipe.differs),
        "told": list(recipe.other_findings),
        "published": [asdict(figure) for figure in recipe.published],
    }


def _finding_fields(findings: RecipeFindings) -> dict[str, object]:
    return {
        "beside": [
            {**asdict(row.published), "here": row.cell.mean(row.published.score),
             "deviation": row.cell.deviation(row.published.score), "by": row.cell.embedder}
            for row in findings.beside if row.cell is not None
        ],
        "elbows": [{"embedder": elbow.source, "k": elbow.k} for elbow in findings.elbows],
        "clusters": [
            {**_named(shown.cell), "mean_share": shown.mean_share,
             "clusters": [_made_fields(made) for made in shown.made]}
            for shown in findings.clusters
        ],
        "difference_rates": [asdict(rate) for rate in findings.rates],
    }  # fmt: skip


def _made_fields(made: ClusterSample) -> dict[str, object]:
    return asdict(made) | {"majority": made.majority, "share": made.share}
