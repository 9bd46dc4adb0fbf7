"""The images of a library as objects; read only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import hexdigits
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, get_args

import numpy as np

from organizer.arguments import (
    require_choice,
    require_flag,
    require_image_id,
    require_integer,
    require_object,
    require_photos,
    require_text,
)
from organizer.errors import SettingsError
from organizer.library.images.decided import current_decisions, moved_by_person
from organizer.library.images.details import ImageDetails, read_details
from organizer.library.images.filters import ImageFilter, matching
from organizer.library.images.frames import first_as_it_was
from organizer.library.images.listing import ImageList, ListOrder, list_images
from organizer.library.images.named import image_called
from organizer.library.images.overview import (
    ImageOverview,
    PhotoColumns,
    join_members,
    read_photos,
)
from organizer.library.images.paths import image_at
from organizer.library.images.resolve import ImageResolver
from organizer.library.images.thumbnails import THUMBNAIL_SIDE, make_thumbnail
from organizer.library.images.timeline import Timeline, read_timeline
from organizer.library.opening import OpenLibrary
from organizer.store import StoredClustering
from organizer.store.ids import pack_ids
from organizer.thumbnail import Thumbnail
from organizer.types import Assignments, FileState, ImageFacts, is_crop_embedder

if TYPE_CHECKING:
    from organizer.store import ArrowTable

_AT_ONCE = 4_096
_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a library: a picture by its content, and the files that hold it.

    Attributes:
        id: Its id, the hash of the file's content.
        paths: Its files; those that were present when last looked for come first.
        is_missing: Whether none of them was present.
        facts: Size, time, camera and what else is known of it.
    """

    id: str
    paths: tuple[Path, ...]
    is_missing: bool
    facts: ImageFacts

    @property
    def path(self) -> Path | None:
        """The first of its files; None where the library knows none."""
        return self.paths[0] if self.paths else None


