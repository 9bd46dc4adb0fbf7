"""All that people decided, in lines that a person can read and a program can apply again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from organizer.store import Store
from organizer.types import Decision


def readable_lines(store: Store) -> list[dict[str, Any]]:
    """Decisions, answers, choices and deployments, each with the images that it is about.

    An image is its id and the paths of its files: by these a decision can be made again in a
    library that was made anew.
    """
    with store.snapshot():
        decisions, current = store.decisions.all(), store.decisions.current()
        users = {step.step_id: step.user for step in store.steps.all()}
        answers, times = store.answers.all(), store.answers.times()
        choices, deployments = store.choices.all(), store.deployments.all()
    about = {image_id for decision in decisions for image_id in decision.image_ids}
    about |= {answer.image_id for answer in answers}
    paths = _paths(store, about)
    holds = {decision.decision_id for decision in current}
    lines: list[dict[str, Any]] = [
        {
            "decision": decision.kind.value,
            "at": decision.at,
            "user": users.get(decision.step_id, ""),
            "holds": decision.decision_id in holds,
            "cluster_id": decision.cluster_id,
            "name": decision.name,
            "others": list(decision.others),
            "images": [
                {"id": i, "paths": paths.get(i, []), "group": group}
                for i, group in _grouped(decision)
            ],
        }
        for decision in decisions
    ]
    lines += [
        {
            "answer": answer.belongs,
            "at": times[answer.answer_id],
            "user": answer.user,
            "cluster_id": answer.cluster_id,
            "images": [{"id": answer.image_id, "paths": paths.get(answer.image_id, [])}],
        }
        for answer in answers
    ]
    lines += [{"choice": name, "value": value} for name, value in choices.items()]
    fields = ("deployment_id", "location", "camera", "latitude", "longitude", "start", "end")
    lines += [
        {"deployment": d.deployment_id}
        | {name: getattr(d, name) for name in fields[1:]}
        | {"shift": d.shift}
        for d in deployments
    ]
    return lines


def _grouped(decision: Decision) -> Iterable[tuple[str, int]]:
    groups = [*decision.groups] + [0] * (len(decision.image_ids) - len(decision.groups))
    return zip(decision.image_ids, groups, strict=True)


def _paths(store: Store, image_ids: set[str]) -> dict[str, list[str]]:
    found = store.photos.files_of(image_ids)
    return {image_id: [str(row.file) for row in rows] for image_id, rows in found.items()}
