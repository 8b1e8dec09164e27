"""The page of ten questions is run as it is written, each in a line or two."""

import re
import tomllib
from pathlib import Path

import pytest

from sy_coverage.study.config.file import checked_config

PAGE = Path(__file__).resolve().parents[2] / "docs" / "what_if.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_ten_questions_are_answered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = [text for language, text in BLOCKS if language == "python"]
    assert len(code) == 11
    scope: dict[str, object] = {}
    for text in code:
        exec(compile(text, str(PAGE), "exec"), scope)  # noqa: S102  (our own page)
        assert len([line for line in text.splitlines() if line and not line.startswith("assert")]) <= 2
    page = scope["page"].html()
    assert "as proposed" in page
    assert "not there" in page
    assert sorted(p.name for p in (tmp_path / "out" / "maps").iterdir()) == ["430524.html"]


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language == "toml"])
def test_the_keys_of_the_page_are_keys_of_a_study(text):
    needed = {
        "study": {"name": "x", "date": "2027-12-31"}, "boundaries": {"units": "u.gpkg"}, "facilities": {"files": ["f.csv"]},
        "demand": {"villages": "v.csv"}, "roads": {"source": "r.osm.pbf"},
    }  # fmt: skip
    written = tomllib.loads(text)
    config = checked_config(
        {**needed, **written, "facilities": {**needed["facilities"], **written["facilities"]}}, "page"
    )
    assert list(config.what_if) == ["不建周旺镇", "按可达性"]
    assert config.what_if["按可达性"].sections == {"siting": {"rule": "access"}}
