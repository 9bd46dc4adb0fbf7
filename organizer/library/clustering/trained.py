"""Clusters of a training: what a clusterer that trains a network is given, once for a recluster."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
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
from organizer.embed.digest import file_digest
from organizer.errors import ClusteringError, PluginError, SettingsError
from organizer.library import embedders
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.finished_training import FinishedTraining, forget_training
from organizer.library.clustering.fit import CLUSTERERS, FittedLabels, constraint_arguments
from organizer.library.clustering.observations import Observations
from organizer.library.clustering.previous import PreviousClusters
from organizer.library.clustering.required import RequiredClusters, match_required
from organizer.library.clustering.space import centred_by
from organizer.library.images.picture_reader import StoredPictures
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.registry import family_of
from organizer.settings import Settings
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
_SAVING = "saving"
"""A file with the name of the embedder that a training was saving when it was interrupted."""

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
        request: What tells what was asked for from other requests; see `request_of`.
        found: What was trained; None before.
        choice: How k was chosen; None where it was given.
    """

    opened: OpenLibrary
    algorithm: PartSpec
    device: str
    progress: Progress
    save_as: str | None = None
    request: str = ""
    found: TrainedClusters | None = None
    choice: KChoice | None = None
    _label_of: dict[str, int] = field(default_factory=dict)
    _of_crops: bool = False
    _folder: Path | None = None

    def fit(
        self,
        images: PreparedImages,
        observations: Observations,
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
            images: The images, or bursts, as they are to be clustered.
            observations: The images of each.
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
            found = self._train(images, required, constraints, k=k, seed=seed, space=space)
            # By image: in the space of what was trained, the bursts may be others.
            of_images = found.labels[observations.numbers].tolist()
            self._label_of = dict(zip(observations.image_ids.tolist(), of_images, strict=True))
            self.found = found
        labels = _completed(images, self._labels(observations))
        labels, owners = match_required(labels, required, previous)
        return FittedLabels(labels, owners, self.algorithm, self.found.algorithm)

    def save_embedder(self) -> str:
        """Keep the trained network; returns the name of the embedder, one of crops after crops."""
        assert self.found is not None and self.save_as is not None  # noqa: S101, PT018
        assert self._folder is not None  # noqa: S101 - it was trained
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _SAVING).write_text(self.save_as, encoding="utf-8")
        weights = trained_family(self.algorithm.name).save(self.save_as, self.found)
        name = saved_name(self.algorithm.name, self.save_as)
        name = CROPS_PREFIX + name if self._of_crops else name
        FinishedTraining(
            request=self.request,
            embedder=name,
            digest=file_digest(weights),
            algorithm=self.algorithm.to_json(),
            ran=self.found.algorithm,
            rounds=self.found.rounds,
            labels=self._label_of,
        ).save(self._saved_folder)
        self._forget_rounds()
        return name

    def resume_saved(self) -> str | None:
        """Go on with what the same request trained and saved before it was interrupted.

        Returns:
            The name of the embedder; None where there is nothing to go on with.
        """
        if self.save_as is None:
            return None
        weights = trained_family(self.algorithm.name).file_of(self.save_as)
        kept = FinishedTraining.load(self._saved_folder, request=self.request, weights=weights)
        if kept is None:
            return None
        self.algorithm, self._label_of = kept.spec, dict(kept.labels)
        labels = np.array(list(kept.labels.values()), dtype=np.int64)
        features = np.empty((len(labels), 0), dtype=np.float32)
        self.found = TrainedClusters(labels, features, kept.ran, kept.rounds)
        self.progress.note(f"going on with the embedder {kept.embedder}, which is trained already")
        return kept.embedder

    def finish(self) -> None:
        """Remove what was kept to go on from after an interruption."""
        self._forget_rounds()
        if self.save_as is not None:
            forget_training(self._saved_folder)

    def _forget_rounds(self) -> None:
        if self._folder is not None:
            forget_training(self._folder)

    @property
    def _saved_folder(self) -> Path:
        return self.opened.store.path / _FOLDER / f"saved-{self.save_as}"

    def _train(
        self,
        images: PreparedImages,
        required: RequiredClusters,
        constraints: Constraints,
        *,
        k: int,
        seed: int,
        space: TrainingSpace,
    ) -> TrainedClusters:
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
        return part.train(
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

    def _require_free_name(self) -> None:
        """Make sure that a name is that of no other embedder, here or where weights are looked for.

        Raises:
            SettingsError: It is.
        """
        assert self._folder is not None  # noqa: S101 - it is known by now
        saving = self._folder / _SAVING
        if self.save_as is None or (
            saving.is_file() and saving.read_text(encoding="utf-8") == self.save_as
        ):
            return
        name, hint = saved_name(self.algorithm.name, self.save_as), "another --save-embedder NAME"
        info = embedders.embedder_info(name, self.opened.settings)
        if info.weights == "here":
            raise SettingsError(
                f"there is an embedder {name} already, and libraries may depend on it: "
                f"{info.location}",
                hint,
            )
        if any(spec.name in {name, CROPS_PREFIX + name} for spec in self._specs()):
            raise SettingsError(
                f"this library has vectors of another embedder {name}, whose weights are not here",
                hint,
            )

    def _specs(self) -> Sequence[PartSpec]:
        return self.opened.store.vectors.specs()

    def _labels(self, observations: Observations) -> Labels:
        ids = observations.image_ids.tolist()
        of_images = np.array([self._label_of.get(i, NOISE) for i in ids], dtype=np.int64)
        labels = observations.majority(of_images)
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


def require_savable(
    algorithm: str, name: str, *, embedder: PartSpec, reducer: PartSpec, settings: Settings
) -> None:
    """Make sure, before anything is trained, that an embedder can be saved, and used later.

    Args:
        algorithm: Name of the clusterer.
        name: Of the embedder that is to be.
        embedder: Whose vectors are clustered.
        reducer: The space that they are clustered in.
        settings: Where weights may be.

    Raises:
        SettingsError: The name cannot be one, or centred vectors are what is trained on, which no
            later picture has by itself, or the vectors' embedder is not installed.
        OrganizerError: That embedder cannot be loaded.
    """
    trained_family(algorithm).file_of(name)
    factory: Any = registry.part_factory(CLUSTERERS, algorithm)
    if factory.needs_pictures:
        return
    # What is trained begins with the vectors of this embedder, also for later pictures.
    embedders.load_embedder(picture_embedder(embedder), settings)
    if centred_by(reducer):
        raise SettingsError(
            "an embedder cannot be saved of vectors that are centred by cameras",
            "leave --center or --save-embedder out, or --algorithm fwr, which trains on pictures",
        )


def _remove_abandoned(folder: Path) -> None:
    """Remove what interrupted trainings left that nobody went on with."""
    if not folder.is_dir():
        return
    for training in folder.iterdir():
        with suppress(OSError):
            # A checkpoint lies deeper, and does not change the time of the training's folder.
            written = max(path.stat().st_mtime for path in (training, *training.rglob("*")))
            if time.time() - written > _ABANDONED_AFTER:
                forget_training(training)


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
