"""Draw units, roads and sites as a still map on a matplotlib plot area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sy_coverage import labels
from sy_coverage.outputs.figures import canvas as draw
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame
    from matplotlib.axes import Axes

    from sy_coverage.labels import Language
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.policy.targets import Policy

MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "triangle_down": "v",
    "diamond": "D",
    "pentagon": "p",
    "hexagon": "h",
    "star": "*",
    "cross": "X",
    "plus": "P",
}
ROADS = {"motorway": 1.1, "trunk": 1.0, "primary": 0.8, "secondary": 0.5, "tertiary": 0.35}
"""Line width, in points, of the classes of roads that a still map shows."""
STATES = {"today": draw.TODAY, "plan": draw.PLAN, "none": draw.NONE, "other": draw.OTHER}


def state(units: GeoDataFrame, policy: Policy) -> np.ndarray:
    """Return each unit's state: covered ``today``, by the ``plan``, ``none``, or ``other``: outside the rates."""
    covered = units["covered"].fillna(value=False).astype(bool)
    planned = units["covered_planned"].fillna(value=False).astype(bool)
    found = np.where(covered, "today", np.where(planned, "plan", "none"))
    return np.where(~units["kind"].isin(policy.counted_unit_kinds) & (found == "none"), "other", found)


def polygons(axes: Axes, shapes: Iterable[Any], **style: Any) -> None:
    """Draw polygons with their holes in one style."""
    from matplotlib.collections import PathCollection  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    paths = []
    for shape in shapes:
        rings = [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
        if rings:
            paths.append(
                Path.make_compound_path(*(Path(np.asarray(r.coords)[:, :2], closed=True) for r in rings))
            )
    axes.add_collection(PathCollection(paths, **style), autolim=True)


def lines(axes: Axes, shapes: Iterable[Any], **style: Any) -> None:
    """Draw lines in one style."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    parts = [np.asarray(p.coords)[:, :2] for shape in shapes for p in shapely.get_parts(shape)]
    axes.add_collection(LineCollection(parts, **style), autolim=False)


def main_roads(roads: GeoDataFrame) -> GeoDataFrame:
    """Return the roads that are drawn: of a large city a few in a hundred, which need not all be projected."""
    return roads[roads["highway"].astype(str).str.removesuffix("_link").isin(ROADS)]


def ground(
    axes: Axes, units: GeoDataFrame, roads: GeoDataFrame, *, policy: Policy, border: float = 0.7
) -> None:
    """Draw units by state, their borders (dashed where estimated), roads by class, and the counties' borders."""
    states = state(units, policy)
    for name, colour in STATES.items():
        chosen = units.geometry[states == name]
        hatch = {"plan": "////", "other": "...."}.get(name)
        polygons(
            axes,
            chosen,
            facecolor=colour,
            edgecolor="#ffffff" if name == "plan" else draw.RULE,
            hatch=hatch,
            linewidth=0,
        )
    area = shapely.box(*units.total_bounds)
    for highway, width in sorted(ROADS.items(), key=lambda item: item[1]):
        chosen = roads.geometry[roads["highway"].astype(str).str.removesuffix("_link") == highway]
        lines(axes, chosen[chosen.intersects(area)], color="#8a7f76", linewidth=width, alpha=0.75)
    # a light line below keeps borders in sight on dark units
    polygons(axes, units.geometry, facecolor="none", edgecolor="#ffffff", linewidth=border * 2.4, alpha=0.8)
    estimated = (units["boundary_quality"] == "estimated").to_numpy()
    polygons(axes, units.geometry[~estimated], facecolor="none", edgecolor=draw.SOFT, linewidth=border)
    polygons(
        axes,
        units.geometry[estimated],
        facecolor="none",
        edgecolor=draw.SOFT,
        linewidth=border,
        linestyle=(0, (4, 2.5)),
    )
    counties = units.dissolve("county_id").geometry
    polygons(axes, counties, facecolor="none", edgecolor=draw.INK, linewidth=border * 2)


def names(
    axes: Axes,
    places: Iterable[tuple[Any, str]],
    *,
    size: float,
    weight: float = 2.2,
    avoid: Iterable[Any] = (),
    above: bool = False,
) -> None:
    """Write names at points, haloed; each moves up or down to keep off `avoid` (points of markers) and other names.

    A name that finds no room is left out. With `above`, names stay close to their place and lie over the markers.
    """
    from matplotlib.patheffects import withStroke  # noqa: PLC0415
    from matplotlib.transforms import Bbox  # noqa: PLC0415

    figure: Any = axes.figure
    # settle the layout once, so that places on paper are known, and keep it: names change nothing of it
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    renderer = figure.canvas.get_renderer()
    half = 5.0 * figure.dpi / 72
    marks = [
        Bbox.from_extents(x - half, y - half, x + half, y + half)
        for x, y in axes.transData.transform([(point.x, point.y) for point in avoid] or np.empty((0, 2)))
    ]
    taken: list[Any] = []
    for point, name in places:
        text = axes.annotate(
            draw.drawable(name),
            (point.x, point.y),
            textcoords="offset points",
            xytext=(0, 0),
            fontsize=size,
            ha="center",
            va="center",
            zorder=9 if above else 6.5,
            annotation_clip=True,
            path_effects=[withStroke(linewidth=weight, foreground="white", alpha=0.9)],
        )
        room = None
        for clear in (marks, []):
            for lift in (0.0, 1.2, -1.2) if above else (0.0, 1.2, -1.2, 2.2, -2.2, 3.2, -3.2):
                text.set_position((0, lift * size))
                extent = text.get_window_extent(renderer)
                if not any(extent.overlaps(other) for other in (*taken, *clear)):
                    room = extent
                    break
            if room is not None:
                break
        if room is None:
            text.remove()
        else:
            taken.append(room)


def fanned(axes: Axes, frame: GeoDataFrame, *, step: float) -> GeoDataFrame:
    """Return `frame` with points that would lie on one another set side by side, `step` points to each side."""
    if frame.empty or step == 0:
        return frame
    width = axes.get_window_extent().width
    unit = step / 72 * axes.figure.dpi * (axes.get_xlim()[1] - axes.get_xlim()[0]) / max(width, 1.0)
    groups: list[list[Any]] = []
    for place in frame.index:
        point = frame.geometry[place]
        near = next((g for g in groups if frame.geometry[g[0]].distance(point) < unit), None)
        if near is None:
            groups.append([place])
        else:
            near.append(place)
    moved = frame.geometry.copy()
    for group in groups:
        for turn, place in enumerate(group):
            aside = (turn - (len(group) - 1) / 2) * 2 * unit
            moved[place] = shapely.Point(moved[place].x + aside, moved[place].y)
    return frame.set_geometry(moved)


def facilities(axes: Axes, findings: Findings, frame: GeoDataFrame, *, size: float) -> list[Any]:
    """Draw located facilities by kind: filled when open, hollow when planned; return legend entries."""
    entries = []
    there = frame[frame.geometry.notna() & ~frame.geometry.is_empty & (frame["status"] != "closed")]
    for kind in findings.policy.kinds.values():
        own = there[there["kind"] == kind.id]
        if own.empty:
            continue
        marker = MARKERS.get(kind.symbol, "o")
        for is_open in (True, False):
            chosen = own[(own["status"] == "open") == is_open]
            axes.scatter(
                chosen.geometry.x,
                chosen.geometry.y,
                s=size,
                marker=marker,
                facecolor=kind.colour if is_open else "white",
                edgecolor="white" if is_open else kind.colour,
                linewidth=0.6,
                zorder=6,
            )
        entries.append(entry(labels.pick(kind.name, findings.language), marker=marker, colour=kind.colour))
    return entries


def sites(axes: Axes, findings: Findings, frame: GeoDataFrame, *, numbered: bool, size: float) -> None:
    """Draw proposed sites: ringed in ink, numbered as in the tables; sites at one place stand side by side."""
    shown = fanned(axes, frame[frame.geometry.notna()], step=0.5 * size**0.5 if numbered else 0.0)
    for kind in findings.policy.kinds.values():
        own = shown[shown["kind"] == kind.id]
        if own.empty:
            continue
        axes.scatter(
            own.geometry.x,
            own.geometry.y,
            s=size,
            marker="o" if numbered else MARKERS.get(kind.symbol, "o"),
            facecolor="white" if numbered else kind.colour,
            edgecolor=kind.colour if numbered else draw.INK,
            linewidth=1.6 if numbered else 0.8,
            zorder=7,
        )
        if numbered:
            for point, number in zip(own.geometry, own["number"], strict=True):
                axes.annotate(
                    str(number), (point.x, point.y), fontsize=6.5, ha="center", va="center_baseline", zorder=8
                )


def entry(label: str, *, marker: str | None = None, colour: str = draw.INK, **style: Any) -> Any:
    """Return a legend entry: a marker, or a patch where there is none."""
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    if marker:
        return Line2D(
            [],
            [],
            marker=marker,
            linestyle="none",
            color=colour,
            markersize=6,
            label=draw.drawable(label),
            **style,
        )
    look: dict[str, Any] = {"facecolor": colour, "edgecolor": draw.SOFT, "linewidth": 0.6} | style
    return Patch(label=draw.drawable(label), **look)


def state_entries(findings: Findings) -> list[Any]:
    """Return the legend entries of the states that occur, and of estimated borders."""
    language, found = findings.language, set(state(findings.units, findings.policy))
    entries = [
        entry(labels.text(f"outputs.state_{name}", language), colour=colour, **_hatched(name))
        for name, colour in STATES.items()
        if name in found
    ]
    if (findings.units["boundary_quality"] == "estimated").any():
        label = words.said(findings, "legend_estimated")
        entries.append(entry(label, colour="white", linestyle=(0, (4, 2.5))))
    return entries


def _hatched(name: str) -> dict[str, Any]:
    if name == "plan":
        return {"hatch": "//////", "edgecolor": "#ffffff"}
    return {"hatch": "...."} if name == "other" else {}


def furnish(axes: Axes, frame: GeoDataFrame, *, language: Language) -> None:
    """Set the extent, equal scale, a scale bar in km and an arrow to the north."""
    west, south, east, north = frame.total_bounds
    pad = 0.03 * max(east - west, north - south)
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad, north + pad)
    axes.set_aspect("equal")
    axes.axis("off")
    length = _round_length((east - west) / 4)
    x, y = west, south - pad * 0.4
    axes.plot([x, x + length], [y, y], color=draw.INK, linewidth=1.6, solid_capstyle="butt", zorder=9)
    kilometres = labels.text("outputs.kilometres", language, length=f"{length / 1000:g}")
    axes.text(x + length, y, f"  {kilometres}", fontsize=7, va="center", ha="left", zorder=9)
    axes.annotate(
        labels.text("outputs.north", language),
        xy=(0.985, 0.985),
        xytext=(0.985, 0.93),
        xycoords="axes fraction",
        fontsize=8,
        ha="center",
        va="top",
        arrowprops={"arrowstyle": "-|>", "color": draw.INK, "linewidth": 0.9},
    )


def _round_length(metres: float) -> float:
    power = 10.0 ** np.floor(np.log10(max(metres, 1.0)))
    return float(max(step for step in (1, 2, 5) if step * power <= metres) * power)


def kind_entries(findings: Findings) -> list[Any]:
    """Return legend entries of the kinds of proposed sites."""
    language = findings.language
    return [
        entry(
            labels.text("outputs.legend_site", language, kind=words.kind(findings.policy, kind, language)),
            marker="o",
            colour="white",
            markeredgecolor=findings.policy.kinds[kind].colour,
            markeredgewidth=1.6,
        )
        for kind in findings.policy.kinds
        if (findings.proposals["kind"] == kind).any()
    ]
