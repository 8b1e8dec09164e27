"""Draw many counties on one light page: where elders are beyond reach, county by county, each with a link to its own map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sy_coverage import labels
from sy_coverage._frames import metric_crs
from sy_coverage.outputs.tables.counties import by_need, plan_words
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoSeries

    from sy_coverage.outputs.findings import Findings

VERTICES = 40_000
"""Of all borders together; a page of them is well below a megabyte."""
WIDE = 1000.0
"""Units of the drawing from west to east, or from south to north where that is more."""
LETTER = 11.0
"""Units of the drawing a Chinese letter is wide."""
LAST_NARROW = 0x2E7F
CLASSES = (0.5, 0.65, 0.8, 0.95)
"""Where the shares of elders within reach change colour."""
COLOURS = ("#a63603", "#e6772e", "#fdbe85", "#a6cee3", "#2f6690")


def overview(findings: Findings, failed: Mapping[str, str]) -> str:
    """Return the page of all counties: coloured by the share of elders within the cutoff, listed by need.

    It is self-contained and asks nobody for anything; the pages it links to lie beside it in ``maps`` and ``proposals``.

    Parameters
    ----------
    failed
        Why counties have no results, by `county_id`: they are grey, and listed with the reason.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  only for who draws it

    environment = Environment(
        loader=PackageLoader("sy_coverage.outputs", "maps"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    number = findings.approval_number
    page: str = environment.get_template("overview.html").render(
        zh=findings.language == "zh",
        title=fmt.plain(findings.study_name),
        say=lambda key, **values: labels.text(
            f"maps.overview_{key}", findings.language, **words.common(findings), **values
        ),
        notices=[fmt.plain(notice) for notice in findings.notices],
        approval=labels.text(
            f"outputs.approval{'' if number else '_missing'}", findings.language, number=number
        )
        if findings.in_china
        else "",
        attribution=findings.attribution,
        classes=_classes(),
        **_drawn(findings, failed),
    )
    return page


def _classes() -> list[tuple[str, str]]:
    edges = [0.0, *CLASSES, 1.0]
    return [(COLOURS[n], f"{edges[n]:.0%}–{edges[n + 1]:.0%}") for n in range(len(COLOURS))]


def colour(share: Any) -> str:
    """Return the colour of a share of elders within reach; grey where it is not known."""
    return (
        COLOURS[int(np.searchsorted(CLASSES, float(share), side="right"))] if fmt.known(share) else "#c8ccd0"
    )


def _drawn(findings: Findings, failed: Mapping[str, str]) -> dict[str, Any]:
    """Return every county as the page draws and lists it, in order of need, and the size of the drawing."""
    table = by_need(findings.counties)
    borders = light_borders(findings)
    west, south, east, north = borders.total_bounds
    scale = WIDE / max(east - west, north - south, 1.0)
    costs = dict(zip(table.index, fmt.money(table["cost"]), strict=True))
    rows = []
    for rank, (county_id, row) in enumerate(table.iterrows(), start=1):
        rows.append(
            {
                "id": county_id,
                "rank": rank,
                "name": fmt.plain(row["county"]),
                "path": _path(borders[county_id], west, north, scale),
                "at": _name_place(borders[county_id], fmt.plain(row["county"]), west, north, scale),
                "today": colour(row["share_today"]),
                "planned": colour(row["share_planned"]),
                "beyond": fmt.number(row["beyond"]),
                "elders": fmt.number(row["elders"]),
                "share_today": fmt.share(row["share_today"]),
                "share_planned": fmt.share(row["share_planned"]),
                "units": f"{int(row['covered_today'])} → {int(row['covered_planned'])} / {int(row['counted'])}",
                "sites": fmt.number(row["new_sites"]),
                "cost": costs[county_id],
                "plan": plan_words(findings, str(county_id), row["status"]),
            }
        )
    lost = [{"id": county_id, "reason": fmt.plain(reason)} for county_id, reason in failed.items()]
    bar_km = _round_km((east - west) / 5000)
    return {
        "counties": rows,
        "failed": lost,
        "width": round((east - west) * scale + 2, 1),
        "height": round((north - south) * scale + 2, 1),
        "bar_km": bar_km,
        "bar": round(bar_km * 1000 * scale, 1),
    }


def _round_km(km: float) -> int:
    """Return a length of one leading digit, 1, 2 or 5, that is at most `km`."""
    power = 10 ** int(np.floor(np.log10(max(km, 1.0))))
    return int(power * max(step for step in (1, 2, 5) if step * power <= max(km, 1.0)))


def light_borders(findings: Findings) -> GeoSeries:
    """Return the shape of each county by its id, in metres, simplified so that neighbours still meet."""
    units = findings.units.to_crs(metric_crs(findings.units))
    whole = units.dissolve("county_id").geometry.sort_index()
    tolerance = 50.0
    light = whole
    while shapely.get_num_coordinates(np.asarray(light)).sum() > VERTICES and tolerance < 20_000:
        light = whole.set_axis(whole.index)
        light = type(whole)(
            shapely.coverage_simplify(np.asarray(whole), tolerance), index=whole.index, crs=whole.crs
        )
        tolerance *= 1.5
    return light


def _name_place(shape: Any, name: str, west: float, north: float, scale: float) -> tuple[float, float] | None:
    """Return where the name of a county stands in the drawing; None where it is wider than the county."""
    left, _, right, _ = shape.bounds
    wide = sum(LETTER if ord(c) > LAST_NARROW else 0.6 * LETTER for c in name)
    if (right - left) * scale < wide:
        return None
    point = shape.representative_point()
    return round((point.x - west) * scale, 1), round((north - point.y) * scale + LETTER / 3, 1)


def _path(shape: Any, west: float, north: float, scale: float) -> str:
    """Return a shape as the path of an SVG, y downwards, to a tenth of a unit."""
    drawn = []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        points = shapely.get_coordinates(ring)[:-1]
        xy = np.round(np.column_stack([(points[:, 0] - west), (north - points[:, 1])]) * scale + 1, 1)
        steps = xy[np.r_[True, (np.diff(xy, axis=0) != 0).any(axis=1)]]
        if len(steps) > 2:
            drawn.append("M" + " ".join(f"{x:g},{y:g}" for x, y in steps) + "Z")
    return "".join(drawn)