class Images:
    """The images of a library, read only; photos with people are among them.

    Examples:
        >>> len(library.images)  # doctest: +SKIP
        24
        >>> library.images["photos/fox.jpg"].facts.taken_at  # doctest: +SKIP
        '2024-05-01T06:54:00'
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store = opened, opened.store
        self._photos: tuple[tuple[int, ...], PhotoColumns] | None = None
        self._overview: tuple[tuple[int, ...], ImageOverview] | None = None
        self._reading, self._joining = Lock(), Lock()
        self._read_again = 0.0

    def __len__(self) -> int:
        return self._store.photos.count_images()

    def __iter__(self) -> Iterator[Image]:
        """All images, in the order of their ingest; some thousands are read at a time."""
        photos = self._store.photos
        lists = photos.file_lists()
        every = np.sort(pack_ids(photos.columns("image_id")["image_id"].tolist()))
        for facts in photos.facts_in_order(every, rows=_AT_ONCE):
            files = lists.of(pack_ids([fact.image_id for fact in facts]))
            for fact, found in zip(facts, files, strict=True):
                yield Image(
                    id=fact.image_id,
                    paths=tuple(Path(path) for path, _ in found),
                    is_missing=not any(is_there for _, is_there in found),
                    facts=fact,
                )

    def __contains__(self, key: object) -> bool:
        """Whether there is an image of an id, or of a path that holds it."""
        return isinstance(key, str | Path) and self._found(key) is not None

    def __getitem__(self, key: str | Path) -> Image:
        """An image by its id, or by a path that holds it.

        Raises:
            SettingsError: There is no such image.
        """
        image_id = self._found(key) if isinstance(key, str | Path) else None
        if image_id is None:
            raise SettingsError(
                f"there is no image {key} in the library",
                "a path that was ingested, or an image id",
            )
        facts = self._store.photos.facts_of([image_id])[image_id]
        files = self._store.photos.files_of([image_id], with_people=True).get(image_id, [])
        return Image(
            id=image_id,
            paths=tuple(row.file for row in files),
            is_missing=all(row.state is not FileState.PRESENT for row in files),
            facts=facts,
        )

    def find(
        self,
        wanted: ImageFilter | None = None,
        *,
        order: ListOrder = "typical",
        with_people: bool | None = None,
    ) -> ImageList:
        """The images that a filter lets through, in order; the crops, where crops are clustered.

        Args:
            wanted: The filter; all images where None.
            order: "typical" (nearest to the centroid of their cluster first), "border" (least
                certain to be in it first), "time", "path", or "newest" (those that came last
                first).
            with_people: Whether photos with people or vehicles are listed; as the settings say
                where None.

        Raises:
            SettingsError: A value of the filter cannot be.

        Examples:
            >>> found = library.images.find(ImageFilter(cluster=3), order="time")  # doctest: +SKIP
            >>> [image.path for image in found.images(0, 10)]  # doctest: +SKIP
        """
        wanted = wanted or ImageFilter()
        require_object("wanted", wanted, ImageFilter)
        require_choice("order", order, get_args(ListOrder))
        if with_people is None:
            with_people = self._opened.settings.with_people
        require_flag("with_people", with_people)
        overview = self.overview()
        keep = matching(self._store, overview, wanted)
        return list_images(overview, keep, order, with_people=with_people)

    def resolve(self, images: Sequence[str | Path]) -> list[str]:
        """The ids of images as a person names them, each once, in the order named.

        Args:
            images: Paths, names of files, beginnings of ids, and folders, which stand for all
                images in and below them.

        Raises:
            SettingsError: No image has that path, name or id, or several do.
        """
        return ImageResolver(self._store)(require_photos("images", images, least=1))

    def details(self, image_id: str) -> ImageDetails | None:
        """All that is known of an image or a crop; None where there is none of that id."""
        image_id = self._of_now(image_id)
        return read_details(self._store, self.overview(), image_id)

    def thumbnail(self, image_id: str, *, side: int = THUMBNAIL_SIDE) -> Thumbnail | None:
        """A small picture of an image or a crop, photos with people included.

        Args:
            image_id: The image.
            side: Pixels of its longer side, at most.

        Returns:
            None where no file holds that image any more, or none that can be read.
        """
        image_id = self._of_now(image_id)
        side = require_integer("side", side, least=1)
        most = self._opened.settings.max_file_bytes
        return make_thumbnail(
            self._store,
            image_id,
            side=side,
            max_file_bytes=most,
            workers=self._opened.workers,
        )

    def present_file(self, image_id: str) -> Path | None:
        """A file that holds an image, or the photo of a crop; None where none does any more.

        A file of which size or time has changed since it was read is read again.
        """
        files = self._store.photos.files_holding(self._of_now(image_id))
        return first_as_it_was(files, max_bytes=self._opened.settings.max_file_bytes)

    def overview(self) -> ImageOverview:
        """All images side by side, with their clusters; kept until something changes.

        Clusters are always those of now. In a library that is served (`Library.serving`) images
        that were ingested since are there after the next `refresh`.
        """
        known = self._photos
        if known is None or not self._opened.is_served:
            return self._latest()
        found = self._with_clusters(known[1], added=False)
        if known[0][-1] != _crops_of(found.clustering):  # others are listed since a recluster
            return self._latest()
        return found

    def refresh(self, *, at_once: bool = True) -> bool:
        """Read the images that came, or were assigned, since they were read last.

        Args:
            at_once: False leaves it for later where reading them would take more than a thirtieth
                of the time: during an ingest there are new ones every few seconds.

        Returns:
            Whether all of them are known now.
        """
        if not at_once and monotonic() < self._read_again:
            return False
        began = monotonic()
        self._latest()
        self._read_again = monotonic() + _PAUSE * (monotonic() - began)
        return True

    def _latest(self) -> ImageOverview:
        return self._with_clusters(self._latest_photos()[1], added=True)

    def _with_clusters(self, photos: PhotoColumns, *, added: bool) -> ImageOverview:
        """Join photos with their clusters; one thread does so, and the others take what it made.

        Args:
            photos: The photos.
            added: Whether those count that an ingest assigned since the last time.
        """
        found = self._joined(photos, added=added)
        if found is not None:
            return found
        with self._joining:
            return self._joined(photos, added=added) or self._join(photos)

    def _joined(self, photos: PhotoColumns, *, added: bool) -> ImageOverview | None:
        """What was joined last, if nothing has changed since."""
        if self._overview is None or self._overview[1].photos is not photos:
            return None
        state, overview = self._overview
        clusterings = self._store.clusterings
        current = clusterings.fingerprint() if added else clusterings.decided()
        return overview if state[: len(current)] == current else None

    def _join(self, photos: PhotoColumns) -> ImageOverview:
        clusterings = self._store.clusterings
        with self._store.snapshot():  # short: a commit waits for it
            state = clusterings.fingerprint()
            current = clusterings.current()
            members = (
                Assignments.empty()
                if current is None
                else clusterings.assignments(current.clustering_id)
            )
            decisions = self._store.decisions.current()
        moved = moved_by_person(current_decisions(self._store, decisions))
        overview = join_members(photos, current, members, moved=moved)
        self._overview = state, overview
        return overview

    def _latest_photos(self) -> tuple[tuple[int, ...], PhotoColumns]:
        """The photos of now, and the state that they are of; one thread reads them."""
        with self._reading:
            current = self._store.clusterings.current()
            state = (*self._store.photo_versions(), _crops_of(current))
            if self._photos is None or self._photos[0] != state:
                settings = self._opened.settings
                self._photos = state, read_photos(self._store, current, settings=settings)
            return self._photos

    def table(self) -> ArrowTable:
        """All images as a pyarrow Table with the columns of `ImageFacts`."""
        return self._store.photos.table()

    def timeline(self, *, deployment: str | None = None, camera: str | None = None) -> Timeline:
        """The events: what each camera saw and when, by camera and then by time.

        Args:
            deployment: The deployment to which it is limited; all where None.
            camera: The camera to which it is limited, as `TimelineEvent.camera` names it; all
                where None.

        Raises:
            SettingsError: No photo of the library is of that deployment or camera.

        Examples:
            >>> for event in library.images.timeline().events:  # doctest: +SKIP
            ...     print(event.camera, event.start, event.images, event.night)
        """
        return read_timeline(
            self._store,
            deployment=None if deployment is None else require_text("deployment", deployment),
            camera=None if camera is None else require_text("camera", camera),
            settings=self._opened.settings,
        )

    def __repr__(self) -> str:
        return f"<Images: {len(self):,}>"

    def _found(self, key: str | Path) -> str | None:
        """The id of an image that was named by it, by a path, or by the name of its file."""
        at = image_at(self._store, key)
        if at is not None:
            return at
        text = str(key).lower()
        if not text or set(text) - set(hexdigits):
            return image_called(self._store, key)
        text = self._store.merged_images.of(text)
        return text if self._store.photos.facts_of([text]) else None

    def _of_now(self, image_id: str) -> str:
        """The image of an id, which another one may have become; see `MergedImages`."""
        return self._store.merged_images.of(require_image_id("image_id", image_id))


def _crops_of(clustering: StoredClustering | None) -> int:
    """The clustering whose crops are listed; 0 where whole photos are."""
    return clustering.base_id if clustering and is_crop_embedder(clustering.embedder) else 0
