"""Open an OpenStreetMap file as editors, extracts and servers really write it: unsorted, with negative ids, with deletions."""

from __future__ import annotations

import bz2
import ctypes
import gzip
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import CoverageError, InputError, UnreadableFileError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.bz2", ".osm.gz")
NEW_ID = 2**40
"""An editor's id −7 is read as this and 7: osmium keeps no places of negative ids. No id of OpenStreetMap is as large."""
DEGREE = 10_000_000
NOWHERE = 2**31 - 1
"""What osmium says for the place of a node that the file does not hold."""
PLAIN_OPL = "opl,add_metadata=false"
PIECE = 16_000_000
"""Bytes that are looked at together."""
_DRAFT = re.compile(
    rb"""\baction\s*=\s*["']delete|\bvisible\s*=\s*["']false|\b(?:id|ref)\s*=\s*["']-\d|<delete\b"""
)
_DELETED = re.compile(
    rb"""<(node|way|relation)\b((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""",
)
_GONE = re.compile(rb"""\saction\s*=\s*["']delete["']|\svisible\s*=\s*["']false["']""")
_ID = re.compile(rb"""\sid\s*=\s*["'](-?\d+)["']""")
_NEGATIVE = re.compile(rb"(?<![^ ,NM])([nwr])-(\d+)")


@dataclass(frozen=True)
class Answer:
    """OpenStreetMap data in memory, such as came over the network, and what to call it."""

    content: bytes
    name: str
    form: str = "osm"
    """How osmium calls the format: ``osm`` is XML."""

    def __str__(self) -> str:
        """Return the name."""
        return self.name


def is_osm(path: str | os.PathLike[str]) -> bool:
    """Return whether the name of a file says that it is an OpenStreetMap extract."""
    return str(path).lower().endswith(SUFFIXES)


def require_osm(path: str | os.PathLike[str]) -> None:
    """Refuse a file whose name does not say that it is an OpenStreetMap extract.

    Raises
    ------
    InputError
        With the names that do.
    """
    if not is_osm(path):
        raise InputError(f"{path}: not an OpenStreetMap extract; its name must end in {', '.join(SUFFIXES)}")


@dataclass(frozen=True)
class Opened:
    """What osmium can make any number of readers of."""

    file: Any
    name: str

    def reader(self, *kinds: str) -> Any:
        """Return a new reader of ``node``, ``way``, ``relation`` objects."""
        import osmium  # noqa: PLC0415

        wanted = osmium.osm.NOTHING
        for kind in kinds:
            wanted |= getattr(osmium.osm, kind.upper())
        return osmium.io.Reader(self.file, wanted)

    def placed(self) -> Any:
        """Return a handler that gives the nodes of ways their places: it has read all nodes, wherever they stand."""
        import osmium  # noqa: PLC0415

        handler = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
        handler.ignore_errors()
        return handler


@contextmanager
def opened(path: str | os.PathLike[str] | Answer) -> Iterator[Opened]:
    """Give what to read a file or an answer with; editors' drafts are tidied first.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If the file is not there, is damaged, or is no local OpenStreetMap file.
    """
    import osmium  # noqa: PLC0415

    try:
        if isinstance(path, Answer):
            answer = path if path.form != "osm" or not _DRAFT.search(path.content) else merged([path])
            yield Opened(osmium.io.FileBuffer(answer.content, answer.form), str(path))
            return
        found = _files.local_path(path)
        require_osm(path)
        if _is_draft(found):
            answer = merged([found])
            yield Opened(osmium.io.FileBuffer(answer.content, answer.form), str(path))
        else:
            yield Opened(str(found), str(path))
    except CoverageError:
        raise
    except (RuntimeError, ValueError, OverflowError, EOFError, OSError, osmium.InvalidLocationError) as error:
        raise UnreadableFileError(
            f"{path}: is damaged or no OpenStreetMap extract ({_reason(error)}); download it again"
        ) from error


def _reason(error: Exception) -> str:
    """Return what a library says is wrong, without what it repeats of the file after a colon."""
    said = str(error)
    return said if said.startswith("XML parsing error at line") else said.partition(":")[0]


def _unpacked(path: Path) -> Any:
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.open(path)
    return bz2.open(path) if name.endswith(".bz2") else path.open("rb")


def _is_draft(path: Path) -> bool:
    """Return whether a file of XML has negative ids or deletions, as an editor saves what is not uploaded yet."""
    if path.name.lower().endswith(".pbf"):
        return False
    with _unpacked(path) as stream:
        before = b""
        while piece := stream.read(PIECE):
            if _DRAFT.search(before + piece):
                return True
            before = piece[-100:]
    return False


