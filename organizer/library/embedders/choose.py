"""Which embedder a library works with, and the specs that it stored."""

from __future__ import annotations

from organizer import registry
from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.store import Store
from organizer.types import CROPS_PREFIX, PartSpec, is_crop_embedder, picture_embedder

EMBEDDERS = "organizer.embedders"


def library_embedder(store: Store) -> PartSpec | None:
    """The embedder that a library works with: that of its clustering, or else its first one."""
    current = store.clusterings.current()
    if current is not None:
        return current.embedder
    return next(iter(store.vectors.specs()), None)


def photo_embedder(store: Store) -> PartSpec | None:
    """The embedder for whole photos: where the library works with crops, the same network's.

    Where the vectors of photos are another embedder's, that one.
    """
    own = library_embedder(store)
    if own is None or not is_crop_embedder(own):
        return own
    same = picture_embedder(own)
    plain = [spec for spec in store.vectors.specs() if not is_crop_embedder(spec)]
    return same if same in plain or not plain else plain[0]


def require_photo_embedder(name: str | None) -> None:
    """Make sure that an embedder is one of whole photos.

    Raises:
        SettingsError: It is one of crops, of which an ingest knows nothing yet.
    """
    if name is not None and name.startswith(CROPS_PREFIX):
        plain = name.removeprefix(CROPS_PREFIX)
        raise SettingsError(
            f"{name} embeds what a detector boxed, and new photos have no boxes yet",
            f"organizer ingest FOLDER --embedder {plain}, then organizer detections import FILE",
        )


def stored_spec(store: Store, name: str) -> PartSpec:
    """The spec of an embedder as the library stored it; without a version where it has none.

    Raises:
        SettingsError: No embedder has that name.
    """
    # One whose plugin is gone, or that was given as an object, still has its vectors here.
    stored = {spec.name: spec for spec in store.vectors.specs()}
    if name in stored:
        return stored[name]
    registry.check_part(EMBEDDERS, name)
    name = registry.canonical_name(EMBEDDERS, name)
    return stored.get(name, PartSpec(name))


def check_embedder(name: str) -> None:
    """Make sure that there is an embedder of that name.

    Raises:
        SettingsError: There is none.
    """
    registry.canonical_name(EMBEDDERS, name)


def require_spec(store: Store, name: str | None) -> PartSpec:
    """The spec of an embedder, or the library's own, which must have vectors in the library.

    Raises:
        SettingsError: It has none here, or no embedder has that name.
    """
    spec = stored_spec(store, name) if name else library_embedder(store)
    if spec is None:
        raise SettingsError("there are no images in this library", "organizer ingest FOLDER")
    return require_vectors(store, spec, named=name is not None)


def require_vectors(store: Store, spec: PartSpec, *, named: bool = True) -> PartSpec:
    """The spec of an embedder that has vectors in the library.

    Args:
        store: The library.
        spec: The embedder.
        named: Whether the user named it, for the message.

    Raises:
        SettingsError: It has none.
    """
    if store.vectors.count(spec):
        return spec
    if is_crop_embedder(spec):
        raise SettingsError(
            f"there are no vectors of {spec.name} in this library",
            f"organizer detections import FILE --embedder {spec.name}",
        )
    what = f"vectors of {spec.name!r}" if named else "images"
    option = f" --embedder {spec.name}" if named else ""
    raise SettingsError(f"there are no {what} in this library", f"organizer ingest FOLDER{option}")


def missing_vectors_note(store: Store, spec: PartSpec) -> str:
    """A note on the photos that have no vectors of an embedder; "" where all have."""
    lacking = (
        0 if is_crop_embedder(spec) else store.photos.count_images() - store.vectors.count(spec)
    )
    if lacking <= 0:
        return ""
    return (
        f"{count_text(lacking, 'image has', 'images have')} no vectors of {spec.name}, so no "
        "cluster; to embed them: "
        f"organizer ingest --embedder {spec.name}"
    )
