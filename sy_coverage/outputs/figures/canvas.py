"""Draw on a canvas that gives the same bytes everywhere: our own face, no clock, no software names, no mathtext."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage.outputs.text import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sy_coverage.outputs.findings import Findings

Format = Literal["png", "svg"]

FACE = "SYCoverageSansSC-Regular.otf"
FAMILY = "SY Coverage Sans SC"
FALLBACKS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimSun",
    "WenQuanYi Zen Hei",
)
"""Faces asked, in this order, for characters that the shipped face lacks: matplotlib's own, then those of the system."""
GETA = "〓"
"""What the printer's trade puts where a character is missing."""
DPI = 170
INK, SOFT, RULE, PAPER = "#1f2a33", "#5b6873", "#c9d1d6", "#ffffff"
TODAY, PLAN, NONE, OTHER, WARN = "#4f83a8", "#b0d0e2", "#fbe5c3", "#f4f4f2", "#9c2b12"
"""Covered today, covered by the plan, not covered, outside the rates, warnings: dark to light, so that grey print keeps them apart."""
_LOG = logging.getLogger(__name__)


@cache
def _shipped_characters() -> frozenset[str]:
    from matplotlib.font_manager import get_font  # noqa: PLC0415

    with as_file(files("sy_coverage.outputs.figures").joinpath("fonts", FACE)) as path:
        return frozenset(map(chr, get_font(str(path)).get_charmap()))


@cache
def _families() -> tuple[str, ...]:
    """Return our face, registered with matplotlib, and the system faces that are there."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    with as_file(files("sy_coverage.outputs.figures").joinpath("fonts", FACE)) as path:
        fontManager.addfont(str(path))
    there = set(fontManager.get_font_names())
    return (FAMILY, *(name for name in FALLBACKS if name in there))


@cache
def _drawable_elsewhere(character: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font  # noqa: PLC0415

    return any(
        get_font(findfont(FontProperties(family=family))).get_char_index(ord(character))
        for family in _families()[1:]
    )


def missing_characters(words: Iterable[str]) -> tuple[str, ...]:
    """Return the characters of `words` that neither the shipped face nor a system face can draw, sorted."""
    rare = {c for text in words for c in fmt.plain(text)} - _shipped_characters() - {" "}
    return tuple(sorted(c for c in rare if not _drawable_elsewhere(c)))


def drawable(text: Any) -> str:
    """Return `text` on one line, a 〓 for each character that no face can draw; those are logged."""
    line = fmt.plain(text)
    missing = missing_characters([line])
    if missing:
        _LOG.warning("no face here can draw %s; figures show %s", "".join(missing), GETA)
        line = "".join(GETA if c in missing else c for c in line)
    return line


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl  # noqa: PLC0415  a second to import: only figures pay for it

    settings: dict[Any, Any] = {
        "font.family": list(_families()),
        "font.size": 9,
        "text.parse_math": False,
        "text.color": INK,
        "axes.edgecolor": RULE,
        "axes.labelcolor": SOFT,
        "axes.unicode_minus": False,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "svg.hashsalt": "sy_coverage",
        "svg.fonttype": "path",
        "hatch.linewidth": 0.6,
        "path.simplify": True,
    }
    with warnings.catch_warnings(), mpl.rc_context(settings):
        yield


class Canvas:
    """A figure of `width` × `height` inches with one plot area; `bytes` gives the image."""

    def __init__(self, width: float, height: float, *, format: Format = "png") -> None:  # noqa: A002  its name everywhere
        self._format = format
        self._size = (width, height)

    @contextmanager
    def __call__(self) -> Iterator[tuple[Figure, Axes, io.BytesIO]]:
        """Give a figure and its axes to draw on; on leaving, the image is in the buffer."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        out = io.BytesIO()
        with _style():
            figure = Figure(figsize=self._size, dpi=DPI, facecolor=PAPER, layout="constrained")
            FigureCanvasAgg(figure)
            axes = figure.add_subplot()
            yield figure, axes, out
            metadata = {"Software": None} if self._format == "png" else {"Date": None, "Creator": None}
            figure.savefig(out, format=self._format, dpi=DPI, metadata=metadata)


def quiet(axes: Axes, *, grid: Literal["x", "y", "both"] | None = None) -> None:
    """Take away what is not data: frame, ticks; a light grid where it helps."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=RULE, linewidth=0.5)


def caution(figure: Figure, findings: Findings, *more: str) -> None:
    """Write the notices (a sample's warning) and further statements under the plot, small but plain to see."""
    said = [drawable(notice) for notice in findings.notices]
    if said:
        figure.text(0.01, 0.005, "  ".join(said), fontsize=7.5, color=WARN, va="bottom", ha="left")
    if more:
        place = 0.03 if said else 0.005
        figure.text(0.01, place, "  ".join(more), fontsize=7, color=SOFT, va="bottom", ha="left")
