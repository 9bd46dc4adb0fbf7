"""Suggestions, questions and review over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from organizer.client import Client, ServiceError
from organizer.client.models import AcceptedSuggestion, GivenAnswer
from organizer.library import Library
from organizer.settings import Settings
from tests.service.servers import running
from tests.shades import NAMES, make_shades


@pytest.fixture
def shades(tmp_path: Path) -> Iterator[tuple[Client, Library]]:
    """A client of a library in which two of four clusters are named, and the library."""
    make_shades(tmp_path)
    with (
        Library.open(tmp_path, Settings()) as library,
        running(library) as url,
        Client(url) as client,
    ):
        yield client, library


def test_suggestions_come_in_cohorts_and_are_accepted(shades: tuple[Client, Library]) -> None:
    client, library = shades
    report = library.suggestions.propose()
    found = client.suggestions()
    assert {c.name for c in found.cohorts} <= {*NAMES.values()}
    assert sum(cohort.count for cohort in found.cohorts) == len(report.suggestions) > 0
    counts = [cohort.count for cohort in found.cohorts]
    assert counts == sorted(counts, reverse=True)
    expected = {(s.image_id, s.cluster_id): s.confidence for s in report.suggestions}
    for cohort in found.cohorts:
        confidences = [image.confidence for image in cohort.images]
        assert confidences == sorted(confidences, reverse=True)
        for image in cohort.images:
            assert image.confidence == pytest.approx(expected[image.id, cohort.cluster])
    assert (found.held_out, found.right) == (report.held_out, report.right)
    cohort = found.cohorts[0]
    taken = cohort.images[: max(1, cohort.count // 2)]
    revision = found.revision
    done = client.accept(
        [AcceptedSuggestion(image=i.id, cluster=cohort.cluster, name=cohort.name) for i in taken]
    )
    assert done.revision == revision + 1, "one step"
    for image in taken:
        now = client.image(image.id)
        assert (now.cluster, now.state) == (cohort.cluster, "decided")
    again = {i.id for c in client.suggestions().cohorts for i in c.images}
    assert not again & {image.id for image in taken}
    client.undo()
    assert client.image(taken[0].id).cluster != cohort.cluster


def test_only_the_suggestions_of_a_name(shades: tuple[Client, Library]) -> None:
    client, _ = shades
    for name in NAMES.values():
        assert {c.name for c in client.suggestions(name).cohorts} <= {name}
    assert client.suggestions(min_confidence=1.0).cohorts == [] or all(
        image.confidence >= 1.0
        for cohort in client.suggestions(min_confidence=1.0).cohorts
        for image in cohort.images
    )
    with pytest.raises(ServiceError, match="nobody") as raised:
        client.suggestions("nobody")
    assert raised.value.status in {404, 422}


def test_a_suggestion_that_is_none_is_refused(shades: tuple[Client, Library]) -> None:
    client, _ = shades
    client.status()
    for image, cluster in (("0" * 32, 1), (next(client.images()).id, 999)):
        with pytest.raises(ServiceError) as raised:
            client.accept([AcceptedSuggestion(image=image, cluster=cluster, name="x")])
        assert raised.value.status in {404, 409, 422}


def test_questions_are_those_of_the_library(shades: tuple[Client, Library]) -> None:
    client, library = shades
    expected = [q.image_id for q in library.suggestions.ask(5)]
    assert [q.id for q in client.questions(limit=5).questions] == expected


def test_the_review_of_a_sample(client: Client) -> None:
    sample = client.review_sample(limit=12)
    assert {image.drawn for image in sample.images} == {"random"}
    assert len(sample.images) == 12
    answers = [
        GivenAnswer(
            image=image.id,
            cluster=image.shown_in,
            belongs=place > 0,
            drawn=image.drawn,
            clustering=image.clustering,
        )
        for place, image in enumerate(sample.images)
    ]
    assert client.answer(answers).stored == 12
    assert client.answer(answers).stored == 0, "they are known already"
    audit = client.audit().audit
    assert audit is not None
    wrong = sample.images[0]
    before = client.status().revision
    done = client.correct()
    assert done.revision == before + 1
    assert client.image(wrong.id).cluster != wrong.shown_in
    client.undo()
    assert client.image(wrong.id).cluster == wrong.shown_in


def test_the_review_of_some_clusters(client: Client) -> None:
    one, other = (cluster.id for cluster in client.clusters().clusters[:2])
    sample = client.review_sample(limit=6, clusters=[one, other])
    assert {image.shown_in for image in sample.images} == {one, other}
    doubtful = client.review_doubtful(limit=5, clusters=[one])
    assert {image.shown_in for image in doubtful.images} <= {one}
    with pytest.raises(ServiceError, match="999"):
        client.review_sample(clusters=[999])
