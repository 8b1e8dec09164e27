"""Give a file its final name only when it is whole."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import tempfile
import zipfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage.errors import CannotWriteError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from geopandas import GeoDataFrame

PART = ".writing-"
"""How the names of folders begin that hold what is not yet whole."""


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
    if "\0" in str(folder):
        raise CannotWriteError(
            f"{str(folder)!r}: cannot be written (no name holds NUL); choose another folder"
        )
    if not target.is_dir():
        raise CannotWriteError(f"{folder}: cannot be written ({target} is a file); choose another folder")
    if not os.access(target, os.W_OK | os.X_OK):
        raise CannotWriteError(f"{folder}: cannot be written ({target} is read-only); choose another folder")


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Make a folder, and those above it, where it is not there yet; return it.

    Raises
    ------
    CannotWriteError
        If it cannot be made.
    """
    require_writable(folder)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder"
        ) from error
    return Path(folder)


def _settle(folder: Path) -> None:
    """Make new names in `folder` outlast a power cut, where the system knows how."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replacing(path: str | os.PathLike[str], *, workshop: Path | None = None) -> Iterator[Path]:
    """Give a path to write to; on success what it holds takes the name `path` at once, on failure nothing changes.

    It lies in a folder of its own beside `path`, or inside `workshop`, which must be on the same disk.

    Raises
    ------
    CannotWriteError
        If the folder or disk refuses; the old file is whole and the half-written one is gone.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if workshop is not None:
            workshop.mkdir(exist_ok=True)
        folder = tempfile.mkdtemp(prefix=PART, dir=workshop or final.parent)
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


@contextmanager
def passing_file(content: bytes, *, name: str) -> Iterator[Path]:
    """Give the path of a file called `name` that holds `content` while the block runs: for libraries that read only files."""
    with tempfile.TemporaryDirectory(prefix=PART) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` so that `path` is either the old file or the new one, never a part."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_layers(
    path: str | os.PathLike[str],
    layers: Mapping[str, GeoDataFrame],
    *,
    workshop: Path | None = None,
    styles: Mapping[str, str] | None = None,
) -> None:
    """Write a GeoPackage with one layer a frame (index as its first column), all of it or nothing.

    `styles` are how QGIS draws layers, as QML: the file carries them, and QGIS asks for nothing else.
    """
    with replacing(path, workshop=workshop) as part:
        for name, frame in layers.items():
            try:
                frame.reset_index().to_file(part, layer=name, driver="GPKG", engine="pyogrio")
            except Exception as error:
                raise CannotWriteError(f"{path}: layer '{name}' cannot be written ({error})") from error
        _require_whole(part, layers, path)
        if styles:
            _add_styles(part, {name: styles[name] for name in layers if name in styles})


_STYLES = (
    'CREATE TABLE "layer_styles" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "f_table_catalog" TEXT(256), '
    '"f_table_schema" TEXT(256), "f_table_name" TEXT(256), "f_geometry_column" TEXT(256), "styleName" TEXT(30), '
    '"styleQML" TEXT, "styleSLD" TEXT, "useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30), '
    '"update_time" DATETIME)'
)
"""The table in which QGIS keeps the styles of a GeoPackage."""


def _add_styles(part: Path, styles: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(part)) as file, file:
        columns = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        changed = dict(file.execute("SELECT table_name, last_change FROM gpkg_contents"))
        file.execute(_STYLES)
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES (?, ?, ?, ?)",
            ("layer_styles", "attributes", "layer_styles", max(changed.values())),
        )
        file.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, "
            "styleSLD, useAsDefault, description, owner, update_time) VALUES ('', '', ?, ?, ?, ?, '', 1, '', '', ?)",
            [(name, columns[name], name, qml, changed[name]) for name, qml in styles.items()],
        )


def shapefiles(layers: Mapping[str, GeoDataFrame], *, day: dt.date) -> bytes:
    """Return one shapefile a frame, with UTF-8 texts, in one zip archive; `day` is the date that the tables carry."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix=PART) as folder, zipfile.ZipFile(out, "w") as archive:
        for name, frame in layers.items():
            path = Path(folder) / f"{name}.shp"
            frame.to_file(
                path,
                driver="ESRI Shapefile",
                engine="pyogrio",
                encoding="UTF-8",
                layer_options={"DBF_DATE_LAST_UPDATE": f"{day:%Y-%m-%d}"},
            )
        for path in sorted(Path(folder).iterdir()):
            archive.write(path, path.name)
    return out.getvalue()


def _require_whole(part: Path, layers: Mapping[str, GeoDataFrame], path: str | os.PathLike[str]) -> None:
    """Refuse a GeoPackage that lacks rows or a spatial index: GDAL leaves an index out in silence where the disk is full."""
    with closing(sqlite3.connect(f"{part.resolve().as_uri()}?mode=ro", uri=True)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
        columns = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        for name, frame in layers.items():
            quoted = name.replace('"', '""')
            (rows,) = file.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608  (a name of ours, quoted)
            if rows != len(frame) or f"rtree_{name}_{columns.get(name)}" not in tables:
                raise CannotWriteError(f"{path}: layer '{name}' was not written whole; is the disk full?")
