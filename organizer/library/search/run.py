"""Search for the images nearest to photos, to a picture or to a text."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from string import hexdigits

import numpy as np

from organizer.arguments import require_path
from organizer.cluster.usual_distance import usual_distances
from organizer.discover import resolve_start
from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.cluster_names import resolve_cluster
from organizer.library.images.crops import locate_photos
from organizer.library.images.named import image_called, names_near
from organizer.library.opening import OpenLibrary
from organizer.library.search.hits import Hits
from organizer.library.search.pictures import QueryEmbedder
from organizer.library.search.query import combined_query
from organizer.library.search.text import text_embedder
from organizer.near_words import did_you_mean
from organizer.protocols import Embedder, LoadedEmbedder
from organizer.store import Store, StoredClustering
from organizer.typed import as_typed
from organizer.types import NOISE, Hit, PartSpec, UsualDistance, Vectors, is_crop_embedder

Photo = str | Path
"""A photo of the library by its path, its image id or the name of its file, or any other by its
path; or the most typical one of a cluster, by the name or id of that."""

Nearest = tuple[str, float]
"""The id of an image or a crop, and its cosine distance."""

_ID_DIGITS = 32


class Searcher:
    """Searches of one open library; several threads may search at once, also while one writes.

    Args:
        opened: The library.
        names: The names of the clusters as they are now, by id.
    """

    def __init__(self, opened: OpenLibrary, *, names: Callable[[], Mapping[int, str]]) -> None:
        self._opened, self._store, self._names = opened, opened.store, names
        self._embedder = QueryEmbedder(opened.settings, opened.workers)

    def nearest(
        self,
        likes: Sequence[Photo],
        unlikes: Sequence[Photo],
        *,
        limit: int,
        embedder: str | Embedder | None,
    ) -> list[Nearest]:
        """See `organizer.library.Library.nearest`."""
        spec, loaded = self._chosen(embedder)
        return self._nearest(likes, unlikes, spec, loaded, limit=limit)

    def photos(
        self,
        likes: Sequence[Photo],
        unlikes: Sequence[Photo],
        *,
        limit: int,
        embedder: str | Embedder | None,
    ) -> Hits:
        """See `organizer.library.Library.search`."""
        spec, loaded = self._chosen(embedder)
        return self.hits(self._nearest(likes, unlikes, spec, loaded, limit=limit), spec)

    def _nearest(
        self,
        likes: Sequence[Photo],
        unlikes: Sequence[Photo],
        spec: PartSpec,
        loaded: LoadedEmbedder | None,
        *,
        limit: int,
    ) -> list[Nearest]:
        liked, own = self._vectors(likes, spec, loaded)
        unliked, others = self._vectors(unlikes, spec, loaded)
        query = combined_query(liked, unliked)
        return _nearest(self._store, spec, query, limit, without=own | others)

    def picture(self, data: bytes, *, limit: int, embedder: str | Embedder | None) -> Hits:
        """See `organizer.library.Library.search_picture`."""
        spec, loaded = self._chosen(embedder)
        query = self._embedder.of_picture(data, spec, loaded)
        _require_direction(query, "the picture", spec)
        return self.hits(_nearest(self._store, spec, query, limit), spec)

    def text(
        self,
        text: str,
        likes: Sequence[Photo],
        unlikes: Sequence[Photo],
        *,
        limit: int,
        embedder: str | None,
    ) -> Hits:
        """See `organizer.library.Library.search_text`."""
        if not text.strip():
            raise SettingsError("the text is empty", 'organizer search --text "a fox at night"')
        spec = text_embedder(self._store, embedder, self._opened.settings)
        vector = self._embedder.of_text(text, spec)
        liked, own = self._vectors(likes, spec, None)
        unliked, others = self._vectors(unlikes, spec, None)
        query = combined_query(np.concatenate([vector[None], liked]), unliked)
        return self.hits(_nearest(self._store, spec, query, limit, without=own | others))

    # What is searched for ------------------------------------------------------------------

    def _chosen(self, embedder: str | Embedder | None) -> tuple[PartSpec, LoadedEmbedder | None]:
        loaded = embedders.as_loaded(embedder)
        if loaded is not None:
            return embedders.require_vectors(self._store, loaded.spec), loaded
        return embedders.require_spec(self._store, embedders.embedder_name(embedder)), None

    def _vectors(
        self, photos: Sequence[Photo], spec: PartSpec, loaded: LoadedEmbedder | None
    ) -> tuple[Vectors, set[str]]:
        """``(n, dim)`` float32, a row for each photo; and which are of the library."""
        rows, own = [], set()
        for photo in photos:
            vector, members = self._vector(photo, spec, loaded)
            _require_direction(vector, photo, spec)
            rows.append(vector)
            own.update(members)
        dim = self._store.vectors.dim(spec) if not rows else len(rows[0])
        return np.array(rows, dtype=np.float32).reshape(-1, dim), own

    def _vector(
        self, photo: Photo, spec: PartSpec, loaded: LoadedEmbedder | None
    ) -> tuple[Vectors, list[str]]:
        store = self._store
        image_id = _as_id(photo)
        if image_id is not None:
            image_id = store.merged_images.of(image_id)
            own = self._members(image_id, spec)
            stored = store.vectors.read_some(spec, own[:1])
            if stored:
                return stored[own[0]], own
            if store.photos.known_ids([image_id]):
                raise SettingsError(
                    f"the image {image_id} has no vector of {spec.name}",
                    f"organizer ingest --embedder {spec.name}",
                )
        path = require_path("a photo", photo)
        if not os.path.lexists(path.expanduser()):
            named = self._named(photo)
            if named is not None:
                return self._vector(named, spec, loaded)
        file = resolve_start(path)
        held = store.photos.image_at(file)
        own = [] if held is None else self._members(held, spec)
        stored = store.vectors.read_some(spec, own[:1])
        if stored:
            return stored[own[0]], own
        if file.is_dir():
            raise SettingsError(f"{photo} is a folder", "name one photo")
        return self._embedder.of_file(file, spec, loaded), own

    def _named(self, photo: Photo) -> str | None:
        """The image that a file's name means, or the most typical one of a cluster.

        Raises:
            SettingsError: Several photos are called so; or none, and no cluster either.
        """
        named = image_called(self._store, photo)
        if named is not None or not isinstance(photo, str) or "/" in photo:
            return named
        current = self._store.clusterings.current()
        if current is None:
            return None
        cluster_id = _cluster_called(self._store, current, photo)
        models = self._store.clusterings.models(current.clustering_id)
        modes = np.flatnonzero(models.cluster_ids == cluster_id)
        return str(models.medoids[modes[np.argmax(models.counts[modes])]])

    def _members(self, image_id: str, spec: PartSpec) -> list[str]:
        """An image, or for a crop embedder the crops of a photo, the surest first."""
        store = self._store
        if not is_crop_embedder(spec) or store.detections.crops([image_id]):
            return [image_id]
        location = locate_photos(store, store.clusterings.current()).get(image_id)
        return [] if location is None else [crop.crop_id for crop in location.crops]

    # What is found -------------------------------------------------------------------------

    def hits(self, found: Sequence[Nearest], compared: PartSpec | None = None) -> Hits:
        """The files and clusters of images that were found.

        Args:
            found: The images.
            compared: The embedder of whose pictures the distances are; None where they are those
                of a text to pictures, which the distances of pictures tell nothing about.
        """
        store = self._store
        image_ids = [image_id for image_id, _ in found]
        with store.snapshot():
            current = store.clusterings.current()
            usual = self._usual(current, compared)
            memberships = current and store.clusterings.memberships(current.clustering_id)
            names = self._names()
        clusters = memberships.of(image_ids) if memberships else {}
        files = store.photos.files_of(image_ids)
        hits = (
            Hit(
                image_id=image_id,
                path=files[image_id][0].file,
                distance=distance,
                cluster_id=clusters.get(image_id),
                cluster_name=names.get(clusters.get(image_id, -1)),
                state=files[image_id][0].state,
                box=files[image_id][0].box,
                usual=usual.get(clusters.get(image_id, NOISE)),
            )
            for image_id, distance in found
            if image_id in files
        )
        return Hits(hits, self._opened)

    def _usual(
        self, current: StoredClustering | None, compared: PartSpec | None
    ) -> dict[int, UsualDistance]:
        """What distances to the images of each cluster usually are, of one embedder's vectors."""
        if current is None or current.embedder != compared:
            return {}
        return usual_distances(self._store.clusterings.models(current.clustering_id))


