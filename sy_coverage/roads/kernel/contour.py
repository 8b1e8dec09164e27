"""Draw outlines around line segments: the distance to them on a grid, contoured at one distance, compiled once."""

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
_I8 = nb.types.Array(nb.int64, 1, "C", readonly=True)
_XY = nb.types.Array(nb.float64, 2, "C", readonly=True)
_PIECES: Any = nb.types.Tuple((nb.float64[:, ::1], nb.int64[::1]))  # type: ignore[no-untyped-call]  # numba has no types
_STEPS: Any = nb.types.Tuple((nb.int64[:, ::1], nb.float64[:, ::1]))  # type: ignore[no-untyped-call]  # as above
_RINGS: Any = nb.types.Tuple((nb.float64[:, ::1], nb.int64[::1]))  # type: ignore[no-untyped-call]  # as above


@compiled([nb.int64[:, ::1](nb.int64[:, ::1]), nb.float64[:, ::1](nb.float64[:, ::1])])
def longer(rows: Array) -> Array:
    """Return `rows` with as many empty ones after them: numba's own ways to do so take seconds to compile."""
    more = np.empty((2 * rows.shape[0], rows.shape[1]), rows.dtype)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            more[i, j] = rows[i, j]
    return more


@compiled(_PIECES(_XY, _F8, _I8, _I8, _F8, _F8, _I8))
def cut(
    xy: Array, along: Array, start: Array, line: Array, begin: Array, end: Array, rank: Array
) -> tuple[Array, Array]:
    """Return the segments (x0, y0, x1, y1) of parts of lines from metre `begin` to `end`, and the rank of each.

    `along` says at which metre of its line each vertex of `xy` lies; line i owns rows ``start[i]`` to ``start[i + 1]``.
    """
    room = 0
    for i in line:
        room += start[i + 1] - start[i]
    pieces = np.empty((room, 4))
    ranks = np.empty(room, np.int64)
    count = 0
    for part in range(line.size):
        first, last = start[line[part]], start[line[part] + 1] - 1
        a, b = begin[part], end[part]
        for v in range(first, last):
            low, high = along[v], along[v + 1]
            if (high < a and v + 1 < last) or (low > b and v > first):
                continue
            length = high - low
            s = min(max((a - low) / length, 0.0), 1.0) if length > 0 else 0.0
            t = min(max((b - low) / length, 0.0), 1.0) if length > 0 else 1.0
            if t < s:
                continue
            for axis in range(2):
                step = xy[v + 1, axis] - xy[v, axis]
                pieces[count, axis] = xy[v, axis] + s * step
                pieces[count, 2 + axis] = xy[v, axis] + t * step
            ranks[count] = rank[part]
            count += 1
    return pieces[:count], ranks[:count]


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


@compiled(_STEPS(_XY, _I8, _I8, _I8, nb.int64, nb.int64, nb.float64, nb.float64))
def contour(  # noqa: C901, PLR0912, PLR0915 - one loop over tiles that must stay in one compiled function
    pieces: Array, ranks: Array, tiles: Array, which: Array, most: int, wide: int, cell: float, width: float
) -> tuple[Array, Array]:
    """Return the steps of the outlines at `width` metres around the segments of ranks 0, 0–1, … 0–`most`.

    `tiles` and `which` are sorted by tile, then by the rank of the segment. Each step leads from one crossing of the grid
    to the next with the inside on its left: (rank, crossing, next crossing), and the place (x, y) of the first.
    A crossing is numbered by the edge of the grid it lies on. Whatever is inside at one rank is inside at the next.
    """
    nodes = TILE + 1
    square = np.empty((nodes, nodes))
    inside = np.empty(4, np.bool_)
    at = np.empty(4)
    steps = np.empty((1024, 3), np.int64)
    places = np.empty((1024, 2))
    count = 0
    margin = width + cell * 1.01
    # a node so deep inside has only nodes inside around it: how deep is of no interest
    deep = max(width - cell * 1.01, 0.0) ** 2
    row_of_nodes = wide * TILE
    pair = 0
    while pair < tiles.size:
        tile = tiles[pair]
        west, south = (tile % wide) * TILE, (tile // wide) * TILE
        square[:, :] = np.inf
        shallow = nodes * nodes
        for rank in range(most + 1):
            fresh = False
            while pair < tiles.size and tiles[pair] == tile and ranks[which[pair]] == rank:
                i = which[pair]
                pair += 1
                if shallow == 0:
                    continue
                fresh = True
                x0, y0 = pieces[i, 0], pieces[i, 1]
                dx, dy = pieces[i, 2] - x0, pieces[i, 3] - y0
                length = dx * dx + dy * dy
                inverse = 1.0 / length if length > 0 else 0.0
                low = max(int(np.ceil((y0 + min(dy, 0.0) - margin) / cell)) - south, 0)
                high = min(int(np.floor((y0 + max(dy, 0.0) + margin) / cell)) - south, TILE)
                left = max(int(np.ceil((x0 + min(dx, 0.0) - margin) / cell)) - west, 0)
                right = min(int(np.floor((x0 + max(dx, 0.0) + margin) / cell)) - west, TILE)
                for row in range(low, high + 1):
                    for column in range(left, right + 1):
                        before = square[row, column]
                        if before <= deep:
                            continue
                        # counted from tile 0, so that tiles side by side agree to the last bit
                        px, py = (west + column) * cell - x0, (south + row) * cell - y0
                        t = min(max((px * dx + py * dy) * inverse, 0.0), 1.0)
                        px -= t * dx
                        py -= t * dy
                        here = px * px + py * py
                        if here < before:
                            square[row, column] = here
                            if here <= deep:
                                shallow -= 1
            if shallow == 0:
                continue
            if not fresh and rank == 0:
                continue
            for row in range(TILE):
                for column in range(TILE):
                    # the corners of the cell, anticlockwise from the south-west; edge k leads from corner k to the next
                    at[0], at[1] = square[row, column], square[row, column + 1]
                    at[3], at[2] = square[row + 1, column], square[row + 1, column + 1]
                    number = 0
                    for corner in range(4):
                        inside[corner] = at[corner] <= width * width
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
                        steps[count, 0] = rank
                        for end, edge in ((1, corner), (2, (back + 3) % 4)):
                            x, y = west + column + (edge == 1), south + row + (edge == 2)
                            steps[count, end] = 2 * (y * row_of_nodes + x) + edge % 2
                        a, b = np.sqrt(at[corner]), np.sqrt(at[(corner + 1) % 4])
                        share = (width - a) / (b - a) if b < np.inf else NEAREST
                        share = min(max(share, NEAREST), 1.0 - NEAREST)
                        along = share if corner < 2 else 1.0 - share
                        x, y = west + column + (corner == 1), south + row + (corner == 2)
                        places[count, 0] = (x + (along if corner % 2 == 0 else 0.0)) * cell
                        places[count, 1] = (y + (along if corner % 2 == 1 else 0.0)) * cell
                        count += 1
        while pair < tiles.size and tiles[pair] == tile:
            pair += 1
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
