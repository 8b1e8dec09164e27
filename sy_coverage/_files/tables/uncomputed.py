"""Find, in old and open workbooks, the cells whose formula has no value: the library shows them as empty ones."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

ERRORS = frozenset(("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "Err:502", "Err:508"))
"""What programs show in place of a value that they could not compute."""
_UNKNOWN = "="
"""A formula whose text is not at hand."""
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MOST_REPEATED = 10_000
"""Cells that one element of an open document may stand for, and still hold anything."""
_FREE, _END = 0xFFFFFFFF, 0xFFFFFFFE
_BOUNDSHEET, _FORMULA, _BOOLERR, _EOF = 0x0085, 0x0006, 0x0205, 0x000A
_FORMULA_HEAD = 22
_RESULTS = {2: "error", 3: "empty"}
"""What the first byte of a result says that is no number."""
_MAY_BE_EMPTY = (b"\x17\x00\x00", b"\x17\x00\x01", b"\x24", b"\x44", b"\x25", b"\x5a", b"\x3a")
"""Tokens of an empty text and of references: a formula without them never comes to an empty text."""

Cells = dict[tuple[int, int], str]
"""Formula by row and column, zero-based."""


def uncomputed(content: bytes, file: str) -> list[Cells]:
    """Return, sheet by sheet in the file's order, the cells without a value of a workbook (.ods, or .xls and .et).

    Raises
    ------
    UnreadableFileError
        If the archive's content is no XML that is safe to read.
    """
    if content.startswith(b"PK"):
        return _of_open_document(content, file)
    try:
        return _of_old_workbook(_workbook_stream(content))
    except (struct.error, IndexError):
        return []  # what the library could read after all, it has read


def _of_open_document(content: bytes, file: str) -> list[Cells]:
    import defusedxml  # noqa: PLC0415  (only open documents need it)
    import defusedxml.ElementTree  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("content.xml")
    if b"table:formula" not in text:
        return []
    try:
        root = defusedxml.ElementTree.fromstring(text, forbid_dtd=True)
    except (defusedxml.DefusedXmlException, SyntaxError) as error:
        raise UnreadableFileError(f"{file}: damaged, or no workbook that can be read ({error})") from error
    return [_of_table(table) for table in root.iter(f"{_TABLE}table")]


def _of_table(table: Element) -> Cells:
    found: Cells = {}
    row = 0
    for one in table.iter(f"{_TABLE}table-row"):
        rows = int(one.get(f"{_TABLE}number-rows-repeated", "1"))
        column = 0
        for cell in one:
            columns = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
            formula = cell.get(f"{_TABLE}formula")
            if formula is not None and rows * columns <= _MOST_REPEATED and not _has_value(cell):
                text = f"={formula.partition('=')[2] or formula}"
                found |= dict.fromkeys(
                    ((row + down, column + right) for down in range(rows) for right in range(columns)), text
                )
            column += columns
        row += rows
    return found


def _has_value(cell: Element) -> bool:
    """Return whether a program has computed a cell: even of nothing it then writes the text, an empty one."""
    texts = ["".join(part.itertext()) for part in cell.iter(f"{_TEXT}p")]
    is_computed = bool(texts) or cell.get(f"{_OFFICE}value-type") is not None
    return is_computed and "".join(texts) not in ERRORS


def _of_old_workbook(stream: bytes) -> list[Cells]:
    """Return the cells of each sheet of a BIFF stream whose formula ended in an error or has no value.

    An empty text may be what a formula came to, where it holds one or refers to a cell and the file's other formulas have values.
    """
    starts = [
        struct.unpack_from("<I", stream, at)[0] for kind, at, _ in _records(stream, 0) if kind == _BOUNDSHEET
    ]
    sheets = [_results(stream, start) for start in starts]
    none_has_value = all(result != "value" for sheet in sheets for result in sheet.values())
    without = {"error", "without"} | ({"empty"} if none_has_value else set())
    return [
        dict.fromkeys((at for at, result in sheet.items() if result in without), _UNKNOWN) for sheet in sheets
    ]


def _results(stream: bytes, start: int) -> dict[tuple[int, int], str]:
    """Return of each formula of a sheet, and of each error, what it came to: ``value``, ``error``, ``empty`` or ``without``."""
    found = {}
    for kind, at, size in _records(stream, start):
        if kind == _FORMULA and size >= _FORMULA_HEAD:
            row, column, _, value = struct.unpack_from("<HHH8s", stream, at)
            result = _RESULTS.get(value[0], "value") if value[6:] == b"\xff\xff" else "value"
            tokens = stream[at + _FORMULA_HEAD : at + size]
            if result == "empty" and not any(token in tokens for token in _MAY_BE_EMPTY):
                result = "without"
            found[row, column] = result
        elif kind == _BOOLERR and size >= 8 and stream[at + 7]:
            found[struct.unpack_from("<HH", stream, at)] = "error"
    return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, position and size of the records of one part of a stream."""
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind == _EOF:
            return
        yield kind, at + 4, size
        at += 4 + size


def _workbook_stream(content: bytes) -> bytes:
    """Return the stream of a compound file that holds the workbook."""
    shift, mini_shift = struct.unpack_from("<HH", content, 30)
    first_directory, _, cutoff, first_mini, _, difat, _ = struct.unpack_from("<IIIIIII", content, 48)
    size = 1 << shift

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    tables = list(struct.unpack_from("<109I", content, 76))
    for _ in range(len(content) // size):
        if difat in (_FREE, _END):
            break
        *more, difat = struct.unpack(f"<{size // 4}I", sector(difat))
        tables += more
    links = b"".join(sector(n) for n in tables if n not in (_FREE, _END))
    following = struct.unpack(f"<{len(links) // 4}I", links)
    directory = b"".join(sector(n) for n in _chain(first_directory, following))
    entries = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name] = struct.unpack_from("<II", directory, at + 116)
    start, length = entries.get("Workbook") or entries.get("Book") or (_END, 0)
    if length >= cutoff or "Root Entry" not in entries:
        return b"".join(sector(n) for n in _chain(start, following))[:length]
    held = b"".join(sector(n) for n in _chain(entries["Root Entry"][0], following))
    small = b"".join(sector(n) for n in _chain(first_mini, following))
    mini = 1 << mini_shift
    of_small = struct.unpack(f"<{len(small) // 4}I", small)
    return b"".join(held[n * mini : (n + 1) * mini] for n in _chain(start, of_small))[:length]


def _chain(number: int, following: tuple[int, ...]) -> Iterator[int]:
    """Yield the sectors of a chain; one that runs in a circle ends."""
    for _ in range(len(following)):
        if number >= len(following):
            return
        yield number
        number = following[number]
