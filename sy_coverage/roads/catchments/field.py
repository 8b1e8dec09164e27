"""Say for every node of a grid which road a place there belongs to: the one that `snap` would bring it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.kernel.snapper import Snapper

NODES = 17
"""Nodes along the side of a tile, those on its rim shared with the next."""


@dataclass(eq=False)
class Field:
    """The grid of one travel mode in one direction, filled tile by tile where somebody draws."""

    snapper: Snapper
    bits: Array
    wanted: int
    max_snap_m: float
    cell: float
    link: Array = field(default_factory=lambda: np.zeros(0, np.uint32))
    """uint32 by tile and node: one more than the position of the link, 0 for none within reach."""
    fraction: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    away_m: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    _row: dict[tuple[int, int], int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def rows(self, tiles: Array) -> Array:
        """Return where the tiles with these columns and rows, int64 of shape (tiles, 2), lie in `link` and the others."""
        keys = list(map(tuple, tiles.tolist()))
        with self._lock:
            fresh = [key for key in keys if key not in self._row]
            if fresh:
                self._fill(fresh)
            return np.array([self._row[key] for key in keys], np.int64)

    def _fill(self, keys: list[tuple[int, int]]) -> None:
        step = np.arange(NODES)
        x = (np.array([k[0] for k in keys])[:, None] * (NODES - 1) + step) * self.cell
        y = (np.array([k[1] for k in keys])[:, None] * (NODES - 1) + step) * self.cell
        shape = len(keys), NODES, NODES
        xy = np.stack(
            [np.broadcast_to(x[:, None, :], shape), np.broadcast_to(y[:, :, None], shape)], axis=-1
        ).reshape(-1, 2)
        at = self.snapper.places(xy, self.bits, wanted=self.wanted, max_snap_m=self.max_snap_m)
        self._row.update({key: len(self._row) + i for i, key in enumerate(keys)})
        self.link = np.r_[self.link, (at.link + 1).astype(np.uint32)]
        self.fraction = np.r_[self.fraction, np.nan_to_num(at.fraction).astype(np.float32)]
        self.away_m = np.r_[self.away_m, np.where(at.link < 0, np.inf, at.snap_m).astype(np.float32)]
