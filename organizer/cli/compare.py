"""``organizer compare``: embedders, spaces, algorithms and numbers of clusters compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    DeviceOption,
    JsonOption,
    LibraryOption,
    PrecisionOption,
    SeedOption,
    WeightsOption,
    command,
    opened,
    quiet_natives,
    say,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED, SettingsError

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.compare.findings import RecipeFindings
    from organizer.library.compare.grid import ComparisonPlan, Lengths
    from organizer.library.compare.recipe import Recipe
    from organizer.library.compare.run import ComparisonResult

_REPEATS = 5


def compare(
    embedders: Annotated[
        str | None,
        typer.Option("--embedders", metavar="NAMES", help="With commas: vgg16@fc2,resnet50,hog."),
    ] = None,
    algorithms: Annotated[
        str | None,
        typer.Option(
            "--algorithms",
            metavar="NAMES",
            help="With commas: kmeans, gmm, agglomerative (ward), average, birch, spectral, "
            "dbscan, hdbscan, or a plugin's; kmeans if not given.",
        ),
    ] = None,
    k: Annotated[
        str | None,
        typer.Option(
            "--k",
            metavar="N",
            help="A number, a range 2:10, a list 2,16,64, or classes (as many as labels); 2:10 if "
            "not given. Algorithms that find the number themselves run without.",
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option("--repeats", min=1, max=1_000, help="Runs with other seeds; 5 if not given."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="SOURCE",
            help="Known truth: folders (a file's folder is its class), camera, format, light, or "
            "a CSV file with the columns path and label.",
        ),
    ] = None,
    reduce: Annotated[
        str | None,
        typer.Option(
            "--reduce",
            metavar="NAMES",
            help="The spaces to cluster in, with commas: none, pca:64, umap:10; smooth, as in "
            "recluster, if not given.",
        ),
    ] = None,
    lengths: Annotated[
        str | None,
        typer.Option(
            "--lengths",
            metavar="NAME",
            help="unit: vectors are scaled to length one, as in recluster. kept: they are not, as "
            "in most published experiments.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe", metavar="NAME", help="A published experiment; --recipe list shows them."
        ),
    ] = None,
    substitute: Annotated[
        str | None,
        typer.Option(
            "--substitute",
            metavar="NAMES",
            help="Embedders in place of networks whose weights are missing; several take turns.",
        ),
    ] = None,
    all_scores: Annotated[
        bool,
        typer.Option(
            "--all-scores",
            help="A column for each score; otherwise NMI, or without labels the silhouette.",
        ),
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a row for each cell.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="DIR", help="Write the plots, as PNG.")
    ] = None,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare embedders and algorithms on the photos of the library, whose clusters stay.

    Each combination is clustered with several seeds and scored: first what is
    best, then a table; all scores with --all-scores, --csv and --json. Finished runs
    are kept: the same command continues where it was interrupted. Embedders
    that are new to the library read its photos once, as organizer ingest
    --embedder does.
    """
    with command(debug=debug):
        from organizer.cli import compare_output
        from organizer.library.compare.grid import split_names

        if recipe == "list":
            compare_output.print_recipes(json=json)
            return
        substitutes = split_names(substitute)
        found_recipe = None
        if recipe is not None:
            _refuse_beside_recipe(embedders, algorithms, k, reduce, lengths)
            found_recipe = _recipe(recipe, repeats, substitutes)
            plan, labels = found_recipe.plan, labels or found_recipe.labels
        else:
            plan = _plan(embedders, algorithms, k, reduce, lengths, repeats, substitutes)
        flags = {"weights": weights, "device": device, "precision": precision, "seed": seed}
        with opened(library, **flags) as found:
            csv, plots = _checked_targets(found, csv, plots)
            compared = _run(found, plan, labels, debug=debug)
            findings = _findings(found, found_recipe, compared)
            files = _write(found, compared, found_recipe, findings, csv=csv, plots=plots)
        compare_output.print_comparison(
            compared.comparison, found_recipe, findings, all_scores=all_scores, json=json
        )
        for file in files:
            say(f"written: {file}")
        if compared.comparison.interrupted:
            raise typer.Exit(EXIT_INTERRUPTED)