def _cluster_called(store: Store, current: StoredClustering, text: str) -> int:
    try:
        return resolve_cluster(store, current, text)
    except SettingsError as error:
        hint = error.hint or "check the path"
        if not hint.startswith("did you mean"):
            hint = did_you_mean(list(map(as_typed, names_near(store, text))), hint)
        raise SettingsError(f"there is no photo {text}, and {error.message}", hint) from error


def _nearest(
    store: Store, spec: PartSpec, query: Vectors, limit: int, *, without: Collection[str] = ()
) -> list[Nearest]:
    """The nearest images that may be shown, with their distances."""
    wanted = limit + len(without)
    while True:
        found = store.vectors.nearest(spec, query, wanted)
        hidden = store.photos.hidden([image_id for image_id, _ in found])
        visible = [pair for pair in found if pair[0] not in hidden and pair[0] not in without]
        if len(visible) >= limit or len(found) < wanted:
            return visible[:limit]
        wanted *= 2


def _as_id(photo: Photo) -> str | None:
    """What looks like an image id; None for anything else."""
    text = photo.lower() if isinstance(photo, str) else ""
    return text if len(text) == _ID_DIGITS and not set(text) - set(hexdigits) else None


def _require_direction(query: Vectors, name: Photo, spec: PartSpec) -> None:
    if not query.any():
        raise SettingsError(
            f"{spec.name} sees nothing in {name} that could be compared", "use another --embedder"
        )
