"""Decisions as a person or a program asks for them, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NamedImages = str | Path | Sequence[str | Path]
"""One image or several: paths, folders, or image ids of which the beginning is enough."""


@dataclass(frozen=True, slots=True)
class RenameCluster:
    """Name a cluster; see `Corrections.rename`."""

    cluster_id: int
    name: str


@dataclass(frozen=True, slots=True)
class PinCluster:
    """Keep a cluster; see `Corrections.pin`."""

    cluster_id: int


@dataclass(frozen=True, slots=True)
class MergeClusters:
    """Make one cluster of several; see `Corrections.merge`."""

    cluster_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class SplitCluster:
    """Make several clusters of one; see `Corrections.split`."""

    cluster_id: int
    k: int = 2


@dataclass(frozen=True, slots=True)
class RetireCluster:
    """Dissolve a cluster; see `Corrections.retire`."""

    cluster_id: int


@dataclass(frozen=True, slots=True)
class MoveImages:
    """Put images into a cluster; see `Corrections.move`."""

    images: NamedImages
    cluster_id: int
    burst: bool = False


@dataclass(frozen=True, slots=True)
class ExcludeImages:
    """Exclude images from a cluster; see `Corrections.exclude`."""

    images: NamedImages
    cluster_id: int
    burst: bool = False


@dataclass(frozen=True, slots=True)
class MakeCluster:
    """Make a new cluster of images; see `Corrections.new_cluster`."""

    images: NamedImages
    name: str | None = None
    burst: bool = False


DecisionRequest = (
    RenameCluster
    | PinCluster
    | MergeClusters
    | SplitCluster
    | RetireCluster
    | MoveImages
    | ExcludeImages
    | MakeCluster
)
"""A decision that `Corrections.apply` is asked for."""
