"""Ids of images that became one with another are understood, typed or sent to the service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from organizer.library import Library
from organizer.store import Answer, SampleKind
from tests.conftest import Run
from tests.service.servers import problem, serving

ANY = {"If-Match": "*"}


@pytest.fixture
def pair(filled: Library) -> tuple[str, str]:
    """An image that is no more, and the one that it became."""
    filled.recluster(k=3)
    kept = filled.store.photos.image_at(filled.roots()[0] / "red" / "000.jpg")
    gone = "ab" * 16
    assert kept is not None
    with filled.store.writing():
        filled.store.merged_images.merge({gone: kept})
    return gone, kept


def test_python_understands_the_id(filled: Library, pair: tuple[str, str]) -> None:
    gone, kept = pair
    details = filled.images.details(gone)
    assert details is not None
    assert details.image_id == kept
    assert filled.images[gone].id == kept
    assert filled.images.present_file(gone) == filled.images.present_file(kept)
    assert filled.images.thumbnail(gone) is not None
    hits = [hit.image_id for hit in filled.search(gone, limit=3)]
    assert hits == [hit.image_id for hit in filled.search(kept, limit=3)]
    cluster = filled.clusters[1]
    filled.corrections.move([gone], cluster.id)
    assert kept in {member.image_id for member in cluster.members()}
    answer = Answer(gone, cluster.id, belongs=True, drawn=SampleKind.RANDOM)
    assert filled.review.answer([answer]) == 1
    assert filled.review.answer([replace(answer, image_id=kept)]) == 0


def test_the_command_line_understands_its_beginning(
    filled: Library, pair: tuple[str, str], run: Run
) -> None:
    gone, kept = pair
    filled.close()
    assert (
        run("search", gone, "-n", 2, "--json").json == run("search", kept, "-n", 2, "--json").json
    )
    moved = run("clusters", "move", gone[:8], "--to", 2)
    assert moved.code == 0, moved.err
    assert run("clusters", "move", "cd" * 4, "--to", 2).code == 2


def test_the_service_understands_the_id(filled: Library, pair: tuple[str, str]) -> None:
    gone, kept = pair
    with serving(filled) as client:
        assert client.get(f"/images/{gone}").json()["id"] == kept
        assert client.get(f"/images/{gone}/thumbnail/96").status_code == 200
        assert client.get(f"/images/{gone}/original").status_code == 200
        for decision in (
            {"kind": "move", "images": [gone], "to": 1},
            {"kind": "confirm", "images": [gone]},
        ):
            answer = client.post("/decisions", json={"decisions": [decision]}, headers=ANY)
            assert answer.status_code == 200, answer.text
        problem(client.get(f"/images/{'cd' * 16}"), 404, "not-found")
