"""Place the 206 towns and draw their estimated polygons: no official township boundary is openly to be had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import ndimage
from shapely import Point, box

if TYPE_CHECKING:
    from collections.abc import Iterable

METRIC = "EPSG:4546"
GRID = 1e-6
"""Degrees that every coordinate of the sample is rounded to, about 0.1 m."""
CELL_M = 200.0
INSIDE_SHARE = 0.4
FALSE_BOXES = ("五峰铺国有林场",)
"""Boxes of another place of the same bare name, known by inspection."""

PINYIN = {
    "Zhushi": "竹市镇",
    "Yaoshi": "窑市镇",
    "Xiyan": "西岩镇",
    "Wuyang": "武阳镇",
    "Wantouqiao": "湾头桥镇",
    "Wantang": "万塘乡",
    "Tangjiafang": "唐家坊镇",
    "Shijiang": "石江镇",
    "Shanmen": "山门镇",
    "Qingjiangqiao": "清江桥乡",
    "Maoping": "茅坪镇",
    "Malin": "马林乡",
    "Lixiqiao": "李熙桥镇",
    "Le’anpu Miaozudongzuxiang": "乐安铺苗族侗族乡",
    "Langshan": "崀山镇",
    "Jiangkou": "江口镇",
    "Huayuan": "花园镇",
    "Huangtukuang": "黄土矿镇",
    "Huangqiao": "黄桥镇",
    "Huanglong": "黄龙镇",
    "Huangjin Yaozuxiang": "黄金瑶族乡",
    "Hekou": "河口苗族乡",
    "Guanxia Miaozuxiang": "关峡苗族乡",
    "Gaoqiao": "高桥镇",
    "Dongshan Dongzuxiang": "东山侗族乡",
    "Dengjiapu": "邓家铺镇",
    "Dengyuantai": "邓元泰镇",
    "Dankou": "丹口镇",
    "Chang’anying": "长安营镇",
    "Baisha": "白沙镇",
    "Baimaoping": "白毛坪镇",
    "Gaoping": "高平镇",
    "Zhaishi Miaozu Dongzuxiang": "寨市苗族侗族乡",
    # seats of towns that were divided into streets, under their former names
    "Taohong": "桃花坪街道",
    "Dongkou": "文昌街道",
    "Wugang": "辕门口街道",
    "Liangshi": "两市塘街道",
}
"""GeoNames spellings without a Chinese name, and the town each stands for (inside its county, or it is not taken)."""

_SUFFIX = re.compile("(街道|镇|乡)$")


def stem(name: str) -> str:
    """Return the bare name of a town: 虎形山瑶族乡 is 虎形山."""
    for group in ("苗族侗族", "苗族瑶族", "瑶族", "苗族", "侗族", "回族"):
        name = name.removesuffix(f"{group}乡")
    return _SUFFIX.sub("", name)


def _former_names(name: str) -> list[str]:
    """Return the names a box may go by: today's, then those of the time when it was a township or of another rank."""
    bare = stem(name)
    ranks = ("镇", "乡", "街道", "苗族乡", "侗族乡", "瑶族乡", "回族乡", "苗族侗族乡")
    return [name, name.replace("国有", ""), *(bare + rank for rank in ranks)]


def match_boxes(
    units: pd.DataFrame, counties: gpd.GeoDataFrame, boxes: dict[str, tuple[float, float, float, float]]
) -> pd.DataFrame:
    """Return `west`, `south`, `east`, `north` for every unit whose box lies for the most part inside its county."""
    found = {}
    for unit_id, unit in units.iterrows():
        if unit["name"] in FALSE_BOXES:
            continue
        for name in _former_names(unit["name"]):
            area = box(*boxes[name]) if name in boxes else None
            if area is None or area.area == 0:
                continue
            inside = area.intersection(counties.geometry[unit["county_id"]]).area
            if inside / area.area > INSIDE_SHARE:
                found[unit_id] = boxes[name]
                break
    return pd.DataFrame.from_dict(found, orient="index", columns=["west", "south", "east", "north"])


