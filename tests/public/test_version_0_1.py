"""What version 0.1 wrote opens in this one, or fails with one sentence that says what to do.

The files beside this module were written by version 0.1: two studies that `sy-coverage new` began, a road network that was saved,
and the keys that its study files could have.
"""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from sy_coverage import labels, roads, siting
from sy_coverage.errors import IncompleteNetworkError, OlderFindingsError, OlderNetworkError
from sy_coverage.outputs import store
from sy_coverage.study import read_config
from sy_coverage.study.config.file import StudyConfig

FILES = Path(__file__).parent / "version_0_1"


def keys_of(model: type[BaseModel], before: str = "") -> set[str]:
    """Return every key that a section may have, and those of the sections within it."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(before + name)
        for part in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= keys_of(part, f"{before}{name}.")
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_study_that_version_0_1_began_is_read(language: str) -> None:
    config = read_config(FILES / f"study_{language}.toml")

    assert config.study.language == language
    assert config.facilities.files == ("facilities.csv",)
    assert config.candidates.generate == 3


def test_every_key_of_a_study_file_of_version_0_1_is_still_one() -> None:
    before = set((FILES / "keys.txt").read_text(encoding="utf-8").split())

    assert len(before) > 90
    assert before - keys_of(StudyConfig) == set()


def test_a_network_that_version_0_1_saved_says_to_read_the_roads_again() -> None:
    with pytest.raises(OlderNetworkError) as raised:
        roads.load(FILES / "roads.network")

    assert isinstance(raised.value, IncompleteNetworkError)  # who caught it before still does
    english, chinese = (labels.sentence(raised.value, language) for language in ("en", "zh"))
    assert "version 2 of the format" in english
    assert "read the extract again and save it: sy-coverage roads STUDY" in english
    assert chinese.startswith(
        "这个道路文件是本程序的另一版本保存的：请用 sy-coverage roads 从原始道路数据重新读取并保存。"
    )


def test_findings_of_another_version_say_to_run_the_study_again() -> None:
    import gzip

    content = gzip.compress(b'{"version": 0, "findings": {}}')
    with pytest.raises(OlderFindingsError) as raised:
        store.unpacked(content, file="findings.json.gz")

    assert "run the study again" in str(raised.value)
    assert labels.sentence(raised.value, "zh").startswith(
        "这份结果是本程序的另一版本写的：请重新运行本研究。"
    )


def test_keywords_of_version_0_1_say_where_they_went() -> None:
    with pytest.raises(TypeError) as raised:
        siting.policy_plan(None, None, None, None, policy=None, times={}, spread_min=20, budget=300)

    assert str(raised.value) == (
        "policy_plan: spread_min, budget are choices of a planner and have moved into rules=: "
        "policy_plan(…, rules=siting.PlanRules(spread_min=…, budget=…))"
    )
