"""Studies that are not Shaoyang's, from end to end: nothing of Shaoyang, of China or of this program stands where it does not belong."""

from __future__ import annotations

import html
import io
import json
import re
import tomllib
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest

import sy_coverage as sy
from sy_coverage.outputs import maps, reports, tables
from sy_coverage.outputs.facts import Facts
from sy_coverage.study.config.new import new_study
from tests.foreign import studies

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings

CHINESE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]+")
ELSEWHERE = re.compile(
    r"yuan|street or township|streets and townships|(?<!unit-)townships?\b|farms|Shaoyang|approval number|／|[ >]nan[ <%]"
    r"|(?<![\d.,])1 (counties|units|sites|homes|elders|facilities|plans|municipalities)\b"
    r"|Rebuilt|nursing beds|medical care|Walk from a centre|unused schools",
    re.IGNORECASE,
)
"""Of which no word belongs into a study elsewhere, in English, whose policy speaks of none of it."""


def found(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return every match with what stands around it."""
    return [text[max(m.start() - 30, 0) : m.end() + 30] for m in pattern.finditer(text)]


def blocks_text(document: reports.parts.Document) -> str:
    """Return every word of a document, its figures' captions but not what is drawn."""
    said = [document.title, document.subtitle, *document.notices, *document.closing]
    for block in (*document.blocks, *document.annex):
        if isinstance(block, reports.parts.Table):
            said += [block.caption, *block.head, *(cell for row in block.rows for cell in row), block.note]
        elif isinstance(block, reports.parts.Items):
            said += [text for point in block.points for text in point]
        elif isinstance(block, reports.parts.Headline):
            said += [text for fact in block.facts for text in fact[:2]]
        elif not isinstance(block, reports.parts.Contents | reports.parts.NewPage):
            said.append(block.caption if isinstance(block, reports.parts.Image) else block.text)
    return "\n".join(said)


def map_text(findings: Findings) -> str:
    """Return what a map's page holds as its data, names and controls."""
    page = maps.draw(findings).html()
    data = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    words = html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))
    return (data[1] if data else "") + words


