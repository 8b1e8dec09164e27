"""Work out, once for each travel mode, what the questions to a road network need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage.errors import InputError, UnknownIdError, UnknownModeError, some
from sy_coverage.roads.graph.arcs import ArcOrder, Graph, arc_order
from sy_coverage.roads.graph.connected import Connected, connected
from sy_coverage.roads.graph.legs import Legs, legs, pairs
from sy_coverage.roads.graph.snap import Snapped, coordinates
from sy_coverage.roads.graph.states import Turning, turning
from sy_coverage.roads.kernel.runs import Runs, unrolled
from sy_coverage.roads.kernel.snapper import Snapper
from sy_coverage.roads.travel_modes import (
    BUFFER_M,
    LEAST_JUNCTIONS,
    elder_walk_m_per_s,
    mode_names,
    travel_mode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.graph.parts import RoadParts


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is worked out of the parts of a network, each when it is first needed."""

    parts: RoadParts
    _kept: dict[Any, Any] = field(default_factory=dict)

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what is kept under `key`, made when it is first asked for."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def with_minutes(self, parts: RoadParts) -> Prepared:
        """Return what is worked out of `parts`, which differ in minutes alone: what does not depend on them is kept."""
        own = frozenset({"graph", "runs", "drawer"})
        return Prepared(parts, {k: v for k, v in self._kept.items() if k[0] not in own})

    def require_mode(self, mode: str) -> None:
        """Refuse a mode that the network was not built for."""
        if mode not in self.parts.modes:
            raise UnknownModeError(
                f"mode '{mode}': this network was built for {', '.join(self.parts.modes)}; read it again with modes="
            )

    def drawn_m(self, mode: str) -> float:
        """Return the metres a catchment is drawn wide on each side of a road."""
        if mode in self.parts.tables:
            return self.parts.tables[mode].buffer_m
        return travel_mode(mode).buffer_m if mode in mode_names() else BUFFER_M

    def turning(self, mode: str) -> Turning:
        """Return the nodes that turns split."""

        def make() -> Turning:
            none = np.zeros((0, 4), np.int64)
            parts = self.parts
            closed, private = parts.forbidden.get(mode, none), parts.ends_only.get(mode)
            return turning(parts.links, len(parts.node_ids), mode, closed, private)

        split: Turning = self.keep(("turning", mode), make)
        return split

    def graph(self, mode: str, *, reverse: bool) -> Graph:
        """Return the arcs of `mode`; with `reverse`, every arc turned round."""
        order, links, turns = self.order(mode, reverse=reverse), self.parts.links, self.turning(mode)
        arcs: Graph = self.keep(("graph", mode, reverse), lambda: order.graph(links, mode, turns))
        return arcs

    def steps(self, mode: str) -> Array:
        """Return the link, times two and one more where it is gone against, that each arc of `graph` (not reversed) stands for."""
        return self.order(mode, reverse=False).steps(self.parts.links, mode, self.turning(mode))

    def order(self, mode: str, *, reverse: bool) -> ArcOrder:
        """Return where the arcs of `mode` lie, whatever their minutes are."""
        links, turns = self.parts.links, self.turning(mode)
        order: ArcOrder = self.keep(
            ("order", mode, reverse),
            lambda: arc_order(links, len(self.parts.node_ids), mode, turns, reverse=reverse),
        )
        return order

    def runs(self, mode: str, *, reverse: bool) -> Runs:
        """Return the arcs of `mode` as the kernel searches them."""
        runs: Runs = self.keep(("runs", mode, reverse), lambda: unrolled(self.graph(mode, reverse=reverse)))
        return runs

    def kernel_nodes(self, mode: str) -> int:
        """Return how many nodes there are, copies of split ones included."""
        return len(self.parts.node_ids) + int(self.turning(mode).origin.size)

    @property
    def snapper(self) -> Snapper:
        """The links sorted into cells, for all travel modes."""
        cells: Snapper = self.keep("snapper", lambda: Snapper(self.parts.links))
        return cells

    def snapped(
        self,
        points: GeoDataFrame,
        what: str,
        mode: str,
        *,
        wanted: int,
        max_snap_m: float,
        access_m_per_s: float | None,
    ) -> Snapped:
        """Return `points`, called `what` in errors, at the nearest roads of `mode` that have the `wanted` bits of `connected`."""
        self.require_mode(mode)
        walk = elder_walk_m_per_s() if access_m_per_s is None else access_m_per_s
        for name, value in (("max_snap_m", max_snap_m), ("access_m_per_s", walk)):
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name}={value}: must be a positive number")
        ids, xy = coordinates(points, self.parts.crs, what)
        bits = self.connected(mode).bits
        return self.snapper.snap(ids, xy, bits, wanted=wanted, access_m_per_s=walk, max_snap_m=max_snap_m)

    def legs(self, points: Snapped, mode: str, *, outgoing: bool) -> Legs:
        """Return the ways from points to nodes (`outgoing`), or from nodes to points."""
        return legs(points, self.parts.links, mode, self.turning(mode), outgoing=outgoing)

    def direct(self, origins: Snapped, targets: Snapped, mode: str, *, to_site: bool) -> Legs:
        """Return the ways of `origins` straight to `targets` on the same link; with `to_site`, they are gone the other way."""
        links = self.parts.links
        if to_site:
            target, origin, minutes = pairs(targets, origins, links, mode)
        else:
            origin, target, minutes = pairs(origins, targets, links, mode)
        order = np.lexsort((target, origin))
        ptr = np.zeros(len(origins.ids) + 1, np.int64)
        np.cumsum(np.bincount(origin, minlength=len(origins.ids)), out=ptr[1:])
        return Legs(ptr, target[order].astype(np.int32), np.ascontiguousarray(minutes[order]))

    def connected(self, mode: str) -> Connected:
        """Return which parts of the network are large, and from which links one gets there and back."""

        def make() -> Connected:
            table = self.parts.tables.get(mode)
            return connected(
                *(self.parts.links, self.graph(mode, reverse=False), self.turning(mode), mode),
                nodes=len(self.parts.node_ids),
                least_junctions=LEAST_JUNCTIONS if table is None else table.least_junctions,
            )

        hangs: Connected = self.keep(("connected", mode), make)
        return hangs

    def kernel_ids(self, mode: str) -> tuple[Any, ...]:
        """Return the ids of all nodes, and of the copies of split ones: ``"<node>@<number>"``."""

        def make() -> tuple[Any, ...]:
            ids = self.parts.node_ids
            copies = ids[self.turning(mode).origin].tolist()
            return *ids.tolist(), *(f"{node}@{i}" for i, node in enumerate(copies))

        ids: tuple[Any, ...] = self.keep(("ids", mode), make)
        return ids

    def positions(self, node_ids: list[Any]) -> Array:
        """Return where nodes are by their ids, a number or its text alike.

        Raises
        ------
        UnknownIdError
            If the network has no such node.
        """
        index = self.keep(
            "index", lambda: pd.Index(list(map(str, self.parts.node_ids.tolist())), dtype=object)
        )
        at: Array = index.get_indexer([str(i) for i in node_ids])
        if (at < 0).any():
            raise UnknownIdError(
                f"nodes: no such id: {some(i for i, p in zip(node_ids, at, strict=True) if p < 0)}"
            )
        return at
