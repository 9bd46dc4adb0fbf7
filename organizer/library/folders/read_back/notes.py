"""Notes on decisions that were read from folders of photos with crops.

A photo is one file and may show several animals; its folder is about some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from organizer.counts import count_text
from organizer.library.folders.photo_folders import PhotoFolders

DecidedMembers = Mapping[str, Sequence[str]]
"""The members that a decision is about, by their photo."""


def crop_notes(
    folders: PhotoFolders, decided: DecidedMembers, into: Mapping[str, int | None], emptied: int
) -> Iterator[str]:
    """What a person should know of the decisions, a line each.

    Args:
        folders: The folders of the photos as the current clusters have them.
        decided: The members that change their cluster.
        into: The cluster that photos were put into, None for a new one.
        emptied: Number of photos with a detected animal that were put to the empty ones.
    """
    whole = sum(folders.whole_photo(image_id) is not None for image_id in decided)
    if whole:
        yield f"{_photos(whole)} {_have(whole)} no crop: all of the photo is meant"
    several = {image_id: members for image_id, members in decided.items() if len(members) > 1}
    if several:
        crops = sum(map(len, several.values()))
        meant = count_text(crops, "crop")
        yield f"in {_photos(len(several))} more than one animal is meant: {meant}"
    yield from _staying_notes(folders, decided, into)
    quarantined = sum(folders.is_quarantined(image_id) for image_id in decided)
    if quarantined:
        stay = "stays" if quarantined == 1 else "stay"
        yield (
            f"{_photos(quarantined)} {stay} in the folder of people or vehicles: the decision is "
            "about the animals"
        )
    if emptied:
        yield (
            f"in {_photos(emptied)} put to the empty ones a detector saw something: it leaves its "
            "cluster, and goes to another that it fits or is unassigned"
        )


def _staying_notes(
    folders: PhotoFolders, decided: DecidedMembers, into: Mapping[str, int | None]
) -> Iterator[str]:
    """Notes on the other animals of the photos, which stay in their clusters."""
    staying = {i: set(folders.members(i)) - set(members) for i, members in decided.items()}
    mixed = sum(bool(rest) for rest in staying.values())
    if mixed:
        show = "shows" if mixed == 1 else "show"
        yield f"{_photos(mixed)} {show} other animals too: those stay in their clusters"
    already = sum(
        to is not None and any(folders.members(i)[member] == to for member in staying[i])
        for i, to in into.items()
        if i in staying
    )
    if already:
        yield (
            f"of {_photos(already)} another animal is in that cluster already: what is put there "
            "now is the one by which the photo was sorted"
        )


def _photos(count: int) -> str:
    return count_text(count, "photo")


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
