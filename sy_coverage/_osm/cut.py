"""Cut many boxes out of one OpenStreetMap file in a single pass: a province is read once, not once a county."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files
from sy_coverage._osm.ways import Asked, Piece, gathered

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from sy_coverage._osm.opened import Answer
    from sy_coverage._osm.ways import Box, Ways

PARTS = ("ids", "kind", "counts", "refs", "lonlat")


def cut_ways(
    path: str | os.PathLike[str] | Answer,
    *,
    keys: tuple[str, ...],
    wanted: frozenset[str],
    boxes: Mapping[str, Box],
    node_keys: tuple[str, ...] = (),
) -> Iterator[tuple[str, Ways]]:
    """Yield for each of `boxes` its name and the ways that `read_ways` would return of it; the file is gone through once.

    What has been cut waits on disk: memory holds one piece of the file, and then the ways of one box.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        As `read_ways`.
    """
    if not boxes:
        return
    corners = np.array(list(boxes.values()), np.float64)
    around = (*corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0))
    with _files.passing_file(b"", name="boxes.npy") as waiting, waiting.open("w+b") as shelf:
        places: dict[str, list[int]] = {name: [] for name in boxes}

        def store(piece: Piece) -> None:
            for name, kept in _of_boxes(piece, boxes, corners):
                places[name].append(shelf.tell())
                for part in PARTS:
                    np.save(shelf, getattr(piece.ways_at(kept), part))

        def forget() -> None:
            shelf.seek(0)
            shelf.truncate()
            places.update({name: [] for name in boxes})

        gather = gathered(path, Asked(wanted, keys, node_keys, around), store, forget)
        for name, starts in places.items():
            pieces = []
            for start in starts:
                shelf.seek(start)
                pieces.append(Piece(*(np.load(shelf) for _ in PARTS)))
            yield name, gather.ways(pieces)


def _of_boxes(piece: Piece, boxes: Mapping[str, Box], corners: Any) -> Iterator[tuple[str, Any]]:
    """Yield the boxes that hold a node of one of the ways, and of which ways."""
    if not len(piece.ids):
        return
    first = np.r_[0, np.cumsum(piece.counts)][:-1]
    lon, lat = piece.lonlat.T
    spread = [ufunc.reduceat(along, first) for ufunc in (np.fmin, np.fmax) for along in (lon, lat)]
    low, high = np.nanmin(piece.lonlat, axis=0), np.nanmax(piece.lonlat, axis=0)
    meets = (corners[:, :2] <= high).all(axis=1) & (corners[:, 2:] >= low).all(axis=1)
    for (name, (west, south, east, north)), near in zip(boxes.items(), meets.tolist(), strict=True):
        if not near:
            continue
        # ways whose own extent meets the box are looked at node by node
        close = (spread[0] <= east) & (spread[2] >= west) & (spread[1] <= north) & (spread[3] >= south)
        nodes = np.repeat(close, piece.counts)
        inside = (west <= lon[nodes]) & (lon[nodes] <= east) & (south <= lat[nodes]) & (lat[nodes] <= north)
        owner = np.repeat(np.flatnonzero(close), piece.counts[close])
        kept = np.zeros(len(piece.ids), dtype=bool)
        kept[owner[inside]] = True
        if kept.any():
            yield name, kept
