"""What the checks of plugins say about an ingest, once it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from organizer import registry
from organizer.errors import OrganizerError, one_line
from organizer.protocols import IngestCheck
from organizer.types import PartSpec

_CHECKS = "organizer.ingest_checks"
_MOST_REMARKS, _LONGEST = 10, 300

MOST_CHECKED = 100_000
"""Images of an ingest that checks are given: the first of them."""


@dataclass(frozen=True, slots=True)
class IngestRemark:
    """One thing to look at, as a check says it.

    Attributes:
        check: The name of the check.
        text: One line.
    """

    check: str
    text: str


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed: what it would have said is not known.

    Attributes:
        check: Its name.
        reason: What went wrong, in one line.
    """

    check: str
    reason: str


def checks_of(
    library: Any, image_ids: Sequence[str]
) -> tuple[tuple[IngestRemark, ...], tuple[FailedCheck, ...]]:
    """Ask every check that is installed about the images of an ingest.

    A check that fails is named, and the others are asked all the same.

    Args:
        library: The `organizer.library.Library`; nothing of it is held.
        image_ids: The images that came, or of which other things are known now.
    """
    remarks: list[IngestRemark] = []
    failed: list[FailedCheck] = []
    for name in registry.part_names(_CHECKS) if image_ids else ():
        try:
            check: IngestCheck = registry.create_part(_CHECKS, PartSpec(name))[1]
            texts = [_line(text) for text in islice(check.check(library, image_ids), _MOST_REMARKS)]
        except OrganizerError as error:
            failed.append(FailedCheck(name, error.message))
        except Exception as error:  # noqa: BLE001 - a plugin can raise anything
            failed.append(FailedCheck(name, one_line(error)))
        else:
            remarks += [IngestRemark(name, text) for text in texts]
    return tuple(remarks), tuple(failed)


def _line(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a remark is a text, not {type(text).__name__}")
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
