"""Hold the parts of a road network and prepare, once for each travel mode, what its questions need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import InputError, UnknownIdError, UnknownModeError, some
from sy_coverage.roads.graph.arcs import Graph, Turning, graph, parts_of, turning
from sy_coverage.roads.graph.snap import Legs, Snapped, Snapper, coordinates, legs, pairs
from sy_coverage.roads.travel_modes import BUFFER_M, elder_walk_m_per_s, mode_names, travel_mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.travel_modes import TravelMode


@dataclass(frozen=True, eq=False, repr=False)
class Prepared:
    """What a road network is made of, and what is worked out of it once for each travel mode."""

    node_ids: Array
    """What the caller called the nodes: int64, or text as object."""
    node_xy: Array
    """float64 of shape (nodes, 2), metres."""
    links: Links
    crs: str | None
    """The metric CRS, such as ``"EPSG:4546"``; None if the caller named none."""
    source: str = ""
    """What the network was made from: a file's name and digest, or a word."""
    notes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What was counted, assumed or left out while it was built."""
    forbidden: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    """By mode, turns that may not be made: int64 (turns, 4), link and direction (0 along, 1 against) in, and out."""
    tables: Mapping[str, TravelMode] = field(default_factory=lambda: MappingProxyType({}))
    """By mode, the speeds, delays and slopes its minutes were worked out with; none where the minutes were given."""
    _prepared: dict[Any, Any] = field(default_factory=dict)

    @property
    def modes(self) -> tuple[str, ...]:
        """The travel modes this network was built for."""
        return tuple(self.links.minutes)

    @property
    def digest(self) -> str:
        """SHA-256 of everything a travel time can depend on."""
        return str(self._once("digest", self._digest))

    def _digest(self) -> str:
        total = hashlib.sha256(f"{self.crs}\n{self.modes}\n{self.links.classes}".encode())
        ids = self.node_ids
        total.update("\n".join(map(str, ids.tolist())).encode())
        links = self.links
        arrays = (self.node_xy, links.tail, links.head, links.length_m, links.highway, links.xy, links.start)
        for array in (*arrays, *links.minutes.values(), *self.forbidden.values()):
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def _once(self, key: Any, make: Any) -> Any:
        if key not in self._prepared:
            self._prepared[key] = make()
        return self._prepared[key]

    def _require_mode(self, mode: str) -> None:
        if mode not in self.links.minutes:
            raise UnknownModeError(
                f"mode '{mode}': this network was built for {', '.join(self.modes)}; read it again with modes="
            )

    def _drawn_m(self, mode: str) -> float:
        """Return the metres a catchment is drawn wide on each side of a road."""
        if mode in self.tables:
            return self.tables[mode].buffer_m
        return travel_mode(mode).buffer_m if mode in mode_names() else BUFFER_M

    def _graph(self, mode: str, *, reverse: bool) -> Graph:
        def make() -> Graph:
            return graph(self.links, len(self.node_ids), mode, self._turning(mode), reverse=reverse)

        built: Graph = self._once(("graph", mode, reverse), make)
        return built

    def _turning(self, mode: str) -> Turning:
        def make() -> Turning:
            none = np.zeros((0, 4), np.int64)
            return turning(self.links, len(self.node_ids), mode, self.forbidden.get(mode, none))

        built: Turning = self._once(("turning", mode), make)
        return built

    def _legs(self, points: Snapped, mode: str, *, outgoing: bool) -> Legs:
        return legs(points, self.links, mode, self._turning(mode), outgoing=outgoing)

    def _kernel_nodes(self, mode: str) -> int:
        return len(self.node_ids) + int(self._turning(mode).origin.size)

    def _snapped(
        self,
        points: GeoDataFrame,
        what: str,
        mode: str,
        *,
        max_snap_m: float,
        access_m_per_s: float | None,
    ) -> Snapped:
        self._require_mode(mode)
        walk = elder_walk_m_per_s() if access_m_per_s is None else access_m_per_s
        for name, value in (("max_snap_m", max_snap_m), ("access_m_per_s", walk)):
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name}={value}: must be a positive number")
        ids, xy = coordinates(points, self.crs, what)
        snapper: Snapper = self._once(("snapper", mode), lambda: Snapper(self.links, mode))
        return snapper.snap(ids, xy, access_m_per_s=walk, max_snap_m=max_snap_m)

    def _direct(self, here: Snapped, there: Snapped, mode: str, *, to_site: bool) -> Legs:
        if to_site:
            point, site, minutes = pairs(there, here, self.links, mode)
        else:
            site, point, minutes = pairs(here, there, self.links, mode)
        order = np.lexsort((point, site))
        ptr = np.zeros(len(here.ids) + 1, np.int64)
        np.cumsum(np.bincount(site, minlength=len(here.ids)), out=ptr[1:])
        return Legs(ptr, point[order].astype(np.int32), np.ascontiguousarray(minutes[order]))

    def _parts(self, mode: str) -> Array:
        """Return the strongly connected part of every node, 0 the largest; of equals the one met first."""

        def make() -> Array:
            arcs = self._graph(mode, reverse=False)
            return parts_of(arcs, self._kernel_nodes(mode))[: len(self.node_ids)]

        numbers: Array = self._once(("parts", mode), make)
        return numbers

    def _kernel_ids(self, mode: str) -> list[Any]:
        """Return the ids of all nodes, and of the copies of split ones: ``"<node>@<number>"``."""

        def make() -> list[Any]:
            origin = self.node_ids[self._turning(mode).origin].tolist()
            return [*self.node_ids.tolist(), *(f"{node}@{i}" for i, node in enumerate(origin))]

        ids: list[Any] = self._once(("ids", mode), make)
        return ids

    def _kernel_texts(self, mode: str) -> tuple[str, ...]:
        texts: tuple[str, ...] = self._once(("texts", mode), lambda: tuple(map(str, self._kernel_ids(mode))))
        return texts

    def _positions(self, node_ids: list[Any]) -> Array:
        index = self._once("index", lambda: pd.Index(list(map(str, self.node_ids.tolist())), dtype=object))
        at: Array = index.get_indexer([str(i) for i in node_ids])
        if (at < 0).any():
            raise UnknownIdError(
                f"nodes: no such id: {some(i for i, p in zip(node_ids, at, strict=True) if p < 0)}"
            )
        return at
