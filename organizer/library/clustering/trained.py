"""Clusters of a training: what a clusterer that trains a network is given, once for a recluster."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from organizer import registry
from organizer.cluster.choose_k import KChoice
from organizer.cluster.decisions import Constraints
from organizer.cluster.incremental import place_points, unit_rows
from organizer.counts import count_text
from organizer.errors import ClusteringError, PluginError, SettingsError
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.fit import CLUSTERERS, FittedLabels, constraint_arguments
from organizer.library.clustering.previous import PreviousClusters
from organizer.library.clustering.required import RequiredClusters, match_required
from organizer.library.clustering.space import centred_by
from organizer.library.images.picture_reader import StoredPictures
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.registry import family_of
from organizer.training import (
    TrainableClusterer,
    TrainedClusters,
    TrainedFamily,
    TrainingImages,
    TrainingSpace,
)
from organizer.types import (
    CROPS_PREFIX,
    NOISE,
    Labels,
    PartSpec,
    is_crop_embedder,
    picture_embedder,
)

_FOLDER = "trainings"
_ABANDONED_AFTER = 7 * 86_400
"""Seconds after which an interrupted training is not gone on with any more."""


def create_trainable(
    spec: PartSpec, *, options: Mapping[str, Any]
) -> tuple[PartSpec, TrainableClusterer]:
    """A clusterer that trains, and its spec with the version of what was made.

    Raises:
        SettingsError: There is no clusterer of that name, or an option cannot be.
        PluginError: It does not train.
    """
    made, part = registry.create_part(CLUSTERERS, spec, options=options)
    if not isinstance(part, TrainableClusterer):
        raise PluginError(f"clusterer {spec.name!r} trains nothing")
    return made, part


def trained_family(algorithm: str) -> TrainedFamily:
    """The family of the embedders that a clusterer saves.

    Raises:
        PluginError: It names none that saves.
    """
    name = _family_name(algorithm)
    family: object = family_of(name)
    if not isinstance(family, TrainedFamily):
        raise PluginError(f"{algorithm} cannot save an embedder: {name!r} is no family that saves")
    return family


@dataclass(slots=True)
class ClusterTraining:
    """The training of a recluster: it runs once, and its clusters are used as often as needed.

    A recluster that finds decisions made meanwhile clusters again. What was trained stays, and the
    decisions hold in what is made of it.

    Attributes:
        opened: The library.
        algorithm: Name of the clusterer, with its own options.
        device: Where to compute.
        progress: Receives the progress.
        save_as: The name of the embedder that is kept; None for none.
        found: What was trained; None before.
        choice: How k was chosen; None where it was given.
    """

    opened: OpenLibrary
    algorithm: PartSpec
    device: str
    progress: Progress
    save_as: str | None = None
    found: TrainedClusters | None = None
    choice: KChoice | None = None
    _label_of: dict[str, int] = field(default_factory=dict)
    _of_crops: bool = False
    _folder: Path | None = None

    def fit(
        self,
        images: PreparedImages,
        previous: PreviousClusters,
        required: RequiredClusters,
        constraints: Constraints,
        *,
        k: int,
        seed: int,
        space: TrainingSpace,
    ) -> FittedLabels:
        """The clusters of images: trained, or those of the training before.

        Args:
            images: The images, as they are to be clustered.
            previous: The clusters that they were in.
            required: The clusters that there have to be.
            constraints: The constraints on single images.
            k: Number of clusters.
            seed: Random seed.
            space: How the points were made.

        Raises:
            ClusteringError: The images cannot be clustered so.
        """
        if self.found is None:
            self._train(images, required, constraints, k=k, seed=seed, space=space)
        assert self.found is not None  # noqa: S101 - it was trained
        labels = _completed(images, self._labels(images))
        labels, owners = match_required(labels, required, previous)
        return FittedLabels(labels, owners, self.algorithm, self.found.algorithm)

    def save_embedder(self) -> str:
        """Keep the trained network; returns the name of the embedder, one of crops after crops."""
        assert self.found is not None and self.save_as is not None  # noqa: S101, PT018
        trained_family(self.algorithm.name).save(self.save_as, self.found)
        name = saved_name(self.algorithm.name, self.save_as)
        return CROPS_PREFIX + name if self._of_crops else name

    def finish(self) -> None:
        """Remove what was kept to go on from after an interruption."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _train(
        self,
        images: PreparedImages,
        required: RequiredClusters,
        constraints: Constraints,
        *,
        k: int,
        seed: int,
        space: TrainingSpace,
    ) -> None:
        if k < len(required):
            named = count_text(len(required), "cluster")
            self.progress.note(f"you named or made {named}: k = {k} is too few")
            k = len(required)
        params = {"n_clusters": k, "random_state": seed}
        options = {**params, "weights": self.opened.settings.weights}
        spec, part = create_trainable(self.algorithm, options=options)
        self.algorithm = PartSpec(spec.name, {**self.algorithm.params, **params}, spec.version)
        # What lies in a box is a picture like any other, and is embedded as one.
        self._of_crops = is_crop_embedder(space.embedder)
        space = replace(space, embedder=picture_embedder(space.embedder))
        decided, banned = _numbered(images, required, constraints, free=k > len(required))
        self._folder = self._checkpoints(images, decided, banned)
        self._require_free_name()
        _remove_abandoned(self._folder.parent)
        ids: list[str] = images.image_ids.tolist()
        pictures = StoredPictures(self.opened, ids) if part.needs_pictures else None
        self.found = part.train(
            TrainingImages(
                points=images.points.astype(np.float32, copy=False),
                decided=decided,
                banned=banned,
                required=len(required),
                progress=self.progress,
                pictures=pictures,
                space=space,
                device=self.device,
                checkpoints=self._folder,
            )
        )
        self._label_of = dict(zip(ids, self.found.labels.tolist(), strict=True))

    def _require_free_name(self) -> None:
        """An interrupted training goes on, also where it was interrupted after its embedder."""
        assert self._folder is not None  # noqa: S101 - it is known by now
        if self.save_as is None or self._folder.exists():
            return
        file = trained_family(self.algorithm.name).file_of(self.save_as)
        if file.exists():
            name = saved_name(self.algorithm.name, self.save_as)
            raise SettingsError(
                f"there is an embedder {name} already, and libraries may depend on it",
                "another --save-embedder NAME",
            )

    def _labels(self, images: PreparedImages) -> Labels:
        found = [self._label_of.get(image_id, NOISE) for image_id in images.image_ids.tolist()]
        labels = np.array(found, dtype=np.int64)
        if (labels == NOISE).all():
            raise ClusteringError("none of the images was there when the training began")
        return labels

    def _checkpoints(self, images: PreparedImages, decided: Labels, banned: Labels) -> Path:
        """The folder of a training of the same images, decisions and options."""
        digest = hashlib.sha256(self.algorithm.to_json().encode())
        digest.update("\n".join(images.image_ids.tolist()).encode())
        for values in (images.points, decided, banned):
            digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
        return self.opened.store.path / _FOLDER / digest.hexdigest()[:16]


