"""Hold the road pieces of a network and turn directed edges, in any order, into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, np.dtype[Any]]

SHORTEST_M = 0.01
"""A road piece of no length is taken to be a centimetre long; how many were is in the network's notes."""
CURVE_ORDER = 20
"""A Hilbert curve of 2²⁰ × 2²⁰ cells tells apart nodes a metre apart in an area of 1,000 km."""


@dataclass(frozen=True, eq=False)
class Links:
    """Road pieces between two nodes, each with one line and its minutes both ways.

    A link runs from `tail` to `head` (positions of nodes, ``tail <= head``); a one-way road has ``inf`` minutes
    in the direction that is closed. Links are sorted, so that their positions do not depend on the input's order.
    """

    tail: Array
    """int32, one a link."""
    head: Array
    """int32, one a link."""
    length_m: Array
    """float64, along the road."""
    minutes: Mapping[str, Array]
    """By travel mode: float64 of shape (links, 2), forward and backward; ``inf`` where the mode may not go."""
    highway: Array
    """int16, position in `classes`."""
    classes: tuple[str, ...]
    xy: Array
    """float64 of shape (vertices, 2), metres; link i owns rows ``start[i]`` to ``start[i + 1]``."""
    start: Array
    """int64, links + 1."""
    delay_min: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    """By travel mode, how much of `minutes` is spent at the junction that ends the link; none where nobody knows."""

    def __len__(self) -> int:
        return int(self.tail.size)

    def lines(self, which: Array | None = None) -> Array:
        """Return shapely LineStrings of all links, or of the positions `which`, in the network's CRS."""
        if which is None:
            owner = np.repeat(np.arange(len(self)), np.diff(self.start))
            return np.asarray(shapely.linestrings(self.xy, indices=owner), dtype=object)
        rows, owner = spans(self.start, which)
        return np.asarray(shapely.linestrings(self.xy[rows], indices=owner), dtype=object)


def ranges(first: Array, counts: Array) -> tuple[Array, Array]:
    """Return ``first[i] … first[i] + counts[i] - 1`` for every i, one after the other, and for each its i."""
    owner = np.repeat(np.arange(counts.size), counts)
    rows = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return rows, owner


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the road pieces handed to `build` went: the link of each, and whether it runs against it."""

    link: Array
    backward: Array


def spans(start: Array, which: Array) -> tuple[Array, Array]:
    """Return the rows that the items `which` own in a table cut at `start`, and for each row whose it is."""
    return ranges(start[which], start[which + 1] - start[which])


def hilbert(xy: Array) -> Array:
    """Return for each point its place along a Hilbert curve over all points: int64 of shape (points,)."""
    if not len(xy):
        return np.zeros(0, np.int64)
    low = xy.min(axis=0)
    side = float((xy.max(axis=0) - low).max()) or 1.0
    most = 2**CURVE_ORDER - 1
    x, y = np.minimum((xy - low) / side * most, most).astype(np.int64).T
    place = np.zeros(len(xy), np.int64)
    for bit in range(CURVE_ORDER - 1, -1, -1):
        right, upper = (x >> bit) & 1, (y >> bit) & 1
        place += ((3 * right) ^ upper) << (2 * bit)
        turned = (upper == 0) & (right == 1)
        x, y = np.where(turned, most - x, x), np.where(turned, most - y, y)
        x, y = np.where(upper == 0, y, x), np.where(upper == 0, x, y)
    return place


def _backward(tail: Array, head: Array, xy: Array, start: Array) -> Array:
    # a loop has no lower end: it runs towards the smaller of its two neighbours
    second, last_but_one = xy[start[:-1] + 1], xy[start[1:] - 2]
    greater = (second[:, 0] > last_but_one[:, 0]) | (
        (second[:, 0] == last_but_one[:, 0]) & (second[:, 1] > last_but_one[:, 1])
    )
    return np.where(tail == head, greater, tail > head)


def _turned(xy: Array, start: Array, backward: Array) -> Array:
    counts = np.diff(start)
    owner = np.repeat(np.arange(counts.size), counts)
    rows = np.arange(len(xy))
    mirrored = start[owner] + start[owner + 1] - 1 - rows
    return xy[np.where(backward[owner], mirrored, rows)]


def build(
    *,
    tail: Array,
    head: Array,
    length_m: Array,
    minutes: Mapping[str, Array],
    delay_min: Mapping[str, Array],
    highway: Array,
    classes: tuple[str, ...],
    xy: Array,
    start: Array,
) -> tuple[Links, Placement]:
    """Return sorted links from road pieces in any order and direction, those on the same line joined into one.

    And where each piece went.

    Parameters
    ----------
    tail, head
        Positions of nodes, int.
    minutes
        By mode, float64 of shape (pieces, 2): along the piece and against it, ``inf`` where closed.
        Pieces on the same line between the same nodes become one link with the least minutes each way.
    delay_min
        By mode, in the same shape, how much of the minutes is spent at the end; modes may be missing.
    xy, start
        Vertices of all pieces; piece i owns rows ``start[i]`` to ``start[i + 1]``, at least two.
    """
    backward = _backward(tail, head, xy, start)
    xy = _turned(xy, start, backward)
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    minutes = {mode: np.where(backward[:, None], m[:, ::-1], m) for mode, m in minutes.items()}
    counts = np.diff(start)
    if not counts.size:
        prints = np.zeros((0, 2))
    else:
        within = (np.arange(len(xy)) - np.repeat(start[:-1], counts) + 1.0)[:, None]
        prints = np.add.reduceat(xy * within, start[:-1], axis=0)
    keys = (prints[:, 1], prints[:, 0], counts, high, low)
    tie = tuple(m[:, way] for m in minutes.values() for way in (1, 0))
    order = np.lexsort((highway, length_m, *tie, *keys))
    same = np.zeros(order.size, dtype=bool)
    if order.size:
        same[1:] = np.logical_and.reduce([k[order][1:] == k[order][:-1] for k in keys])
    first = np.flatnonzero(~same)
    kept = order[first]
    rows, _ = spans(start, kept)
    least = {m: np.minimum.reduceat(v[order], first, axis=0) if first.size else v for m, v in minutes.items()}
    waits = {}
    for mode, waited in delay_min.items():
        turned = np.where(backward[:, None], waited[:, ::-1], waited)[order]
        # of pieces that are joined, the delay of the quickest
        quickest = minutes[mode][order] == least[mode][np.cumsum(~same) - 1]
        turned = np.where(quickest, turned, np.inf)
        waits[mode] = np.minimum.reduceat(turned, first, axis=0) if first.size else waited
    lengths = np.minimum.reduceat(length_m[order], first) if first.size else length_m
    link = np.empty(order.size, np.int64)
    link[order] = np.cumsum(~same) - 1
    links = Links(
        tail=low[kept].astype(np.int32),
        head=high[kept].astype(np.int32),
        length_m=np.asarray(lengths, np.float64),
        minutes={mode: np.ascontiguousarray(m, np.float64) for mode, m in least.items()},
        highway=highway[kept].astype(np.int16),
        classes=classes,
        xy=np.ascontiguousarray(xy[rows], np.float64),
        start=np.r_[0, np.cumsum(counts[kept])].astype(np.int64),
        delay_min={mode: np.ascontiguousarray(w, np.float64) for mode, w in waits.items()},
    )
    return links, Placement(link, backward)