def sheets_text(content: bytes) -> str:
    """Return every text of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = (c for sheet in book for row in sheet.iter_rows(values_only=True) for c in row)
    return "\n".join([*book.sheetnames, *(str(c) for c in cells if c is not None)])


def everything(findings: Findings) -> dict[str, str]:
    """Return the words of every output of a study, by its name."""
    said = {
        "summary": blocks_text(reports.summary(findings)),
        "summary's annex": blocks_text(reports.summary_annex(findings)),
        "scorecard": tables.scorecard_csv(findings).decode("utf-8-sig"),
        "scorecard.xlsx": sheets_text(tables.scorecard_xlsx(findings)),
        "map": map_text(findings),
    }
    for county_id in findings.counties.index:
        own = findings.of_county(county_id)
        said[f"proposal {county_id}"] = blocks_text(reports.proposal(own))
        said[f"annex {county_id}"] = blocks_text(reports.annex(own))
        said[f"xlsx {county_id}"] = sheets_text(tables.proposal_xlsx(own))
        said[f"geojson {county_id}"] = tables.proposal_geojson(own)
    return said


@pytest.fixture(scope="module", params=["liechtenstein", "las_palmas", "malta"])
def english(request, shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    study = sy.read_study(getattr(studies, request.param)(folder, shared_data / "roads"))
    return request.param, study, everything(study.presented)


def test_nothing_of_china_stands_in_an_english_study_elsewhere(english):
    _, _, said = english
    for name, text in said.items():
        assert found(CHINESE, text) == [], name
        assert "\n".join(found(ELSEWHERE, text)) == "", name


def test_the_file_s_stem_is_nobody_s_name(english):
    name, study, said = english
    named = {"liechtenstein": "Liechtenstein", "las_palmas": "Las Palmas de Gran Canaria", "malta": "Malta"}
    assert set(study.counties.values()) == {named[name]}
    stem = next(iter(study.counties))
    for what in said:
        if what.startswith(("summary", "proposal")):
            shown = re.sub(rf"{stem}\.osm\.pbf", "", said[what])  # among the sources the file is named
            assert stem not in shown, what


def test_the_headline_is_what_the_policy_asks(english):
    name, study, said = english
    head = Facts(study.presented).headline()
    assert head.counts == "targets"
    assert {r.target_id for r in head.rates} == {t.id for t in study.policy.targets}
    if name != "las_palmas":
        assert head.is_met
        # counted again from the frames: units of the counted class, those covered, and the share asked for
        for target in study.policy.targets:
            kind = target.measure.facility_kind
            if study.policy.readings.rule == "presence":
                opened = study.planned_facilities
                units = opened.loc[opened["kind"] == kind, "unit_id"].dropna().nunique()
                assert units >= target.value * len(study.units)
    assert f"{head.today.text} → {head.planned.text} / {head.whole.text}" in said["summary"]
    assert "targets that a site can change" in said["map"]


def test_units_and_money_are_called_as_the_policy_calls_them(english):
    name, _, said = english
    if name == "liechtenstein":
        assert "municipalities counted" in said["summary"]
        assert "Cost (kCHF)" in said["summary"]
        assert "kCHF" in said["map"]
    elif name == "malta":
        assert "of the 67 units counted" in said["summary"]
        assert "Cost\n" in said["summary"]


def test_a_country_is_saved_whole(shared_data, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    study = sy.read_study(studies.liechtenstein(folder, shared_data / "roads"))
    study.save(tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    docx = [name for name in manifest["outputs"] if name.endswith(".docx")]
    assert len(docx) >= 2
    for name in docx:
        with zipfile.ZipFile(tmp_path / "out" / name) as archive:
            text = re.sub(r"<[^>]+>", " ", archive.read("word/document.xml").decode("utf-8"))
        assert found(CHINESE, text) == [], name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_new_study_reads_a_policy_as_the_policy_reads_itself(tmp_path, language):
    new_study(tmp_path / "new", language=language)
    asked = tomllib.loads((tmp_path / "new" / "study.toml").read_text(encoding="utf-8"))
    assert not {"scope", "rule", "share", "spread_min", "medical_min"} & set(asked["siting"])


@pytest.fixture(scope="module", params=["prefecture", "city_of_wards"])
def chinese(request, tmp_path_factory):
    study = sy.read_study(getattr(studies, request.param)(tmp_path_factory.mktemp(request.param)))
    return request.param, study, everything(study.presented)


OF_SHAOYANG = re.compile(
    "邵阳|邵市政|农场|林场|综合养老服务中心|敬老院|护理型|示范点|改扩建|医疗机构|[ >]nan[ <%]|[ >]None[ <]"
)


def test_nothing_of_shaoyang_s_plan_stands_in_another_s(chinese):
    _, _, said = chinese
    for name, text in said.items():
        assert found(OF_SHAOYANG, text) == [], name


def test_a_prefecture_is_held_against_its_own_80_and_90_percent(chinese):
    name, study, said = chinese
    if name != "prefecture":
        pytest.skip("of the prefecture alone")
    # three townships a county: 80 % of them is ⌈2.4⌉ = 3, and its one street has its home today
    head = Facts(study.presented).headline()
    assert (head.counts, head.today.value, head.planned.value, head.whole.value) == ("counties", 0, 2, 2)
    assert len(study.chosen) == 6
    assert "万元" in said["summary"]
    assert "审图号" in said["summary"]


def test_units_of_another_class_are_what_the_rates_of_a_city_of_wards_count(chinese):
    name, study, said = chinese
    if name != "city_of_wards":
        pytest.skip("of the city alone")
    facts = Facts(study.presented)
    # half of four 里 is two; one has its post today
    assert [facts[f"units_covered_{s}"].value for s in ("today", "planned")] == [1, 2]
    assert facts["units_counted"].value == 4
    assert "计入考核的4个里中" in said["summary"]
    assert "不计入覆盖率" not in said["map"]
    assert not re.search("街道[、（覆]|街道出行", said["summary"])