def saved_name(algorithm: str, name: str) -> str:
    """The name of the embedder that is saved as `name`."""
    return f"{_family_name(algorithm)}:{name}"


def _family_name(algorithm: str) -> str:
    factory: Any = registry.part_factory(CLUSTERERS, algorithm)
    return str(factory.embedder_family)


def require_savable(algorithm: str, name: str, *, reducer: PartSpec) -> None:
    """Make sure, before anything is trained, that an embedder can be saved.

    Raises:
        SettingsError: The name cannot be one, or centred vectors are what is trained on, which no
            later picture has by itself.
    """
    factory: Any = registry.part_factory(CLUSTERERS, algorithm)
    if centred_by(reducer) and not factory.needs_pictures:
        raise SettingsError(
            "an embedder cannot be saved of vectors that are centred by cameras",
            "leave --center or --save-embedder out, or --algorithm fwr, which trains on pictures",
        )
    trained_family(algorithm).file_of(name)


def _remove_abandoned(folder: Path) -> None:
    """Remove what interrupted trainings left that nobody went on with."""
    if not folder.is_dir():
        return
    for training in folder.iterdir():
        with suppress(OSError):
            if time.time() - training.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(training, ignore_errors=True)


def _numbered(
    images: PreparedImages, required: RequiredClusters, constraints: Constraints, *, free: bool
) -> tuple[Labels, Labels]:
    """The decisions with the numbers of the required clusters; see `TrainingImages`."""
    given = constraint_arguments(images, required, constraints, free=free)
    if not given:
        return (
            np.full(len(images.image_ids), NOISE, dtype=np.int64),
            np.empty((0, 2), dtype=np.int64),
        )
    return given["fixed"], given["banned"]


def _completed(images: PreparedImages, labels: Labels) -> Labels:
    """Give the images that came since the training the cluster with the nearest centre."""
    lacking = np.flatnonzero(labels == NOISE)
    if not len(lacking):
        return labels
    known = np.unique(labels[labels != NOISE])
    centres = np.stack([images.points[labels == label].mean(axis=0) for label in known])
    nearest = place_points(images.points[lacking], unit_rows(centres.astype(np.float32))).nearest
    labels = labels.copy()
    labels[lacking] = known[nearest]
    return labels
