"""Draw the practice town of lesson 6 as an OpenStreetMap extract: six towns on a bent grid of roads, all of it made up.

python -m scripts.sample.practice notebooks/my-city/practice.osm.pbf
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import osmium
from osmium.osm import mutable

if TYPE_CHECKING:
    from collections.abc import Iterator

TOWNS = ("柳溪镇", "石桥镇", "青竹乡", "枫林镇", "白沙乡", "云台镇")
VILLAGES = ("上坪村", "下坪村", "老屋村", "新塘村", "井头村")
COLUMNS, SIDE = 3, 0.08
WEST, SOUTH = 111.0, 27.0
STEPS = 4
"""Road junctions along the side of a town."""


class Drawing:
    """Nodes and ways with running ids, written in OSM's order."""

    def __init__(self) -> None:
        self.nodes: list[mutable.Node] = []
        self.ways: list[mutable.Way] = []
        self.at: dict[tuple[int, int], int] = {}

    def node(self, lon: float, lat: float, **tags: str) -> int:
        """Add a node and return its id."""
        self.nodes.append(mutable.Node(id=len(self.nodes) + 1, version=1, location=(lon, lat), tags=tags))
        return len(self.nodes)

    def way(self, nodes: list[int], **tags: str) -> None:
        """Add a way."""
        self.ways.append(mutable.Way(id=len(self.ways) + 1, version=1, nodes=nodes, tags=tags))

    def house(self, lon: float, lat: float, **tags: str) -> None:
        """Add a small building about a point."""
        half = 0.0002
        corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
        ring = [self.node(lon + x, lat + y) for x, y in corners]
        self.way([*ring, ring[0]], building="yes", **tags)

    def junction(self, column: int, row: int) -> int:
        """Return the node of a road junction; the grid is bent so that no road is straight."""
        if (column, row) not in self.at:
            lon = WEST + column * SIDE / STEPS + 0.004 * ((row * 7) % 3 - 1)
            lat = SOUTH + row * SIDE / STEPS + 0.004 * ((column * 5) % 3 - 1)
            self.at[column, row] = self.node(lon, lat)
        return self.at[column, row]


def draw() -> Drawing:
    """Return the practice town."""
    drawing = Drawing()
    for k, name in enumerate(TOWNS):
        west, south = WEST + SIDE * (k % COLUMNS), SOUTH + SIDE * (k // COLUMNS)
        ring = [drawing.node(west + x * SIDE, south + y * SIDE) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        drawing.way([*ring, ring[0]], boundary="administrative", admin_level="8", name=name)
        _fill(drawing, name, west, south, hospital=k % 2 == 0)
    for nodes, road in _roads(drawing):
        for a, b in pairwise(nodes):
            drawing.way([a, b], highway=road)
    return drawing


def _fill(drawing: Drawing, name: str, west: float, south: float, *, hospital: bool) -> None:
    drawing.node(west + 0.52 * SIDE, south + 0.48 * SIDE, place="town", name=name)
    for j, village in enumerate(VILLAGES):
        lon, lat = west + SIDE * (0.12 + 0.19 * j), south + SIDE * (0.15 + 0.17 * ((j * 2) % 5))
        drawing.node(lon, lat, place="village", name=f"{name[:2]}{village}")
    drawing.house(west + 0.48 * SIDE, south + 0.52 * SIDE, amenity="townhall", name=f"{name}老办公楼")
    drawing.house(west + 0.30 * SIDE, south + 0.66 * SIDE, amenity="school", name=f"{name}中心小学旧校舍")
    drawing.house(west + 0.75 * SIDE, south + 0.27 * SIDE, amenity="school", name=f"{name}第二小学旧校舍")
    if hospital:
        drawing.house(west + 0.55 * SIDE, south + 0.55 * SIDE, amenity="hospital", name=f"{name}卫生院")


def _roads(drawing: Drawing) -> Iterator[tuple[list[int], str]]:
    width, height = COLUMNS * STEPS, len(TOWNS) // COLUMNS * STEPS
    for row in range(height + 1):
        road = "primary" if row % STEPS == STEPS // 2 else "tertiary"
        yield [drawing.junction(column, row) for column in range(width + 1)], road
    for column in range(width + 1):
        road = "secondary" if column % STEPS == STEPS // 2 else "unclassified"
        yield [drawing.junction(column, row) for row in range(height + 1)], road


def main(path: Path) -> None:
    """Write the extract."""
    path.unlink(missing_ok=True)
    drawing = draw()
    header = osmium.io.Header()
    header.set("generator", "sy_coverage practice town")
    writer = osmium.SimpleWriter(str(path), header=header)
    for node in drawing.nodes:
        writer.add_node(node)
    for way in drawing.ways:
        writer.add_way(way)
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
