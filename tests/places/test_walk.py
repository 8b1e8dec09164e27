"""What an office has, as it has it, walks through check, geocode and coverage: every row is accounted for."""

from __future__ import annotations

import csv
import io

import geopandas as gpd
import openpyxl
import pytest

from sy_coverage.places import from_wgs84
from tests import toy
from tests.study.test_cli import change, sy

HOSTILE = '=HYPERLINK("http://x")</script>{{ 7*7 }}敬老院'
HEADER = ["序号", "机构名称", "类型", "地址", "床位数", "经度", "纬度", "所在县（市、区）", "所在镇（街道）"]
HOMES = [  # name, kind, address, km along the road (None: no point)
    ("甲镇颐康敬老院", "敬老院", "试验县甲镇", 12.00),
    ("试验县甲镇颐康敬老院", "敬老院", "试验县甲镇", 12.05),
    (HOSTILE, "敬老院", "试验县乙镇", 25.0),
]
CENTRES = [
    ("城东街道综合养老服务中心", "综合养老服务中心", "试验县城东街道", 5.0),
    ("丙乡综合养老服务中心", "综合养老服务中心", "试验县丙乡", 33.0),
    ("甲镇综合养老服务中心", "综合养老服务中心", "试验县甲镇Ｃ村１２号", None),
    ("城东一站", "日间照料中心", "试验县城东街道A村3组", None),
    ("城东二站", "日间照料中心", "试验县城东街道B村委会", None),
    ("甲镇二站", "日间照料中心", "试验县 甲镇 D村", None),
    ("乙镇一站", "日间照料中心", "试验县乙镇E村", None),
    ("乙镇二站", "日间照料中心", "试验县乙镇F村8号", None),
    ("丙乡一站", "日间照料中心", "试验县丙乡G村", None),
    ("丙乡二站", "日间照料中心", "试验县丙乡H村", None),
    ("乙镇三站", "日间照料中心", "试验县乙镇", None),  # the town only: approximate
    ("无名站", "日间照料中心", "某某路1号", None),  # nothing that anybody knows
]


def gcj02(km: float | None) -> tuple[str, str]:
    """Return longitude and latitude of a point of the road as Amap gives them."""
    if km is None:
        return "", ""
    point = gpd.GeoSeries([toy.at(km)], crs=toy.CRS).to_crs("EPSG:4326")[0]
    lon, lat = from_wgs84(point.x, point.y, "gcj02")
    return f"{float(lon):.6f}", f"{float(lat):.6f}"


def sheet(rows: list[tuple[str, str, str, float | None]]) -> list[list[str]]:
    """Return an official sheet: a title above, a totals row below."""
    body = [
        [str(n), name, kind, address, "30张", *gcj02(km), "试验县", ""]
        for n, (name, kind, address, km) in enumerate(rows, 1)
    ]
    blank = [""] * (len(HEADER) - 1)
    return [["试验县养老服务设施一览表", *blank], HEADER, *body, ["合计", f"{len(rows)}个", *blank[1:]]]


def workbook(path, rows):
    """Write rows as a workbook; text as it was typed, so that a name that looks like a formula is none."""
    book = openpyxl.Workbook()
    for n, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            if value:
                book.active.cell(n, column, value).data_type = "s"
    book.active.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADER))
    book.save(path)


