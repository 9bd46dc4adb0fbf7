"""The template that fits the folders of a library: a proposal, for a person to check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from organizer.deployments import is_card_folder
from organizer.store import Store

_ONE, _SEVERAL = "{deployment}/...", "{site}/{camera}/..."


def likely_template(store: Store) -> str:
    """Which template fits the folders of most photos.

    Where cards were ingested one by one, the folder that was ingested is the deployment, so that
    the template is a whole path; otherwise the folders below it are.
    """
    files = store.photos.file_columns("root_id", "path")
    pairs = zip(files["root_id"], files["path"], strict=True)
    levels = Counter((root_id, _levels(path)) for root_id, path in pairs)
    if not levels:
        return _SEVERAL
    by_depth: Counter[int] = Counter()
    for (_, depth), count in levels.items():
        by_depth[min(depth, 2)] += count
    depth = by_depth.most_common(1)[0][0]
    if depth:
        return _SEVERAL if depth > 1 else _ONE
    cards = {root_id for root_id, depth in levels if depth == 0}
    above = [r.folder.parent.as_posix() for r in store.roots.all() if r.root_id in cards]
    return f"{_shared(above).rstrip('/')}/{_ONE}"


def _levels(path: str) -> int:
    """The folders of a photo above those that cameras make."""
    folders = path.split("/")[:-1]
    return len(list(takewhile(lambda folder: not is_card_folder(folder), folders)))


def _shared(folders: Iterable[str]) -> str:
    """The folder of the most cards; those of others need a template of their own."""
    return Counter(folders).most_common(1)[0][0]
