"""The door to disk: read only what is allowed, and give a file its final name only when it is whole."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import sqlite3
import stat
import tempfile
import tomllib
import zipfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sy_coverage.errors import (
    CannotWriteError,
    ConfigError,
    InputError,
    MissingFileError,
    UnreadableFileError,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame

# A VRT dressed up as .geojson reads other local files and sends requests; GDAL must not even know the format.
os.environ.setdefault("GDAL_SKIP", "OGR_VRT")
# GeoPackages carry the time of writing; a fixed one keeps same inputs, same bytes.
os.environ.setdefault("OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z")

MAX_BYTES = 500_000_000
"""Larger tables and boundary files are refused; road extracts are streamed and have no such limit."""
MAX_ROWS = 1_000_000
MAX_RATIO = 100
"""An archive that unpacks to more than this many times its size is refused as a bomb."""


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` if it is an existing local file.

    Raises
    ------
    InputError
        If it is a URL or a virtual file system (``/vsi…``, ``s3://``): only local files are read.
    MissingFileError
        If nothing is there.
    """
    written = str(path)
    if "://" in written or written.startswith("/vsi"):
        raise InputError(f"{written}: only local files are read; download it first and give its path")
    found = Path(path)
    if not found.exists():
        raise MissingFileError(f"{written}: there is no such file; check the path")
    if found.is_dir():
        raise MissingFileError(f"{written} is a folder; a file is needed")
    return found