def gb18030(path, rows):
    """Write rows as the CSV that a Chinese Excel saves."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path.write_bytes(out.getvalue().encode("gb18030"))


WRITE = {".xlsx": workbook, ".csv": gb18030}


@pytest.fixture(params=[(".xlsx", ".csv"), (".csv", ".xlsx")], ids=["homes.xlsx", "homes.csv"])
def lists(request):
    """Return how the two lists are called: each walks once as a workbook and once as a CSV."""
    homes, centres = request.param
    return {f"养老机构{homes}": HOMES, f"服务中心{centres}": CENTRES}


@pytest.fixture
def study_file(tmp_path, lists):
    path = toy.write_study(tmp_path)
    for name, rows in lists.items():
        WRITE[name[name.index(".") :]](tmp_path / name, sheet(rows))
    files = ", ".join(f'"{name}"' for name in lists)
    change(path, 'files = ["facilities.csv"]\ncoordinate_system = "wgs84"',
           f'files = [{files}]\ncoordinate_system = "gcj02"')  # fmt: skip
    change(path, '[candidates]\nfiles = ["candidates.csv"]\ncoordinate_system = "wgs84"\n', "")
    change(path, "[siting]", '[geocoding]\naccept = ["village", "town"]\n[siting]')
    return path


def table(path):
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_an_office_s_lists_walk_through_check_geocode_and_coverage_with_every_row_accounted_for(
    study_file, tmp_path, lists
):
    homes, centres = lists
    checked = sy("check", study_file)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "设施 15 行：已定位 14 行，未定位 1 行" in checked.stdout
    assert "疑似重复：1 行" in checked.stdout
    # what was left out is said on screen too
    for name, rows in lists.items():
        line = next(line for line in checked.stdout.splitlines() if line.startswith(f"{name}："))
        assert "第 1 行标题行，略过：试验县养老服务设施一览表" in line
        assert f"第 {len(rows) + 3} 行合计行，略过：合计" in line
        assert f"读取 {len(rows)} 行" in line

    located = sy("geocode", study_file, "--offline", "--out", tmp_path / "g")
    assert located.returncode == 0, located.stdout + located.stderr
    assert "设施 15 行：已定位 13、大致位置 1、未定位 1。" in located.stdout
    rows = table(tmp_path / "g" / "located.csv")
    names = [name for name, *_ in HOMES + CENTRES]
    # what would be a formula is shown as text
    assert [row["名称"] for row in rows] == ["'" + n if n == HOSTILE else n for n in names]
    assert [row["来源（文件与行）"] for row in rows] == [
        *(f"{homes} row {n}" for n in (3, 4, 5)),
        *(f"{centres} row {n}" for n in range(3, 15)),
    ]
    assert [row["定位情况"] for row in rows] == [*["已定位"] * 13, "大致位置", "未定位"]
    assert [row["定位方式"] for row in rows] == [*["原表坐标"] * 5, *["地名表"] * 9, ""]
    assert rows[14]["未能精确定位的原因"] == "地址只到县（市、区）"  # its row names the county
    # the road's own kilometres, not 500 m beside them: GCJ-02 was undone, and D村 stands at km 18
    spots = gpd.GeoSeries(
        gpd.points_from_xy(
            [float(row["经度（WGS84）"]) for row in rows[:14]],
            [float(row["纬度（WGS84）"]) for row in rows[:14]],
        ),
        crs="EPSG:4326",
    ).to_crs(toy.CRS)
    km = ((spots.x - toy.EAST) / 1000).round(2).tolist()
    assert km[:13] == [12.0, 12.05, 25, 5, 33, 12, 2, 8, 18, 22, 28, 32, 38]

    verify = table(tmp_path / "g" / "to_verify.csv")
    assert [(row["名称"], row["待核实事项"]) for row in verify] == [
        ("试验县甲镇颐康敬老院", "疑似重复"),
        ("无名站", "地址只到县（市、区）"),
        ("乙镇三站", "只定位到街道（乡镇）"),
    ]
    read = [(row["文件"], row["行"], row["说明"]) for row in table(tmp_path / "g" / "reading.csv")]
    assert (next(name for name in lists if name.endswith(".csv")), "", "文字编码：gb18030") in read
    for file, last in ((homes, "6"), (centres, "15")):
        assert (file, "1", "标题行，略过：试验县养老服务设施一览表") in read
        assert (file, last, "合计行，略过：合计") in read

    measured = sy("coverage", study_file, "--out", tmp_path / "c")
    assert measured.returncode == 0, measured.stdout + measured.stderr
    centre = "街道/乡镇综合养老服务中心"
    # 城东街道, 丙乡, and 甲镇, whose centre only gives an address; 乙镇 has none
    assert (tmp_path / "c" / "indicators.csv").read_bytes().decode("utf-8-sig").splitlines() == [
        f"序号,所在县（市、区）,镇（街道）数量,{centre}数量,{centre}覆盖率",
        "1,试验县,4,3,75.00%",
        ",合计,4,3,75.00%",
    ]
    for name in ("located.csv", "to_verify.csv", "reading.csv"):
        assert (tmp_path / "c" / name).read_bytes() == (tmp_path / "g" / name).read_bytes()


def test_geocode_without_a_network_lists_what_it_could_not_ask_and_ends_with_69(study_file, tmp_path):
    change(study_file, "[geocoding]", '[geocoding]\nsources = ["gazetteer", "amap"]')
    counted = sy("geocode", study_file, "--dry-run")
    assert counted.returncode == 0, counted.stderr
    # the town-only row and the one that nobody knows
    assert "高德：2 行未定位，2 个不同地址，其中 0 个已有答案，最多请求 2 次" in counted.stdout
    done = sy("geocode", study_file, "--offline", "--out", tmp_path / "g")
    assert done.returncode == 69
    assert "离线：2 个地址尚无答案" in done.stderr
    assert len(table(tmp_path / "g" / "located.csv")) == 15
    refused = sy("geocode", study_file, "--out", tmp_path / "n")
    assert refused.returncode == 2
    assert "AMAP_KEY" in refused.stderr
    assert not (tmp_path / "n").exists()


def test_a_row_that_could_be_several_places_waits_until_the_study_chooses_one(tmp_path):
    path = toy.write_study(tmp_path)
    listed = "编号,名称,类型,地址,所在镇（街道）\nA1,乙镇站,日间照料中心,试验县乙镇E村,甲镇\n"  # one of its cells is wrong
    (tmp_path / "facilities.csv").write_text(listed, encoding="utf-8")
    change(path, "[siting]", "[geocoding]\nchoose = {}\n[siting]")

    def located(name):
        done = sy("geocode", path, "--offline", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        (row,) = (row for row in table(tmp_path / name / "located.csv") if row["编号"] == "A1")
        return row["定位情况"], row["精度"]

    assert located("before") == ("有歧义", "")
    (doubt,) = (row for row in table(tmp_path / "before" / "to_verify.csv") if row["编号"] == "A1")
    assert doubt["说明"] == "“乙镇站”的地址写的是“试验县乙镇”，与所填的街道（乡镇）不一致。"
    change(path, "choose = {}", 'choose = { A1 = "试验县乙镇" }')
    assert located("after") == ("已定位", "村（社区）")
    change(path, "A1 =", "A9 =")
    refused = sy("geocode", path, "--offline", "--out", tmp_path / "no")
    assert refused.returncode == 2
    assert "A9" in refused.stderr
    assert not (tmp_path / "no").exists()
