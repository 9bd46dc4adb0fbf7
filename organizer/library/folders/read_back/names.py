"""Names of clusters from the names of folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from organizer.arrange.names import safe_name
from organizer.errors import SettingsError
from organizer.library.arrangements.active import folder_name
from organizer.library.cluster_names import require_possible_name
from organizer.library.folders.items import cluster_label
from organizer.library.folders.read_back.compare import FolderComparison
from organizer.spelling import name_key


def name_of_folder(folder: str) -> str:
    """The name that a folder's name gives a cluster: blanks in a row count as one."""
    return " ".join(folder.split())


def name_from_folder(folder: str, cluster_id: int, former: Collection[str]) -> str:
    """The name that a folder gives a cluster, without the id where the former folders had it.

    Args:
        folder: The folder's new name.
        cluster_id: The cluster.
        former: The former names of its folders.
    """
    number = rf"0*{cluster_id}"
    patterns = [
        rf"^{number}[ _.-]+(?=.)",
        rf"(?<=.)[ _.-]+\({number}\)$",
        rf"(?<=\D)[_.-]{number}$",
    ]
    for pattern in patterns:
        if any(re.search(pattern, name) for name in former):
            folder = re.sub(pattern, "", folder)
    return folder


@dataclass(frozen=True, slots=True)
class InferredNames:
    """The new names of clusters.

    Attributes:
        renamed: New names by cluster.
        not_applied: What cannot be applied, a line each.
    """

    renamed: dict[int, str] = field(default_factory=dict)
    not_applied: list[str] = field(default_factory=list)


def infer_names(
    comparison: FolderComparison,
    names: Mapping[int, str],
    current_of: Mapping[int, int | None],
) -> InferredNames:
    """Infer the new names of clusters from their renamed folders.

    Args:
        comparison: The folders and what a person did to them.
        names: The names of clusters.
        current_of: The current cluster of each cluster that has a folder; None where it is gone.
    """
    found = InferredNames()
    for cluster_id, folder in comparison.changes.renamed.items():
        current = current_of.get(cluster_id)
        former = set(_folder_names(comparison, cluster_id))
        name = name_of_folder(name_from_folder(folder, cluster_id, former))
        if current is None:
            found.not_applied.append(f"cluster {cluster_id} is gone: it cannot be called {name!r}")
        elif safe_name(cluster_label(names, current)) == name:
            continue
        elif refused := why_impossible(name):
            found.not_applied.append(refused)
        else:
            found.renamed[current] = name
    taken = {name_key(name): i for i, name in names.items() if i not in found.renamed}
    for cluster_id, name in list(found.renamed.items()):
        bearer = taken.get(name_key(name))
        if bearer is not None:
            del found.renamed[cluster_id]
            found.not_applied.append(
                f"cluster {cluster_id} cannot be called {name!r}: cluster {bearer} has it"
            )
    return found


def why_impossible(name: str) -> str:
    """Why no cluster can have a name; empty where one can."""
    try:
        require_possible_name(name)
    except SettingsError as error:
        return error.message
    return ""


def _folder_names(comparison: FolderComparison, cluster_id: int) -> Iterator[str]:
    for photo in comparison.photos:
        if photo.cluster_id == cluster_id:
            yield folder_name(photo.folder)
