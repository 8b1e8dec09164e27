"""Read a GeoTIFF, or the window of it that is asked for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj

from sy_coverage._files.content.reading import local_path
from sy_coverage.errors import ConfigError, InputError, MissingCRSError, UnreadableFileError

if TYPE_CHECKING:
    import os

Array = np.ndarray[Any, np.dtype[Any]]
ONE_MORE = np.array([-1, 2])
"""From the first and last cell that are touched to where the window begins and ends."""
MAX_CELLS = 400_000_000
"""A window of more cells is refused: it would take more than 1.6 GB."""


@dataclass(frozen=True, eq=False)
class Raster:
    """Cells of one band: row r, column c begins at ``west + c·width`` and ``north − r·height``."""

    file: str
    values: Array
    """float32 (float64 where the file holds more) of shape (rows, columns), from the north; NaN where nothing is known."""
    west: float
    north: float
    width: float
    """Of a cell, in the CRS's unit, above 0."""
    height: float
    """Of a cell, in the CRS's unit, above 0."""
    crs: str
    bands: int = 1
    """How many the file has."""
    band_name: str = ""
    """What the file calls this one."""
    undeclared: float | None = None
    """The highest number its type can hold, where the file does not say which value means that nothing is known."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of cells there are."""
        return int(self.values.shape[0]), int(self.values.shape[1])


def read_raster(
    path: str | os.PathLike[str],
    *,
    box: tuple[float, float, float, float] | None = None,
    band: int = 1,
    most_cells: int = MAX_CELLS,
) -> Raster:
    """Return the cells of a north-up GeoTIFF that touch `box`, and one more on every side where there is one.

    Parameters
    ----------
    box
        West, south, east, north in degrees (EPSG:4326); None returns the whole raster.
    most_cells
        More cells than this are refused.

    Raises
    ------
    MissingFileError, UnreadableFileError
        If the file is not there, is no GeoTIFF, is damaged, or is turned.
    MissingCRSError
        If it does not say its CRS.
    InputError
        If there is no such band, `box` lies outside, or the window is too large.
    ConfigError
        If the extra ``raster`` is not installed.
    """
    try:
        import rasterio  # noqa: PLC0415 - an extra, and heavy
        from rasterio.errors import RasterioError  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError('a raster needs the extra "raster": pip install "sy-coverage[raster]"') from error
    found, file = local_path(path), str(path)
    # files beside the raster are left alone, and what only looks like a GeoTIFF is not tried as anything else
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            with rasterio.open(found, driver="GTiff") as source:
                return _read(source, file, box, band, most_cells)
        except RasterioError as error:
            raise UnreadableFileError(f"{file}: is no whole GeoTIFF ({error}); download it again") from error


def _read(
    source: Any, file: str, box: tuple[float, float, float, float] | None, band: int, most: int
) -> Raster:
    from rasterio.windows import Window  # noqa: PLC0415 - as above

    if source.crs is None:
        raise MissingCRSError(f"{file}: says no CRS; write it into the file, for degrees EPSG:4326")
    shape = source.transform
    if shape.b or shape.d or shape.a <= 0 or shape.e >= 0:
        raise UnreadableFileError(f"{file}: rows must run from north to south, unturned; warp it first")
    if not 1 <= band <= source.count:
        raise InputError(f"{file}: has no band {band}; it has {source.count}")
    crs = source.crs.to_string()
    first_row, first_column, rows, columns = 0, 0, source.height, source.width
    if box is not None:
        first_row, first_column, rows, columns = _window(source, _projected(box, crs), file)
    if rows * columns > most:
        raise InputError(
            f"{file}: {rows * columns:,} cells; at most {most:,} are read: cut it to the study area"
        )
    cells = source.read(band, window=Window(first_column, first_row, columns, rows), masked=True)
    # half the memory where nothing is lost by it
    kind = np.float32 if np.can_cast(cells.dtype, np.float32) else np.float64
    values = np.ma.filled(cells.astype(kind), np.nan)
    scale, offset = source.scales[band - 1], source.offsets[band - 1]
    if (scale, offset) != (1.0, 0.0):
        values = values * kind(scale) + kind(offset)
    west, north = shape.c + first_column * shape.a, shape.f + first_row * shape.e
    highest = None
    if source.nodatavals[band - 1] is None and np.issubdtype(cells.dtype, np.integer):
        highest = float(np.iinfo(cells.dtype).max) * scale + offset
    return Raster(
        file,
        np.ascontiguousarray(values),
        west,
        north,
        shape.a,
        -shape.e,
        crs,
        source.count,
        source.descriptions[band - 1] or "",
        highest,
    )


def _projected(box: tuple[float, float, float, float], crs: str) -> tuple[float, float, float, float]:
    to = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    bounds: tuple[float, float, float, float] = to.transform_bounds(*box, densify_pts=21)
    return bounds


def _window(source: Any, bounds: tuple[float, float, float, float], file: str) -> tuple[int, int, int, int]:
    """Return first row, first column, rows and columns of the cells that `bounds` touch, one more all round."""
    west, south, east, north = bounds
    shape = source.transform
    columns = np.floor((np.array([west, east]) - shape.c) / shape.a)
    rows = np.floor((np.array([north, south]) - shape.f) / shape.e)
    if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
        raise InputError(f"{file}: the study area cannot be brought into its CRS")
    left, right = np.clip(columns + ONE_MORE, 0, source.width).astype(int)
    top, bottom = np.clip(rows + ONE_MORE, 0, source.height).astype(int)
    if right <= left or bottom <= top:
        raise InputError(f"{file}: does not touch the study area; is it the right file?")
    return int(top), int(left), int(bottom - top), int(right - left)
