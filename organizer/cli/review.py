"""``organizer review``: look at a few images, say whether they belong, know how pure it all is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    SeedOption,
    command,
    complain,
    opened,
    say,
)
from organizer.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from organizer.cli import review_output
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
            help="Look at N images whose neighbours are in another cluster, the worst first. "
            "They say nothing of the others: the purity is not estimated from them.",
        ),
    ] = None,
    clusters: Annotated[
        list[int] | None,
        typer.Option("--cluster", metavar="ID", help="Only of this cluster; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a CSV file to be filled in instead."),
    ] = None,
    filled: Annotated[
        Path | None,
        typer.Option("--in", metavar="FILE", help="Read the filled CSV file back."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --out: write over the file, unless answers in it were not read in. With "
            "--in: take also answers that differ from what you said after the file was written.",
        ),
    ] = False,
    correct: Annotated[
        bool,
        typer.Option("--correct", help="Images that do not belong leave their clusters for good."),
    ] = False,
    viewer: Annotated[
        str | None,
        typer.Option(
            "--viewer", metavar="COMMAND", help="Opens a picture; otherwise the system's."
        ),
    ] = None,
    with_people: PeopleOption = False,
    seed: SeedOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """How pure the clusters are, without labels: look at a few images and say whether they belong.

    With --sample or --doubtful you are asked on the terminal, image by image;
    every answer is kept at once, and the next time you are asked about others.
    With --out they go into a CSV file: write y or n into its column belongs
    and read it back with --in. Without any of these, what is known so far.

    A sample holds at least three images of each cluster where N allows, the
    others in proportion to its size. Images that do not belong stay where
    they are without --correct.
    """
    with command(debug=debug):
        _require_one_wish(sample, doubtful, clusters, out, filled, force=force)
        with opened(library, seed=seed, viewer=viewer, with_people=with_people or None) as found:
            from organizer.cli import review_output
            from organizer.library.review.sample import count_missing

            if filled is not None:
                read = _read(found, filled, force=force)
                corrected = found.review.correct() if correct else []
                review_output.done(found, corrected, read=read, json=json)
                return
            if sample is None and doubtful is None and out is None:
                corrected = found.review.correct(clusters or ()) if correct else []
                review_output.done(found, corrected, json=json)
                return
            is_asked = out is None and not json and sys.stdin.isatty()
            if correct and not is_asked:
                raise SettingsError(
                    "nobody is asked here, so there is nothing to correct yet",
                    "answer first; then organizer review --correct, or --in FILE --correct",
                )
            if doubtful is not None:
                looks = found.review.doubtful(doubtful, cluster_ids=clusters or ())
            else:
                looks = found.review.sample(sample or _SAMPLE, cluster_ids=clusters or ())
            review_output.lost(count_missing(found.store, clusters or ()))
            if out is not None:
                from organizer.library.review import csv_file

                csv_file.write_review(out, looks, store=found.store, force=force)
                review_output.written(out, looks, json=json)
            elif not is_asked:
                review_output.looks(looks, json=json)
            else:
                if not looks:
                    review_output.nothing_to_ask(doubtful=doubtful is not None)
                _Dialogue(found, looks).run()
                corrected = found.review.correct(clusters or ()) if correct else []
                review_output.done(found, corrected, json=False)


def _require_one_wish(
    sample: int | None,
    doubtful: int | None,
    clusters: Sequence[int] | None,
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
            "--in reads answers back; it goes with --correct and --force only",
            "organizer review --in review.csv",
        )
    if force and out is None and filled is None:
        raise SettingsError(
            "--force belongs to --out or --in", "organizer review --out FILE --force"
        )


def _read(library: Library, file: Path, *, force: bool) -> review_output.Read:
    from organizer.cli.review_output import Read
    from organizer.library.review import csv_file
    from organizer.library.review.audit import count_outdated

    found = csv_file.read_review(file, library.store, force=force)
    elsewhere = count_outdated(library.store, found.answers)
    new = library.review.answer(found.answers)
    return Read(new, len(found.answers) - new, found.blank, elsewhere, found.differing)


class _Dialogue:
    """Images one by one, each answer written down before the next image is shown."""

    def __init__(self, library: Library, looks: Sequence[ReviewItem]) -> None:
        self._library = library
        self._looks = looks
        self._said = {look.image_id: look.belongs for look in looks if look.belongs is not None}
        self._cluster: int | None = None

    def run(self) -> None:
        """Ask until all are answered or the person ends it."""
        if self._looks:
            say(_KEYS)
        place = 0
        while place < len(self._looks):
            self._show(place)
            step = self._step(self._looks[place])
            if step is None:
                say("ended; what you said is kept, and the same command goes on")
                break
            place = max(0, place + step)

    def _show(self, place: int) -> None:
        from organizer.cli import review_output

        look = self._looks[place]
        if look.cluster_id != self._cluster:
            self._cluster = look.cluster_id
            review_output.cluster(look)
        said = self._said.get(look.image_id)
        review_output.look(look, place=place + 1, of=len(self._looks), said=said)

    def _step(self, look: ReviewItem) -> int | None:
        """How far to go on: 1 forward, -1 back, 0 to ask again; None at the end."""
        typer.echo("[y/n/s/o/m/b/q] ", nl=False, err=True)
        line = sys.stdin.readline()
        word = line.strip().lower()
        said = self._said.get(look.image_id)
        if not line or word in {"q", "quit", "exit"}:
            return None
        if not word and said is not None:
            return self._answer(look, belongs=said)
        if word in _YES | _NO:
            return self._answer(look, belongs=word in _YES)
        if word in {"o", "m"}:
            self._open(look, typical=word == "m")
            return 0
        if word in {"s", "b"}:
            return 1 if word == "s" else -1
        say(_KEYS)
        return 0

    def _answer(self, look: ReviewItem, *, belongs: bool) -> int:
        try:
            self._library.review.answer([look.answer(belongs=belongs)])
        except StoreError as error:  # another organizer writes: the person is not sent away
            complain(error)
            return 0
        self._said[look.image_id] = belongs
        return 1

    def _open(self, look: ReviewItem, *, typical: bool) -> None:
        from organizer.cli.viewer import open_picture

        if typical and not look.typical:
            say("the cluster has no other image")
            return
        open_picture(look.typical[0] if typical else look.path, self._library.settings.viewer)
