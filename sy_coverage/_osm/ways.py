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
    from collections.abc import Callable, Iterator, Mapping

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
    pieces: list[Piece] = []
    asked = Asked(wanted, keys, node_keys, box)
    return gathered(path, asked, pieces.append, pieces.clear).ways(pieces)


@dataclass(frozen=True)
class Piece:
    """Ways that came by together."""

    ids: Any
    kind: Any
    counts: Any
    """How many nodes each has."""
    refs: Any
    lonlat: Any

    def ways_at(self, kept: Any) -> Piece:
        """Return the ways where `kept` (bool by way) is true."""
        which = np.repeat(kept, self.counts)
        return Piece(self.ids[kept], self.kind[kept], self.counts[kept], self.refs[which], self.lonlat[which])


@dataclass(frozen=True)
class Asked:
    """What is asked of a file, as of `read_ways`."""

    wanted: frozenset[str]
    keys: tuple[str, ...]
    node_keys: tuple[str, ...] = ()
    box: Box | None = None


def gathered(
    path: str | os.PathLike[str] | Answer,
    asked: Asked,
    store: Callable[[Piece], None],
    forget: Callable[[], None],
) -> Gather:
    """Stream through a file and hand its ways, piece by piece, to `store`; what was stored is to `forget` where it begins again."""
    import osmium  # noqa: PLC0415

    gather = Gather(asked, store)
    with opened(path) as source:
        try:
            with _files.passing_file(b"", name="ways.opl") as passing:
                with writing(passing, "opl,add_metadata=false,locations_on_ways=true") as writer:
                    _pass_through(source, asked.keys, asked.node_keys, writer)
                with passing.open("rb") as lines:
                    for piece in _whole_lines(lines):
                        gather.take(piece)
        except osmium.InvalidLocationError:
            slow = Lines()
            _pass_through(source, asked.keys, asked.node_keys, slow.handler())
            forget()
            gather = Gather(asked, store)
            gather.take(slow.lines)
    if gather.has_negative_ids and not isinstance(path, Answer):
        # an editor's draft in a binary format: its new nodes have places only once they are renamed
        forget()
        return gathered(merged([_files.local_path(path)]), asked, store, forget)
    return gather


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


class Gather:
    """Make compact arrays of ways from lines of OPL, and keep what is said of nodes and turns."""

    def __init__(self, asked: Asked, store: Callable[[Piece], None]) -> None:
        """Hand pieces of what is `asked` to `store`."""
        self.wanted, self.box, self.store = asked.wanted, asked.box, store
        self.keys, self.node_keys = frozenset(asked.keys), frozenset(asked.node_keys)
        self.known: dict[bytes, int] = {}
        self.kinds: dict[tuple[tuple[str, str], ...], int] = {}
        self.node_tags: dict[int, Mapping[str, str]] = {}
        self.restrictions: list[Restriction] = []
        self.has_negative_ids = False

    def take(self, lines: list[bytes]) -> None:
        """Read the objects of some lines."""
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
        ids = [int(row[0][1:]) for row, good in zip(rows, kept.tolist(), strict=True) if good]
        which = np.repeat(kept, counts)
        refs, lonlat = numbers[which, 0].astype(np.int64), numbers[which, 1:]
        lonlat[lonlat[:, 1] > 90] = np.nan
        self.store(
            Piece(np.array(ids, np.int64), np.array(codes, np.int64)[kept], counts[kept], refs, lonlat)
        )

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

    def ways(self, pieces: list[Piece]) -> Ways:
        """Return the ways of pieces that were handed out, with the tags of their nodes and the restrictions that name one of them."""
        none = np.zeros(0, np.int64)
        whole = [Piece(none, none, none, none, np.zeros((0, 2))), *pieces]
        ids, kind, counts, refs, lonlat = (
            np.concatenate([getattr(piece, part) for piece in whole])
            for part in ("ids", "kind", "counts", "refs", "lonlat")
        )
        ids, refs = (np.where(i < NEW_ID, i, NEW_ID - i) for i in (ids, refs))
        tagged = np.array([own_id(i) for i in self.node_tags], np.int64)
        near = zip(tagged.tolist(), self.node_tags.values(), np.isin(tagged, refs).tolist(), strict=True)
        there = set(ids.tolist())
        return Ways(
            ids=ids,
            kinds=tuple(dict(pairs) for pairs in self.kinds),
            kind=kind,
            refs=refs,
            lonlat=lonlat,
            start=np.r_[0, np.cumsum(counts)].astype(np.int64),
            node_tags={i: tags for i, tags, is_near in near if is_near},
            restrictions=tuple(
                r for r in self.restrictions if any(kind == "w" and i in there for _, kind, i in r.members)
            ),
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
