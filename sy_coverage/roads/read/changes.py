"""Read a layer of roads that would be new, closed or slower."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from sy_coverage import _files
from sy_coverage.errors import FrameError, InputError, MissingCRSError, some

if TYPE_CHECKING:
    import os

    from geopandas import GeoDataFrame

WORDS = {
    "add": frozenset({"add", "new", "新建", "新增", "拟建"}),
    "close": frozenset({"close", "closed", "关闭", "中断", "断行", "淹没"}),
    "slow": frozenset({"slow", "slower", "慢行", "限速", "降速"}),
}
COLUMNS = ("change", "变化", "变更")
NUMBERS = ("factor", "speed_kph")


def read_changes(
    path: str | os.PathLike[str], *, limits: _files.Limits = _files.USUAL
) -> dict[str, GeoDataFrame]:
    """Return the changes that a layer of shapes asks for, as `RoadNetwork.with_changes` takes them.

    Parameters
    ----------
    path
        Any vector layer: column `change` says ``add``, ``close`` or ``slow`` (or 新建, 关闭, 慢行); `highway`, `speed_kph`, `factor` and
        `oneway` as in `with_changes`.
    limits
        How much of the file is read.

    Returns
    -------
    changes
        `add`, `close` and `slow`, each with its rows; those without any are left out.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError, MissingCRSError, FrameError
        If the file cannot be read, holds no shapes or no CRS, or a row does not say what changes.
    """
    grid = _files.read_grid(path, limits=limits)
    if grid.geometry is None:
        raise InputError(f"{path}: holds no shapes; changed roads are lines, areas or points on a map")
    if grid.geometry.crs is None:
        raise MissingCRSError(f"{path}: says no CRS; write it into the layer, for CGCS2000 degrees EPSG:4490")
    head, *body = grid.cells
    table = pd.DataFrame(body, columns=head, dtype=object)
    column = next((c for c in COLUMNS if c in table.columns), None)
    if column is None:
        raise FrameError("changes", [f"{path}: no column 'change'; there are {', '.join(map(str, head))}"])
    said = table[column].astype(str).str.strip().str.lower()
    known = said.map({word: kind for kind, words in WORDS.items() for word in words})
    if known.isna().any():
        wrong = some(said[known.isna()].unique())
        raise FrameError("changes", [f"{path}: change must be add, close or slow, not {wrong}"])
    for name in set(NUMBERS) & set(table.columns):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    frame = gpd.GeoDataFrame(table, geometry=grid.geometry.to_numpy(), crs=grid.geometry.crs)
    rows = {kind: frame[known == kind] for kind in WORDS}
    return {kind: part.dropna(axis="columns", how="all") for kind, part in rows.items() if len(part)}
