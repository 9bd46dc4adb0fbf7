"""Texts and images in one space: vectors of texts, and names suggested for clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.errors import ClusteringError, SettingsError
from organizer.library import embedders
from organizer.library.current import require_clustering
from organizer.protocols import LoadedEmbedder, TextEmbedder
from organizer.settings import Settings
from organizer.store import Store
from organizer.typed import as_typed
from organizer.types import NOISE, PartSpec, Vectors

_PROMPT = "a photo of a {}."
"""As Radford et al. 2021, section 3.1.4: a label by itself is rarely the caption of a picture."""

_ROWS_AT_ONCE = 65_536

TEXT_EMBEDDER = "openclip:ViT-B-32/laion2b_s34b_b79k"
"""The embedder that is named to whoever has none that reads texts."""

_FOLDERS = 3
"""Folders that are named in a command."""


@dataclass(frozen=True, slots=True)
class NameSuggestion:
    """A name that a cluster might be given; a person decides.

    Attributes:
        cluster_id: The cluster.
        name: The name that it has; None where it has none.
        images: Number of its images that have a vector of the text embedder.
        suggestion: The label with the highest confidence.
        confidence: Mean over the images of the label's share in the softmax over all labels.
        second: The label with the next highest confidence; empty where there is only one.
        second_confidence: Its confidence.
    """

    cluster_id: int
    name: str | None
    images: int
    suggestion: str
    confidence: float
    second: str
    second_confidence: float


def suggest_cluster_names(
    store: Store, labels: Sequence[str], *, embedder: str | None, settings: Settings
) -> list[NameSuggestion]:
    """Suggest one of some names for each cluster; the surest first.

    Raises:
        SettingsError: There are no labels, or no embedder of the library reads texts.
        ClusteringError: There is no clustering yet, or none of its images has such a vector.
    """
    current = require_clustering(store)
    if not labels:
        raise SettingsError("there are no labels", "one a line in the file")
    spec, part = _load_text_embedder(store, embedder, settings)
    texts = part.embed_text([_PROMPT.format(label) for label in labels])
    image_ids, vectors = store.vectors.read(spec)
    shares = _shares(vectors, texts, scale=part.logit_scale)
    members = store.clusterings.assignments(current.clustering_id)
    rows = {image_id: row for row, image_id in enumerate(image_ids)}
    mine: dict[int, list[int]] = {}
    for image_id, cluster_id in zip(members.image_ids, members.cluster_ids.tolist(), strict=True):
        if image_id in rows and cluster_id != NOISE:
            mine.setdefault(cluster_id, []).append(rows[image_id])
    if not mine:
        raise ClusteringError(
            f"no image of the clusters has a vector of {spec.name}",
            f"organizer ingest --embedder {spec.name}",
        )
    names = compile_constraints(store.decisions.current()).names
    found = [_suggestion(c, names.get(c), labels, shares[at]) for c, at in mine.items()]
    return sorted(found, key=lambda one: (-one.confidence, one.cluster_id))


def read_labels(file: Path) -> list[str]:
    """Read the labels of a text file: one a line, empty lines and repetitions left out.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the labels in {file} cannot be read: {error}", "a text file, one label a line"
        ) from error
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def _suggestion(
    cluster_id: int, name: str | None, labels: Sequence[str], shares: Vectors
) -> NameSuggestion:
    mean = shares.mean(axis=0)
    best, *others = np.argsort(-mean, kind="stable").tolist()
    second = others[0] if others else None
    return NameSuggestion(
        cluster_id=cluster_id,
        name=name,
        images=len(shares),
        suggestion=labels[best],
        confidence=float(mean[best]),
        second="" if second is None else labels[second],
        second_confidence=0.0 if second is None else float(mean[second]),
    )


def _shares(vectors: Vectors, texts: Vectors, *, scale: float) -> Vectors:
    """``(n, labels)``: the softmax over the labels of scaled cosines, a row an image."""
    shares = np.empty((len(vectors), len(texts)), dtype=np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = vectors[start : start + _ROWS_AT_ONCE]
        norms = np.linalg.norm(part, axis=1, keepdims=True)
        logits = scale * (part / np.where(norms > 0, norms, 1)) @ texts.T
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares[start : start + len(part)] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def text_embedder(store: Store, name: str | None, settings: Settings) -> PartSpec:
    """The embedder whose vectors texts are compared with: one by its name, or the first that reads.

    Raises:
        SettingsError: No embedder of the library reads texts.
    """
    return embedders.require_spec(store, name) if name else _first_that_reads(store, settings)


def _load_text_embedder(
    store: Store, name: str | None, settings: Settings
) -> tuple[PartSpec, TextEmbedder]:
    spec = text_embedder(store, name, settings)
    return spec, reads_texts(embedders.load_embedder(spec, settings))


def reads_texts(loaded: LoadedEmbedder) -> TextEmbedder:
    """An embedder as one that reads texts.

    Raises:
        SettingsError: It does not.
    """
    if not isinstance(loaded.part, TextEmbedder):
        raise SettingsError(
            f"{loaded.spec.name} has no text network: it does not read texts",
            f"organizer ingest FOLDER --embedder {TEXT_EMBEDDER}, then search --text without it",
        )
    return loaded.part


def _first_that_reads(store: Store, settings: Settings) -> PartSpec:
    for spec in store.vectors.specs():
        if store.vectors.count(spec) and embedders.describe_embedder(spec.name, settings).text:
            return spec
    names = ", ".join(dict.fromkeys(spec.name for spec in store.vectors.specs())) or "none"
    raise SettingsError(
        f"no embedder of this library reads texts: it has {names}",
        _how_to_add(store, settings),
    )


def _how_to_add(store: Store, settings: Settings) -> str:
    """The command that adds an embedder that reads texts, and whether its weights are here."""
    folders = [as_typed(root.folder) for root in store.roots.all()] or ["FOLDER"]
    command = f"organizer ingest {' '.join(folders[:_FOLDERS])} --embedder {TEXT_EMBEDDER}"
    if embedders.describe_embedder(TEXT_EMBEDDER, settings).weights == "here":
        return command
    return (
        f"{command}; its weights are not on this machine and are downloaded then (600 MB), or "
        "organizer models import takes them from a file"
    )
