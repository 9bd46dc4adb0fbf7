"""Embedders of a library: which one it works with, loaded, described, with their weights."""

from organizer.library.embedders.choose import (
    EMBEDDERS,
    check_embedder,
    library_embedder,
    missing_vectors_note,
    photo_embedder,
    require_photo_embedder,
    require_spec,
    require_vectors,
    stored_spec,
)
from organizer.library.embedders.describe import (
    describe_embedder,
    describe_embedders,
    embedder_info,
    family_names,
)
from organizer.library.embedders.joined import join_vectors, part_lengths
from organizer.library.embedders.load import (
    as_loaded,
    embedder_name,
    load_embedder,
    load_with_other_weights,
)
from organizer.library.embedders.weights import (
    ensure_weights,
    import_weights,
    pull_weights,
    weights_folders,
)

__all__ = [
    "EMBEDDERS",
    "as_loaded",
    "check_embedder",
    "describe_embedder",
    "describe_embedders",
    "embedder_info",
    "embedder_name",
    "ensure_weights",
    "family_names",
    "import_weights",
    "join_vectors",
    "library_embedder",
    "load_embedder",
    "load_with_other_weights",
    "missing_vectors_note",
    "part_lengths",
    "photo_embedder",
    "pull_weights",
    "require_photo_embedder",
    "require_spec",
    "require_vectors",
    "stored_spec",
    "weights_folders",
]
