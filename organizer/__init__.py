"""organizer: groups a folder of photos by what is in them, and keeps the groups.

    import organizer

    with organizer.open("photos") as lib:
        lib.ingest("photos")
        lib.recluster(k="auto")
        for cluster in lib.clusters:
            print(cluster.id, cluster.name, cluster.size)
        lib.clusters[3].rename("Red fox")
        lib.search("some/photo.jpg", limit=5)

The folder listing is the data flow: ``discover``, ``decode``, ``embed``, ``store``, ``cluster``,
``evaluate``, ``report``, ``export``, ``arrange``. The stages meet in ``organizer.library``. What is
listed here is imported when it is first used, so that importing organizer costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from organizer.arrange.types import ArrangeMode as ArrangeMode
    from organizer.cluster.kmeans import KMeans as KMeans
    from organizer.errors import ClusteringError as ClusteringError
    from organizer.errors import OrganizerError as OrganizerError
    from organizer.errors import PluginError as PluginError
    from organizer.errors import SettingsError as SettingsError
    from organizer.errors import StoreError as StoreError
    from organizer.errors import WeightsError as WeightsError
    from organizer.library.clustering.report import ReclusterReport as ReclusterReport
    from organizer.library.clusters.api import Cluster as Cluster
    from organizer.library.clusters.api import Clusters as Clusters
    from organizer.library.compare.grid import parse_plan as parse_plan
    from organizer.library.core import Library as Library
    from organizer.library.corrections.report import DecisionReport as DecisionReport
    from organizer.library.corrections.requests import ExcludeImages as ExcludeImages
    from organizer.library.corrections.requests import MakeCluster as MakeCluster
    from organizer.library.corrections.requests import MergeClusters as MergeClusters
    from organizer.library.corrections.requests import MoveImages as MoveImages
    from organizer.library.corrections.requests import PinCluster as PinCluster
    from organizer.library.corrections.requests import RenameCluster as RenameCluster
    from organizer.library.corrections.requests import RetireCluster as RetireCluster
    from organizer.library.corrections.requests import SplitCluster as SplitCluster
    from organizer.library.corrections.undo import UndoReport as UndoReport
    from organizer.library.exports.options import ExportOptions as ExportOptions
    from organizer.library.folders.options import ArrangeOptions as ArrangeOptions
    from organizer.library.images.api import Image as Image
    from organizer.library.ingest.report import IngestReport as IngestReport
    from organizer.library.progress import Progress as Progress
    from organizer.library.search.hits import Hits as Hits
    from organizer.protocols import Embedder as Embedder
    from organizer.settings import Settings as Settings
    from organizer.types import Hit as Hit

_HOME = {
    "ArrangeMode": "organizer.arrange.types",
    "ArrangeOptions": "organizer.library.folders.options",
    "Cluster": "organizer.library.clusters.api",
    "ClusteringError": "organizer.errors",
    "Clusters": "organizer.library.clusters.api",
    "DecisionReport": "organizer.library.corrections.report",
    "Embedder": "organizer.protocols",
    "ExcludeImages": "organizer.library.corrections.requests",
    "ExportOptions": "organizer.library.exports.options",
    "Hit": "organizer.types",
    "Hits": "organizer.library.search.hits",
    "Image": "organizer.library.images.api",
    "IngestReport": "organizer.library.ingest.report",
    "KMeans": "organizer.cluster.kmeans",
    "Library": "organizer.library.core",
    "MakeCluster": "organizer.library.corrections.requests",
    "MergeClusters": "organizer.library.corrections.requests",
    "MoveImages": "organizer.library.corrections.requests",
    "OrganizerError": "organizer.errors",
    "PinCluster": "organizer.library.corrections.requests",
    "PluginError": "organizer.errors",
    "Progress": "organizer.library.progress",
    "ReclusterReport": "organizer.library.clustering.report",
    "RenameCluster": "organizer.library.corrections.requests",
    "RetireCluster": "organizer.library.corrections.requests",
    "Settings": "organizer.settings",
    "SettingsError": "organizer.errors",
    "SplitCluster": "organizer.library.corrections.requests",
    "StoreError": "organizer.errors",
    "UndoReport": "organizer.library.corrections.undo",
    "WeightsError": "organizer.errors",
    "parse_plan": "organizer.library.compare.grid",
}
"""Where each public name is defined."""

__all__ = ["open", *_HOME]  # noqa: PLE0604 - the names are told once


def open(path: str | Path = ".", *, create: bool = True, **options: Any) -> Library:  # noqa: A001 - as gzip.open
    """Open the library of a folder, and make an empty one where there is none.

    Args:
        path: The folder that holds the library, or the library (``.organizer``) itself.
        create: Whether to make a library where there is none; the folder has to be there.
        **options: Settings by name (`Settings`): ``seed=1``, ``device="cpu"``.

    Raises:
        SettingsError: There is no such folder, or an option cannot be what was given.
        StoreError: There is no library and `create` is False, or it cannot be opened.

    Examples:
        >>> with organizer.open("photos") as lib:  # doctest: +SKIP
        ...     lib.ingest("photos")
    """
    from organizer.arguments import require_flag, require_path
    from organizer.errors import SettingsError
    from organizer.library import Library, library_path, require_library
    from organizer.settings import Settings, load_settings
    from organizer.store import Store

    names = sorted(Settings.model_fields.keys() - {"library"})
    for name in options.keys() - set(names):
        raise SettingsError(f"there is no setting {name!r}", f"there are: {', '.join(names)}")
    settings = load_settings(**options)
    folder = library_path(require_path("path", path))
    require_flag("create", create)
    if Store.is_library(folder):
        return Library.open(folder, settings)
    if not create:
        require_library(folder, below=folder.parent)
        return Library.open(folder, settings)
    if not folder.parent.is_dir():
        raise SettingsError(f"there is no folder {folder.parent}", "make it, or check the path")
    return Library.open_or_create(folder, settings)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
