"""Draw still figures of what was found, PNG or SVG: maps, coverage bars, Lorenz curve, trade-off curve, timeline."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import labels
from sy_coverage._frames import metric_crs
from sy_coverage.outputs.figures import canvas as draw
from sy_coverage.outputs.figures import still_map as still
from sy_coverage.outputs.figures.curves import (
    has_lorenz,
    has_timeline,
    has_trade_off,
    lorenz,
    timeline,
    trade_off,
)
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words as words

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame
    from matplotlib.figure import Figure

    from sy_coverage.outputs.figures.canvas import Format
    from sy_coverage.outputs.findings import Findings

__all__ = [
    "all_of",
    "city_map",
    "county_map",
    "coverage_bars",
    "has_lorenz",
    "has_timeline",
    "has_trade_off",
    "lorenz",
    "missing_glyphs",
    "timeline",
    "trade_off",
]

TALL = 1.0
"""A county that is this many times as tall as wide, or more, has its legend beside the map."""
LEGEND = 3.0
"""Inches: the width of a legend beside a map."""
WIDTH = 7.2
"""Inches: the width of the text on an A4 page, a little more than will be printed."""


def all_of(findings: Findings) -> dict[str, Callable[..., bytes]]:
    """Return, by file name without suffix, what draws each figure that these findings allow (``format`` png or svg).

    For the whole city: its map, coverage by county, Lorenz curve, trade-off curve and timeline where there are numbers for
    them. The map of each county is in its proposal; `county_map` makes it as a file.
    """
    made: dict[str, Callable[..., bytes]] = {"city_map": partial(city_map, findings)}
    made["coverage_bars"] = partial(coverage_bars, findings)
    if has_lorenz(findings):
        made["lorenz"] = partial(lorenz, findings)
    if has_trade_off(findings):
        made["trade_off"] = partial(trade_off, findings)
    if has_timeline(findings):
        made["timeline"] = partial(timeline, findings)
    return made


def missing_glyphs(findings: Findings) -> tuple[str, ...]:
    """Return the characters of these findings' names that no face here can draw; figures show 〓 in their place."""
    said = [findings.study_name, findings.scope_name, *findings.notices, *findings.units["name"]]
    said += [*findings.counties["county"], *findings.units["county"]]
    return draw.missing_characters(str(text) for text in said)


