"""Draw outlines of what is within so many minutes: the minutes on a grid, contoured at a cutoff, compiled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sy_coverage.roads.kernel.search import compiled

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array

TILE = 16
"""Cells a tile is wide: only tiles near a segment are ever thought of."""
NEAREST = 1e-6
"""A contour keeps this share of a cell away from the grid's nodes, so that its rings never touch."""

_F8 = nb.types.Array(nb.float64, 1, "C", readonly=True)
_F4 = nb.types.Array(nb.float32, 1, "C", readonly=True)
_U4 = nb.types.Array(nb.uint32, 1, "C", readonly=True)
_I8 = nb.types.Array(nb.int64, 1, "C", readonly=True)
_XY = nb.types.Array(nb.float64, 2, "C", readonly=True)
_STEPS: Any = nb.types.Tuple((nb.int64[:, ::1], nb.float64[:, ::1]))  # type: ignore[no-untyped-call]  # numba has no types
_RINGS: Any = nb.types.Tuple((nb.float64[:, ::1], nb.int64[::1]))  # type: ignore[no-untyped-call]  # as above


@compiled([nb.int64[:, ::1](nb.int64[:, ::1]), nb.float64[:, ::1](nb.float64[:, ::1])])
def longer(rows: Array) -> Array:
    """Return `rows` with as many empty ones after them: numba's own ways to do so take seconds to compile."""
    more = np.empty((2 * rows.shape[0], rows.shape[1]), rows.dtype)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            more[i, j] = rows[i, j]
    return more


