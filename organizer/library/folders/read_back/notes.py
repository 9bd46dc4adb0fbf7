"""What a person should know of words that were read from folders of photos with crops.

A photo is one file and may show several animals; what its folder says is said of some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from organizer.library.folders.photo_folders import PhotoFolders

DecidedMembers = Mapping[str, Sequence[str]]
"""The members that are spoken of, by their photo."""


def crop_notes(
    filing: PhotoFolders, spoken: DecidedMembers, into: Mapping[str, int | None], emptied: int
) -> Iterator[str]:
    """What is to be known, a line each.

    Args:
        filing: Where the photos belong now.
        spoken: What is said to be in another cluster.
        into: The cluster that photos were put into, None for a new one.
        emptied: How many photos with a box of a detector were put to the empty ones.
    """
    whole = sum(filing.whole(image_id) is not None for image_id in spoken)
    if whole:
        yield f"{_photos(whole)} {_have(whole)} no crop: all of the photo is meant"
    rich = {image_id: members for image_id, members in spoken.items() if len(members) > 1}
    if rich:
        crops = sum(map(len, rich.values()))
        yield f"in {_photos(len(rich))} more than one animal is meant: {crops:,} crops"
    staying = {i: set(filing.members(i)) - set(members) for i, members in spoken.items()}
    mixed = sum(bool(rest) for rest in staying.values())
    if mixed:
        show = "shows" if mixed == 1 else "show"
        yield f"{_photos(mixed)} {show} other animals too: those stay in their clusters"
    already = sum(
        to is not None and any(filing.members(i)[member] == to for member in staying[i])
        for i, to in into.items()
        if i in staying
    )
    if already:
        yield (
            f"of {_photos(already)} another animal is in that cluster already: what is put there "
            "now is the one by which the photo was sorted"
        )
    apart = sum(filing.is_quarantined(image_id) for image_id in spoken)
    if apart:
        stay = "stays" if apart == 1 else "stay"
        yield (
            f"{_photos(apart)} {stay} in the folder of people or vehicles: the word is about the "
            "animals"
        )
    if emptied:
        yield (
            f"in {_photos(emptied)} put to the empty ones a detector saw something: it leaves its "
            "cluster, to the unsure or to another that it fits"
        )


def _photos(count: int) -> str:
    return f"{count:,} photo{'s' if count != 1 else ''}"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
