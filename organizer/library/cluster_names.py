"""Clusters as people name them: by a name in any case, or by an id; and what a name may be.

Whatever takes a cluster (the command line, the library's objects, tables, folders that are read
back) asks here, so that a name means the same cluster everywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence

from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.errors import SettingsError
from organizer.library.current import unknown_cluster
from organizer.near_words import did_you_mean, near_words
from organizer.spelling import name_key
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, UNSURE

UNASSIGNED_WORDS = frozenset({UNSURE, "unassigned"})
"""What the unassigned images are called where a cluster can be named."""

RESERVED = UNASSIGNED_WORDS | {"all", "none"}
"""Words that a cluster cannot be called, since commands take them for something else."""

_SHOWN = 20
_MOST_DIGITS = 18


def typed_name(text: str) -> str:
    """A name with single spaces, an accent and its letter as one character."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def require_possible_name(text: str) -> str:
    """A name that a cluster may be given, tidied.

    Names that clusters of older libraries have already are not asked about; they go on working.

    Raises:
        SettingsError: It has no letters, is a number, which would be taken for an id, or a word
            that commands take for something else.
    """
    name = typed_name(text)
    if not name or not name.isprintable():
        raise SettingsError(
            f"a cluster cannot be called {name!r}", 'a name has letters, for example "Red fox"'
        )
    if name.isdecimal():
        raise SettingsError(
            f"a cluster cannot be called {name!r}: a number is the id of a cluster",
            f'a name has letters, for example "Fox {name}"',
        )
    if name_key(name) in RESERVED:
        raise SettingsError(
            f"a cluster cannot be called {name!r}: commands take that word for something else",
            "choose another name",
        )
    return name


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one in any case and with any spaces."""
    return name_key(typed_name(one)) == name_key(typed_name(other))


def bearers(name: str, names: Mapping[int, str]) -> list[int]:
    """The clusters that a name may mean: those that have it as it stands, or those in any case."""
    wanted = typed_name(name)
    exact = [i for i, known in names.items() if known == wanted]
    key = name_key(wanted)
    return exact or [i for i, known in names.items() if name_key(known) == key]


def cluster_called(named: str, names: Mapping[int, str]) -> int:
    """The one cluster of a name, in any case.

    Raises:
        SettingsError: No cluster has it, or several do.
    """
    found = bearers(named, names)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{i} {names[i]}" for i in sorted(found))
        raise SettingsError(
            f"{len(found)} clusters are called {named!r}, but for the case of letters: {listed}",
            "type the id of one of them",
        )
    raise SettingsError(f"no cluster is called {named!r}", _names_near(named, names))


def as_cluster_id(named: int | str) -> int | None:
    """What is an id: a number, or its digits; None for anything else."""
    if isinstance(named, int):
        return named
    text = named.strip()
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def resolve_cluster(
    store: Store,
    clustering: StoredClustering,
    named: int | str,
    *,
    constraints: Constraints | None = None,
) -> int:
    """The id of a current cluster, as a person names it.

    Digits are an id; where no cluster has that id, but one of an older library has the number as
    its name, they are that name.

    Args:
        store: The library.
        clustering: The current clustering.
        named: An id, or a name in any case.
        constraints: What follows from all decisions, where that is known.

    Raises:
        SettingsError: No cluster is called so, or several are.
    """
    ids = store.clusterings.cluster_ids(clustering.clustering_id)
    constraints = constraints or compile_constraints(store.decisions.current())
    here = set(ids)
    names = {i: name for i, name in constraints.names.items() if i in here}
    cluster_id = as_cluster_id(named)
    if cluster_id is None or (isinstance(named, str) and cluster_id not in here):
        return _by_name(store, ids, constraints, str(named), names, cluster_id)
    if cluster_id not in here:
        raise unknown_cluster(store, ids, constraints.retired, cluster_id)
    return cluster_id


def resolve_members(
    store: Store,
    clustering: StoredClustering,
    named: int | str,
    *,
    constraints: Constraints | None = None,
) -> int:
    """As `resolve_cluster`, and NOISE for the unassigned images.

    Raises:
        SettingsError: No cluster is called so, or several are.
    """
    if isinstance(named, str) and name_key(named.strip()) in UNASSIGNED_WORDS:
        return NOISE
    return resolve_cluster(store, clustering, named, constraints=constraints)


def _by_name(
    store: Store,
    ids: Sequence[int],
    constraints: Constraints,
    named: str,
    names: Mapping[int, str],
    cluster_id: int | None,
) -> int:
    if cluster_id is not None and not bearers(named, names):
        raise unknown_cluster(store, ids, constraints.retired, cluster_id)
    try:
        return cluster_called(named, names)
    except SettingsError:
        former = [] if bearers(named, names) else bearers(named, constraints.names)
        if former:  # it lost its images; a recluster may bring it back
            raise unknown_cluster(store, ids, constraints.retired, former[0]) from None
        raise


def _names_near(named: str, names: Mapping[int, str]) -> str:
    if not names:
        return "no cluster has a name yet; organizer clusters lists them by id"
    return did_you_mean(near_words(named, names.values()), f"there are: {_listed(names.values())}")


def _listed(names: Collection[str]) -> str:
    known = sorted(names, key=name_key)
    return ", ".join(known[:_SHOWN]) + (" ..." if len(known) > _SHOWN else "")
