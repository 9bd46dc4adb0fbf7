"""Photos of two kinds, each of which falls into two clusters: what suggestions are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_photo

NAMES = {"fox": "Füchse; rot", "owl": "Owl"}
EACH, SEED = 30, 3


def make_shades(home: Path) -> Path:
    """Sixty photos of two kinds in four clusters: two of them named, four images moved to each."""
    draw = np.random.default_rng(SEED)
    for place in range(EACH):
        for kind, usual in (("fox", (190, 90, 50)), ("owl", (50, 90, 190))):
            red, green, blue = np.clip(draw.normal(usual, 15), 5, 250).astype(int).tolist()
            file = home / "photos" / kind / f"{place:02}.jpg"
            make_photo(file, place + 100 * (kind == "owl"), colour=(red, green, blue))
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=4, reduce="none")
        for kind, name in NAMES.items():
            at = clusters_of(library, kind)
            large, small = sorted(set(at.values()), key=[*at.values()].count, reverse=True)
            library.corrections.rename(large, name)
            library.corrections.move([f for f, c in at.items() if c == small][::2][:4], large)
    return home


def clusters_of(library: Library, kind: str) -> dict[Path, int]:
    """The cluster of each photo of a kind."""
    table = library.assignments().to_pylist()
    return {
        Path(row["path"]): row["cluster_id"]
        for row in sorted(table, key=lambda row: str(row["path"]))
        if Path(row["path"]).parent.name == kind
    }
