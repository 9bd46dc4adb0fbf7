"""The options of a recluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from organizer import registry
from organizer.arguments import require_choice, require_flag, require_text
from organizer.cluster.choose_k import KMethod
from organizer.errors import SettingsError
from organizer.library.clustering.cluster_count import K, parse_k
from organizer.library.clustering.fit import CLUSTERERS, trains
from organizer.library.clustering.preprocessing import parse_centring
from organizer.library.clustering.space import parse_reducer, with_centring
from organizer.library.part_options import described_options, option_values
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
        params: Options of the clusterer's own, by their names in Python.
        save_embedder: The name under which a trained network is kept as an embedder; None for not.
    """

    k: K
    k_method: KMethod
    algorithm: str
    reducer: PartSpec
    embedder: str | None
    dry_run: bool
    bursts: bool = False
    drop_names: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    save_embedder: str | None = None


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
    params: Mapping[str, Any] | None = None,
    save_embedder: str | None = None,
) -> ReclusterOptions:
    """Parse options as they are given to `organizer.library.Library.recluster`.

    Raises:
        SettingsError: k, the way to choose it, the space, the centring or an option cannot be.
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
    values = algorithm_params(algorithm, params) if params else {}
    if save_embedder is not None:
        require_text("save_embedder", save_embedder)
        if not trains(algorithm):
            raise SettingsError(
                f"{algorithm} trains no network, so there is no embedder to save",
                "leave --save-embedder out, or --algorithm dec, dcn or fwr",
            )
    return ReclusterOptions(
        k,
        k_method,
        algorithm,
        space,
        embedder,
        dry_run,
        bursts,
        drop_names,
        params=values,
        save_embedder=save_embedder,
    )


def algorithm_params(algorithm: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a clusterer's own, by their names in Python.

    Args:
        algorithm: Name of the clusterer.
        params: As they are typed.

    Raises:
        SettingsError: It has no such option, or a value is none for it.
    """
    return option_values(
        CLUSTERERS,
        algorithm,
        params,
        options=described_options(CLUSTERERS, algorithm),
        listing=f"organizer recluster --algorithm {algorithm} --options",
    )
