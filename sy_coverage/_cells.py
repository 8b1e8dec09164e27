"""Say in the cell of a notebook what a thing is: tables and small maps as inert HTML, whatever names the data bring."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

WIDE = 420
"""Units of a small map from west to east."""
LONGEST = 40
"""So many rows of a table are shown."""
STEPS = 2.0
"""Shapes of a small map are told to this many of its units."""
_REFERENCES = str.maketrans({c: f"&#{ord(c)};" for c in "`$\\{}\u2028\u2029"})


class Area(NamedTuple):
    """A shape of a small map."""

    shape: Any
    fill: str
    name: str


class Spot(NamedTuple):
    """A point of a small map."""

    x: float
    y: float
    fill: str
    name: str
    radius: float = 3.0


def inert(text: object) -> str:
    r"""Return `text` so that no browser, script or template can take it for anything but text.

    HTML is escaped, and `` ` $ \ { } `` and the line separators U+2028/2029 become character references: folium compiles what it
    has rendered once more as a template, and scripts read what is between backticks. Every string of a map passes through here.
    """
    # half a surrogate pair is no text and cannot be written as UTF-8
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return html.escape(whole, quote=True).translate(_REFERENCES)


def table(rows: Iterable[Sequence[object]], *, head: Sequence[object] = (), caption: object = "") -> str:
    """Return rows as a table: the first cell of each names it; beyond `LONGEST` rows it says how many more there are."""
    every = list(rows)
    lines = [f"<tr><th>{inert(row[0])}</th>{_cells('td', row[1:])}</tr>" for row in every[:LONGEST]]
    if len(every) > LONGEST:
        lines.append(f"<tr><th>… +{len(every) - LONGEST}</th></tr>")
    named = f"<caption>{inert(caption)}</caption>" if caption else ""
    first = f"<tr>{_cells('th', head)}</tr>" if head else ""
    return f"<table>{named}{first}{''.join(lines)}</table>"


def _cells(tag: str, values: Iterable[object]) -> str:
    return "".join(f"<{tag}>{inert(value)}</{tag}>" for value in values)


def small_map(
    areas: Sequence[Area] = (),
    spots: Sequence[Spot] = (),
    *,
    lines: NDArray[Any] | None = None,
    degrees: bool = True,
    name: str = "",
) -> str:
    """Return an SVG of shapes, lines (LineStrings) and points, north up; nothing where there is nothing to draw."""
    shapes = [area.shape for area in areas] + list(() if lines is None else lines)
    shapes += [shapely.Point(spot.x, spot.y) for spot in spots]
    west, south, east, north = (
        shapely.total_bounds(np.array(shapes, dtype=object)) if shapes else [np.nan] * 4
    )
    if not np.isfinite([west, south, east, north]).all():
        return ""
    squeeze = max(float(np.cos(np.radians((south + north) / 2))), 0.05) if degrees else 1.0
    scale = WIDE / max((east - west) * squeeze, north - south, 1e-9)

    def placed(xy: NDArray[Any]) -> NDArray[Any]:
        return np.column_stack([(xy[:, 0] - west) * squeeze * scale, (north - xy[:, 1]) * scale])

    drawn = [
        f'<path d="{_path(area.shape, placed, scale)}" fill="{area.fill}"><title>{inert(area.name)}</title></path>'
        for area in areas
    ]
    if lines is not None and len(lines):
        ways = "".join(_path(line, placed, scale) for line in lines)
        drawn.append(f'<path d="{ways}" fill="none"/>')
    for spot in spots:
        x, y = placed(np.array([[spot.x, spot.y]]))[0]
        title = f"<title>{inert(spot.name)}</title>"
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{spot.radius:g}" fill="{spot.fill}">{title}</circle>'
        )
    wide, high = max((east - west) * squeeze * scale, 1), max((north - south) * scale, 1)
    return (
        f'<svg viewBox="-6 -6 {wide + 12:.0f} {high + 12:.0f}" width="{wide + 12:.0f}" height="{high + 12:.0f}" '
        f'style="max-width:100%;height:auto" role="img" aria-label="{inert(name)}" stroke="#777" stroke-width="0.7">'
        f"{''.join(drawn)}</svg>"
    )


def _path(shape: Any, placed: Any, scale: float) -> str:
    simple = shapely.simplify(shape, STEPS / scale)
    parts = shapely.get_parts(simple)
    rings = shapely.get_rings(parts) if (shapely.get_dimensions(parts) == 2).any() else parts
    closed = "Z" if rings is not parts else ""
    coordinates = (placed(shapely.get_coordinates(ring)) for ring in rings)
    return "".join(
        "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in xy) + closed for xy in coordinates if len(xy)
    )
