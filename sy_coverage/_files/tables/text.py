"""Read delimited text whose encoding and delimiter are found out from its bytes."""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING

from sy_coverage._files.content.encodings import decode
from sy_coverage._files.grids import Grid, even
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from sy_coverage._files.limits import Limits


def delimiter_of(text: str, file: str) -> str:
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
    mark = delimiter_of(text, file)
    csv.field_size_limit(10_000_000)
    try:
        # a NUL or an unclosed quote makes the reader fail, or swallow the rest of the file
        records = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        rows = list(itertools.islice(records, limits.rows + 1))
    except csv.Error as error:
        raise UnreadableFileError(f"{file}: not a table of text ({error})") from error
    limits.check_rows(len(rows), file)
    words = {",": "comma", "\t": "tab", ";": "semicolon", "，": "，", "|": "|"}[mark]
    return Grid(file, even(rows, file, limits), 1, notes=(("encoding", name), ("delimiter", words)))
