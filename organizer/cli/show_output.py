"""What is known of photos, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    box_text,
    cluster_text,
    distance_digits,
    number_text,
    path_text,
    print_facts,
    print_json,
    print_line,
    time_text,
    usual_text,
)
from organizer.library.images.crops import PhotoGroup
from organizer.library.images.details import ImageDetails
from organizer.library.images.listing import ListedImage
from organizer.typed import as_typed
from organizer.types import AssignmentState, UsualDistance

_SHORT_ID = 12


def print_details(
    photos: Sequence[ImageDetails],
    names: Mapping[int, str],
    usual: Mapping[int, UsualDistance],
    *,
    json: bool,
) -> None:
    """What is known of photos.

    Args:
        photos: The photos, or crops.
        names: The names of clusters.
        usual: How far the images of each cluster lie from its centroid.
        json: Whether JSON is printed.
    """
    if json:
        print_json({"images": [_fields(photo, names, usual) for photo in photos]})
        return
    for place, photo in enumerate(photos):
        if place:
            print_line("")
        print_facts(list(_facts(photo, names, usual)), paths=("file", "also"))
    _say_what_next(photos, names)


def file_name(photo: ImageDetails) -> str:
    """The name of a photo's first file, or the beginning of its id."""
    return photo.paths[0][0].name if photo.paths else photo.image_id[:_SHORT_ID]


def _facts(
    photo: ImageDetails, names: Mapping[int, str], usual: Mapping[int, UsualDistance]
) -> Iterator[tuple[str, str]]:
    """Labels and texts, those that a person asks for first."""
    for place, (path, is_present) in enumerate(photo.paths):
        box = None if place else photo.box
        yield ("also" if place else "file", path_text(path, box, missing=not is_present))
    listed = photo.listed
    if listed is not None or not photo.crops:
        yield "cluster", _cluster_text(photo, names)
    if listed is not None and listed.distance is not None:
        yield "distance", _distance_text(listed, usual)
    for crop in photo.crops:
        seen = f"{crop.category} {crop.confidence:.0%}{box_text(crop.box)}: "
        by = ", decided by a person" if crop.decided else ""
        yield "crop", seen + _name_text(crop.cluster_id, names) + by
    if photo.group is not PhotoGroup.UNKNOWN:
        yield "detector", photo.group.value
    if listed is not None:
        facts = {"taken": listed.taken_at, "camera": listed.camera, "site": listed.deployment}
        yield from ((label, text) for label, text in facts.items() if text)
    for decision in photo.decisions:
        yield (
            "decided",
            "  ".join(filter(None, (time_text(decision.at), decision.user, decision.what))),
        )
    yield "id", photo.image_id


def _cluster_text(photo: ImageDetails, names: Mapping[int, str]) -> str:
    listed = photo.listed
    if listed is None or listed.state is None:
        return "not clustered yet"
    if listed.cluster_id is None:
        return f"unassigned; the nearest is {_name_text(listed.candidate, names)}"
    by = ", decided by a person" if listed.state is AssignmentState.DECIDED else ""
    return _name_text(listed.cluster_id, names) + by


def _name_text(cluster_id: int | None, names: Mapping[int, str]) -> str:
    if cluster_id is None:
        return "in no cluster"
    return cluster_text(cluster_id, names.get(cluster_id))


def _distance_text(listed: ListedImage, usual: Mapping[int, UsualDistance]) -> str:
    found = usual.get(_nearest(listed))
    scale = [found.typical, found.border] if found else []
    digits = distance_digits([listed.distance or 0.0, *scale])
    text = f"{number_text(listed.distance, digits)} to the centroid"
    return text if found is None else f"{text}: {usual_text(found, digits)}"


def _nearest(listed: ListedImage) -> int:
    """The cluster of an image, or the nearest one of an unassigned image; -1 for none."""
    near = listed.candidate if listed.cluster_id is None else listed.cluster_id
    return -1 if near is None else near


def _say_what_next(photos: Sequence[ImageDetails], names: Mapping[int, str]) -> None:
    """How to see the cluster of the first photo that is in one."""
    for photo in photos:
        places = [crop.cluster_id for crop in photo.crops]
        places += [photo.listed.cluster_id] if photo.listed else []
        known = next((place for place in places if place is not None), None)
        if known is not None:
            cluster = as_typed(names.get(known, known))
            say_next("the others of its cluster", f"organizer clusters show {cluster}")
            return


def _fields(
    photo: ImageDetails, names: Mapping[int, str], usual: Mapping[int, UsualDistance]
) -> dict[str, object]:
    listed = photo.listed
    near = usual.get(_nearest(listed)) if listed else None
    return {
        "image_id": photo.image_id,
        "paths": [{"path": path, "missing": not present} for path, present in photo.paths],
        "photo_id": photo.frame_id,
        "box": photo.box,
        "group": photo.group,
        "cluster_id": listed.cluster_id if listed else None,
        "cluster_name": _name(listed.cluster_id if listed else None, names),
        "candidate": listed.candidate if listed else None,
        "state": listed.state if listed else None,
        "distance": listed.distance if listed else None,
        "distances_to_centroid": asdict(near) if near else None,
        "taken_at": listed.taken_at if listed else None,
        "camera": listed.camera if listed else None,
        "deployment": listed.deployment if listed else None,
        "crops": [
            {
                "image_id": crop.crop_id,
                "box": crop.box,
                "category": crop.category,
                "confidence": crop.confidence,
                "cluster_id": crop.cluster_id,
                "cluster_name": _name(crop.cluster_id, names),
                "decided": crop.decided,
            }
            for crop in photo.crops
        ],
        "decisions": [asdict(decision) for decision in photo.decisions],
    }


def _name(cluster_id: int | None, names: Mapping[int, str]) -> str | None:
    return None if cluster_id is None else names.get(cluster_id)
