"""Find the nearest road of many points: pieces of roads sorted into square cells, compiled once and cached on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from sy_coverage.roads.kernel.search import compiled, tuple_of

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array

MOST_CELLS = 2**22
"""Cells of the grid at most."""
PIECES_A_CELL = 0.25
"""Pieces of roads there are to a cell on average."""
LEAST_SIDE_M = 20.0
"""Cells are not narrower than this."""
PER_METRE = 1e8
"""Distances and places along roads are kept to 10⁻⁸ m: what reprojecting there and back adds is below that."""

_I8 = nb.types.Array(nb.int64, 1, "C", readonly=True)
_U1 = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_F8 = nb.types.Array(nb.float64, 1, "C", readonly=True)
_XY = nb.types.Array(nb.float64, 2, "C", readonly=True)
_GRID = tuple_of(
    nb.float64,
    nb.float64,
    nb.float64,
    nb.int64,
    nb.int64,
    _I8,
    nb.types.Array(nb.int32, 1, "C", readonly=True),
)


@compiled(
    nb.void(
        _XY,
        _I8,
        nb.float64,
        nb.float64,
        nb.float64,
        nb.int64,
        nb.int64,
        nb.int64[::1],
        nb.int32[::1],
        nb.boolean,
    )
)
def sort_in(
    xy: Array,
    first: Array,
    west: float,
    south: float,
    side: float,
    wide: int,
    high: int,
    ends: Array,
    pieces: Array,
    fill: bool,  # noqa: FBT001 - compiled functions know no keywords
) -> None:
    """Count in `ends` the pieces of each cell, or with `fill` write them before `ends`, which go down to their starts.

    Piece i leads from vertex ``first[i]`` to the one after it.
    """
    for piece in range(first.size - 1, -1, -1):
        x0, y0 = (xy[first[piece], 0] - west) / side, (xy[first[piece], 1] - south) / side
        x1, y1 = (xy[first[piece] + 1, 0] - west) / side, (xy[first[piece] + 1, 1] - south) / side
        if y1 < y0:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for row in range(min(int(y0), high - 1), min(int(y1), high - 1) + 1):
            # where the piece enters and leaves the row; a little more, so that rounding loses no cell
            low, top = max(y0, row - 1e-9), min(y1, row + 1 + 1e-9)
            a, b = x0, x1
            if y1 > y0:
                a = x0 + (low - y0) / (y1 - y0) * (x1 - x0)
                b = x0 + (top - y0) / (y1 - y0) * (x1 - x0)
            if b < a:
                a, b = b, a
            for column in range(max(int(a - 1e-9), 0), min(int(b + 1e-9), wide - 1) + 1):
                cell = row * wide + column
                if fill:
                    ends[cell] -= 1
                    pieces[ends[cell]] = piece
                else:
                    ends[cell] += 1


@compiled(
    tuple_of(nb.int64[::1], nb.int64[::1])(_XY, _GRID, _XY, _I8, _I8, _U1, nb.uint8, nb.uint8, nb.float64)
)
def nearest_links(  # noqa: C901, PLR0912 - one loop that must stay in one compiled function
    points: Array,
    grid: tuple[float, float, float, int, int, Array, Array],
    xy: Array,
    first: Array,
    owner: Array,
    kind: Array,
    usable: int,
    wanted: int,
    most_m: float,
) -> tuple[Array, Array]:
    """Return for each point the nearest link with all bits of `wanted` within `most_m`, and the nearest with a bit of `usable`.

    −1 where there is none; of links equally near the first. `kind` has the bits of each link, `owner` the link of each piece.
    """
    west, south, side, wide, high, start, pieces = grid
    best = np.full(points.shape[0], -1, np.int64)
    other = np.full(points.shape[0], -1, np.int64)
    most = np.floor(most_m * PER_METRE)
    for i in range(points.shape[0]):
        px, py = points[i, 0], points[i, 1]
        column, row = int(np.floor((px - west) / side)), int(np.floor((py - south) / side))
        best_m, other_m = np.inf, np.inf
        # rings of cells around the point's own, from the first that touches the grid
        ring = max(-column, column - wide + 1, -row, row - high + 1, 0)
        east_m, north_m = px - west - column * side, py - south - row * side
        gone = min(east_m, side - east_m, north_m, side - north_m)
        last = max(column, wide - 1 - column, row, high - 1 - row)
        while ring <= last:
            # everything nearer than this has been looked at
            if ring > 0:
                clear = (gone + (ring - 1) * side) * PER_METRE
                if clear > best_m or clear > most:
                    break
            for y in range(max(row - ring, 0), min(row + ring, high - 1) + 1):
                step = 1 if abs(y - row) == ring else 2 * ring
                x = column - ring
                if x < 0 and step == 1:
                    x = 0
                while x <= column + ring:
                    if x >= wide:
                        break
                    if x >= 0:
                        cell = y * wide + x
                        for entry in range(start[cell], start[cell + 1]):
                            piece = pieces[entry]
                            link = owner[piece]
                            bits = kind[link]
                            if bits & usable == 0:
                                continue
                            v = first[piece]
                            dx, dy = xy[v + 1, 0] - xy[v, 0], xy[v + 1, 1] - xy[v, 1]
                            qx, qy = px - xy[v, 0], py - xy[v, 1]
                            square = dx * dx + dy * dy
                            t = (qx * dx + qy * dy) / square if square > 0 else 0.0
                            if t >= 1.0:
                                qx, qy = px - xy[v + 1, 0], py - xy[v + 1, 1]
                            elif t > 0.0:
                                qx -= t * dx
                                qy -= t * dy
                            away = np.rint(np.sqrt(qx * qx + qy * qy) * PER_METRE)
                            if away > most:
                                continue
                            if away < other_m or (away == other_m and link < other[i]):
                                other_m, other[i] = away, link
                            if bits & wanted == wanted and (
                                away < best_m or (away == best_m and link < best[i])
                            ):
                                best_m, best[i] = away, link
                    x += max(step, 1)
            ring += 1
    return best, other


@compiled(nb.float64[:, ::1](_XY, _I8, _XY, _I8))
def along(xy: Array, start: Array, points: Array, link: Array) -> Array:
    """Return for each point the fraction along its link of the nearest place, and the metres to it: shape (points, 2)."""
    answer = np.empty((link.size, 2))
    for i in range(link.size):
        px, py = points[i, 0], points[i, 1]
        total, place, nearest = 0.0, 0.0, np.inf
        for v in range(start[link[i]], start[link[i] + 1] - 1):
            dx, dy = xy[v + 1, 0] - xy[v, 0], xy[v + 1, 1] - xy[v, 1]
            qx, qy = px - xy[v, 0], py - xy[v, 1]
            square = dx * dx + dy * dy
            length = np.sqrt(square)
            t = min(max((qx * dx + qy * dy) / square, 0.0), 1.0) if square > 0 else 0.0
            away = np.rint(np.hypot(qx - t * dx, qy - t * dy) * PER_METRE)
            if away < nearest:
                nearest, place = away, total + t * length
            total += length
        metres = np.rint(place * PER_METRE) / PER_METRE
        answer[i, 1] = nearest / PER_METRE
        # the end of a link is the end, whatever rounding has made of its length
        if metres <= 0:
            answer[i, 0] = 0.0
        elif metres >= total - 1.0 / PER_METRE:
            answer[i, 0] = 1.0
        else:
            answer[i, 0] = metres / total
    return answer


def in_order(points: Array, grid: tuple[float, float, float, int, int, Array, Array]) -> Array:
    """Return points' positions cell by cell, so that those that follow each other share a cache."""
    west, south, side, wide, *_ = grid
    order: Array = np.argsort(
        np.floor((points[:, 1] - south) / side) * wide + np.floor((points[:, 0] - west) / side), kind="stable"
    )
    return order


def grid_of(xy: Array, first: Array) -> tuple[float, float, float, int, int, Array, Array]:
    """Return the cells of pieces of roads: west and south edge, side, columns, rows, where each cell's pieces start, and the pieces."""
    low, top = xy.min(axis=0), xy.max(axis=0)
    area = float(np.prod(np.maximum(top - low, LEAST_SIDE_M)))
    cells = min(max(first.size / PIECES_A_CELL, 1.0), float(MOST_CELLS))
    side = max(float(np.sqrt(area / cells)), LEAST_SIDE_M, float((top - low).max()) / MOST_CELLS)
    wide, high = (int(span / side) + 1 for span in top - low)
    where = float(low[0]), float(low[1]), side, wide, high
    ends = np.zeros(wide * high, np.int64)
    sort_in(xy, first, *where, ends, np.zeros(0, np.int32), False)
    ends = np.cumsum(ends)
    pieces = np.empty(int(ends[-1]), np.int32)
    total = ends[-1]
    sort_in(xy, first, *where, ends, pieces, True)
    return *where, np.append(ends, total), pieces