@compiled(nb.int64[:, ::1](_XY, nb.float64, nb.float64, nb.int64))
def near(pieces: Array, margin: float, side: float, wide: int) -> Array:
    """Return pairs (tile, segment), int64 of shape (pairs, 2), of all tiles of `side` metres that may hold a point within `margin` of a segment.

    Coordinates count from the corner of tile 0; tile numbers run along rows of `wide` tiles.
    """
    pairs = np.empty((4 * pieces.shape[0] + 16, 2), np.int64)
    count = 0
    reach = margin + side * np.sqrt(0.5)
    for i in range(pieces.shape[0]):
        x0, y0, x1, y1 = pieces[i, 0], pieces[i, 1], pieces[i, 2], pieces[i, 3]
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy
        inverse = 1.0 / square if square > 0 else 0.0
        for row in range(int((min(y0, y1) - margin) // side), int((max(y0, y1) + margin) // side) + 1):
            for column in range(int((min(x0, x1) - margin) // side), int((max(x0, x1) + margin) // side) + 1):
                px, py = (column + 0.5) * side - x0, (row + 0.5) * side - y0
                t = min(max((px * dx + py * dy) * inverse, 0.0), 1.0)
                px -= t * dx
                py -= t * dy
                if px * px + py * py > reach * reach:
                    continue
                if count == pairs.shape[0]:
                    pairs = longer(pairs)
                pairs[count, 0] = row * wide + column
                pairs[count, 1] = i
                count += 1
    return pairs[:count]


@compiled(
    _STEPS(
        *(_U4, _F4, _F4, _I8, _I8),
        *(_F8, _F8, _F8, _F8, _F8, _F8),
        *(nb.int64, nb.float64, nb.float64, nb.float64, nb.float64),
        *(nb.float64, nb.int64, nb.float64),
    )
)
def contour(  # noqa: C901, PLR0912, PLR0915 - one loop over tiles that must stay in one compiled function
    link: Array,
    fraction: Array,
    away: Array,
    rows: Array,
    tiles: Array,
    tail_min: Array,
    head_min: Array,
    tail_here: Array,
    head_here: Array,
    from_tail: Array,
    from_head: Array,
    own_link: int,
    own_fraction: float,
    own_min: float,
    per_m: float,
    most_m: float,
    cutoff: float,
    wide: int,
    cell: float,
) -> tuple[Array, Array]:
    """Return the steps of the outline of what is within `cutoff`, on a grid of cells.

    Tile i has ``tiles[i]`` for its number (rows of `wide` tiles) and ``rows[i]`` for its place in `link`, `fraction` and `away`, which
    say for each of its nodes the link it belongs to (one more than it; 0 for none), where along it and how far away. By
    link, `tail_min` and `head_min` are the minutes at its ends for who goes along it, `tail_here` and `head_here` for who
    stands there, `from_tail` and `from_head` those to cross it. Each step leads from one crossing of the grid to the next with the
    inside on its left: (crossing, next crossing), and the place (x, y) of the first. A crossing is numbered by the edge of
    the grid it lies on.
    """
    nodes = TILE + 1
    minutes, beyond = np.empty((nodes, nodes)), np.empty((nodes, nodes))
    inside = np.empty(4, np.bool_)
    at = np.empty(4)
    steps = np.empty((1024, 2), np.int64)
    places = np.empty((1024, 2))
    count = 0
    row_of_nodes = wide * TILE
    for i in range(tiles.size):
        west, south = (tiles[i] % wide) * TILE, (tiles[i] // wide) * TILE
        first = rows[i] * nodes * nodes
        least = np.inf
        for node in range(nodes * nodes):
            here = np.inf
            metres = float(away[first + node])
            if link[first + node] > 0 and metres < np.inf:
                k = np.int64(link[first + node]) - 1
                f = float(fraction[first + node])
                if f <= 0.0:
                    here = tail_here[k]
                elif f >= 1.0:
                    here = head_here[k]
                else:
                    here = min(tail_min[k] + f * from_tail[k], head_min[k] + (1.0 - f) * from_head[k])
                if k == own_link:
                    step = f - own_fraction
                    if step == 0.0:
                        here = min(here, own_min)
                    elif step > 0.0:
                        here = min(here, own_min + step * from_tail[k])
                    else:
                        here = min(here, own_min - step * from_head[k])
                here += metres * per_m
            minutes[node // nodes, node % nodes] = here
            beyond[node // nodes, node % nodes] = (metres - most_m) * per_m
            least = min(least, here)
        if least > cutoff:
            continue
        for row in range(TILE):
            for column in range(TILE):
                # the corners of the cell, anticlockwise from the south-west; edge k leads from corner k to the next
                number = 0
                for corner in range(4):
                    y, x = row + (corner >= 2), column + (0 < corner < 3)
                    at[corner] = max(minutes[y, x] - cutoff, beyond[y, x])
                    inside[corner] = at[corner] <= 0.0
                    number += inside[corner]
                if number % 4 == 0:
                    continue
                for corner in range(4):
                    if not inside[corner] or inside[(corner + 1) % 4]:
                        continue
                    back = corner
                    while inside[(back + 3) % 4]:
                        back = (back + 3) % 4
                    if count == steps.shape[0]:
                        steps, places = longer(steps), longer(places)
                    for end, edge in ((0, corner), (1, (back + 3) % 4)):
                        x, y = west + column + (edge == 1), south + row + (edge == 2)
                        steps[count, end] = 2 * (y * row_of_nodes + x) + edge % 2
                    a, b = at[corner], at[(corner + 1) % 4]
                    share = -a / (b - a) if b < np.inf else NEAREST
                    share = min(max(share, NEAREST), 1.0 - NEAREST)
                    along = share if corner < 2 else 1.0 - share
                    x, y = west + column + (corner == 1), south + row + (corner == 2)
                    places[count, 0] = (x + (along if corner % 2 == 0 else 0.0)) * cell
                    places[count, 1] = (y + (along if corner % 2 == 1 else 0.0)) * cell
                    count += 1
    return steps[:count], places[:count]


@compiled(_RINGS(_I8, _XY))
def rings(then: Array, places: Array) -> tuple[Array, Array]:
    """Return closed rings, one after the other, and where each begins; ``then[i]`` is the step after step i."""
    count = then.size
    done = np.zeros(count, np.bool_)
    xy = np.empty((2 * count, 2))
    start = np.empty(count + 1, np.int64)
    written = 0
    found = 0
    for first in range(count):
        if done[first]:
            continue
        start[found] = written
        found += 1
        step = first
        closed = False
        while not closed:
            closed = done[step]
            done[step] = True
            xy[written, 0], xy[written, 1] = places[step, 0], places[step, 1]
            written += 1
            step = then[step]
    start[found] = written
    return xy[:written], start[: found + 1]
