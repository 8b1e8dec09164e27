"""Read ways in one pass of compiled code: osmium filters and places them, numpy reads the numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage import _files
from sy_coverage._osm.opened import NEW_ID, PIECE, Answer, Lines, Opened, merged, opened, own_id, writing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    Box = tuple[float, float, float, float]

NOWHERE = b"x999y999"
"""What stands for the place of a node that the file does not hold."""
RESTRICTING = tuple(
    ("type", f"restriction{of}")
    for of in ("", ":motorcar", ":motor_vehicle", ":vehicle", ":bicycle", ":foot", ":motorcycle", ":moped", ":mofa",
               ":psv", ":bus", ":taxi", ":goods", ":hgv", ":conditional")
)  # fmt: skip
"""The types of relations that can forbid a turn, whatever keys of theirs say so."""
_PLACES = bytes.maketrans(b"nxy,", b"    ")
_ESCAPED = re.compile(r"%([0-9a-f]{1,6})%")


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways with their tags and nodes; way i owns rows ``start[i]`` to ``start[i + 1]`` of `refs` and `lonlat`."""

    ids: Any
    """int64"""
    kinds: tuple[Mapping[str, str], ...]
    """Every combination of tags, of those that were asked for, once."""
    kind: Any
    """int64 by way, the position in `kinds`."""
    refs: Any
    """int64 node ids."""
    lonlat: Any
    """float64 of shape (refs, 2), degrees; NaN where the file does not hold the node."""
    start: Any
    """int64, ways + 1."""
    node_tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Tags of the nodes that have one of the keys asked for."""
    restrictions: tuple[Restriction, ...] = ()

    @property
    def tags(self) -> tuple[Mapping[str, str], ...]:
        """The tags of every way; equal ones are the same object."""
        return tuple(self.kinds[k] for k in self.kind.tolist())


@dataclass(frozen=True)
class Restriction:
    """A turn restriction: what it says, and its members as ``(role, type, id)``."""

    tags: Mapping[str, str]
    members: tuple[tuple[str, str, int], ...]


def read_ways(
    path: str | os.PathLike[str] | Answer,
    *,
    keys: tuple[str, ...],
    wanted: frozenset[str],
    node_keys: tuple[str, ...] = (),
    box: Box | None = None,
) -> Ways:
    """Return the ways that have one of `keys`, clipped to whole ways with a node in `box`.

    Parameters
    ----------
    keys
        Such as ``("highway", "route")``.
    wanted
        Tags to keep; what else is written on a way is dropped at once.
    node_keys
        Nodes with one of these keys keep their wanted tags.
    box
        West, south, east, north in degrees; None keeps every way.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import osmium  # noqa: PLC0415

    gather = _Gather(wanted, keys, node_keys, box)
    with opened(path) as source:
        try:
            with _files.passing_file(b"", name="ways.opl") as passing:
                with writing(passing, "opl,add_metadata=false,locations_on_ways=true") as writer:
                    _pass_through(source, keys, node_keys, writer)
                with passing.open("rb") as lines:
                    for piece in _whole_lines(lines):
                        gather.take(piece)
        except osmium.InvalidLocationError:
            slow = Lines()
            _pass_through(source, keys, node_keys, slow.handler())
            gather = _Gather(wanted, keys, node_keys, box)
            gather.take(slow.lines)
    if gather.has_negative_ids and not isinstance(path, Answer):
        # an editor's draft in a binary format: its new nodes have places only once they are renamed
        tidy = merged([_files.local_path(path)])
        return read_ways(tidy, keys=keys, wanted=wanted, node_keys=node_keys, box=box)
    return gather.ways()


def _pass_through(source: Opened, keys: tuple[str, ...], node_keys: tuple[str, ...], writer: Any) -> None:
    """Hand nodes with one of `node_keys`, ways with one of `keys` and their places, and restrictions to `writer`."""
    import osmium  # noqa: PLC0415

    places = source.placed()
    nodes = [osmium.filter.KeyFilter(*node_keys), writer] if node_keys else []
    with source.reader("node") as reader:
        osmium.apply(reader, places, *nodes)
    wanted, restricting = osmium.filter.KeyFilter(*keys), osmium.filter.TagFilter(*RESTRICTING)
    wanted.enable_for(osmium.osm.WAY)
    restricting.enable_for(osmium.osm.RELATION)
    kinds = ("way", "relation") if node_keys else ("way",)
    with source.reader(*kinds) as reader:
        osmium.apply(reader, places, wanted, restricting, writer)


