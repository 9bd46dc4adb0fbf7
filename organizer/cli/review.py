"""``organizer review``: how pure the clusters are, by answers about a sample of images."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.pictures import (
    BlocksOption,
    Captioned,
    PicturesOption,
    find_drawing,
    show_pictures,
)
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    SeedOption,
    UserOption,
    ViewerOption,
    command,
    opened,
    print_error,
    say,
)
from organizer.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from organizer.cli import review_output
    from organizer.cli.pictures import Drawing
    from organizer.library import Library
    from organizer.library.review.sample import ReviewItem

_SAMPLE = 200
_KEYS = (
    "y: it belongs · n: it does not · s: skip · o: open it · m: open a typical one · b: back · "
    "q: end"
)
_YES, _NO = {"y", "yes", "j", "ja"}, {"n", "no", "nein"}


def review(
    sample: Annotated[
        int | None,
        typer.Option("--sample", metavar="N", min=1, help="Look at N images drawn at random."),
    ] = None,
    doubtful: Annotated[
        int | None,
        typer.Option(
            "--doubtful",
            metavar="N",
            min=1,
            help="Look at N images whose neighbours are in another cluster, the most doubtful "
            "first. They are no random sample: the purity is not estimated from them.",
        ),
    ] = None,
    clusters: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            metavar="CLUSTER",
            help="Only this cluster, by its name or id; may be repeated.",
            autocompletion=complete_clusters,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a CSV file to fill in instead."),
    ] = None,
    filled: Annotated[
        Path | None,
        typer.Option("--in", metavar="FILE", help="Read the CSV file that you filled in."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --out: replace the file, unless it holds answers that were not read. With "
            "--in: also read answers that differ from those you gave after it was written.",
        ),
    ] = False,
    correct: Annotated[
        bool,
        typer.Option("--correct", help="Exclude images that do not belong from their clusters."),
    ] = False,
    pictures: PicturesOption = False,
    blocks: BlocksOption = False,
    viewer: ViewerOption = None,
    with_people: PeopleOption = False,
    seed: SeedOption = None,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """How pure the clusters are, without labels: answer for a few images whether they belong.

    With --sample or --doubtful you are asked on the terminal, image by image;
    every answer is kept at once, and the next review asks about other images.
    With --out the images go into a CSV file: write y or n into its column
    belongs and read it with --in. Without any of these, the purity so far.

    A sample holds at least three images of each cluster where N allows, the
    others in proportion to its size. Images that do not belong stay in their
    clusters without --correct.
    """
    with command(debug=debug):
        _require_one_action(sample, doubtful, clusters, out, filled, force=force)
        with opened(
            library, user=user, seed=seed, viewer=viewer, with_people=with_people or None
        ) as found:
            only = [found.clusters.id_of(one) for one in clusters or ()]
            if filled is not None:
                answers = _read_answers(found, filled, force=force)
                _finish(found, (), correct=correct, answers=answers, json=json)
                return
            if sample is None and doubtful is None and out is None:
                _finish(found, only, correct=correct, json=json)
                return
            is_asked = out is None and not json and sys.stdin.isatty()
            if correct and not is_asked:
                raise SettingsError(
                    "nobody can be asked here, so there is nothing to correct yet",
                    "answer first; then organizer review --correct, or --in FILE --correct",
                )
            items = _draw(found, sample, doubtful, only)
            if is_asked:
                drawing = find_drawing(blocks=blocks) if pictures or blocks else None
                _Dialogue(found, items, drawing, doubtful=doubtful is not None).run()
                _finish(found, only, correct=correct, json=False)
            else:
                _list(found, items, out, force=force, json=json)


def _require_one_action(
    sample: int | None,
    doubtful: int | None,
    clusters: Sequence[str] | None,
    out: Path | None,
    filled: Path | None,
    *,
    force: bool,
) -> None:
    if sample is not None and doubtful is not None:
        raise SettingsError(
            "--sample and --doubtful are two reviews", "one after the other: --sample first"
        )
    if filled is not None and (sample or doubtful or out or clusters):
        raise SettingsError(
            "--in reads answers; it goes with --correct and --force only",
            "organizer review --in review.csv",
        )
    if force and out is None and filled is None:
        raise SettingsError(
            "--force belongs to --out or --in", "organizer review --out FILE --force"
        )


def _draw(
    library: Library, sample: int | None, doubtful: int | None, cluster_ids: Sequence[int]
) -> list[ReviewItem]:
    """The images to look at; those whose files are missing are counted on stderr."""
    from organizer.cli import review_output
    from organizer.library.review.sample import count_missing

    if doubtful is not None:
        items = library.review.doubtful(doubtful, cluster_ids=cluster_ids)
    else:
        items = library.review.sample(sample or _SAMPLE, cluster_ids=cluster_ids)
    review_output.print_missing(count_missing(library.store, cluster_ids))
    return items


def _list(
    library: Library, items: Sequence[ReviewItem], out: Path | None, *, force: bool, json: bool
) -> None:
    """Write the images to a CSV file, or to stdout where there is none."""
    from organizer.cli import review_output
    from organizer.library.review import csv_file

    if out is None:
        review_output.print_items(items, json=json)
        return
    csv_file.write_review(out, items, store=library.store, force=force)
    review_output.print_written(out, items, json=json)


def _finish(
    library: Library,
    cluster_ids: Sequence[int],
    *,
    correct: bool,
    answers: review_output.ReadAnswers | None = None,
    json: bool,
) -> None:
    """Correct the clusters where that is asked for, and print the purity."""
    from organizer.cli import review_output

    corrected = library.review.correct(cluster_ids) if correct else []
    review_output.print_result(library, corrected, answers=answers, json=json)


def _read_answers(library: Library, file: Path, *, force: bool) -> review_output.ReadAnswers:
    from organizer.cli.review_output import ReadAnswers
    from organizer.library.review import csv_file
    from organizer.library.review.audit import count_outdated

    found = csv_file.read_review(file, library.store, force=force)
    elsewhere = count_outdated(library.store, found.answers)
    new = library.review.answer(found.answers)
    known = len(found.answers) - new
    return ReadAnswers(new, known, found.blank, elsewhere, found.differing, found.left_out)


class _Dialogue:
    """Asks about images one by one; each answer is stored before the next image is shown."""

    def __init__(
        self,
        library: Library,
        items: Sequence[ReviewItem],
        drawing: Drawing | None,
        *,
        doubtful: bool,
    ) -> None:
        self._library, self._items, self._doubtful = library, items, doubtful
        self._drawing = drawing
        self._answers = {item.image_id: item.belongs for item in items if item.belongs is not None}
        self._cluster: int | None = None

    def run(self) -> None:
        """Ask until all are answered or the user ends it."""
        from organizer.cli import review_output

        if not self._items:
            review_output.print_nothing_left(doubtful=self._doubtful)
            return
        say(_KEYS)
        place = 0
        while place < len(self._items):
            self._show(place)
            step = self._step(self._items[place])
            if step is None:
                say("ended; your answers are kept, and the same command continues")
                break
            place = max(0, place + step)

    def _show(self, place: int) -> None:
        from organizer.cli import review_output

        item = self._items[place]
        if item.cluster_id != self._cluster:
            self._cluster = item.cluster_id
            review_output.print_cluster(item)
        answer = self._answers.get(item.image_id)
        if self._drawing is not None:
            self._show_pictures(item, self._drawing)
        review_output.print_question(item, place=place + 1, of=len(self._items), answer=answer)

    def _show_pictures(self, item: ReviewItem, drawing: Drawing) -> None:
        """Show the image that is asked about beside typical ones of its cluster."""
        image_at = self._library.store.photos.image_at
        shown = [Captioned(item.image_id, "this one?")]
        shown += [Captioned(image_at(path), "typical") for path in item.typical]
        show_pictures(self._library, shown, drawing)

    def _step(self, item: ReviewItem) -> int | None:
        """How far to go: 1 forward, -1 back, 0 to ask again; None at the end."""
        typer.echo("[y/n/s/o/m/b/q] ", nl=False, err=True)
        line = sys.stdin.readline()
        key = line.strip().lower()
        answer = self._answers.get(item.image_id)
        if not line or key in {"q", "quit", "exit"}:
            return None
        if not key and answer is not None:
            return self._answer(item, belongs=answer)
        if key in _YES | _NO:
            return self._answer(item, belongs=key in _YES)
        if key in {"o", "m"}:
            self._open(item, typical=key == "m")
            return 0
        if key in {"s", "b"}:
            return 1 if key == "s" else -1
        say(_KEYS)
        return 0

    def _answer(self, item: ReviewItem, *, belongs: bool) -> int:
        try:
            self._library.review.answer([item.answer(belongs=belongs)])
        except StoreError as error:  # another organizer is writing: ask again
            print_error(error)
            return 0
        self._answers[item.image_id] = belongs
        return 1

    def _open(self, item: ReviewItem, *, typical: bool) -> None:
        from organizer.cli.viewer import open_picture

        if typical and not item.typical:
            say("the cluster has no other image")
            return
        open_picture(item.typical[0] if typical else item.path, self._library.settings.viewer)
