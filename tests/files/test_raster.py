"""GeoTIFFs: the cells that an area touches come back where they lie, and what is none is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sy_coverage._files import read_raster
from sy_coverage.errors import InputError, MissingCRSError, MissingFileError, UnreadableFileError

rasterio = pytest.importorskip("rasterio")


@pytest.fixture
def written(tmp_path):
    """Return a way to write cells of a tenth of a degree whose north-west corner lies at 110° E, 28° N."""

    def write(cells, *, crs="EPSG:4326", name="hills.tif", transform=None, **options):
        cells = np.asarray(cells)
        path = tmp_path / name
        shape = rasterio.transform.from_origin(110, 28, 0.1, 0.1) if transform is None else transform
        with rasterio.open(
            path, "w", driver="GTiff", height=cells.shape[0], width=cells.shape[1], count=1, dtype=cells.dtype,
            crs=crs, transform=shape, **options,
        ) as target:  # fmt: skip
            target.write(cells, 1)
        return path

    return write


def test_cells_lie_where_the_file_says_and_what_is_not_known_is_missing(written) -> None:
    found = read_raster(written(np.array([[1, 2], [-9999, 4]], np.int16), nodata=-9999))
    assert np.array_equal(found.values, [[1, 2], [np.nan, 4]], equal_nan=True)
    assert (found.west, found.north, found.width, found.height) == (110, 28, 0.1, 0.1)
    assert found.crs == "EPSG:4326"


def test_only_the_cells_around_the_area_are_read(written) -> None:
    path = written(np.arange(100, dtype=np.float32).reshape(10, 10))
    # 110.52–110.58 lies in column 5 and 27.32–27.38 in row 6; one more on each side
    found = read_raster(path, box=(110.52, 27.32, 110.58, 27.38))
    assert found.values.tolist() == [[54, 55, 56], [64, 65, 66], [74, 75, 76]]
    assert (found.west, found.north) == pytest.approx((110.4, 27.5))


def test_an_area_is_found_in_a_raster_of_another_crs(written) -> None:
    # a kilometre a cell around 111° E 27° N, which is x = 500,000 and y = 2,987,737 in EPSG:4546
    shape = rasterio.transform.from_origin(495_000, 2_992_000, 1000, 1000)
    path = written(np.arange(100, dtype=np.int32).reshape(10, 10), crs="EPSG:4546", transform=shape)
    found = read_raster(path, box=(111.001, 27.001, 111.002, 27.002))
    assert found.values.tolist() == [[34, 35, 36], [44, 45, 46], [54, 55, 56]]


def test_what_cannot_be_used_is_refused_by_name(written, tmp_path) -> None:
    cells = np.zeros((4, 4), np.float32)
    with pytest.raises(MissingFileError):
        read_raster(tmp_path / "none.tif")
    with pytest.raises(MissingCRSError, match="says no CRS"):
        read_raster(written(cells, crs=None))
    with pytest.raises(InputError, match="does not touch the study area"):
        read_raster(written(cells), box=(10, 10, 11, 11))
    with pytest.raises(InputError, match="has no band 2"):
        read_raster(written(cells), band=2)
    with pytest.raises(InputError, match=r"16 cells; at most 10"):
        read_raster(written(cells), most_cells=10)
    with pytest.raises(UnreadableFileError, match="from north to south"):
        read_raster(written(cells, transform=rasterio.Affine(0.1, 0, 110, 0, 0.1, 28)))


def test_what_is_no_geotiff_is_not_opened_as_something_else(written, tmp_path) -> None:
    real = written(np.zeros((64, 64), np.float32))
    cut = tmp_path / "cut.tif"
    cut.write_bytes(real.read_bytes()[:9000])
    vrt = tmp_path / "other.tif"
    vrt.write_text(
        f'<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
        f"<SourceFilename>{real}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    for path in (cut, vrt):
        with pytest.raises(UnreadableFileError, match="no whole GeoTIFF"):
            read_raster(path)
    with pytest.raises(InputError, match="only local files"):
        read_raster("/vsicurl/https://example.org/x.tif")