def match_geonames(
    units: pd.DataFrame, counties: gpd.GeoDataFrame, boxes: pd.DataFrame, places: pd.DataFrame
) -> pd.DataFrame:
    """Return `lon`, `lat` of the units found in GeoNames, inside their county and (where known) their box."""
    ranks: dict[tuple[str, str], tuple[int, int]] = {}
    found: dict[str, tuple[float, float]] = {}
    for order, place in enumerate(places.itertuples()):
        point = Point(place.lon, place.lat)
        for unit_id, unit in units.iterrows():
            if PINYIN.get(place.name) == unit["name"]:
                rank = 1
            elif stem(unit["name"]) in place.chinese:
                rank = 0
            elif unit["name"] in place.chinese:
                rank = 2
            else:
                continue
            if not counties.geometry[unit["county_id"]].covers(point):
                continue
            if unit_id in boxes.index:
                b = boxes.loc[unit_id]
                margin = 0.005
                if not box(b.west, b.south, b.east, b.north).buffer(margin).covers(point):
                    continue
            key = (unit_id, "best")
            if key not in ranks or (rank, order) < ranks[key]:
                ranks[key] = (rank, order)
                found[unit_id] = (place.lon, place.lat)
    return pd.DataFrame.from_dict(found, orient="index", columns=["lon", "lat"])


