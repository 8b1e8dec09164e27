"""Draw how far computed minutes are from observed ones after a fit: one page that opens anywhere, without any program."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sy_coverage import labels

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage import roads

WIDE, MARGIN, MOST_VERTICES = 1000.0, 30.0, 60_000
MAIN = ("motorway", "trunk", "primary", "secondary", "tertiary")
BANDS = (
    (0.8, "#2166ac", "much_faster"),
    (0.95, "#67a9cf", "faster"),
    (1.05, "#3f9b52", "alike"),
    (1.25, "#ef8a62", "slower"),
    (np.inf, "#b2182b", "much_slower"),
)
"""Up to which ratio of computed to observed minutes a trip is drawn in which colour, and what that is called."""
STYLE = (
    "body{font-family:'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:24px auto;max-width:1040px;color:#222}"
    "h1{font-size:21px}svg{display:block;max-width:100%;max-height:860px;margin:auto;background:#f7f5f0;border:1px solid #ccc}table{border-collapse:collapse;margin:14px 0}"
    "td,th{padding:3px 12px;border-bottom:1px solid #ddd;text-align:right}th{font-weight:600}"
    "i{display:inline-block;width:22px;height:4px;margin:0 6px 3px 16px}"
)


def page(found: roads.Calibration, language: labels.Language) -> bytes:
    """Return an HTML page: fit before and after, every trip as a line in the colour of its error, and the ten worst in a table."""

    def say(key: str, **values: object) -> str:
        return html.escape(labels.text(f"roads.residuals_{key}", language, **values))

    legend = "".join(f'<i style="background:{colour}"></i>{say(name)}' for _, colour, name in BANDS)
    fit = found.fit
    rows = [
        [say(what), *(f"{fit.loc[when, column]:.{digits}f}" for when in ("before", "after"))]
        for what, column, digits in (
            ("ratio", "median_ratio", 3),
            ("r2", "r2", 3),
            ("error", "mean_error_min", 1),
        )
    ]
    worst = [
        [
            str(i),
            f"{row.observed_min:.1f}",
            f"{row.before_min:.1f}",
            f"{row.after_min:.1f}",
            f"{row.ratio_after:.2f}",
        ]
        for i, row in zip(found.worst.index, found.worst.itertuples(index=False), strict=True)
    ]
    parts = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{say("title")}</title><style>{STYLE}</style>',
        f"<h1>{say('title')}</h1><p>{say('said', count=len(found.pairs))}</p>",
        _table(["", say("before"), say("after")], rows),
        f"<p>{legend}</p>{_drawing(found, say)}<h2>{say('worst')}</h2>",
        _table([say("row"), say("observed"), say("before"), say("after"), say("ratio")], worst),
        "</html>\n",
    ]
    return "".join(parts).encode("utf-8")


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _drawing(found: roads.Calibration, say: Any) -> str:
    """Return roads and trips as SVG: north is up, a trip's figures stand on it."""
    pairs = found.pairs if found.network.crs is None else found.pairs.to_crs(found.network.crs)
    drawn = pairs.geometry
    west, south, east, north = drawn.total_bounds
    scale = (WIDE - 2 * MARGIN) / max(east - west, north - south, 1.0)
    high = (north - south) * scale + 2 * MARGIN

    def path(line: Any) -> str:
        xy = shapely.get_coordinates(line)
        at = zip(MARGIN + (xy[:, 0] - west) * scale, high - MARGIN - (xy[:, 1] - south) * scale, strict=True)
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at)

    under = found.network.lines().to_crs(drawn.crs) if drawn.crs is not None else found.network.lines()
    ground = "".join(path(line) for line in _roads(under, drawn.total_bounds, 1 / scale))
    lines = []
    for i, row in zip(pairs.index, pairs.itertuples(index=False), strict=True):
        colour = next(c for most, c, _ in BANDS if row.ratio_after <= most)
        told = say("trip", row=i, observed=f"{row.observed_min:.1f}", computed=f"{row.after_min:.1f}")
        lines.append(f'<path d="{path(row.geometry)}" stroke="{colour}"><title>{told}</title></path>')
    return (
        f'<svg viewBox="0 0 {WIDE:.0f} {high:.0f}" role="img" aria-label="{say("title")}"><g fill="none">'
        f'<path d="{ground}" stroke="#cfc8ba" stroke-width="1"/><g stroke-width="2.2" stroke-opacity=".8">{"".join(lines)}</g></g></svg>'
    )


def _roads(lines: DataFrame, bounds: Any, tolerance: float) -> Any:
    """Return the roads to draw beneath: all, or of a large network the main ones."""
    near = lines.geometry[shapely.intersects(np.asarray(lines.geometry), shapely.box(*bounds))]
    if shapely.get_num_coordinates(np.asarray(near)).sum() > MOST_VERTICES:
        near = near[lines.loc[near.index, "highway"].isin(MAIN)]
    return shapely.simplify(np.asarray(near), tolerance)
