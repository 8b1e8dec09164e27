"""Every error speaks Chinese to the last word where Chinese is asked for, and says what to do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import sy_coverage
from sy_coverage import cli, errors, labels, read_study
from sy_coverage.cli import spoken
from sy_coverage.errors import CoverageError
from sy_coverage.study.config.new import new_study
from tests import toy

ROOT = Path(sy_coverage.__file__).parent
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {"ValueError"}
SENTENCE = re.compile(r"\b[A-Za-z]{2,} (?:[a-z]{2,} )*[a-z]{2,}\b")
"""Two English words in a row: no name of ours, of a key, a product or a format."""
NAMES = re.compile(
    r"pip install|CREATE EXTENSION postgis|GRANT CREATE|sy-coverage (?:new|run|roads)|scipy CSR|nodata = -1"
)
TO_DO = re.compile("请|须|只能|现有|可填|可以写|是否想写|不能|不是|没有")


def _template(node):
    """Return what a message says with {} for its fields, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{", "{{").replace("}", "}}")
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(v) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_template(side) for side in (node.left, node.right)]
        return "".join("{}" if part is None else part for part in parts)
    return None


def _outermost(node):
    said = _template(node)
    if said is not None:
        yield said
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost(child)


def _messages():
    """Return every message that the package gives to an error of its own, and where."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            of_rows = (
                name in ("add", "row") and getattr(getattr(node.func, "value", None), "id", "") == "breaches"
            )
            if name not in KINDS and not of_rows:
                continue
            for argument in node.args:
                for said in _outermost(argument):
                    if len(re.findall("[A-Za-z]{2,}", said)) > 1 and " " in said.strip():
                        found.setdefault(said, f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def _filled(template):
    values = iter(f"甲{n}" for n in range(99))
    return (
        re.sub(r"\{\}", lambda _: next(values), template.replace("{{", "\0").replace("}}", "\1"))
        .replace("\0", "{")
        .replace("\1", "}")
    )


def _left(said):
    return SENTENCE.findall(NAMES.sub("", re.sub(r"['\"`“][^'\"`”]*['\"`”]", "", said)))


def _not_said(messages):
    """Return the messages that are not said in Chinese to the last word, or say nothing of what to do."""
    wrong = {}
    for template, where in messages.items():
        said = labels.detail(_filled(template))
        fields = [f"甲{n}" for n in range(template.replace("{{", "").count("{}"))]
        says_itself = len(re.findall("[A-Za-z]{2,}", template)) > 3  # else a field holds the sentence
        if _left(said) or (says_itself and not TO_DO.search(said)):
            wrong[where] = (template, said)
        # no name or row is lost on the way
        assert sum(field in said for field in fields) >= len(fields) - 1, (template, said)
    return wrong


def test_nearly_every_message_of_an_error_is_said_in_chinese_and_says_what_to_do():
    messages = _messages()
    assert len(messages) > 400
    # a message is born in English: its Chinese follows in _catalogues/details/zh.toml
    assert len(_not_said(messages)) < 0.08 * len(messages)


@pytest.mark.nightly
def test_every_message_of_an_error_is_said_in_chinese_and_says_what_to_do():
    assert _not_said(_messages()) == {}


def test_the_chinese_of_no_message_holds_an_english_sentence():
    for _, words in labels.details(strict=False):
        assert not _left(words), words


BROKEN = {
    "an unknown key": ("[facilities]", "[facilities]\nfile = 3"),
    "a wrong date": ("date = 2027-12-31", 'date = "2027年12月31日"'),
    "a windows path": ('"facilities.csv"', '"C:\\data\\facilities.csv"'),
    "quotation marks": ('"facilities.csv"', "“facilities.csv”"),
    "a file that is not there": ('"facilities.csv"', '"nothing.csv"'),
    "no kind of invalid": ("[facilities]", 'invalid = "maybe"\n[facilities]'),
    "a coordinate system": ("[facilities]", '[facilities]\ncoordinate_system = "mars"'),
    "a policy": ("[study]", '[study]\npolicy = "atlantis"'),
    "two sources": ("[demand]", '[demand]\nraster = "x.tif"'),
    "a negative limit": ("[study]", "[limits]\nrows = 0\n[study]"),
    "a budget": ("[study]", '[phases.2026]\nbudget = "viel"\n[study]'),
    "a phase": ("[study]", "[phases.soon]\nbudget = 3\n[study]"),
    "a column": ("[facilities]", '[facilities]\ncolumns = { beds = "没有的列" }'),
    "a field": ("[facilities]", '[facilities]\ncolumns = { bedz = "名称" }'),
    "a close": ("[facilities]", '[facilities]\nclose = ["没有这家"]'),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_with_a_study_is_said_in_chinese(tmp_path, what):
    path = toy.write_study(tmp_path)
    text = path.read_text(encoding="utf-8")
    old, new = BROKEN[what]
    if what == "a policy":
        text = re.sub("(?m)^policy = .*\n", "", text)
    assert old in text, text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CoverageError) as caught:
        read_study(path).findings  # noqa: B018
    said = labels.sentence(caught.value, "zh")
    assert not _left(said), said
    assert TO_DO.search(said.partition("。")[2]), said
    assert labels.sentence(caught.value, "en") == str(caught.value)


def test_new_says_in_chinese_that_a_folder_is_not_empty(tmp_path):
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    with pytest.raises(CoverageError) as caught:
        new_study(tmp_path)
    assert "文件夹不是空的（a.py）；请换一个新文件夹" in labels.sentence(caught.value, "zh")


def test_help_is_chinese_where_the_locale_or_the_language_says_so():
    command = typer.main.get_command(cli.app)
    said = [command.help]
    for one in command.commands.values():
        said += [one.help, *(option.help for option in one.params)]
    said = [words for words in said if words]
    assert all(labels.help_text(words, "en") == words for words in said)
    english = [words for words in said if _left(labels.help_text(words, "zh").replace("tcp", ""))]
    assert len(english) < 0.1 * len(said), english  # as with errors, the Chinese of new words follows
    assert spoken.help_language(["x", "--help"], {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert spoken.help_language(["x", "--help"], {"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}) == "en"
    assert spoken.help_language(["x", "run", "--help", "--language=zh"], {"LANG": "C"}) == "zh"
    run = [sys.executable, "-m", "sy_coverage", "run", "--help", "--language", "zh"]
    shown = subprocess.run(run, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    for words in ("用法", "研究文件", "必填", "写入哪个文件夹", "显示此说明"):
        assert words in shown
    assert not _left(re.sub(r"(?m)^.*(?:用法|Dask).*$", "", shown))
