"""The colours and shapes of clusters and classes, on light and dark backgrounds.

The hues of clusters are those of Okabe and Ito 2008, those of classes Paul Tol's "muted" scheme:
colour-blind people can distinguish both, and clusters do not look like classes. Each hue comes in
three tones and, on the map, in five shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CLUSTER_HUES = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#a89400", "#7b5ea7",
)  # fmt: skip
CLASS_HUES = (
    "#332288", "#44aa99", "#cc6677", "#ddcc77", "#88ccee", "#882255", "#117733", "#aa4499",
    "#999933",
)  # fmt: skip
NEUTRAL = "#848b96"
"""The colour of images without a cluster or class, and of all other classes together."""

PAPER = "#ffffff"
NIGHT = "#14171c"

SHAPES = (
    "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "M-.88-.88H.88V.88H-.88Z",
    "M0-1.2L1.13.75H-1.13Z",
    "M0-1.25L1.25 0 0 1.25-1.25 0Z",
    "M-.4-1.15H.4V-.4H1.15V.4H.4V1.15H-.4V.4H-1.15V-.4H-.4Z",
)
"""SVG paths around the origin that look as large as a circle of radius 1."""

MARKERS = ("o", "s", "^", "D", "P")
"""The same shapes for matplotlib."""

_TONES = (0.0, 0.35, 0.55)
"""How far each tone lies from the hue towards the ink: black on paper, white at night."""

_LEAST = 3.0
"""The least contrast of a graphic to its background (WCAG 2.2, 1.4.11)."""


@dataclass(frozen=True, slots=True)
class Sign:
    """The colour and shape of a cluster or a class.

    Attributes:
        tint: The position of its colour in `cluster_tints` or `class_tints`.
        shape: The position of its shape in `SHAPES`.
    """

    tint: int
    shape: int


@dataclass(frozen=True, slots=True)
class Tint:
    """A colour for light and for dark backgrounds."""

    on_paper: str
    on_night: str


def cluster_sign(rank: int) -> Sign:
    """The sign of the cluster of a rank, from 0; the first 120 differ."""
    return _sign(rank, len(CLUSTER_HUES))


def class_sign(rank: int) -> Sign:
    """The sign of the class of a rank, from 0."""
    return _sign(rank, len(CLASS_HUES))


def cluster_tints() -> tuple[Tint, ...]:
    """The colours of clusters."""
    return _tints(CLUSTER_HUES)


def class_tints() -> tuple[Tint, ...]:
    """The colours of classes."""
    return _tints(CLASS_HUES)


def mixed(colour: str, other: str, share: float) -> str:
    """A colour mixed with a share of another, both as #rrggbb."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(colour: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _sign(rank: int, hues: int) -> Sign:
    # Tone and shape change with every round of hues, with different periods.
    round_, hue = divmod(rank, hues)
    return Sign(hue + hues * (round_ % len(_TONES)), round_ % len(SHAPES))


def _tints(hues: Sequence[str]) -> tuple[Tint, ...]:
    return tuple(
        Tint(
            _visible(mixed(hue, "#000000", tone), PAPER, "#000000"),
            _visible(mixed(hue, "#ffffff", tone), NIGHT, "#ffffff"),
        )
        for tone in _TONES
        for hue in hues
    )


def _visible(colour: str, ground: str, towards: str) -> str:
    """The colour, changed as little as needed for its contrast to the background."""
    steps = (mixed(colour, towards, step / 20) for step in range(21))
    return next(step for step in steps if contrast(step, ground) >= _LEAST)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (c / 255 for c in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
