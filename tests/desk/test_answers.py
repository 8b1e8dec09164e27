"""What somebody answers at the desk lies in the study's folder, and can be taken back from wherever it stands."""

import openpyxl
import pytest

from sy_coverage.desk.questions import Questions, files_of
from sy_coverage.study import read_study
from sy_coverage.study.config import materials
from sy_coverage.study.results.lists import answering, to_verify
from tests.desk.county import write_county


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers") / "县"
    folder.mkdir()
    write_county(folder)
    materials.adopted(folder)
    return folder


@pytest.fixture
def folder(county):
    yield county
    for path in [*county.glob("待核实*"), *county.glob("out/待核实*")]:
        path.unlink()


def doubts_of(folder, kind):
    open_ = read_study(folder, offline=True).open_doubts
    return list(open_.index[open_["kind"] == kind])


def test_answers_settle_their_doubts_and_taking_them_back_asks_again(folder):
    study = read_study(folder, offline=True)
    about, town = doubts_of(folder, "number_about"), doubts_of(folder, "town_only")
    assert len(about) == 1  # one for the whole column
    row_id = study.open_doubts.loc[town[0], "row_id"]
    given = {
        **{one: {"decision": "confirm"} for one in about},
        town[0]: {"decision": "change", "lon": 111.46, "lat": 27.25, "note": "去看过"},
        town[1]: {"decision": "set_aside"},
    }
    path = answering.record(study.answers, given, by="张三", on="2026-12-01")
    assert path == folder / "待核实-答复.xlsx"
    second = read_study(folder, offline=True)
    assert not set(given) & set(second.open_doubts.index)
    said = second.office_answers
    assert set(said["answered_by"]) == {"张三"}
    rows = second.facility_rows if row_id in second.facility_rows.index else second.candidate_rows
    point = rows.geometry[row_id]
    assert (round(point.x, 6), round(point.y, 6)) == (111.46, 27.25)
    answering.take_back(second.answers, [town[0], *about])
    third = read_study(folder, offline=True)
    assert set(doubts_of(folder, "number_about")) == set(about)
    assert list(third.office_answers.index) == [town[1]]
    assert third.open_doubts["kind"].tolist().count("town_only") == len(town) - 1


def test_an_answer_in_a_workbook_that_came_back_is_taken_back_there_too(folder):
    path = to_verify.write(read_study(folder, offline=True).answers, folder / "out")
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for n in range(2, sheet.max_row + 1):
        sheet.cell(n, columns["确认"]).value = "是"
    book.save(path)
    second = read_study(folder, offline=True)
    before = list(second.office_answers.index)
    assert len(second.open_doubts) == 0
    answering.take_back(second.answers, before[:1])
    third = read_study(folder, offline=True)
    assert sorted(third.office_answers.index) == sorted(before[1:])
    assert list(third.open_doubts.index) == before[:1]


def test_a_doubt_that_is_none_is_refused_and_nothing_is_written(folder):
    study = read_study(folder, offline=True)
    with pytest.raises(KeyError, match="there is no doubt nonsense"):
        answering.record(study.answers, {"nonsense": {"decision": "confirm"}})
    with pytest.raises(KeyError, match="nobody answered"):
        answering.take_back(study.answers, ["nonsense"])
    assert not (folder / "待核实-答复.xlsx").exists()


def test_the_page_counts_what_is_left_after_each_answer(folder):
    asked = Questions(folder)
    before = asked.ask("doubts", language="zh")
    worst = before["open"][0]["doubt_id"]
    asked.ask("answer", language="zh", given={worst: {"decision": "set_aside"}}, by="", on="2026-12-01")
    after = asked.ask("doubts", language="zh")
    assert after["counts"]["open"] < before["counts"]["open"]
    assert worst in {one["doubt_id"] for one in after["answered"]}
    assert {one["title"] for one in asked.ask("doubts", language="en")["answered"]}.isdisjoint(
        {one["title"] for one in after["answered"]}
    )


def test_a_question_that_is_none_reaches_nothing(folder):
    for name in ("_study", "ask", "folder", "__init__"):
        with pytest.raises(KeyError):
            Questions(folder).ask(name, language="zh")


def test_only_what_runs_wrote_is_handed_out(tmp_path):
    out = tmp_path / "out"
    (out / "proposals").mkdir(parents=True)
    (out / "proposals" / "430511.docx").write_bytes(b"x")
    (out / "own.csv").write_bytes(b"x")
    (tmp_path / "secret.csv").write_bytes(b"x")
    (out / "proposals" / "link.docx").symlink_to(tmp_path / "secret.csv")
    (out / "manifest.json").write_text(
        '{"outputs": {"scorecard.csv": "", "../secret.csv": ""}}', encoding="utf-8"
    )
    (out / "scorecard.csv").write_bytes(b"x")
    assert files_of(out) == {"manifest.json", "scorecard.csv", "proposals/430511.docx"}
