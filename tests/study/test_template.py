"""A new study file speaks of every key that a study may have, in both languages, and every line of it can be used."""

import re
import tomllib

import pytest
from pydantic import BaseModel

from sy_coverage import labels
from sy_coverage.study.config.file import StudyConfig
from sy_coverage.study.config.new import template

MODELS = {
    name: field.annotation
    for name, field in StudyConfig.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def block(text: str, section: str) -> str:
    """Return what a study file says of a section."""
    parts = re.split(r"(?m)^(?:# )?\[(\w+)\].*$", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[section]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("section", MODELS)
def test_every_key_of_a_section_stands_in_a_new_study_file(language, section):
    said = block(template(language), section)
    lacking = [key for key in MODELS[section].model_fields if not re.search(rf"\b{key} =", said)]
    assert lacking == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_new_study_file_is_toml_and_stays_so_whichever_line_is_taken_out_of_its_comment(language):
    text = template(language)
    assert set(tomllib.loads(text)) <= set(StudyConfig.model_fields)
    for key, words in labels.catalogue().items():
        if key.startswith("study_file."):
            section, _, name = key.removeprefix("study_file.").partition("_")
            line = words[language]
            assert f"# {line}\n" in text, key
            assert list(tomllib.loads(line)) == [name]
            assert name in MODELS[section].model_fields
