"""Join road pieces that meet end to end, so that every node left is a junction, an end or a change of road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.graph.links import ranges

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array


@dataclass(frozen=True, eq=False)
class Pieces:
    """Road pieces between vertices; piece i owns rows ``start[i]`` to ``start[i + 1]`` of `vertex`."""

    tail: Array
    head: Array
    profile: Array
    """int64: what kind of road it is, along the piece."""
    length_m: Array
    vertex: Array
    start: Array
    way: Array
    inner: Array
    """bool by vertex: nothing but two pieces of road meets here."""


@dataclass(frozen=True, eq=False)
class Chains:
    """Joined pieces, in the shape of `Pieces`; `first_way` and `last_way` lie at their two ends."""

    tail: Array
    head: Array
    profile: Array
    length_m: Array
    vertex: Array
    start: Array
    first_way: Array
    last_way: Array


def joined(pieces: Pieces, turned: Array) -> Chains:
    """Return the pieces joined wherever exactly two of the same kind of road meet and nothing else does.

    Parameters
    ----------
    turned
        By profile: the profile of the same road the other way round.
    """
    after = _neighbours(pieces, turned)
    piece, backward, first = _walk(after, len(pieces.tail))
    chain = np.cumsum(first) - 1
    heads = np.flatnonzero(first)
    tails = np.r_[heads[1:], first.size] - 1 if heads.size else heads
    begins = np.where(backward, pieces.head[piece], pieces.tail[piece])
    ends = np.where(backward, pieces.tail[piece], pieces.head[piece])
    kind = np.where(backward, turned[pieces.profile[piece]], pieces.profile[piece])
    counts = pieces.start[piece + 1] - pieces.start[piece]
    rows, owner = ranges(pieces.start[piece], counts)
    mirrored = pieces.start[piece][owner] + pieces.start[piece + 1][owner] - 1 - rows
    rows = np.where(backward[owner], mirrored, rows)
    # the first vertex of a piece that goes on is the last one of the piece before
    starts = np.r_[0, np.cumsum(counts)[:-1]] if counts.size else counts
    kept = np.ones(rows.size, dtype=bool)
    kept[starts[~first]] = False
    return Chains(
        tail=begins[heads],
        head=ends[tails],
        profile=kind[heads],
        length_m=np.add.reduceat(pieces.length_m[piece], heads) if heads.size else np.zeros(0),
        vertex=pieces.vertex[rows[kept]],
        start=np.r_[0, np.cumsum(np.bincount(chain[owner[kept]], minlength=heads.size))].astype(np.int64),
        first_way=pieces.way[piece[heads]],
        last_way=pieces.way[piece[tails]],
    )


def _neighbours(pieces: Pieces, turned: Array) -> Array:
    """Return for every end of a piece (2 i its tail, 2 i + 1 its head) the end it joins, −1 if none."""
    count = len(pieces.tail)
    at = np.column_stack([pieces.tail, pieces.head]).ravel()
    order = np.argsort(at, kind="stable")
    same = np.flatnonzero((at[order][1:] == at[order][:-1]) & pieces.inner[at[order][1:]])
    one, other = order[same], order[same + 1]
    # a road that comes in at one end and goes out at the other must be of one kind all along
    comes = np.where(one % 2 == 1, pieces.profile[one // 2], turned[pieces.profile[one // 2]])
    goes = np.where(other % 2 == 0, pieces.profile[other // 2], turned[pieces.profile[other // 2]])
    alike = (comes == goes) & (one // 2 != other // 2)
    after = np.full(2 * count, -1, np.int64)
    after[one[alike]] = other[alike]
    after[other[alike]] = one[alike]
    return after


def _walk(after: Array, count: int) -> tuple[Array, Array, Array]:
    """Return pieces in the order of their chains, whether each runs backward, and where a chain begins."""
    joins = after.tolist()
    seen = bytearray(count)
    piece: list[int] = []
    backward: list[bool] = []
    first: list[bool] = []

    def follow(end: int) -> None:
        # `end` is where the chain is entered
        begins = True
        while end >= 0 and not seen[end // 2]:
            seen[end // 2] = 1
            piece.append(end // 2)
            backward.append(end % 2 == 1)
            first.append(begins)
            begins = False
            end = joins[end ^ 1]

    for end in range(2 * count):
        if joins[end] < 0:
            follow(end)
    for end in range(0, 2 * count, 2):
        follow(end)  # what is left are rings without any junction
    return np.array(piece, np.int64), np.array(backward, bool), np.array(first, bool)
