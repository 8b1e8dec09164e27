"""Find the encoding of a shapefile's attribute table, and read names and values that were cut inside a character."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage._files.content.encodings import decode
from sy_coverage._files.content.reading import read_bytes
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path

    from sy_coverage._files.limits import Limits

RAW = "latin-1"
"""Keeps every byte as one character: what GDAL read so is decoded here."""
_LONGEST_CHARACTER = 4
_NAME_BYTES = 10
_SURELY_UTF8 = 18
"""So many bytes that are no ASCII and are all right as UTF-8 are hardly ever something else."""


def beside(shapefile: Path, ending: str) -> Path:
    """Return another part of a shapefile; it must be there."""
    for written in (ending, ending.upper()):
        if shapefile.with_suffix(written).exists():
            return shapefile.with_suffix(written)
    raise UnreadableFileError(f"{shapefile}: its {ending} is not there; copy all parts of the shapefile")


@dataclass(frozen=True)
class RawShapefile:
    """A shapefile whose names of fields and texts are left as bytes, so that GDAL has nothing to stumble over."""

    archive: bytes
    """All parts in one archive, the fields called f0, f1, …"""
    names: tuple[str, ...]
    """Their names, decoded."""
    cut_names: tuple[str, ...]
    """Those that have lost their end, or may have."""
    encoding: str


def raw_shapefile(shapefile: Path, declared: str | None, limits: Limits) -> RawShapefile:
    """Return a shapefile as GDAL is to read it, in `RAW`, and the encoding in which its texts are text.

    The encoding that was declared holds, unless the table cannot be read in it or is so clearly UTF-8 that it must be a
    mistake.
    """
    content = read_bytes(beside(shapefile, ".dbf"), limits=limits)
    if len(content) < 32:
        raise UnreadableFileError(f"{shapefile.with_suffix('.dbf')}: damaged attribute table")
    heads = _heads(content)
    encoding = _encoding(content, heads, declared, str(shapefile.with_suffix(".dbf")))
    raw = [content[at : at + 11].partition(b"\0")[0] for at in heads]
    texts = [uncut(name.decode(RAW), encoding) for name in raw]
    # a name that fills its place may have lost its end between two characters
    cut = [
        text for (text, was_cut), name in zip(texts, raw, strict=True) if was_cut or len(name) >= _NAME_BYTES
    ]
    renamed = bytearray(content)
    renamed[29] = 0  # the code page, which GDAL would recode by
    for n, at in enumerate(heads):
        renamed[at : at + 11] = f"f{n}".encode().ljust(11, b"\0")
    parts = {".dbf": bytes(renamed), ".cpg": b"ISO-8859-1"}
    for ending in (".shp", ".shx"):
        parts[ending] = read_bytes(beside(shapefile, ending), limits=limits)
    with suppress(UnreadableFileError):
        parts[".prj"] = read_bytes(beside(shapefile, ".prj"), limits=limits)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for ending, part in parts.items():
            archive.writestr(f"layer{ending}", part)
    return RawShapefile(out.getvalue(), tuple(text for text, _ in texts), tuple(cut), encoding)


def _heads(content: bytes) -> list[int]:
    """Return where the description of each field begins."""
    start = int.from_bytes(content[8:10], "little")
    places = []
    for at in range(32, start - 1, 32):
        if content[at : at + 1] in (b"\r", b""):
            break
        places.append(at)
    return places


def _encoding(content: bytes, heads: list[int], declared: str | None, file: str) -> str:
    values = _values(content, heads)
    is_utf8 = all(_text(value, "utf-8") is not None for value in values)
    if is_utf8 and sum(map(len, values)) >= _SURELY_UTF8:
        return "utf-8"
    for encoding in (declared, "utf-8", "gb18030"):
        if encoding and all(_text(value, encoding) is not None for value in values):
            return encoding
    if declared:
        return declared
    start = int.from_bytes(content[8:10], "little")
    return decode(content[start:].replace(b"\0", b" ").rstrip(b"\x1a"), file)[1]


def _values(content: bytes, heads: list[int]) -> set[bytes]:
    """Return every name of a field and every text of a record that is not plain ASCII."""
    start, width = int.from_bytes(content[8:10], "little"), int.from_bytes(content[10:12], "little")
    values, offset = {content[at : at + 11].partition(b"\0")[0] for at in heads}, 1
    for at in heads:
        size = content[at + 16]
        if content[at + 11 : at + 12] == b"C":
            rows = range(start + offset, len(content), width or len(content))
            values |= {content[row : row + size].strip(b" \0\x1a") for row in rows}
        offset += size
    return {value for value in values if not value.isascii()}


def _text(raw: bytes, encoding: str) -> str | None:
    """Return bytes as text without a character that was cut at their end, or None if they are no text in `encoding`."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        cut = error.start > len(raw) - _LONGEST_CHARACTER
        return raw[: error.start].decode(encoding) if cut else None


def uncut(raw: str, encoding: str) -> tuple[str, bool]:
    """Return what was read as `RAW` as text in `encoding`, and whether a character was cut or could not be read."""
    content = raw.encode(RAW)
    text = _text(content, encoding)
    if text is None:
        return content.decode(encoding, errors="replace"), True
    return text, len(text.encode(encoding)) != len(content)
