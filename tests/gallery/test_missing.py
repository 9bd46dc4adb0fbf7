"""Images whose file is not there any more are marked: on the wall, in grids, and large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from organizer.library import Library
from tests.gallery.made import make_pictures
from tests.gallery.opened import Gallery


def test_what_is_missing_is_marked_wherever_it_is_shown(
    eight: Library, open_page: Callable[..., Gallery], tmp_path: Path
) -> None:
    card = make_pictures(tmp_path / "card", each=1, seed=90_000)
    eight.ingest([card])
    gone = sorted(card.glob("red/*.jpg"))[:3]
    image_id = eight.store.photos.image_at(gone[0])
    for file in gone:
        file.unlink()
    eight.ingest([card])
    assert image_id is not None
    details = eight.images.details(image_id)
    assert details is not None
    assert details.listed is not None
    cluster = details.listed.cluster_id
    wall = open_page()
    wall.until(lambda: "3 missing" in wall.text(f'.card[data-cluster="{cluster}"] .card-notes'))
    assert wall.page.locator(".card-notes", has_text="missing").count() == 1
    wall.go(f"#/cluster/{cluster}")
    wall.wait_for_grid()
    wall.until(lambda: wall.page.locator(".cell.missing").count() == 3)
    labels = [cell.get_attribute("aria-label") for cell in wall.page.locator(".cell.missing").all()]
    assert all(label.endswith(", file missing") for label in labels)
    wall.page.locator(".cell.missing").first.dblclick()
    wall.until(lambda: "file missing" in wall.text(".viewer-bar"))
