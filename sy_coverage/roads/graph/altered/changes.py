"""Change roads that are read: new ones, closed ones, slower ones; everything else stays as it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.ops import substring

from sy_coverage.errors import FrameError, GeometryError, some
from sy_coverage.roads.graph.links import SHORTEST_M, build

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.parts import RoadParts

NEAR_M = 25.0
"""A drawn line or point means the road that is no farther from it; a new road joins roads that its ends are no farther from."""
ALONG = 0.5
"""A drawn line means the roads of which at least so much lies along it."""
USUAL_CLASS = "unclassified"


def touched(links: Links, marks: Any) -> list[Array]:
    """Return the links that each mark means: those an area meets, those along a line, the nearest one of a point."""
    lines = links.lines()
    tree = shapely.STRtree(lines)
    found = []
    for mark in marks:
        if shapely.get_dimensions(mark) == 2:
            which = tree.query(mark, predicate="intersects")
        elif shapely.get_dimensions(mark) == 1:
            around = shapely.buffer(mark, NEAR_M)
            which = tree.query(around, predicate="intersects")
            inside = shapely.length(shapely.intersection(lines[which], around))
            # a road that only crosses the line, or a line within one long road
            share = inside / np.minimum(shapely.length(lines[which]), max(mark.length, 1e-9) + 2 * NEAR_M)
            which = which[share >= ALONG]
        else:
            which = tree.query_nearest(mark, max_distance=NEAR_M, all_matches=False)
        found.append(np.sort(which).astype(np.int64))
    return found


def _marks(parts: RoadParts, frame: GeoDataFrame, what: str) -> Any:
    if frame.crs is None:
        raise GeometryError(f"{what}: has no CRS; set it with .set_crs()")
    shapes = frame.geometry if parts.crs is None else frame.geometry.to_crs(parts.crs)
    empty = shapes.isna() | shapes.is_empty
    if empty.any():
        raise GeometryError(f"{what}: rows without a shape: {some(frame.index[empty])}")
    return np.asarray(shapes, dtype=object)


def _require_found(frame: GeoDataFrame, found: list[Array], what: str) -> None:
    none = [str(i) for i, which in zip(frame.index, found, strict=True) if not which.size]
    if none:
        raise GeometryError(
            f"{what}: no road within {NEAR_M:g} m of rows {some(none)}; draw them on the roads they mean"
        )


def _cut_out(parts: RoadParts, marks: GeoDataFrame, what: str) -> tuple[RoadParts, list[Array]]:
    """Return `parts` with roads cut where the marks begin and end, and the pieces that each mark means.

    Whoever lives along a flooded road beyond the flood can still use the rest of it. A point closes as much of its road as a
    drawn line of no length; what is slower at a point is slower from junction to junction.
    """
    shapes = _marks(parts, marks, what)
    found = touched(parts.links, shapes)
    _require_found(marks, found, what)
    whole = [what == "slow" and shapely.get_dimensions(shape) == 0 for shape in shapes]
    spans = [
        shape if shapely.get_dimensions(shape) == 2 else shapely.buffer(shape, NEAR_M) for shape in shapes
    ]
    cutter = _Cutter(parts)
    for span, which, is_whole in zip(spans, found, whole, strict=True):
        for link in [] if is_whole else which.tolist():
            cutter.cut_along(link, span)
    if not cutter.cuts:
        return parts, found
    now = cutter.parts()
    middles = shapely.line_interpolate_point(now.links.lines(), 0.5, normalized=True)
    pieces = []
    for span, which, is_whole in zip(spans, found, whole, strict=True):
        own = np.array([piece for link in which.tolist() for piece in cutter.pieces[link]], np.int64)
        pieces.append(np.unique(own if is_whole else own[shapely.intersects(middles[own], span)]))
    return now, pieces


def closed(parts: RoadParts, marks: GeoDataFrame) -> RoadParts:
    """Return `parts` with the roads closed that `marks` mean, to every mode and in both directions."""
    parts, found = _cut_out(parts, marks, "close")
    shut = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return _with_minutes(parts, {mode: _set(m, shut, np.inf) for mode, m in parts.links.minutes.items()})


def slowed(parts: RoadParts, marks: GeoDataFrame) -> RoadParts:
    """Return `parts` with the roads slower that `marks` mean: `factor` says how many times as long they take, or `speed_kph` how fast they are."""
    given = [c for c in ("factor", "speed_kph") if c in marks.columns]
    if len(given) != 1:
        raise FrameError("slow", ["give each row a factor (times as long) or a speed_kph, one of the two"])
    values = marks[given[0]].to_numpy(np.float64)
    wrong = ~((values > 0) & np.isfinite(values))
    if wrong.any():
        raise FrameError(
            "slow", [f"{given[0]} must be above zero, not so in rows {some(marks.index[wrong])}"]
        )
    parts, found = _cut_out(parts, marks, "slow")
    minutes = {mode: m.copy() for mode, m in parts.links.minutes.items()}
    for which, value in zip(found, values.tolist(), strict=True):
        at_speed = parts.links.length_m[which, None] * 0.06 / value
        for m in minutes.values():
            m[which] = m[which] * value if given[0] == "factor" else np.maximum(m[which], at_speed)
    return _with_minutes(parts, minutes)


def _set(minutes: Array, which: Array, value: float) -> Array:
    changed = minutes.copy()
    changed[which] = value
    return changed


def _with_minutes(parts: RoadParts, minutes: dict[str, Array]) -> RoadParts:
    return replace(parts, links=replace(parts.links, minutes=minutes))


def added(parts: RoadParts, lines: GeoDataFrame) -> RoadParts:
    """Return `parts` with new roads, joined at their ends to the roads there are within 25 m, which are cut there.

    `highway` says their class (``unclassified`` without), `speed_kph` their speed by modes that heed limits, `oneway` whether they
    are driven along the line only.
    """
    shapes = _marks(parts, lines, "add")
    bent = [str(i) for i, s in zip(lines.index, shapes, strict=True) if s.geom_type != "LineString"]
    if bent:
        raise GeometryError(f"add: a new road is one line; not so in rows {some(bent)}")
    if not len(shapes):
        return parts
    cutter = _Cutter(parts)
    for row, (_, about) in enumerate(lines.drop(columns=lines.geometry.name).iterrows()):
        cutter.lay(shapes[row], dict(about), str(lines.index[row]))
    return cutter.parts()


class _Cutter:
    """The pieces of a network while roads are laid: old links, cut where new ones join, and the new ones."""

    def __init__(self, parts: RoadParts) -> None:
        self.old = parts
        self.tree = shapely.STRtree(parts.links.lines())
        self.lines = parts.links.lines()
        self.cuts: dict[int, dict[float, int]] = {}
        self.new: list[tuple[int, int, Any, dict[str, tuple[float, float]], str]] = []
        self.places: list[tuple[float, float]] = []
        self.pieces: dict[int, list[int]] = {}
        """Once the parts are made: the links that each old one has become."""

    def cut_along(self, link: int, span: Any) -> None:
        """Cut an old link where it enters and leaves `span`."""
        line = self.lines[link]
        inside = shapely.get_parts(shapely.intersection(line, span))
        for part in inside[shapely.length(inside) > 0]:
            for end in (shapely.get_point(part, 0), shapely.get_point(part, -1)):
                at = float(line.project(end, normalized=True))
                if min(at, 1 - at) * line.length < 1:
                    continue
                self.cuts.setdefault(link, {})[at] = self._node(end.x, end.y)

    def _node(self, x: float, y: float) -> int:
        for i, place in enumerate(self.places):
            if np.hypot(place[0] - x, place[1] - y) < NEAR_M / 10:
                return len(self.old.node_ids) + i
        self.places.append((x, y))
        return len(self.old.node_ids) + len(self.places) - 1

    def _joint(self, x: float, y: float) -> int:
        """Return the node at which a new road's end joins: one there is, one cut into the nearest road, or one of its own."""
        point = shapely.Point(x, y)
        near = self.tree.query_nearest(point, max_distance=NEAR_M, all_matches=False)
        if not near.size:
            return self._node(x, y)
        link = int(near[0])
        links = self.old.links
        at = float(self.lines[link].project(point, normalized=True))
        length = float(self.lines[link].length)
        if at * length < 1:
            return int(links.tail[link])
        if (1 - at) * length < 1:
            return int(links.head[link])
        place = shapely.line_interpolate_point(self.lines[link], at, normalized=True)
        node = self._node(place.x, place.y)
        self.cuts.setdefault(link, {})[at] = node
        return node

    def lay(self, line: Any, about: dict[str, Any], name: str) -> None:
        """Lay one new road."""
        xy = shapely.get_coordinates(line)
        tail, head = self._joint(*xy[0]), self._joint(*xy[-1])
        metres = max(float(line.length), SHORTEST_M)
        highway = str(about.get("highway") or USUAL_CLASS)
        one_way = str(about.get("oneway", "")).lower() in {"yes", "true", "1"}
        minutes = {}
        for mode in self.old.modes:
            kph = self._kph(mode, highway, about)
            bound = one_way and (mode not in self.old.tables or bool(self.old.tables[mode].oneway))
            there = np.inf if kph is None else metres * 0.06 / kph
            minutes[mode] = (there, np.inf if bound else there)
        if not np.isfinite([m[0] for m in minutes.values()]).any():
            raise FrameError(
                "add", [f"row {name}: no mode may use a road of class {highway}; give highway or speed_kph"]
            )
        self.new.append((tail, head, xy, minutes, highway))

    def _kph(self, mode: str, highway: str, about: dict[str, Any]) -> float | None:
        table = self.old.tables.get(mode)
        given = about.get("speed_kph")
        known = given is not None and np.isfinite(float(given))
        if known and (table is None or table.uses_maxspeed):
            return float(given)  # type: ignore[arg-type]  # None is not known
        return None if table is None else table.kph(highway)

    def parts(self) -> RoadParts:
        """Return the network with everything that was laid."""
        old, links = self.old, self.old.links
        whole = np.setdiff1d(np.arange(len(links)), list(self.cuts))
        ends: list[tuple[int, int]] = [(int(links.tail[i]), int(links.head[i])) for i in whole]
        shapes = [links.xy[links.start[i] : links.start[i + 1]] for i in whole]
        length = links.length_m[whole].tolist()
        minutes = {mode: [m[whole]] for mode, m in links.minutes.items()}
        waits = {mode: [w[whole]] for mode, w in links.delay_min.items()}
        highway = links.highway[whole].tolist()
        owner: dict[int, list[int]] = {int(i): [place] for place, i in enumerate(whole)}
        for link, cuts in sorted(self.cuts.items()):
            stops = [(0.0, int(links.tail[link])), *sorted(cuts.items()), (1.0, int(links.head[link]))]
            for (a, begin), (b, end) in pairwise(stops):
                owner.setdefault(link, []).append(len(ends))
                ends.append((begin, end))
                shapes.append(shapely.get_coordinates(substring(self.lines[link], a, b, normalized=True)))
                length.append(max(float(links.length_m[link]) * (b - a), SHORTEST_M))
                highway.append(int(links.highway[link]))
                for mode, m in links.minutes.items():
                    delay = links.delay_min[mode][link] if mode in waits else np.zeros(2)
                    # the delay is met at the end of the road, not where it was cut
                    here = delay * np.array([b == 1.0, a == 0.0])
                    minutes[mode].append(((m[link] - delay) * (b - a) + here)[None, :])
                    if mode in waits:
                        waits[mode].append(here[None, :])
        classes = list(links.classes)
        for tail, head, xy, taken, name in self.new:
            ends.append((tail, head))
            shapes.append(xy)
            length.append(float(np.hypot(*np.diff(xy, axis=0).T).sum()))
            if name not in classes:
                classes.append(name)
            highway.append(classes.index(name))
            for mode, rows in minutes.items():
                rows.append(np.array([taken[mode]]))
                if mode in waits:
                    waits[mode].append(np.zeros((1, 2)))
        counts = np.array([len(s) for s in shapes])
        pair = np.array(ends, np.int64).reshape(-1, 2)
        built, placed = build(
            tail=pair[:, 0],
            head=pair[:, 1],
            length_m=np.array(length),
            minutes={mode: np.concatenate(m) for mode, m in minutes.items()},
            delay_min={mode: np.concatenate(w) for mode, w in waits.items()},
            highway=np.array(highway, np.int64),
            classes=tuple(classes),
            xy=np.concatenate(shapes),
            start=np.r_[0, np.cumsum(counts)].astype(np.int64),
        )

        self.pieces = {link: [int(placed.link[p]) for p in pieces] for link, pieces in owner.items()}

        def now(link: int, way: int, *, entered: bool) -> tuple[int, int]:
            pieces = owner[link]
            piece = pieces[0] if entered == (way == 0) else pieces[-1]
            return int(placed.link[piece]), way ^ int(placed.backward[piece])

        return replace(
            old,
            node_ids=_named(old.node_ids, len(self.places)),
            node_xy=np.concatenate([old.node_xy, np.array(self.places).reshape(-1, 2)]),
            links=built,
            forbidden={mode: _moved(rows, now) for mode, rows in old.forbidden.items()},
            ends_only={
                mode: np.unique([int(placed.link[p]) for i in which.tolist() for p in owner[i]]).astype(
                    np.int64
                )
                for mode, which in old.ends_only.items()
            },
        )


def _named(ids: Array, count: int) -> Array:
    """Return node ids with those of new nodes: numbers below all others, or ``new-1``, ``new-2`` and so on."""
    if ids.dtype == object:
        taken = len([i for i in ids if str(i).startswith("new-")])
        return np.concatenate([ids, np.array([f"new-{taken + i + 1}" for i in range(count)], dtype=object)])
    lowest = min(int(ids.min(initial=0)), 0)
    return np.concatenate([ids, lowest - 1 - np.arange(count, dtype=np.int64)])


def _moved(rows: Array, now: Any) -> Array:
    """Return forbidden paths over the links as they are now: into a junction by the piece that ends there, out by the one that begins there."""
    moved = []
    for row in rows.tolist():
        path = [(a, b) for a, b in zip(row[::2], row[1::2], strict=True) if a >= 0]
        steps = [now(link, way, entered=place > 0) for place, (link, way) in enumerate(path)]
        flat = [n for step in steps for n in step]
        moved.append(flat + [-1] * (len(row) - len(flat)))
    return np.array(moved, np.int64).reshape(rows.shape)
