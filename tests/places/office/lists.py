"""Lists in the image of real public ones: invented names, real habits; what a good clerk would read in each row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One file of an office: what stands in it, and what its rows are."""

    file: str
    text: str
    """Cells with tabs between them, a line a row; a CSV, workbook or document is made of it."""
    rows: tuple[dict[str, Any], ...]
    """What is read, row by row; only the columns that matter here."""
    doubts: dict[str, int] = field(default_factory=dict)
    """How many doubts of each kind the list must raise; kinds that are not here may not be raised."""
    reader: str = "facilities"
    options: dict[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"


def row(**said: Any) -> dict[str, Any]:
    return said


CENTRE, HOME, COUNTY_HOME, OTHER_HOME = (
    "service_centre",
    "township_home",
    "county_welfare_home",
    "nursing_home",
)
STATION, VILLAGE, MEDICAL, UNKNOWN = "station", "village_station", "medical", "unknown"

KINDS = (
    Case("综合体.csv", "名称\t类型\n甲街道养老服务综合体\t综合体\n", (row(kind=CENTRE),)),
    Case("日照中心.csv", "名称\t类型\n甲社区日照中心\t日照中心\n", (row(kind=STATION),)),
    Case(
        "名录.csv",
        "机构名称\t地址\n柳溪老人院\t东街1号\n松鹤护老院\t东街2号\n福寿颐养院\t西街3号\n青山颐养园\t西街4号\n",
        (row(kind=OTHER_HOME),) * 4,
        {"kind_from_name": 4},
    ),
    Case(
        "名录二.csv",
        "机构名称\n康宁颐养中心\n阳光托老所\n百寿托老院\n恒爱安养院\n金色长者公寓\n",
        (row(kind=OTHER_HOME),) * 5,
        {"kind_from_name": 5},
    ),
    Case(
        "特困供养.csv",
        "机构名称\t类型\n甲县光荣院\t光荣院\n和美医养结合机构\t医养结合机构\n",
        (row(kind=COUNTY_HOME), row(kind=OTHER_HOME)),
    ),
    Case("星光.csv", "名称\t类型\n甲村星光老年之家\t星光老年之家\n", (row(kind=VILLAGE),)),
    Case(
        "医疗.csv",
        "机构名称\t类别\n甲社区卫生服务站\t社区卫生服务站\n乙县妇幼保健院\t妇幼保健院\n丙县人民医院\t医疗机构\n",
        (row(kind=MEDICAL),) * 3,
    ),
    Case(
        "社区名单.csv",
        "名称\n甲社区党群服务中心\n乙社区便民服务中心\n丙街道社区事务受理服务中心\n丁路户外劳动者服务站\n老王便利服务中心\n",
        (row(kind=UNKNOWN),) * 5,
        {"kind_unknown": 5},
    ),
    Case(
        "检索结果.csv",
        "名称\n爱心宠物医院\n东湖养老院停车场\n东湖养老院-西南门\n东湖养老院\n",
        (row(kind=UNKNOWN), row(kind=UNKNOWN), row(kind=UNKNOWN), row(kind=OTHER_HOME)),
        {"not_a_facility": 3, "kind_from_name": 1},
    ),
    Case(
        "机构性质.csv",
        "机构名称\t机构性质\n甲镇敬老院\t敬老院\n夕照老年公寓\t民办\n乙镇中心敬老院\t公办\n",
        (row(kind=HOME), row(kind=OTHER_HOME), row(kind="regional_home")),
        {"kind_from_name": 2},
    ),
    Case(
        "一类一表.csv",
        "站点名称\t面积\n甲社区站\t150\n乙社区站\t80平\n",
        (row(kind=STATION, floor_area_m2=150), row(kind=STATION, floor_area_m2=80)),
        options={"kind": "station"},
    ),
    Case(
        "残缺.csv",
        "名称\t类型\t床位数\n甲镇敬老院\t敬老院\t30\n\t敬老院\t20\n丙点位\t加工厂\t5\n",
        (row(kind=HOME, beds=30), row(kind=HOME, beds=20), row(kind=UNKNOWN, beds=5)),
        {"name_missing": 1, "kind_unknown": 1},
    ),
)

VALUES = (
    Case(
        "床位.csv",
        "名称\t类型\t床位数\n甲敬老院\t敬老院\t60余张\n乙敬老院\t敬老院\t约260张\n丙敬老院\t敬老院\t待定\n丁敬老院\t敬老院\t1,200\n戊敬老院\t敬老院\t无\n",
        (row(beds=60), row(beds=260), row(beds=None), row(beds=1200), row(beds=0)),
        {"number_about": 1},
    ),
    Case(
        "床位二.csv",
        "名称\t类型\t床位数\n甲敬老院\t敬老院\t１２０张\n乙敬老院\t敬老院\t若干\n丙敬老院\t敬老院\t=10+10\n",
        (row(beds=120), row(beds=None), row(beds=None)),
        {"number_unread": 1, "formula_unread": 1},
    ),
    Case(
        "面积.csv",
        "名称\t类型\t建筑面积\n甲敬老院\t敬老院\t约561平方米\n乙敬老院\t敬老院\t1.2万平方米\n丙敬老院\t敬老院\t3亩\n",
        (row(floor_area_m2=561), row(floor_area_m2=12000), row(floor_area_m2=2000)),
        {"number_about": 1},
    ),
    Case(
        "备选.csv",
        "资产名称\t拟建类型\t概算投资\n甲小学\t综合养老服务中心\t约80万元\n乙村部\t综合养老服务中心\t1.2亿元\n丙粮站\t综合养老服务中心\t待定\n丁老校\t综合养老服务中心\t120万\n",
        (row(cost=80), row(cost=12000), row(cost=None), row(cost=120)),
        {"number_about": 1, "cost_unknown": 1},
        reader="candidates",
    ),
    Case(
        "备选无类型.csv",
        "资产名称\t拟建类型\t概算投资\t权属/来源\n甲小学旧校舍\t综合养老服务中心\t90\t闲置校舍\n乙老村部\t\t65.5\t老村部\n",
        (row(kind=CENTRE, premises="idle_school"), row(kind=CENTRE, premises="village_office")),
        {"kind_assumed": 1},
        reader="candidates",
    ),
    Case(
        "勾选.csv",
        "名称\t类型\t内设医疗机构\t失智照护专区\t示范点\n甲敬老院\t敬老院\t✓\t×\t√\n乙敬老院\t敬老院\t已设\t未设\t\n丙敬老院\t敬老院\t大概有\t否\t是\n",
        (
            row(has_medical=True, dementia_ward=False, demonstration=True),
            row(has_medical=True, dementia_ward=False),
            row(has_medical=None, dementia_ward=False),
        ),
        {"flag_unread": 1},
    ),
    Case(
        "科学计数.csv",
        "编号\t名称\t类型\n9.14305E+17\t甲敬老院\t敬老院\n52430500MJJ1\t乙敬老院\t敬老院\n",
        (row(id="9.14305E+17"), row(id="52430500MJJ1")),
        {"id_rounded": 1},
    ),
    Case(
        "转义.csv",
        "名称\t类型\t地址\n甲敬_x000D_老院\t敬老院\t东街1号_x000D_\n",
        (row(name="甲敬老院", address="东街1号"),),
    ),
    Case(
        "度分.csv",
        "名称\t类型\t经度\t纬度\n甲敬老院\t敬老院\tE111.1°\tN27.2°\n乙敬老院\t敬老院\t东经111.1\t北纬27.2\n丙敬老院\t敬老院\t111°6′0″\t27°12′\n",
        (row(lon=111.1, lat=27.2),) * 3,
        options={"coordinate_system": "wgs84"},
    ),
    Case(
        "坏坐标.csv",
        "名称\t类型\t经度\t纬度\n甲敬老院\t敬老院\t见附图\t27.2\n乙敬老院\t敬老院\t27.2\t111.1\n丙敬老院\t敬老院\t1111.1\t27.2\n丁敬老院\t敬老院\t111.1\t27.2\n",
        (row(lon=None), row(lon=None), row(lon=None), row(lon=111.1)),
        {"coordinates_unread": 1, "coordinates_swapped": 1, "coordinates_impossible": 1},
        options={"coordinate_system": "wgs84"},
    ),
    Case(
        "无坐标系.csv",
        "名称\t类型\t经度\t纬度\n甲敬老院\t敬老院\t111.1\t27.2\n",
        (row(lon=None, location_status="not_located"),),
        {"coordinates_undeclared": 1},
    ),
    Case(
        "米数.csv",
        "名称\t类型\t经度\t纬度\n甲敬老院\t敬老院\t37500123.4\t3000456.7\n乙敬老院\t敬老院\t111.1\t27.2\n",
        (row(lon=None), row(lon=111.1)),
        {"coordinates_metres": 1},
        options={"coordinate_system": "wgs84"},
    ),
    Case(
        "高德.csv",
        "名称\t类型\t经纬度（高德）\n甲敬老院\t敬老院\t111.0389,27.1125\n",
        (row(coordinate_system="gcj02"),),
    ),
    Case(
        "重号.csv",
        "编号\t名称\t类型\n1\t甲敬老院\t敬老院\n1\t乙敬老院\t敬老院\n\t丙敬老院\t敬老院\n",
        (row(name="甲敬老院"), row(name="乙敬老院"), row(name="丙敬老院")),
        {"id_repeated": 1, "id_missing": 1},
    ),
)

STATUSES = (
    Case(
        "状态.csv",
        "名称\t类型\t状态\n甲敬老院\t敬老院\t运营\n乙敬老院\t敬老院\t筹建\n丙敬老院\t敬老院\t停业整顿\n丁敬老院\t敬老院\t已撤并\n戊敬老院\t敬老院\t情况不明\n",
        (
            row(status="open"),
            row(status="planned"),
            row(status="closed"),
            row(status="closed"),
            row(status="open"),
        ),
        {"status_unread": 1},
    ),
    Case(
        "备注.csv",
        "名称\t类型\t床位数\t备注\n甲敬老院\t敬老院\t停用\t已撤并\n乙敬老院\t敬老院\t86\t改扩建中\n丙敬老院\t敬老院\t20\t名称待核\n丁敬老院\t敬老院\t20\t\n",
        (
            row(status="closed", beds=None),
            row(status="planned", beds=86),
            row(status="open", beds=20),
            row(status="open", beds=20),
        ),
        {"status_in_cell": 2, "remark_doubtful": 1},
    ),
    Case(
        "日期.csv",
        "名称\t类型\t开办时间\n甲敬老院\t敬老院\t24年3月\n乙敬老院\t敬老院\t2026年9月（在建）\n丙敬老院\t敬老院\t2019.6\n丁敬老院\t敬老院\t2008/05\n戊敬老院\t敬老院\t1998年\n己敬老院\t敬老院\t2011-9-1\n",
        (
            row(opens_on="2024-03-31", status="open"),
            row(opens_on="2026-09-30", status="planned"),
            row(opens_on="2019-06-30"),
            row(opens_on="2008-05-31"),
            row(opens_on="1998-12-31"),
            row(opens_on="2011-09-01"),
        ),
        {"status_in_cell": 1},
    ),
    *(
        Case(
            f"{header}.csv",
            f"名称\t类型\t{header}\n甲敬老院\t敬老院\t2031年5月\n",
            (row(opens_on="2031-05-31"),),
        )
        for header in ("成立时间", "运营时间", "投用时间", "启用时间", "开业年月")
    ),
    Case(
        "日期不明.csv",
        "名称\t类型\t开业时间\n甲敬老院\t敬老院\t近期\n乙敬老院\t敬老院\t停业\n",
        (row(opens_on=None, status="open"), row(opens_on=None, status="closed")),
        {"date_unread": 1, "status_in_cell": 1},
    ),
)

SHEETS = (
    Case(
        "全市.csv",
        "全市养老机构一览表\n序号\t机构名称\t类型\t床位数\n1\t甲敬老院\t敬老院\t30\n全市\t\t\t30\n合计\t\t\t30\n备注：以登记为准\n",
        (row(beds=30),),
    ),
    Case(
        "繁體.csv",
        "機構名稱\t地址\t類型\n甲長照中心養老院\t中山路1號\t養老院\n",
        (row(name="甲長照中心養老院", kind=OTHER_HOME, address="中山路1號"),),
    ),
    Case(
        "台账.xlsx",
        "表一\n机构名称\t类型\t床位\n甲敬老院\t敬老院\t30\n#居家站点\n站点名称\t类型\t面积（㎡）\n甲社区养老服务站\t养老服务站\t150\n小计\t1个\n#说明\n本表由民政局填报\n",
        (
            row(id="台账-Sheet-3", kind=HOME, beds=30),
            row(id="台账-居家站点-2", kind=STATION, floor_area_m2=150),
        ),
    ),
    Case(
        "两表之一.xlsx",
        "机构名称\t类型\n甲敬老院\t敬老院\n#站点\n站点名称\t类型\n甲社区养老服务站\t养老服务站\n",
        (row(kind=STATION),),
        options={"layer": "站点"},
    ),
    Case(
        "名单.docx",
        "机构名称\t类型\t床位数\n甲敬老院\t敬老院\t30张\n合计\t\t30\n",
        (row(kind=HOME, beds=30),),
    ),
    Case(
        "名单.ods",
        "机构名称\t类型\t床位数\n甲敬老院\t敬老院\t30\n乙敬老院\t敬老院\t约40\n",
        (row(kind=HOME, beds=30), row(beds=40)),
        {"number_about": 1},
    ),
    Case(
        "隐藏.xlsx",
        "机构名称\t类型\n甲敬老院\t敬老院\n乙敬老院\t敬老院<hidden>\n丙敬老院<strike>\t敬老院\n",
        (row(name="甲敬老院"), row(name="乙敬老院"), row(name="丙敬老院")),
        {"row_hidden": 1, "row_struck": 1},
    ),
    Case(
        "公式.xlsx",
        "机构名称\t类型\t床位数\n甲敬老院\t敬老院\t=10+10\n乙敬老院\t敬老院\t20\n",
        (row(beds=None), row(beds=20)),
        {"formula_unread": 1},
    ),
    Case(
        "名称带空格.csv",
        "名称\t类型\nLar Água Longa\t养老院\n",
        (row(name="Lar Água Longa", kind=OTHER_HOME),),
    ),
    Case(
        "国标.csv",
        "机构名称\t类型\t所在乡镇\n甲敬老院\t敬老院\t甲镇\n",
        (row(unit_named="甲镇"),),
        encoding="gb18030",
    ),
)

PEOPLE = (
    Case(
        "分村.csv",
        "村（社区）\t乡镇\t60周岁以上\t其中：65周岁以上\t经度\t纬度\n甲村\t甲镇\t842\t628\t111.1\t27.1\n乙村\t甲镇\t100\t120\t111.1\t27.2\n全市\t\t942\t748\n",
        (row(elders=842, elders_65=628), row(elders=100, elders_65=120)),
        {"ages_disagree": 1},
        reader="demand",
        options={"coordinate_system": "wgs84"},
    ),
    Case(
        "分村无点.csv",
        "村（社区）\t乡镇\t60岁以上\t特困人数\t失能老人\n甲村\t甲镇\t842人\t12\t30\n乙村\t甲镇\t约300\t3\t\n丙村\t甲镇\t\t\t\n",
        (
            row(elders=842, elders_destitute=12, elders_disabled=30, lon=None),
            row(elders=300, elders_destitute=3, lon=None),
            row(elders=0, lon=None),
        ),
        {"number_about": 1, "elders_missing": 1},
        reader="demand",
    ),
)

CASES = (*KINDS, *VALUES, *STATUSES, *SHEETS, *PEOPLE)
