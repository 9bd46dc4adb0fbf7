"""The options of a recluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from organizer import registry
from organizer.arguments import require_choice, require_flag, require_text
from organizer.cluster.choose_k import KMethod
from organizer.library.clustering.cluster_count import K, parse_k
from organizer.library.clustering.fit import CLUSTERERS
from organizer.library.clustering.preprocessing import parse_centring
from organizer.library.clustering.space import parse_reducer, with_centring
from organizer.settings import DEFAULT_REDUCER
from organizer.types import PartSpec


@dataclass(frozen=True, slots=True)
class ReclusterOptions:
    """How to recluster.

    Attributes:
        k: Number of clusters; "auto", or the lowest and the highest to choose from.
        k_method: How k is chosen.
        algorithm: Name of the clusterer.
        reducer: The space, with what its vectors are centred by.
        embedder: Whose vectors; the library's own where None.
        dry_run: Whether only to report what would change.
        bursts: Whether the images of a burst are one observation.
        drop_names: Whether clusters may go that a person named, pinned or made.
    """

    k: K
    k_method: KMethod
    algorithm: str
    reducer: PartSpec
    embedder: str | None
    dry_run: bool
    bursts: bool = False
    drop_names: bool = False


def parse_options(
    *,
    k: K,
    k_method: KMethod,
    algorithm: str,
    reduce: str | None,
    embedder: str | None,
    bursts: bool,
    center: str | None,
    dry_run: bool,
    drop_names: bool = False,
) -> ReclusterOptions:
    """Parse options as they are given to `organizer.library.Library.recluster`.

    Raises:
        SettingsError: k, the way to choose it, the space or the centring cannot be.
    """
    k = parse_k(k)
    require_choice("k_method", k_method, get_args(KMethod))
    registry.check_part(CLUSTERERS, require_text("algorithm", algorithm, or_empty=True))
    require_flag("bursts", bursts)
    require_flag("dry_run", dry_run)
    require_flag("drop_names", drop_names)
    reducer = DEFAULT_REDUCER if reduce is None else require_text("reduce", reduce)
    by = None if center is None else require_text("center", center, or_empty=True)
    space = with_centring(parse_reducer(reducer), parse_centring(by))
    return ReclusterOptions(k, k_method, algorithm, space, embedder, dry_run, bursts, drop_names)
