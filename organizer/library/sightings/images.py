"""The images with their species, as the exports have them, for tables of sightings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from organizer.export.species import site_of, species_in
from organizer.export.spreadsheet import Csv
from organizer.library.exports.options import ExportOptions
from organizer.library.exports.source import ExportSource
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import Store


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of one image.

    Attributes:
        species: The names of the clusters of what it shows; (None,) for an image in no cluster.
        site: The place of its deployment, or the id of that; None where there is none.
        deployment: The id of its deployment.
        camera: Make, model and serial number.
        taken_at: Camera-local, corrected by the deployment's shift; None where unknown.
        burst: The number of its burst; None for an image without a time.
        event: The number of its event, likewise.
    """

    species: tuple[str | None, ...]
    site: str | None
    deployment: str | None
    camera: str | None
    taken_at: datetime | None
    burst: int | None
    event: int | None


class Sightings:
    """The images of a library, one by one, and how many of them are left out.

    Args:
        store: The library.
        settings: The gaps of a burst and of an event.
        progress: Receives the progress.
    """

    def __init__(self, store: Store, *, settings: Settings, progress: Progress) -> None:
        options = ExportOptions(include_missing=True)
        self._source = ExportSource.open(store, Csv(), options, None, settings=settings)
        self._progress = progress

    @property
    def people(self) -> int:
        """Number of images that are left out because they show a person or a vehicle."""
        return self._source.selected.people

    def __iter__(self) -> Iterator[Sighting]:
        about = self._source.about
        self._progress.begin("counting", len(self._source.selected.ids))
        for batch in self._source.batches(self._progress):
            for row, deployment in enumerate(batch.deployments):
                time = batch.taken_at[row]
                yield Sighting(
                    species=tuple(name for name, _ in species_in(batch, row, about)),
                    site=site_of(deployment, about),
                    deployment=deployment,
                    camera=batch.cameras[row],
                    taken_at=None if time is None else datetime.fromisoformat(time),
                    burst=batch.bursts[row],
                    event=batch.events[row],
                )
