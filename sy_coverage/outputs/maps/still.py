"""Draw the still picture that a page shows where no script may run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sy_coverage import labels
from sy_coverage._cells import inert
from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.layers.areas import STATUS_COLOURS, covered_from

if TYPE_CHECKING:
    from sy_coverage.outputs.maps.basis.frame import Frame

WIDE = 900
"""Units of the picture from west to east."""
MOST_VERTICES = 6_000


def picture(frame: Frame, content: dict[str, Any]) -> str:
    """Return title, warning, figures and units as inert HTML with an SVG: what the page says, without its controls."""
    west, south, east, north = frame.units.total_bounds
    squeeze = float(np.cos(np.radians((south + north) / 2)))
    scale = WIDE / max((east - west) * squeeze, 1e-9)
    high = round((north - south) * scale)

    def placed(xy: np.ndarray) -> np.ndarray:
        xy_px: np.ndarray = np.rint(
            np.column_stack([(xy[:, 0] - west) * squeeze * scale, (north - xy[:, 1]) * scale])
        )
        return xy_px

    shapes = light.simplified_coverage(
        frame.units.geometry, tolerance=frame.tolerance * 4, vertices=MOST_VERTICES
    )
    since = covered_from(frame)
    colour = {0: STATUS_COLOURS["today"], -1: STATUS_COLOURS["none"]}
    parts = [
        f'<path d="{_outline(shape, placed)}" fill="{colour.get(since[str(unit_id)], STATUS_COLOURS["plan"])}"><title>{inert(name)}</title></path>'
        for unit_id, name, shape in zip(frame.units.index, frame.units["name"], shapes, strict=True)
    ]
    for _, row, at in frame.points(frame.findings.proposals):
        x, y = placed(np.array([at]) / light.STEPS_PER_DEGREE)[0]
        title = f"{row['county']} {int(row['number'])} {row['name']}"
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="#1d2733" stroke="#ffc145" stroke-width="2"><title>{inert(title)}</title></circle>'
        )
    said = [content["date"], *content["notices"], content["approval"], content["attribution"]]
    facts = [f"{fact['label']}: {fact['today'] or ''} → {fact['plan']}" for fact in content["facts"]]
    legend = "".join(
        f'<span><svg width="14" height="10"><rect width="14" height="10" fill="{one["colour"]}" stroke="#777"/></svg> {inert(one["name"])}</span> '
        for one in content["status"]
    )
    return (
        f"<h1>{inert(content['title'])}</h1>"
        + "".join(
            f"<p>{inert(text)}</p>" for text in [*said, labels.joined(facts, frame.words.language)] if text
        )
        + f'<svg viewBox="0 0 {WIDE} {max(high, 1)}" width="100%" role="img" aria-label="{inert(content["title"])}" stroke="#4d473c">'
        + "".join(parts)
        + f"</svg><p>{legend}</p>"
    )


def _outline(shape: Any, placed: Any) -> str:
    rings = shapely.get_rings(shapely.get_parts(shape))
    drawn = (placed(shapely.get_coordinates(ring)) for ring in rings)
    return "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in ring) + "Z" for ring in drawn)
