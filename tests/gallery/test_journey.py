"""From the wall to named clusters, corrected images and folders, by the keyboard alone: a bar."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.browsers import another_chromium
from tests.gallery.opened import Gallery
from tests.service.servers import serving

CLUSTERS, CORRECTIONS = 25, 20
PRESSES = 120
_SEEN = 40  # images at the beginning of a cluster that a person looks at
_SETS = ("wildcats", "caltech20")


@pytest.fixture
def real(real_photos: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """The service of a library of real photos, whose folders say what is on them."""
    for name in _SETS:
        if not (real_photos / name).exists():
            pytest.skip(f"NOT TESTED: there is no {name} in {real_photos}")
        shutil.copytree(real_photos / name, tmp_path / "photos" / name)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "photos"])
        library.recluster(k=CLUSTERS)
        with serving(library) as client:
            yield client


@pytest.fixture
def fresh(browser: Any) -> Iterator[Any]:
    """A browser of its own: in whole runs this page crashed in the one that all tests share."""
    with another_chromium(browser) as found:
        yield found


def _truth(image: dict[str, Any]) -> str:
    return Path(image["path"]).parent.name.replace("_", " ").capitalize()


def _members(gallery: Gallery, cluster: int, **more: Any) -> list[dict[str, Any]]:
    return list(gallery.get("/images", cluster=cluster, limit=1_000, **more)["items"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_clusters_are_named_corrected_and_arranged_by_few_keys(
    fresh: Any, real: httpx.Client, tmp_path: Path
) -> None:
    gallery = Gallery.open(fresh, real)
    names = _name_all(gallery)
    corrected = _correct(gallery, names)
    assert corrected >= CORRECTIONS
    _arrange(gallery, tmp_path / "sorted")
    assert len(names) == CLUSTERS
    assert gallery.presses <= PRESSES
    gallery.close()


def _name_all(gallery: Gallery) -> dict[int, str]:
    """Name every cluster by what most of its images show."""
    names: dict[int, str] = {}
    for cluster in gallery.names:
        (most, _), *_ = Counter(map(_truth, _members(gallery, cluster))).most_common(1)
        taken = sum(name.split(" ~")[0] == most for name in names.values())
        names[cluster] = f"{most} ~{taken + 1}" if taken else most
    gallery.press("n")
    for name in names.values():
        gallery.type(name)
        gallery.press("Enter")
    gallery.until(lambda: None not in gallery.names.values())
    assert gallery.names == names
    return names


def _wrong(gallery: Gallery, cluster: int, names: dict[int, str]) -> list[tuple[int, str]]:
    """Where the first images of a cluster are that belong to another: (place, its name)."""
    here = names[cluster].split(" ~")[0]
    found = _members(gallery, cluster, order="border", state="auto")[:_SEEN]
    real_names = set(names.values())
    return [
        (place, _truth(image))
        for place, image in enumerate(found)
        if _truth(image) != here and _truth(image) in real_names
    ]


def _correct(gallery: Gallery, names: dict[int, str]) -> int:
    """Move images that are in the wrong cluster, where most of them are first."""
    order = sorted(names, key=lambda cluster: -len(_wrong(gallery, cluster, names)))
    done = 0
    for cluster in order:
        wrong = _wrong(gallery, cluster, names)
        if done >= CORRECTIONS or not wrong:
            break
        gallery.press("o")
        gallery.type(names[cluster])
        gallery.press("Enter")
        gallery.page.wait_for_url(f"**/#/cluster/{cluster}")
        gallery.page.get_by_role("heading", name=names[cluster]).wait_for()
        gallery.wait_for_grid()
        gallery.until_total(gallery.get("/images", cluster=cluster, state="auto")["total"])
        done += _move_each(gallery, wrong[: CORRECTIONS - done])
    return done


def _move_each(gallery: Gallery, wrong: list[tuple[int, str]]) -> int:
    """With the arrows to each image, and to its cluster by name, or to the same as the last one."""
    cursor, left, last = 0, 0, ""
    for place, name in wrong:
        while cursor < place - left:
            gallery.press("ArrowRight")
            cursor += 1
        total = gallery.total
        if name == last:
            gallery.press("r")
        else:
            gallery.press("m")
            gallery.type(name)
            gallery.press("Enter")
        gallery.until_total(total - 1)
        left, last = left + 1, name
    return len(wrong)


def _arrange(gallery: Gallery, target: Path) -> None:
    gallery.press("o")
    gallery.type("Folders")
    gallery.press("Enter")
    gallery.page.wait_for_selector(".folders-form input")
    gallery.until(lambda: gallery.evaluate("document.activeElement.tagName") == "INPUT")
    gallery.press("Control+a")
    gallery.type(str(target))
    gallery.press("Enter")
    gallery.page.wait_for_selector(".preview")
    gallery.press("Enter")
    gallery.until(lambda: "In place" in gallery.text("main"), seconds=120)
    assert len(list(target.iterdir())) >= CLUSTERS
