"""What a job has to say to the person is shown where it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from organizer.library import Library
from organizer.types import Detected, Detection, ImageDetections
from tests.gallery.opened import Gallery
from tests.service.servers import serving


def test_a_recluster_of_this_page_is_said_once_with_its_notes(gallery: Gallery) -> None:
    gallery.decide(
        *({"kind": "rename", "cluster": at, "name": f"Name {at}"} for at in gallery.names)
    )
    gallery.go("#/recluster")
    gallery.page.click("text=Exactly")
    gallery.page.fill("[aria-label='number of clusters']", "3")
    gallery.page.click("text=Show what would change")
    gallery.page.wait_for_selector(".preview")
    assert "too few" in gallery.text(".preview")
    gallery.page.click(".buttons >> text=Recluster")
    gallery.page.wait_for_selector("text=See the clusters")
    assert "too few" in gallery.text("main")
    gallery.settled()
    assert "recluster" not in gallery.says
    gallery.page.click(".toast.done >> text=Undo")
    gallery.until(lambda: "Undone" in gallery.says)


def test_a_name_that_a_recluster_would_lose_is_asked_for(browser: Any, eight: Library) -> None:
    """Of the photos of one named cluster a detector sees no animal, so it has no crops."""
    lost, kept, *_ = eight.clusters.summaries()
    eight.corrections.rename(lost.cluster_id, "Empty")
    eight.corrections.rename(kept.cluster_id, "Fox")
    without = {member.image_id for member in eight.clusters.members(lost.cluster_id)}
    box = (Detection("animal", 0.9, 0.1, 0.1, 0.8, 0.8),)
    eight.detections.add(
        ImageDetections(
            i, Detected.EMPTY if i in without else Detected.FOUND, () if i in without else box
        )
        for i in eight.store.photos.columns("image_id")["image_id"].tolist()
    )
    with serving(eight) as client:
        gallery = Gallery.open(browser, client, "#/recluster")
        page = gallery.page
        page.click("text=More choices")
        page.select_option(".choices select >> nth=0", "crops:channel-mean")
        page.click("text=Show what would change")
        page.wait_for_selector(".preview")
        assert "Empty was named" in gallery.text("main")
        assert page.locator(".buttons .primary").is_disabled()
        page.click("text=Drop it all the same")
        page.click(".buttons .primary")
        gallery.until(lambda: "clusters now" in gallery.says)
        names = {one["name"] for one in gallery.get("/clusters")["clusters"]}
        assert names & {"Fox", "Empty"} == {"Fox"}
        gallery.close()


def test_files_that_were_not_arranged_are_said(gallery: Gallery, tmp_path: Path) -> None:
    found = gallery.get("/images", limit=1000)["items"]
    for image in found:
        path = Path(image["path"])
        if not path.is_absolute():
            path = Path(gallery.get("/status")["roots"][0]) / path
        path.write_bytes(path.read_bytes() + b"changed")
    gallery.go("#/folders")
    gallery.page.fill(".folders-form input", str(tmp_path / "sorted"))
    gallery.page.click("text=Show the plan")
    gallery.page.wait_for_selector(".preview, .job-problem")
    gallery.page.click(".buttons .primary")
    gallery.page.wait_for_selector(".job-problem")
    total = len(found)
    assert f"0 of {total} files" in gallery.text(".job-problem")
    assert gallery.page.locator(".job-problem li").count()
    assert f"{total} changed" in gallery.text(".job-problem")
    assert not gallery.page.locator(".toast.done").count()
