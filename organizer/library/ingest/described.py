"""What files say of images that the library knows: whose metadata count, and what changes by them.

Of several files of an image the first that is there counts, by path (`ImageFacts`). Where another
file is the first now, and it was not read in this batch, the image is to be described at the end of
the ingest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from organizer.capture_times import FILE_NAME
from organizer.metadata import stored_time, time_source, with_time
from organizer.store import HeldFile, Store
from organizer.types import DAMAGE, DURATION, FRAME_AT, KIND, ImageFacts, ProcessedFile

_SEEN = (DAMAGE, KIND, DURATION, FRAME_AT)
_OF_A_FILE = ("bytes", "picture_hash", "file_hash", "view", "brightness", "chroma")
"""What may differ while the metadata of the image are the same."""


@dataclass(frozen=True, slots=True)
class DescribedImages:
    """What becomes of images by the files of a batch.

    Attributes:
        facts: What is known of them now, of those where that is to be written.
        changed: The images whose metadata are other ones than before.
        turned: The images that are shown otherwise than before, and have a new vector for that:
            what was known of each, and what is known now.
        undescribed: Those whose metadata are of another file than the one that counts.
    """

    facts: list[ImageFacts] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    turned: dict[str, tuple[ImageFacts, ImageFacts]] = field(default_factory=dict)
    undescribed: set[str] = field(default_factory=set)


def describe_images(
    store: Store,
    files: Sequence[ProcessedFile],
    *,
    reads_again: bool,
) -> DescribedImages:
    """Find what is to be written of known images, once their files are stored.

    Args:
        store: The library.
        files: The files that were read.
        reads_again: Whether the metadata of files that did not change count too.
    """
    offered: dict[str, dict[str, ImageFacts]] = {}
    embedded_as: dict[str, str] = {}
    for file in files:
        if file.image_id is not None and file.facts is not None:
            offered.setdefault(file.image_id, {})[file.file_hash] = file.facts
            if file.is_embedded:
                embedded_as[file.image_id] = file.facts.view
    first = store.photos.first_files(offered)
    stored = store.photos.facts_of(offered)
    found = DescribedImages()
    for image_id, by_file in offered.items():
        if image_id in first and image_id in stored:
            held, former = first[image_id], stored[image_id]
            facts = by_file.get(held.file_hash)
            if facts is None:
                if not is_described(former, held):
                    found.undescribed.add(image_id)
            elif reads_again or not is_described(former, held):
                _describe(found, former, facts, embedded_as.get(image_id))
    return found


def undescribed_files(store: Store, image_ids: Iterable[str]) -> list[HeldFile]:
    """Of some images the files that count and whose metadata are not those that are stored."""
    first: Mapping[str, HeldFile] = store.photos.first_files(image_ids)
    stored = store.photos.facts_of(first)
    return [held for i, held in first.items() if i in stored and not is_described(stored[i], held)]


def is_described(facts: ImageFacts, held: HeldFile) -> bool:
    """Whether what is known of an image is what a file says, all of it."""
    return facts.file_hash == held.file_hash and bool(facts.picture_hash and facts.view)


def _describe(
    found: DescribedImages, former: ImageFacts, facts: ImageFacts, embedded_as: str | None
) -> None:
    image_id = former.image_id
    if former.view not in {"", facts.view}:
        if embedded_as != facts.view:
            found.undescribed.add(image_id)
            return
        found.turned[image_id] = former, facts
    now = replace(
        facts,
        image_id=image_id,
        brightness=former.brightness if facts.brightness is None else facts.brightness,
        chroma=former.chroma if facts.chroma is None else facts.chroma,
        extra={**_of_picture(former, facts), **facts.extra},
    )
    if now.taken_at is None and time_source(former.taken_at, former.extra) == FILE_NAME:
        now = with_time(now, stored_time(former))
    found.facts.append(now)
    if image_id in found.turned or _said(now) != _said(former):
        found.changed.add(image_id)


def _of_picture(former: ImageFacts, facts: ImageFacts) -> dict[str, str | int | float]:
    """What is known by looking at the picture, where only its metadata were read this time."""
    if facts.brightness is not None:
        return {}
    return {name: former.extra[name] for name in _SEEN if name in former.extra}


def _said(facts: ImageFacts) -> ImageFacts:
    return replace(facts, **{name: getattr(_NOTHING, name) for name in _OF_A_FILE})


_NOTHING = ImageFacts("", 0, 0, 0, "", None, None, None, None)