def _whole_lines(stream: Any) -> Iterator[list[bytes]]:
    rest = b""
    while piece := stream.read(PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield lines
    if rest:
        yield [rest]


class _Gather:
    """Collect ways in compact arrays from lines of OPL."""

    def __init__(
        self, wanted: frozenset[str], keys: tuple[str, ...], node_keys: tuple[str, ...], box: Box | None
    ) -> None:
        self.wanted, self.keys, self.node_keys, self.box = wanted, frozenset(keys), frozenset(node_keys), box
        self.ids: list[int] = []
        self.kind: list[int] = []
        self.parts: list[tuple[Any, Any, Any]] = []
        self.known: dict[bytes, int] = {}
        self.kinds: dict[tuple[tuple[str, str], ...], int] = {}
        self.node_tags: dict[int, Mapping[str, str]] = {}
        self.restrictions: list[Restriction] = []
        self.has_negative_ids = False

    def take(self, lines: list[bytes]) -> None:
        ways: list[list[bytes]] = []
        for line in lines:
            if line[:1] == b"w":
                ways.append(line.split(b" "))
            elif line[:1] == b"n":
                self._node(line.decode().split(" "))
            elif line[:1] == b"r":
                self._relation(line.decode().split(" "))
        if ways:
            self._ways(ways)

    def _ways(self, rows: list[list[bytes]]) -> None:
        nodes = b" ".join([row[2][1:] for row in rows]).replace(b"xy", NOWHERE).translate(_PLACES)
        counts = np.array([row[2].count(b"n") for row in rows], np.int64)
        numbers = np.fromstring(nodes, np.float64, sep=" ").reshape(-1, 3)
        self.has_negative_ids |= bool((numbers[:, 0] < 0).any())
        inside = counts >= 2
        first = np.r_[0, np.cumsum(counts)]
        if self.box is not None:
            west, south, east, north = self.box
            lon, lat = numbers[:, 1], numbers[:, 2]
            near = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
            hits = np.r_[0, np.cumsum(near)]
            inside &= hits[first[1:]] > hits[first[:-1]]
        codes = [
            self._kind(row[1][1:]) if good else -1 for row, good in zip(rows, inside.tolist(), strict=True)
        ]
        kept = np.array(codes) >= 0
        self.kind += [c for c in codes if c >= 0]
        self.ids += [int(row[0][1:]) for row, good in zip(rows, kept.tolist(), strict=True) if good]
        which = np.repeat(kept, counts)
        refs, lonlat = numbers[which, 0].astype(np.int64), numbers[which, 1:]
        lonlat[lonlat[:, 1] > 90] = np.nan
        self.parts.append((refs, lonlat, counts[kept]))

    def _kind(self, raw: bytes) -> int:
        """Return the number of a way's tags, −1 if none of them is one of the keys."""
        code = self.known.get(raw)
        if code is None:
            tags = self._tags(raw.decode())
            code = -1
            if not self.keys.isdisjoint(tags):
                code = self.kinds.setdefault(tuple(tags.items()), len(self.kinds))
            self.known[raw] = code
        return code

    def _tags(self, raw: str) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in raw.split(",") if pair)
        tags = {_plain(key): value for key, _, value in pairs}
        # the name of a ferry is said; other names would only make equal roads different
        wanted = self.wanted if "route" in tags else self.wanted - {"name"}
        return {key: _plain(value) for key, value in tags.items() if key in wanted}

    def _node(self, row: list[str]) -> None:
        tags = self._tags(row[1][1:])
        if not self.node_keys.isdisjoint(tags):
            self.node_tags[int(row[0][1:])] = tags

    def _relation(self, row: list[str]) -> None:
        pairs = (pair.partition("=") for pair in row[1][1:].split(","))
        tags = {_plain(key): _plain(value) for key, _, value in pairs}
        if not tags.get("type", "").startswith("restriction"):
            return
        members = (member.partition("@") for member in row[2][1:].split(",") if member)
        self.restrictions.append(
            Restriction(
                tags, tuple((_plain(role), name[0], own_id(int(name[1:]))) for name, _, role in members)
            )
        )

    def ways(self) -> Ways:
        none = (np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0, np.int64))
        refs, lonlat, counts = (np.concatenate([p[i] for p in self.parts or [none]]) for i in range(3))
        ids = np.array(self.ids, np.int64)
        return Ways(
            ids=np.where(ids < NEW_ID, ids, NEW_ID - ids),
            kinds=tuple(dict(pairs) for pairs in self.kinds),
            kind=np.array(self.kind, np.int64),
            refs=np.where(refs < NEW_ID, refs, NEW_ID - refs),
            lonlat=lonlat,
            start=np.r_[0, np.cumsum(counts)].astype(np.int64),
            node_tags={own_id(i): tags for i, tags in self.node_tags.items()},
            restrictions=tuple(self.restrictions),
        )


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "%" in text else text


def kept_ways(ways: Ways, kept: Any) -> Ways:
    """Return the ways where `kept` (bool by way) is true, with everything else as it is."""
    which = np.repeat(kept, np.diff(ways.start))
    counts = np.diff(ways.start)[kept]
    return Ways(
        ids=ways.ids[kept],
        kinds=ways.kinds,
        kind=ways.kind[kept],
        refs=ways.refs[which],
        lonlat=ways.lonlat[which],
        start=np.r_[0, np.cumsum(counts)].astype(np.int64),
        node_tags=ways.node_tags,
        restrictions=ways.restrictions,
    )
