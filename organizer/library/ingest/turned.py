"""Photos that a tag turned: their detectors' boxes turn with them, and their crops are cut anew.

Boxes refer to the picture as it is shown. Ids of crops stay, and with them their clusters and what
was decided about them. A box of which it cannot be told how it turned stays where it is, and is
counted: the tags of HEIC that turn pictures are known here by their digest alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from organizer.errors import OrganizerError
from organizer.library import embedders
from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.crops import vectors_of_crops
from organizer.library.ingest.report import TurnedCrops
from organizer.pixels.turns import turned_box
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import Crop, EmbeddingBatch, ImageFacts, is_crop_embedder

TurnedImages = Mapping[str, tuple[ImageFacts, ImageFacts]]
"""What was known of images, and what is known of them now that they are shown otherwise."""


def turn_detections(
    store: Store, images: TurnedImages, report: TurnedCrops, *, settings: Settings
) -> None:
    """Turn the boxes of photos, and embed their crops anew, in the transaction of their facts.

    Args:
        store: The library, held for writing.
        images: The photos.
        report: Counts what is done.
        settings: For embedding.
    """
    if not images:
        return
    known = store.detections.of(images)
    crops = store.detections.crops_of(images)
    held = [image_id for image_id in images if image_id in known or image_id in crops]
    turns = {image_id: _turn(*images[image_id]) for image_id in held}
    turned = {image_id: turn for image_id, turn in turns.items() if turn[0] != turn[1]}
    report.photos += len(turned)
    report.doubtful += sum(i not in turned and _is_on_its_side(*images[i]) for i in held)
    store.detections.turn(
        {i: partial(turned_box, former=former, now=now) for i, (former, now) in turned.items()}
    )
    again = store.detections.crops_of(held)
    _embed_anew(
        store, {c.crop_id: c for of in again.values() for c in of}, report, settings=settings
    )


def _turn(before: ImageFacts, now: ImageFacts) -> tuple[int, int]:
    """The orientations of a file before and now; see `DecodedImage.view`."""
    return int(before.view.partition(" ")[0]), int(now.view.partition(" ")[0])


def _is_on_its_side(before: ImageFacts, now: ImageFacts) -> bool:
    return before.width != before.height and (before.width, before.height) == (
        now.height,
        now.width,
    )


def _embed_anew(
    store: Store, crops: Mapping[str, Crop], report: TurnedCrops, *, settings: Settings
) -> None:
    """New vectors for the embedder of the clusters; others make theirs when they are next used."""
    current = store.clusterings.current()
    for spec in store.vectors.specs() if crops else ():
        if not is_crop_embedder(spec):
            continue
        if current is not None and current.embedder == spec:
            embedded = store.vectors.read_some(spec, list(crops))
            wanted = {crop_id: crops[crop_id] for crop_id in embedded}
            if wanted:
                _replace(store, current, wanted, report, settings=settings)
        else:
            store.vectors.forget(spec, list(crops))


def _replace(
    store: Store,
    current: StoredClustering,
    crops: Mapping[str, Crop],
    report: TurnedCrops,
    *,
    settings: Settings,
) -> None:
    try:
        loaded = embedders.load_embedder(current.embedder, settings)
        made, failure = vectors_of_crops(store, list(crops.values()), loaded, settings=settings)
    except OrganizerError as error:  # its weights are not here: the photos go in all the same
        report.failed += len(crops)
        report.first_failure = report.first_failure or error.message
        return
    report.embedded += len(made)
    report.failed += len(crops) - len(made)
    report.first_failure = report.first_failure or failure
    if not made:
        return
    ids, vectors = tuple(made), np.stack(list(made.values()))
    former = store.vectors.read_rows(current.embedder, ids)
    store.vectors.replace(current.embedder, EmbeddingBatch(ids, vectors))
    if not uses_capture_info(current):
        Assigner.open(store, current, seed=settings.seed).reassign(ids, former, vectors)