def seats(
    units: pd.DataFrame, counties: gpd.GeoDataFrame, boxes: pd.DataFrame, known: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Return a point for every unit (metres, `METRIC`) and `position_quality`: geonames, box or spread.

    A GeoNames position counts 0.6 and the middle of the box 0.4, because the older GeoNames positions are rounded to a
    minute; the middle is that of the part of the box that few other boxes hold. Units of which neither is known are
    spread, as far from each other as can be, in the part of their county that no box holds.
    """
    metric = counties.to_crs(METRIC).geometry
    box_m = _boxes_m(boxes)
    known_m = gpd.GeoSeries.from_xy(known["lon"], known["lat"], index=known.index, crs="EPSG:4326").to_crs(
        METRIC
    )
    found: dict[str, tuple[Point, str]] = {}
    for county_id in counties.index:
        ids = [i for i in units.index if units.loc[i, "county_id"] == county_id]
        x, y = _grid(metric[county_id], 500.0)
        hold = np.array([_holds(box_m, i, x, y) for i in ids])
        times_held = np.maximum(hold.sum(axis=0), 1)
        for i, held in zip(ids, hold, strict=True):
            middle = None
            if held.any():
                weight = held / times_held**2
                middle = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
            elif i in box_m.index:
                middle = box_m.loc[i].to_numpy().reshape(2, 2).mean(axis=0)
            if i in known_m.index:
                at = np.array([known_m[i].x, known_m[i].y])
                found[i] = (Point(at if middle is None else 0.6 * at + 0.4 * middle), "geonames")
            elif middle is not None:
                found[i] = (Point(middle), "box")
        unknown = [i for i in ids if i not in found]
        there = [found[i][0] for i in ids if i in found and i not in box_m.index]
        free = ~hold.any(axis=0)
        cells = np.c_[x[free], y[free]] if free.sum() >= 3 * len(unknown) else np.c_[x, y]
        # a street adjoins the built-up seat of its county, a township may lie anywhere
        streets = [i for i in unknown if units.loc[i, "kind"] == "street"]
        urban = [found[i][0] for i in ids if i in found and units.loc[i, "kind"] == "street"]
        for some, where in (
            (streets, _around(cells, urban)),
            ([i for i in unknown if i not in streets], cells),
        ):
            for i, at in zip(some, _spread(where, len(some), there), strict=True):
                found[i] = (Point(at), "spread")
                there.append(Point(at))
    return gpd.GeoDataFrame(
        {"position_quality": [found[i][1] for i in units.index]},
        geometry=[found[i][0] for i in units.index],
        index=units.index,
        crs=METRIC,
    )


def _boxes_m(boxes: pd.DataFrame) -> pd.DataFrame:
    areas = gpd.GeoSeries([box(*r) for r in boxes.to_numpy()], index=boxes.index, crs="EPSG:4326")
    return areas.to_crs(METRIC).bounds


def _grid(area: shapely.Geometry, step: float) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = area.bounds
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    inside = shapely.contains_xy(area, x, y)
    return x[inside], y[inside]


def _holds(box_m: pd.DataFrame, unit_id: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if unit_id not in box_m.index:
        return np.zeros(len(x), dtype=bool)
    west, south, east, north = box_m.loc[unit_id]
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _around(cells: np.ndarray, urban: list[Point], most_m: float = 8_000.0) -> np.ndarray:
    """Return the cells within 8 km of a known street, or the 20 nearest to one; all if no street is known."""
    if not urban:
        return cells
    away = np.sqrt(_squares(cells, np.array([(p.x, p.y) for p in urban])).min(axis=1))
    return cells[away <= max(most_m, float(np.sort(away)[min(19, len(away) - 1)]))]


def _spread(where: np.ndarray, count: int, there: Iterable[Point]) -> np.ndarray:
    """Return `count` places of `where` far from each other and from `there`: farthest first, then k-means."""
    if count == 0:
        return np.empty((0, 2))
    fixed = np.array([(p.x, p.y) for p in there]).reshape(-1, 2)
    chosen = np.empty((0, 2))
    for _ in range(count):
        others = np.vstack([fixed, chosen])
        if len(others):
            row = int(_squares(where, others).min(axis=1).argmax())
        else:
            row = int(_squares(where, where.mean(axis=0)[None])[:, 0].argmin())
        chosen = np.vstack([chosen, where[row]])
    for _ in range(30):
        nearest = _squares(where, np.vstack([chosen, fixed])).argmin(axis=1)
        chosen = np.array(
            [where[nearest == k].mean(axis=0) if (nearest == k).any() else chosen[k] for k in range(count)]
        )
    return chosen


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)


OUTSIDE_COST = 3.0
NO_BOX_COST = 0.3
LEAST_REACH = 0.25


def _scores(x: np.ndarray, y: np.ndarray, seat: Point, bounds: np.ndarray | None, size: float) -> np.ndarray:
    """Return the scaled distance of cells to a seat: 1 on each side of its box, 3 more and rising outside it."""
    dx, dy = x - seat.x, y - seat.y
    if bounds is None:
        return np.hypot(dx, dy) / (size / 2) + NO_BOX_COST
    west, south, east, north = bounds
    wide, high = (east - west) * LEAST_REACH, (north - south) * LEAST_REACH
    reach_x = np.where(dx > 0, max(east - seat.x, wide), max(seat.x - west, wide))
    reach_y = np.where(dy > 0, max(north - seat.y, high), max(seat.y - south, high))
    beyond = np.maximum.reduce([west - x, x - east, south - y, y - north, np.zeros(len(x))])
    return np.hypot(dx / reach_x, dy / reach_y) + np.where(beyond > 0, OUTSIDE_COST + beyond / 5000, 0)


def polygons(
    units: pd.DataFrame, counties: gpd.GeoDataFrame, boxes: pd.DataFrame, seats: gpd.GeoDataFrame
) -> gpd.GeoSeries:
    """Return the estimated polygon of every unit in EPSG:4326; together they tile the 12 counties exactly.

    Each cell of 200 m goes to the unit of its county whose box holds it and whose scaled distance is least; a unit
    is one piece. The borders between the cells are smoothed as lines, laid over the county borders in one
    noding with a grid of 1e-6°, and the faces between them are put together again, so that neighbours share vertices.
    """
    box_m = _boxes_m(boxes)
    metric = counties.to_crs(METRIC).geometry
    lines = []
    rasters = {}
    for county_id in counties.index:
        ids = [i for i in units.index if units.loc[i, "county_id"] == county_id]
        raster = _Raster(metric[county_id], ids, box_m, seats)
        rasters[county_id] = raster
        clipped = shapely.intersection(raster.borders(), metric[county_id].buffer(3.0))
        lines.append(gpd.GeoSeries([clipped], crs=METRIC).to_crs("EPSG:4326").iloc[0])
    edges = [*counties.geometry.boundary, *lines]
    network = shapely.unary_union(edges, grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize([network]))
    return _put_together(faces, counties, rasters, units)


class _Raster:
    """The cells of one county, each with the number of its unit."""

    def __init__(
        self, area: shapely.Geometry, ids: list[str], box_m: pd.DataFrame, seats: gpd.GeoDataFrame
    ) -> None:
        self.ids = ids
        west, south, east, north = area.bounds
        self.west, self.south = west - 2 * CELL_M, south - 2 * CELL_M
        columns = int((east - west) // CELL_M) + 5
        rows = int((north - south) // CELL_M) + 5
        x, y = np.meshgrid(
            self.west + (np.arange(columns) + 0.5) * CELL_M, self.south + (np.arange(rows) + 0.5) * CELL_M
        )
        inside = shapely.contains_xy(area, x, y)
        sides = box_m.reindex(ids)
        size = 0.8 * float(
            np.sqrt((sides["maxx"] - sides["minx"]) * (sides["maxy"] - sides["miny"])).median()
        )
        scores = [
            _scores(
                x[inside],
                y[inside],
                seats.geometry[i],
                box_m.loc[i].to_numpy() if i in box_m.index else None,
                size,
            )
            for i in ids
        ]
        self.cells = np.full(x.shape, -1)
        self.cells[inside] = np.argmin(scores, axis=0)
        self._one_piece_each()

    def _one_piece_each(self) -> None:
        main = np.zeros(self.cells.shape, dtype=bool)
        for number in range(len(self.ids)):
            pieces, count = ndimage.label(self.cells == number)
            if count == 0:
                raise SystemExit(f"{self.ids[number]} got no cell")
            sizes = np.bincount(pieces.ravel())
            sizes[0] = 0
            main |= pieces == sizes.argmax()
        nearest = ndimage.distance_transform_edt(~main, return_distances=False, return_indices=True)
        # cells outside the county are filled too, so that borders run on past the county's own
        self.cells = self.cells[tuple(nearest)]

    def unit_at(self, x: float, y: float) -> str:
        row = min(max(int((y - self.south) // CELL_M), 0), self.cells.shape[0] - 1)
        column = min(max(int((x - self.west) // CELL_M), 0), self.cells.shape[1] - 1)
        return self.ids[self.cells[row, column]]

    def borders(self) -> shapely.Geometry:
        """Return the lines between cells of different units, smoothed, in metres."""
        pieces = []
        rows, columns = np.nonzero(self.cells[:, 1:] != self.cells[:, :-1])
        pieces.append(np.stack([columns + 1, rows, columns + 1, rows + 1], axis=1))
        rows, columns = np.nonzero(self.cells[1:, :] != self.cells[:-1, :])
        pieces.append(np.stack([columns, rows + 1, columns + 1, rows + 1], axis=1))
        ends = np.vstack(pieces).astype(float).reshape(-1, 2, 2) * CELL_M + (self.west, self.south)
        if len(ends) == 0:
            return shapely.MultiLineString()
        merged = shapely.line_merge(shapely.multilinestrings(list(shapely.linestrings(ends))))
        return shapely.multilinestrings([_smooth(line) for line in shapely.get_parts(merged)])


def _smooth(line: shapely.LineString) -> shapely.LineString:
    """Return a line with the same ends and its corners cut (Chaikin, twice), so that no stair of cells is left."""
    points = shapely.get_coordinates(shapely.simplify(line, 1.2 * CELL_M))
    if len(points) == 2 or shapely.LineString(points).is_closed:
        return shapely.LineString(points)
    for _ in range(2):
        quarter = 0.75 * points[:-1] + 0.25 * points[1:]
        threequarter = 0.25 * points[:-1] + 0.75 * points[1:]
        inner = np.stack([quarter, threequarter], axis=1).reshape(-1, 2)[1:-1]
        points = np.vstack([points[:1], inner, points[-1:]])
    return shapely.simplify(shapely.LineString(points), 25.0)


def _put_together(
    faces: np.ndarray, counties: gpd.GeoDataFrame, rasters: dict[str, _Raster], units: pd.DataFrame
) -> gpd.GeoSeries:
    inner = gpd.GeoSeries(shapely.point_on_surface(faces), crs="EPSG:4326")
    inner_m = inner.to_crs(METRIC)
    tree = shapely.STRtree(counties.geometry.to_numpy())
    # a sliver's inner point may lie on a border, hence intersects and not within; the first county takes it
    rows, of = tree.query(inner.to_numpy(), predicate="dwithin", distance=GRID)
    county_of = dict(sorted(zip(rows.tolist(), of.tolist(), strict=True), reverse=True))
    owner = np.full(len(faces), None, dtype=object)
    for n, county in county_of.items():
        raster = rasters[counties.index[county]]
        owner[n] = raster.unit_at(inner_m[n].x, inner_m[n].y)
    kept = np.array([o is not None for o in owner])
    faces, owner = faces[kept], owner[kept]
    faces, owner = _slivers_to_neighbours(faces, owner)
    merged = {i: shapely.coverage_union_all(faces[owner == i]) for i in units.index}
    return gpd.GeoSeries(merged, crs="EPSG:4326").map(shapely.normalize).set_crs("EPSG:4326")


def _slivers_to_neighbours(faces: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each face that is not the main piece of its unit to the unit of its county it shares most border with."""
    owner = owner.copy()
    for _ in range(5):
        moved = False
        for unit_id in sorted(set(owner)):
            rows = np.flatnonzero(owner == unit_id)
            pieces = shapely.get_parts(shapely.coverage_union_all(faces[rows]))
            if len(pieces) == 1:
                continue
            main = pieces[int(np.argmax(shapely.area(pieces)))]
            for row in rows:
                if shapely.covers(main, shapely.point_on_surface(faces[row])):
                    continue
                near = [
                    n
                    for n in np.flatnonzero(shapely.intersects(faces, faces[row]))
                    if owner[n] != unit_id and owner[n][:6] == unit_id[:6]
                ]
                shared = [shapely.length(shapely.intersection(faces[n], faces[row])) for n in near]
                if shared and max(shared) > 0:
                    owner[row] = owner[near[int(np.argmax(shared))]]
                    moved = True
        if not moved:
            break
    return faces, owner