def county_map(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002  its name everywhere
    """Return the map of one county: units by state, facilities by kind, proposed sites numbered as in the tables.

    Estimated borders are dashed. Units are drawn in the metric CRS of the county.
    """
    crs = metric_crs(findings.units)
    units = findings.units.sort_index().to_crs(crs)
    tall = _steepness(units) > TALL
    height = _map_height(units, WIDTH - LEGEND) + 0.5 if tall else _map_height(units, WIDTH) + 1.5
    with draw.Canvas(WIDTH, height, format=format)() as (figure, axes, out):
        still.ground(axes, units, still.main_roads(findings.roads).to_crs(crs), policy=findings.policy)
        still.furnish(axes, units, language=findings.language)
        existing = still.facilities(axes, findings, findings.facilities.sort_index().to_crs(crs), size=26)
        still.sites(axes, findings, findings.proposals.sort_index().to_crs(crs), numbered=True, size=95)
        inside = units.geometry.representative_point()
        by_elders = units["elders"].fillna(0).sort_values(ascending=False, kind="stable").index
        marked = [
            *findings.facilities.to_crs(crs).geometry.dropna(),
            *findings.proposals.to_crs(crs).geometry.dropna(),
        ]
        entries = [*still.state_entries(findings), *still.kind_entries(findings), *existing]
        _legend(figure, entries, beside=tall)
        _head(figure, findings)
        still.names(axes, [(inside[u], units["name"][u]) for u in by_elders], size=7.5, avoid=marked)
    return out.getvalue()


def city_map(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002
    """Return the map of all counties: units by state, proposed sites by kind, the names of the counties."""
    crs = metric_crs(findings.units)
    units = findings.units.sort_index().to_crs(crs)
    with draw.Canvas(WIDTH, _map_height(units, WIDTH) + 1.3, format=format)() as (figure, axes, out):
        still.ground(
            axes, units, still.main_roads(findings.roads).to_crs(crs), policy=findings.policy, border=0.35
        )
        still.furnish(axes, units, language=findings.language)
        proposals = findings.proposals.sort_index().to_crs(crs)
        still.sites(axes, findings, proposals, numbered=False, size=18)
        counties = units.dissolve("county_id")
        inside = counties.geometry.representative_point()
        entries = [
            still.entry(
                words.kind(findings.policy, kind, findings.language),
                marker=still.MARKERS.get(findings.policy.kinds[kind].symbol, "o"),
                colour=findings.policy.kinds[kind].colour,
                markeredgecolor=draw.INK,
            )
            for kind in findings.policy.kinds
            if (proposals["kind"] == kind).any()
        ]
        _legend(figure, [*still.state_entries(findings), *entries])
        _head(figure, findings)
        named = [(inside[c], counties["county"][c]) for c in counties.index]
        still.names(axes, named, size=9.5, weight=3, above=True)
    return out.getvalue()


def _map_height(units: GeoDataFrame, width: float) -> float:
    return float(np.clip(width * _steepness(units), 2.2, 8.0))


def _steepness(units: GeoDataFrame) -> float:
    west, south, east, north = units.total_bounds
    return float((north - south) / max(east - west, 1.0))


def _legend(figure: Figure, entries: list[Any], *, beside: bool = False) -> None:
    if entries:
        figure.legend(
            handles=entries,
            loc="outside right lower" if beside else "outside lower center",
            ncols=1 if beside else 2 if len(entries) > 3 else len(entries),
            frameon=False,
            fontsize=7.5,
            handlelength=1.8,
            columnspacing=2.2,
        )


def _head(figure: Figure, findings: Findings) -> None:
    """Write the notices and statements above a map: a sample's warning, estimated borders, approval number."""
    said = [draw.drawable(notice) for notice in findings.notices]
    more = [draw.drawable(words.approval(findings))]
    if (findings.units["boundary_quality"] == "estimated").any():
        more.insert(0, words.said(findings, "statement_estimated"))
    lines = "\n".join(filter(None, ["　".join(said), "　".join(more)]))
    colour = draw.WARN if findings.notices else draw.SOFT
    figure.suptitle(lines, x=0.01, fontsize=7, color=colour, ha="left")


def coverage_bars(findings: Findings, *, format: Format = "png") -> bytes:  # noqa: A002
    """Return bars of the share of elders within the cutoff, today and with the plan: by county, or by unit in one county.

    A share that is not known has no bar.
    """
    if findings.scope_id == words.CITY:
        table = findings.counties.sort_index()
        rows = zip(table["county"], table["share_today"], table["share_planned"], strict=True)
    else:
        table = findings.units.sort_index()
        rows = zip(table["name"], table["share_covered"], table["share_covered_planned"], strict=True)
    bars = [(draw.drawable(name), today, planned) for name, today, planned in rows]
    language = findings.language
    with draw.Canvas(WIDTH, 1.1 + 0.23 * len(bars), format=format)() as (figure, axes, out):
        place = np.arange(len(bars))[::-1]
        planned = np.array([_or_nan(p) for _, _, p in bars]) * 100
        today = np.array([_or_nan(t) for _, t, _ in bars]) * 100
        axes.barh(
            place,
            np.nan_to_num(planned),
            height=0.62,
            color=draw.PLAN,
            hatch="////",
            edgecolor="white",
            linewidth=0,
        )
        axes.barh(place, np.nan_to_num(today), height=0.62, color=draw.TODAY)
        for y, before, after in zip(place, today, planned, strict=True):
            said = " → ".join(f"{v:.1f}" for v in (before, after) if not np.isnan(v))
            axes.text(101.5, y, said, fontsize=7.5, va="center", color=draw.SOFT)
        axes.set_yticks(place, [name for name, _, _ in bars], fontsize=8.5, color=draw.INK)
        axes.set_xlim(0, 100)
        axes.set_ylim(-0.6, len(bars) - 0.4)
        axes.set_xlabel(words.said(findings, "axis_share_within"), fontsize=8)
        draw.quiet(axes, grid="x")
        axes.spines["left"].set_visible(False)
        entries = [
            still.entry(labels.text("outputs.bar_today", language), colour=draw.TODAY),
            still.entry(
                labels.text("outputs.bar_plan", language), colour=draw.PLAN, hatch="//////", edgecolor="white"
            ),
        ]
        _legend(figure, entries)
    return out.getvalue()


def _or_nan(value: Any) -> float:
    return float(value) if fmt.known(value) else float("nan")