def _run(
    library: Library, plan: ComparisonPlan, labels: str | None, *, debug: bool
) -> ComparisonResult:
    from organizer.cli.progress_bar import progress_bar

    with (
        quiet_natives(debug=debug),
        progress_bar() as progress,
        stop_on_interrupt(progress.note) as event,
    ):
        return library.compare(plan, labels=labels, progress=progress, stop=event.is_set)


def _checked_targets(
    library: Library, csv: Path | None, plots: Path | None
) -> tuple[Path | None, Path | None]:
    """The paths of ``--csv`` and ``--plots``, checked before what may take hours."""
    from organizer.cli import compare_output
    from organizer.library.output_paths import resolve_output_file, resolve_output_folder

    if csv is not None:
        kind, is_ours = "table of organizer compare", compare_output.is_csv
        resolve_output_file(library.store, csv, option="--csv", kind=kind, is_ours=is_ours)
    if plots is not None:
        resolve_output_folder(library.store, plots, option="--plots")
    return csv and csv.expanduser(), plots and plots.expanduser()


def _plan(
    embedders: str | None,
    algorithms: str | None,
    k: str | None,
    reduce: str | None,
    lengths: str | None,
    repeats: int | None,
    substitutes: list[str],
) -> ComparisonPlan:
    from organizer.library.compare.grid import parse_plan, split_names
    from organizer.settings import DEFAULT_REDUCER

    return parse_plan(
        embedders=split_names(embedders),
        algorithms=split_names(algorithms) or ["kmeans"],
        k=k or "2:10",
        reduce=split_names(reduce) or [DEFAULT_REDUCER],
        lengths=_parse_lengths(lengths),
        repeats=repeats or _REPEATS,
        substitutes=substitutes,
    )


def _parse_lengths(text: str | None) -> Lengths:
    if text in {None, "unit"}:
        return "unit"
    if text == "kept":
        return "kept"
    raise SettingsError(f"--lengths cannot be {text!r}", "it is unit or kept")


def _refuse_beside_recipe(*options: str | None) -> None:
    if any(option is not None for option in options):
        raise SettingsError(
            "a recipe has its own embedders, algorithms, k, spaces and lengths",
            "leave them out, or leave --recipe out",
        )


def _recipe(name: str, repeats: int | None, substitutes: list[str]) -> Recipe:
    from organizer.library.compare.recipes import find_recipe

    recipe = find_recipe(name)
    if recipe.lacking:
        plugins = " and ".join(dict.fromkeys(recipe.lacking.values()))
        say(f"left out: {', '.join(recipe.lacking)}; to run them too: pip install {plugins}")
    return recipe.available().with_plan(repeats=repeats, substitutes=substitutes)


def _findings(
    library: Library, recipe: Recipe | None, compared: ComparisonResult
) -> RecipeFindings | None:
    from organizer.library.compare.findings import recipe_findings

    return recipe_findings(library.store, recipe, compared) if recipe is not None else None


def _write(
    library: Library,
    compared: ComparisonResult,
    recipe: Recipe | None,
    findings: RecipeFindings | None,
    *,
    csv: Path | None,
    plots: Path | None,
) -> list[Path]:
    """Write what ``--csv`` and ``--plots`` ask for; the files that were written."""
    from organizer.cli import compare_output
    from organizer.report.comparison_plots import write_comparison_plots

    comparison = compared.comparison
    files = []
    try:
        if csv is not None:
            files.append(compare_output.write_comparison_csv(comparison, csv))
    except OSError as error:
        raise SettingsError(
            f"cannot write {csv}: {error.strerror or error}", "choose another --csv"
        ) from error
    if plots is not None and comparison.cells:
        files += write_comparison_plots(comparison, plots)
    if plots is not None and recipe is not None and findings is not None:
        files += _write_recipe_plots(library, compared, recipe, findings, plots)
    return files


def _write_recipe_plots(
    library: Library,
    compared: ComparisonResult,
    recipe: Recipe,
    findings: RecipeFindings,
    folder: Path,
) -> list[Path]:
    from organizer.cli.progress_bar import progress_bar
    from organizer.library.compare.plots import ComparisonPlots

    here = Path.cwd()
    with progress_bar() as progress:
        drawn = ComparisonPlots(
            library.store, recipe, compared, findings, here, library.settings, progress
        )
        return drawn.write(folder)
