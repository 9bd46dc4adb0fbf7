"""What all plots share: figures without a window, fonts for many scripts, colours."""

from __future__ import annotations

import io
import unicodedata
import warnings
from typing import TYPE_CHECKING

from organizer.report.palette import NEUTRAL, Sign, Tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, RULE, ACCENT = "#1b2028", "#59616d", "#dfe3e8", "#1f5fae"
SOFTWARE = "organizer"
"""The software tag in a plot's metadata: only a file with it is replaced."""

_DPI = 150
_FONTS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans",
    "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS",
    "Noto Sans Devanagari", "Noto Sans Arabic", "Noto Emoji", "Segoe UI Symbol",
)  # fmt: skip


def figure(width: float, height: float) -> Figure:
    """An empty figure, inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def png_of(made: Figure) -> bytes:
    """The figure as PNG. A character that no installed font has is drawn as a box."""
    from matplotlib.text import Text

    held = io.BytesIO()
    known = fonts()
    for artist in made.findobj(Text):
        if isinstance(artist, Text):
            artist.set_fontfamily(known)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
        made.savefig(held, format="png", dpi=_DPI, metadata={"Software": SOFTWARE})
    return held.getvalue()


def fonts() -> list[str]:
    """Installed fonts, tried in this order for each character."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return [name for name in _FONTS if name in there] or ["sans-serif"]


def text_of(name: str, most: int = 28) -> str:
    """A name as text of a plot: one line, cut to a length, and never a formula."""
    printable = "".join(
        " " if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} else c
        for c in name
    )
    short = " ".join(printable.split())
    short = short if len(short) <= most else short[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return short.replace("$", r"\$")


def colour_of(sign: Sign | None, tints: tuple[Tint, ...]) -> str:
    """The colour of a sign on a light background; neutral where there is none."""
    return NEUTRAL if sign is None else tints[sign.tint].on_paper


def note_omitted(made: Figure, shown: int, total: int) -> None:
    """Note below a plot that it does not show all clusters."""
    if shown < total:
        made.supxlabel(f"the {shown} largest of {total:,} clusters", fontsize=9, color=QUIET)


def simplify_axes(axes: Axes, *, grid: str = "both") -> None:
    """Remove what is not needed to read the axes."""
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(length=0, colors=QUIET, labelsize=9)
    axes.set_axisbelow(True)
    if grid != "none":
        axes.grid(visible=True, axis=grid, color=RULE, linewidth=0.8)  # type: ignore[arg-type]
