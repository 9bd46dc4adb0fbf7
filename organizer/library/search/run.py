"""Search for the images nearest to a photo or to a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer import decode
from organizer.cluster.decisions import compile_constraints
from organizer.discover import resolve_start
from organizer.embed.pictures import embed_pictures, prepare_picture
from organizer.errors import ImageError, SettingsError
from organizer.library import embedders
from organizer.library.images.crops import locate_photos
from organizer.library.opening import OpenLibrary
from organizer.library.search.hits import Hits
from organizer.library.search.text import text_vector
from organizer.protocols import Embedder, LoadedEmbedder, least_side
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import Hit, ImageRef, PartSpec, Vectors, is_crop_embedder


def search_photo(
    opened: OpenLibrary, photo: Path, *, limit: int, embedder: str | Embedder | None
) -> Hits:
    """See `organizer.library.Library.search`."""
    store = opened.store
    loaded = embedders.as_loaded(embedder)
    if loaded is not None:
        spec = embedders.require_vectors(store, loaded.spec)
    else:
        spec = embedders.require_spec(store, embedders.embedder_name(embedder))
    file = resolve_start(photo)
    own = _members_at(store, file, spec)
    stored = store.vectors.read_some(spec, own[:1])
    if stored:
        query = stored[own[0]]
    elif file.is_dir():
        raise SettingsError(f"{photo} is a folder", "name one photo")
    else:
        loaded = loaded or embedders.load_embedder(spec, opened.settings)
        query = _embed(file, loaded, opened.settings)
    if not query.any():
        raise SettingsError(
            f"{spec.name} sees nothing in {photo} that could be compared",
            "use another --embedder",
        )
    return _hits(opened, _nearest(store, spec, query, limit, without=own))


def search_text(opened: OpenLibrary, text: str, *, limit: int, embedder: str | None) -> Hits:
    """See `organizer.library.Library.search_text`."""
    spec, query = text_vector(opened.store, text, embedder=embedder, settings=opened.settings)
    return _hits(opened, _nearest(opened.store, spec, query, limit))


def _members_at(store: Store, file: Path, spec: PartSpec) -> list[str]:
    """The image of a file of the library, or its crops, the surest first, for a crop embedder."""
    own = store.photos.image_at(file)
    if own is None or not is_crop_embedder(spec):
        return [own] if own else []
    locations = locate_photos(store, store.clusterings.current())
    return [crop.crop_id for crop in locations[own].crops]


def _nearest(
    store: Store, spec: PartSpec, query: Vectors, limit: int, *, without: Sequence[str] = ()
) -> list[tuple[str, float]]:
    """The nearest images that may be shown, with their distances."""
    wanted = limit + len(without)
    while True:
        found = store.vectors.nearest(spec, query, wanted)
        hidden = store.photos.hidden([image_id for image_id, _ in found])
        visible = [pair for pair in found if pair[0] not in hidden and pair[0] not in without]
        if len(visible) >= limit or len(found) < wanted:
            return visible[:limit]
        wanted *= 2


def _embed(file: Path, loaded: LoadedEmbedder, settings: Settings) -> Vectors:
    status = file.stat()
    ref = ImageRef(file.parent, file.name, status.st_size, status.st_mtime_ns)
    try:
        data = decode.read_file(ref, max_bytes=settings.max_file_bytes)
        image = decode.decode_image(ref, data, min_side=least_side(loaded.part))
    except ImageError as error:
        raise SettingsError(f"{file} cannot be searched for: {error.message}") from error
    embedded = embed_pictures(loaded, [prepare_picture(loaded, image.pixels)])
    for failure in embedded.failures.values():
        raise SettingsError(
            f"{file} cannot be searched for: {failure.reason}", "use another --embedder"
        )
    query: Vectors = embedded.vectors[0]
    return query


def _hits(opened: OpenLibrary, found: Sequence[tuple[str, float]]) -> Hits:
    store = opened.store
    image_ids = [image_id for image_id, _ in found]
    files = store.photos.files_of(image_ids)
    clusters: dict[str, int] = {}
    with store.snapshot():
        current = store.clusterings.current()
        if current is not None:
            clusters = store.clusterings.clusters_of(current.clustering_id, image_ids)
        names = compile_constraints(store.decisions.current()).names
    hits = (
        Hit(
            image_id=image_id,
            path=files[image_id][0].file,
            distance=distance,
            cluster_id=clusters.get(image_id),
            cluster_name=names.get(clusters.get(image_id, -1)),
            state=files[image_id][0].state,
        )
        for image_id, distance in found
        if image_id in files
    )
    return Hits(hits, opened)
