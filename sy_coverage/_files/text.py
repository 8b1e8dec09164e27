"""Read delimited text whose encoding and delimiter are found out from its bytes."""

from __future__ import annotations

import csv
import io
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING

from sy_coverage._files.grids import Grid, even
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from sy_coverage._files.limits import Limits

_BLANK = "\ufeff"


def decode(content: bytes, file: str, *, encoding: str | None = None) -> tuple[str, str]:
    """Return the text of a whole file and the name of its encoding.

    UTF-8 (with or without BOM), UTF-16 and GB18030 are found out over every byte; anything else must be declared.

    Raises
    ------
    UnreadableFileError
        Naming the first byte that fits none of them.
    """
    if encoding is not None:
        return _declared(content, file, encoding), encoding
    name = _wide_encoding(content) or "utf-8"
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        fault = error
    else:
        marked = text.startswith(_BLANK) and name == "utf-8"
        return text.removeprefix(_BLANK), "utf-8-sig" if marked else name
    # a file cut inside its last character is damaged UTF-8, not GB18030 that happens to decode
    cut = fault.reason == "unexpected end of data" or fault.start >= len(content) - 3
    if name == "utf-8" and not (cut and _has_wide_utf8(content[: fault.start])):
        with suppress(UnicodeDecodeError):
            text = content.decode("gb18030")
            if _is_plain_chinese(content):
                return text, "gb18030"
    raise UnreadableFileError(
        f"{file}: byte {fault.start} is no {name} ({fault.reason}) and the file is no GB18030 or UTF-16 "
        "either; save it as UTF-8, or declare its encoding"
    )


def _declared(content: bytes, file: str, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix(_BLANK)
    except LookupError:
        raise UnreadableFileError(f"{file}: encoding '{encoding}' is unknown; try utf-8 or gb18030") from None
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"{file}: byte {error.start} is not {encoding} ({error.reason}); declare another encoding"
        ) from None


def _wide_encoding(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:4096]
    if b"\0" not in head:
        return None
    return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"


def _has_wide_utf8(prefix: bytes) -> bool:
    return any(byte > 0x7F for byte in prefix)


def _is_plain_chinese(content: bytes) -> bool:
    """Tell real GB18030 from Latin-1 or broken UTF-8 that decodes by chance: nearly all is in GB 2312."""
    wide = plain = position = 0
    while position < len(content):
        if content[position] < 0x80:
            position += 1
            continue
        second = content[position + 1]
        wide += 1
        if second >= 0xA1 and 0xA1 <= content[position] <= 0xF7:
            plain += 1
        position += 4 if 0x30 <= second <= 0x39 else 2
    return plain >= 0.8 * wide


def _delimiter(text: str, file: str) -> str:
    """Return the delimiter that splits the most records into the same number of fields, above one."""
    head = text[:200_000]
    best, best_score = ",", (0, 0)
    for mark in (",", "\t", ";", "，", "|"):
        try:
            sizes = [len(row) for row in itertools.islice(csv.reader(io.StringIO(head), delimiter=mark), 100)]
        except csv.Error:
            continue
        sizes = [size for size in sizes if size > 1]
        if not sizes:
            continue
        usual = max(set(sizes), key=lambda size: (sizes.count(size), size))
        score = (sizes.count(usual), usual)
        if score > best_score:
            best, best_score = mark, score
    return "\t" if best_score == (0, 0) and file.lower().endswith(".tsv") else best


def text_grid(content: bytes, file: str, encoding: str | None, limits: Limits) -> Grid:
    text, name = decode(content, file, encoding=encoding)
    mark = _delimiter(text, file)
    csv.field_size_limit(10_000_000)
    try:
        # a NUL or an unclosed quote makes the reader fail, or swallow the rest of the file
        records = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        rows = list(itertools.islice(records, limits.rows + 1))
    except csv.Error as error:
        raise UnreadableFileError(f"{file}: not a table of text ({error})") from error
    limits.check_rows(len(rows), file)
    words = {",": "comma", "\t": "tab", ";": "semicolon", "，": "，", "|": "|"}[mark]
    return Grid(file, even(rows), 1, notes=(("encoding", name), ("delimiter", words)))