def merged(parts: Iterable[Path | Answer]) -> Answer:
    """Return several files or answers as one, each object once, sorted, what is deleted left out and negative ids made positive."""
    import osmium  # noqa: PLC0415

    lines: dict[tuple[int, int], bytes] = {}
    names = []
    for part in parts:
        names.append(str(part))
        source: Any
        if isinstance(part, Answer):
            source, text = osmium.io.FileBuffer(part.content, part.form), part.content
            gone = _deleted(text) if part.form == "osm" else frozenset()
        else:
            source, gone = str(part), frozenset()
            if not str(part).lower().endswith(".pbf"):
                with _unpacked(part) as stream:
                    gone = _deleted(stream.read())
        for line in as_opl(source).split(b"\n"):
            if not line:
                continue
            name = line.split(b" ", 1)[0]
            if name not in gone:
                clean = _NEGATIVE.sub(lambda m: m[1] + str(NEW_ID + int(m[2])).encode(), line)
                own = clean.split(b" ", 1)[0]
                lines[b"nwr".index(own[:1]), int(own[1:])] = clean
    content = b"\n".join(lines[key] for key in sorted(lines)) + b"\n"
    return Answer(content, "+".join(names), "opl")


def as_opl(source: Any) -> bytes:
    """Return all objects of a source as lines of osmium's own text format."""
    import osmium  # noqa: PLC0415

    try:
        with _files.passing_file(b"", name="all.opl") as path:
            with writing(path, PLAIN_OPL) as writer:
                osmium.apply(osmium.io.Reader(source), writer)
            return path.read_bytes()
    except osmium.InvalidLocationError:
        lines = Lines()
        osmium.apply(osmium.io.Reader(source), lines.handler())
        return b"\n".join(lines.lines)


def as_xml(answer: Answer) -> bytes:
    """Return an answer as XML, whatever its format."""
    import osmium  # noqa: PLC0415

    if answer.form == "osm":
        return answer.content
    with _files.passing_file(b"", name="all.osm") as path:
        with writing(path, "osm") as writer:
            osmium.apply(osmium.io.Reader(osmium.io.FileBuffer(answer.content, answer.form)), writer)
        return path.read_bytes()


@contextmanager
def writing(path: Path, form: str) -> Iterator[Any]:
    """Give a writer of compiled code for a file."""
    import osmium  # noqa: PLC0415

    writer = osmium.SimpleWriter(osmium.io.File(str(path), form), overwrite=True)
    try:
        yield writer
        writer.close()
    except Exception:
        try:
            writer.close()
        except RuntimeError:
            # a writer that has failed ends the whole process when it is taken down: it is left where it is
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))
        raise


class Lines:
    """Write objects as lines of text one by one: slow, for files with places that are on no globe."""

    def __init__(self) -> None:
        """Begin with no line."""
        self.lines: list[bytes] = []

    def handler(self) -> Any:
        """Return the handler that osmium hands the objects to."""
        import osmium  # noqa: PLC0415

        add = self._add

        class Writing(osmium.SimpleHandler):
            def node(self, node: Any) -> None:
                add("n", node, *_place(node.location, " "))

            def way(self, way: Any) -> None:
                add("w", way, "N" + ",".join(f"n{n.ref}{''.join(_place(n.location, ''))}" for n in way.nodes))

            def relation(self, relation: Any) -> None:
                members = (f"{m.type}{m.ref}@{_escaped(m.role)}" for m in relation.members)
                add("r", relation, "M" + ",".join(members))

        return Writing()

    def _add(self, kind: str, item: Any, *rest: str) -> None:
        tags = ",".join(f"{_escaped(k)}={_escaped(v)}" for k, v in item.tags)
        self.lines.append(" ".join([f"{kind}{item.id}", f"T{tags}", *rest]).encode())


def _place(location: Any, between: str) -> tuple[str, ...]:
    if location.x == NOWHERE:
        return ("x", "y") if between else ("xy",)
    # also what lies on no globe: the reader of the roads says it
    return f"x{location.x / DEGREE:.7f}", f"y{location.y / DEGREE:.7f}"


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.:/" else f"%{ord(c):x}%" for c in text)


def _deleted(content: bytes) -> frozenset[bytes]:
    """Return what the objects are called in OPL that XML says are deleted: ``w123``."""
    found = set()
    for kind, attributes in _DELETED.findall(content):
        number = _ID.search(attributes)
        if number and _GONE.search(attributes):
            found.add(kind[:1] + number[1])
    return frozenset(found)


def own_id(number: int) -> int:
    """Return the id that the file itself has for an object."""
    return number if number < NEW_ID else NEW_ID - number
