"""Every word the scorecard needs is there in both languages, and asks for the same numbers in both."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import sy_coverage.coverage as room
from sy_coverage import labels


def fields(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def test_every_reason_the_code_gives_has_its_sentence_and_no_sentence_is_left_over():
    source = "".join(path.read_text("utf-8") for path in sorted(Path(room.__file__).parent.glob("*.py")))
    given = set(re.findall(r'(?:unknown|not_applicable)\(\s*"(\w+)"', source))
    given |= set(re.findall(r'reason="(\w+)"', source)) | set(
        re.findall(r'None, "reported", "(\w+)"', source)
    )
    there = {
        key.removeprefix("coverage.reason_")
        for key in labels.catalogue()
        if key.startswith("coverage.reason_")
    }
    assert given == there


def test_both_languages_say_the_same_numbers():
    for key, words in labels.catalogue().items():
        if key.startswith(("coverage.", "policy.")):
            assert set(words) == {"zh", "en"}, key
            assert fields(words["zh"]) - {"scope"} == fields(words["en"]) - {"scope"}, key