def read_bytes(path: str | os.PathLike[str], *, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a local file of at most `most` bytes."""
    found = local_path(path)
    size = found.stat().st_size
    if size > most:
        raise UnreadableFileError(f"{path}: {size:,} bytes; at most {most:,} are read")
    try:
        return found.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a TOML file as a dict; a syntax error names the file and the line."""
    try:
        return tomllib.loads(read_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def digest(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a local file in hex."""
    with local_path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Grid:
    """What a table or layer holds, as text cells: row by row, before anybody has said what they mean."""

    file: str
    cells: list[list[str]]
    """Rows of equal length; of a layer the first row is its column names."""
    first_row: int
    """The number a person sees beside the first row: 1 in a sheet, 0 in a layer (whose features count from 1)."""
    merges: tuple[tuple[int, int, int, int], ...] = ()
    """Merged areas as (top, left, bottom, right), zero-based, inclusive."""
    geometry: GeoSeries | None = None
    """Of a layer: one geometry a row below the first, in the CRS the file declares (None: it declares none)."""
    notes: tuple[tuple[str, str], ...] = ()
    """What was found out or assumed on the way: (label id, value)."""


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


def _text_grid(content: bytes, file: str, encoding: str | None) -> Grid:
    text, name = decode(content, file, encoding=encoding)
    mark = _delimiter(text, file)
    csv.field_size_limit(10_000_000)
    try:
        # a NUL or an unclosed quote makes the reader fail, or swallow the rest of the file
        rows = list(itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark), MAX_ROWS + 1))
    except csv.Error as error:
        raise UnreadableFileError(f"{file}: not a table of text ({error})") from error
    _limit_rows(len(rows), file)
    words = {",": "comma", "\t": "tab", ";": "semicolon", "，": "，", "|": "|"}[mark]
    return Grid(file, _even(rows), 1, notes=(("encoding", name), ("delimiter", words)))


def _even(rows: list[list[str]]) -> list[list[str]]:
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _limit_rows(count: int, file: str) -> None:
    if count > MAX_ROWS:
        raise UnreadableFileError(f"{file}: more than {MAX_ROWS:,} rows; split the file")


def check_zip(content: bytes, file: str) -> zipfile.ZipFile:
    """Return an archive that is safe to read in memory: limits on ratio and size, no encryption, no path tricks.

    Raises
    ------
    UnreadableFileError
        Naming the member and the limit.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFileError(f"{file}: damaged archive ({error})") from error
    total = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    if total > MAX_BYTES or (total > 1_000_000 and total / packed > MAX_RATIO):
        raise UnreadableFileError(
            f"{file}: {len(content):,} bytes unpack to {total:,}; at most {MAX_BYTES:,} bytes and {MAX_RATIO} times "
            "the packed size are read"
        )
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise UnreadableFileError(f"{file}: the archive's member '{member.filename}' leaves its folder")
        if member.flag_bits & 0x1:
            raise UnreadableFileError(f"{file}: the archive is encrypted; unpack it first")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnreadableFileError(f"{file}: the archive's member '{member.filename}' is a link")
    return archive


def _sheet_text(cell: Any) -> str:
    """Return a cell as a person sees it: whole numbers without .0, padded zeros kept, dates as 2027-12-31."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        pattern = str(cell.number_format)
        whole = float(value).is_integer() and abs(value) < 1e15
        if whole and set(pattern) == {"0"}:
            return f"{int(value):0{len(pattern)}d}"
        return str(int(value)) if whole else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _sheet_grid(content: bytes, file: str, layer: str | None) -> Grid:
    import openpyxl  # noqa: PLC0415

    with check_zip(content, file) as archive:
        if "[Content_Types].xml" not in archive.namelist():
            raise UnreadableFileError(
                f"{file}: an archive, no workbook; unpack it and name the file inside: "
                f"{some(archive.namelist())}"
            )
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged or no .xlsx workbook ({error})") from error
    full = [
        s.title
        for s in book.worksheets
        if s.sheet_state == "visible"
        and any(c.value is not None for row in s.iter_rows(max_row=1000) for c in row)
    ]
    if layer in book.sheetnames:
        full = [str(layer)]
    sheet = book[_one_of(full or [book.worksheets[0].title], layer, file, "sheet")]
    _limit_rows(sheet.max_row or 0, file)
    rows = [[_sheet_text(cell) for cell in row] for row in sheet.iter_rows()]
    # a formatted but empty tail is not part of the table
    while rows and not any(rows[-1]):
        rows.pop()
    areas = sorted(
        (r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1) for r in sheet.merged_cells.ranges
    )
    return Grid(file, _even(rows), 1, merges=tuple(areas), notes=(("sheet", sheet.title),))


def _value_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  (NaN)
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time(0):
        return value.date().isoformat()
    return "" if str(value) in {"NaT", "<NA>"} else str(value)


def _frame_grid(frame: DataFrame, file: str, notes: tuple[tuple[str, str], ...]) -> Grid:
    _limit_rows(len(frame), file)
    geometry = getattr(frame, "_geometry_column_name", None)
    shapes = frame.geometry if geometry in frame.columns else None
    columns = [c for c in frame.columns if c != geometry]
    values = [[_value_text(v) for v in frame[c].astype(object)] for c in columns]
    body = [list(row) for row in zip(*values, strict=True)] if values else [[] for _ in range(len(frame))]
    header = [str(c) for c in columns]
    if shapes is not None:
        shapes = shapes.reset_index(drop=True)
    return Grid(file, [header, *body], 0, geometry=shapes, notes=notes)


def _dbf_encoding(shapefile: Path) -> str:
    """Return the encoding of a shapefile's attribute table, found out over its records."""
    table = next(
        (shapefile.with_suffix(s) for s in (".dbf", ".DBF") if shapefile.with_suffix(s).exists()), None
    )
    if table is None:
        raise UnreadableFileError(f"{shapefile}: its .dbf is not there; copy all parts of the shapefile")
    content = read_bytes(table)
    if len(content) < 32:
        raise UnreadableFileError(f"{table}: damaged attribute table")
    start = int.from_bytes(content[8:10], "little")
    return decode(content[start:].replace(b"\0", b" ").rstrip(b"\x1a"), str(table))[1]


def _layer_grid(path: Path, file: str, kind: str, layer: str | None, encoding: str | None) -> Grid:
    import pyogrio  # noqa: PLC0415

    options: dict[str, Any] = {}
    notes: tuple[tuple[str, str], ...] = ()
    if kind == "shapefile":
        if not path.with_suffix(".shx").exists() and not path.with_suffix(".SHX").exists():
            raise UnreadableFileError(f"{path}: its .shx is not there; copy all parts of the shapefile")
        options["encoding"] = encoding or _dbf_encoding(path)
        notes = (("encoding", options["encoding"]),)
    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        chosen = _one_of(layers, layer, file, "layer")
        _limit_rows(int(pyogrio.read_info(path, layer=chosen, **options)["features"]), file)
        frame = pyogrio.read_dataframe(path, layer=chosen, **options)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged, or no {kind} file ({error})") from error
    return _frame_grid(frame, file, (*notes, ("layer", chosen)))


def _one_of(there: list[str], wanted: str | None, file: str, what: str) -> str:
    """Return the layer or sheet that is meant; several without a choice are refused by name."""
    if wanted is not None and wanted not in there:
        raise UnreadableFileError(f"{file}: there is no {what} '{wanted}'; there are: {', '.join(there)}")
    if not there:
        raise UnreadableFileError(f"{file}: there is no {what} in it")
    if wanted is None and len(there) > 1:
        raise UnreadableFileError(
            f"{file}: several {what}s ({', '.join(there)}); say which one, as {file}#{there[0]}"
        )
    return wanted or there[0]


def _parquet_grid(path: Path, file: str) -> Grid:
    import geopandas as gpd  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        facts = pq.read_metadata(path)
        _limit_rows(facts.num_rows, file)
        is_geo = b"geo" in (facts.metadata or {})
        frame = gpd.read_parquet(path) if is_geo else pd.read_parquet(path)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged, or no Parquet file ({error})") from error
    return _frame_grid(frame, file, ())


_SIGNATURES = (
    (b"SQLite format 3\0", "GeoPackage"),
    (b"\x00\x00\x27\x0a", "shapefile"),
    (b"fgb\x03fgb", "FlatGeobuf"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0", "old workbook"),
)


def _kind_of(content: bytes) -> str:
    """Return what a file is by its first bytes, never by its name: only these kinds are read."""
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    start = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return "GeoJSON"
    return "XML" if start.startswith(b"<") else "text"


def split_layer(source: str | os.PathLike[str]) -> tuple[str, str | None]:
    """Return a path and the layer or sheet named after its last ``#``, unless a file has just that name."""
    written = os.fspath(source)
    if "#" not in written or Path(written).exists():
        return written, None
    path, _, layer = written.rpartition("#")
    return path, layer or None


def read_grid(
    source: str | os.PathLike[str], *, layer: str | None = None, encoding: str | None = None
) -> Grid:
    """Return any table or layer a bureau hands over, as text cells: what it is, is told from its content.

    CSV and other delimited text, XLSX, GeoJSON, GeoPackage, Shapefile, FlatGeobuf and Parquet; one of several
    layers or sheets is named by `layer`, or after the path as ``path#layer``.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError
        If there is no such file, it is damaged or of another kind, or the path is no local one.
    """
    written, named = split_layer(source)
    layer = layer or named
    path = local_path(written)
    file = path.name
    content = read_bytes(path)
    if not content.strip():
        raise UnreadableFileError(f"{file}: the file is empty")
    kind = _kind_of(content)
    if kind == "old workbook":
        raise UnreadableFileError(f"{file}: an old .xls workbook; save it as .xlsx")
    if kind == "XML":
        raise UnreadableFileError(f"{file}: XML is no table or boundary file; save it as .xlsx or .gpkg")
    if kind == "workbook":
        return _sheet_grid(content, file, layer)
    if kind == "text":
        return _text_grid(content, file, encoding)
    if kind == "Parquet":
        return _parquet_grid(path, file)
    if kind == "GeoJSON":
        _check_geojson(content, file)
    return _layer_grid(path, file, kind, layer, encoding)


def _check_geojson(content: bytes, file: str) -> None:
    # other JSON dialects that GDAL knows point to further files or addresses
    try:
        found = json.loads(decode(content, file)[0])
    except ValueError as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{file}: damaged GeoJSON ({error})") from error
    if not isinstance(found, dict) or found.get("type") not in {"FeatureCollection", "Feature"}:
        raise UnreadableFileError(f"{file}: JSON, but no GeoJSON FeatureCollection")


def sample_folder() -> Path:
    """Return the folder of the shipped Shaoyang sample, in an installed wheel or in the repository."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_sample", here.parent / "data" / "boundaries"):
        if (folder / "study.toml").exists():
            return folder
    raise MissingFileError("the shipped sample is not there; install the package again")


_PART = ".writing-"
_PLAIN = re.compile(r"[\w-]([\w.-]{0,58}[\w-])?")


def require_writable(folder: str | os.PathLike[str]) -> None:
    """Refuse, before any work is done, a folder that could not be written later; nothing is made.

    Raises
    ------
    CannotWriteError
        If it, or the nearest folder above it that is there, is no folder or may not be written.
    """
    target = Path(folder)
    try:
        while not target.exists():
            target = target.parent
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    if not target.is_dir():
        raise CannotWriteError(f"{folder}: cannot be written ({target} is a file); choose another folder")
    if not os.access(target, os.W_OK | os.X_OK):
        raise CannotWriteError(f"{folder}: cannot be written ({target} is read-only); choose another folder")


def require_plain_names(ids: Iterable[str], what: str) -> None:
    """Refuse ids that cannot be names of files: they name results, and must not lead out of their folder.

    Raises
    ------
    InputError
        Naming those that hold anything but letters, digits, ``_``, ``-`` and inner dots, or are too long.
    """
    wrong = [i for i in ids if not _PLAIN.fullmatch(i)]
    if wrong:
        raise InputError(
            f"{what}: {some(repr(i) for i in wrong)} cannot name a file; use letters, digits, - and _, at most 60"
        )


def _settle(folder: Path) -> None:
    """Make new names in `folder` outlast a power cut, where the system knows how."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a sibling path to write to; on success it takes the name `path` at once, on failure nothing changes.

    Raises
    ------
    CannotWriteError
        If the folder or disk refuses; the old file is whole and the half-written one is gone.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=_PART, dir=final.parent)
    except OSError as error:
        raise CannotWriteError(
            f"{final}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    # same suffix and name, because some drivers write the name into the file
    part = Path(folder) / final.name
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(final)
        _settle(final.parent)
    except OSError as error:
        if isinstance(error, CannotWriteError):
            raise
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise CannotWriteError(
            f"{final}: cannot be written ({reason}); what was there before is untouched"
        ) from error
    finally:
        for left in Path(folder).glob("*"):
            left.unlink()
        Path(folder).rmdir()


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` so that `path` is either the old file or the new one, never a part."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_layers(path: str | os.PathLike[str], layers: Mapping[str, GeoDataFrame]) -> None:
    """Write a GeoPackage with one layer a frame (index as its first column), all of it or nothing."""
    with replacing(path) as part:
        for name, frame in layers.items():
            try:
                frame.reset_index().to_file(part, layer=name, driver="GPKG", engine="pyogrio")
            except Exception as error:
                raise CannotWriteError(f"{path}: layer '{name}' cannot be written ({error})") from error


@contextmanager
def database(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Give a connection to the SQLite file `path` (made if need be) whose changes are kept when the block ends well.

    Raises
    ------
    CannotWriteError
        If the file cannot be opened or written, or is no SQLite file.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=30.0)) as connection, connection:
            # readers and a writer do not wait for each other, and a kill leaves a whole file
            connection.execute("PRAGMA journal_mode = WAL")
            yield connection
    except (sqlite3.DatabaseError, OSError) as error:
        raise CannotWriteError(f"{path}: cannot be used as a cache ({error}); give another path") from error


def remove_database(path: str | os.PathLike[str]) -> None:
    """Remove a SQLite file and what its write-ahead log left beside it."""
    for end in ("", "-wal", "-shm"):
        Path(f"{os.fspath(path)}{end}").unlink(missing_ok=True)


@contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of an output folder, so that two runs never write into it at once.

    What a run that was killed had begun to write is cleared away.

    Raises
    ------
    CannotWriteError
        If another run holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target / ".lock", timeout=0)
        lock.acquire()
        for left in list(target.rglob(f"{_PART}*")):
            shutil.rmtree(left, ignore_errors=True)
    except Timeout as error:
        raise CannotWriteError(
            f"{folder}: another run is writing here; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()
