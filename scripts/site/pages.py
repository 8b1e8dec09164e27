"""Write those pages of the documentation that would otherwise repeat the program: keys of files, commands, public names, lessons.

    python scripts/site/pages.py build/docs

gathers the pages of each language there (a page `name.zh.md` is the Chinese of `name.md`; what has none is shown in English)
and writes beside them what the generator is told, `en.yml` and `zh.yml`. `--built build/site` then frees the pages from a script of
another machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import nbformat
import typer
import yaml
from nbclient import NotebookClient
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sy_coverage import cli
from sy_coverage.policy import Policy
from sy_coverage.study import StudyConfig

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("study", "policy", "places", "roads", "coverage", "siting", "outputs", "counties", "errors")
"""In the order in which a reader meets them."""
PARTS = {"outputs": ("maps", "reports", "tables", "figures")}
"""Rooms whose public names stand in rooms of their own."""
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORDS = {
    "en": {
        "study": "The study file",
        "policy": "The policy file",
        "key": "key",
        "value": "value",
        "default": "default",
        "meaning": "what it says",
        "needed": "needed",
        "commands": "The command line",
        "example": "As `sy-coverage new` writes it",
        "shipped": "A whole one",
        "study_about": "Every key that a study may have, from the program itself. What a key does not say, its default says; a key that is none is refused with the nearest that is.",
        "policy_about": "Every key that a policy may have, from the program itself. A policy is data: another city's is another file of this shape.",
    },
    "zh": {
        "study": "研究文件的各项",
        "policy": "政策文件的各项",
        "key": "键",
        "value": "取值",
        "default": "默认",
        "meaning": "含义",
        "needed": "必填",
        "commands": "命令行",
        "example": "`sy-coverage new` 写出的样子（各项附中文说明）",
        "shipped": "完整的一份",
        "study_about": "研究文件可写的全部键，由程序本身列出。未写的取默认值；写错的键，程序会指出并提示最接近的写法。",
        "policy_about": "政策文件可写的全部键，由程序本身列出。政策就是数据：换一座城市，就是换一个同样格式的文件。",
    },
}


def _pages(language: str) -> Iterator[tuple[str, str]]:
    yield "reference/study_file.md", _study_file(language)
    yield "reference/policy_file.md", _policy_file(language)
    yield "reference/command_line.md", _commands(language)
    for room in ROOMS:
        yield f"reference/python/{room}.md", _room(room)


# Keys of files ────────────────────────────────────────────────────────────────────────────────────────────────────


def _study_file(language: str) -> str:
    words = WORDS[language]
    template = ROOT / "sy_coverage" / "study" / "config" / f"template_{language}.toml"
    parts = [f"# {words['study']}", words["study_about"]]
    for name, field in StudyConfig.model_fields.items():
        parts += [f"## `[{name}]`", *_section(field.annotation, field.description, words)]
    parts += [f"## {words['example']}", f"```toml\n{template.read_text(encoding='utf-8')}```"]
    return "\n\n".join(parts) + "\n"


def _policy_file(language: str) -> str:
    words = WORDS[language]
    shipped = ROOT / "sy_coverage" / "policy" / "shaoyang_2025.toml"
    parts = [f"# {words['policy']}", words["policy_about"], *_section(Policy, "", words)]
    for name, field in Policy.model_fields.items():
        models = list(dict.fromkeys(_models(field.annotation)))
        for model in models:
            heading = f"`[{name}]`" if len(models) == 1 else f"`[{name}]`: {model.__name__}"
            parts += [
                f"## {heading}",
                *_section(model, field.description if model is models[0] else "", words),
            ]
    parts += [f"## {words['shipped']}", f"```toml\n{shipped.read_text(encoding='utf-8')}```"]
    return "\n\n".join(parts) + "\n"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that stand in a type, those inside of them after it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for part in get_args(annotation):
        yield from _models(part)


def _section(annotation: Any, description: str | None, words: Mapping[str, str]) -> Iterator[str]:
    """Yield a table of the keys of each model in a type, or the sentence that says what stands there."""
    models = list(dict.fromkeys(_models(annotation)))
    if description:
        yield _plain(description)
    for model in models[:1] if isinstance(annotation, type) else models:
        if model.__doc__:
            yield _plain(model.__doc__)
        rows = [
            f"| {words['key']} | {words['value']} | {words['default']} | {words['meaning']} |",
            "|---|---|---|---|",
        ]
        for key, field in model.model_fields.items():
            default = (
                words["needed"]
                if field.is_required()
                else _default(field.get_default(call_default_factory=True))
            )
            meaning = _plain(field.description or _of_model(field.annotation))
            rows.append(
                f"| `{field.alias or key}` | {_type(field.annotation)} | {default} | {_cell(meaning)} |"
            )
        yield "\n".join(rows)


def _of_model(annotation: Any) -> str:
    return next((m.__doc__ or "" for m in _models(annotation)), "")


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(value: Any) -> str:
    if (
        value is None
        or value is PydanticUndefined
        or value in ("", (), [], {})
        or isinstance(value, BaseModel)
    ):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return f"`{json.dumps(list(value), ensure_ascii=False)}`"
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def _type(annotation: Any) -> str:
    """Say a type as one who writes TOML would."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return ", ".join(f"`{json.dumps(v, ensure_ascii=False)}`" for v in inner)
    if origin is not None and (origin is Union or "Union" in str(origin)):
        return " · ".join(dict.fromkeys(_type(i) for i in inner if i is not type(None)))
    if origin in (tuple, list, frozenset):
        return f"[{_type(inner[0])}, …]"
    if origin in (dict, Mapping) or str(origin).endswith("Mapping'>"):
        return f"{{ … = {_type(inner[1])} }}"
    plain = {str: "text", int: "whole number", float: "number", bool: "true, false", Any: "any"}
    return plain.get(annotation, getattr(annotation, "__name__", str(annotation)))


# Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _commands(language: str) -> str:
    parts = [f"# {WORDS[language]['commands']}"]
    command = typer.main.get_command(cli.app)
    context = click.Context(command, info_name="sy-coverage")
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is None or below.hidden:
            continue
        own = click.Context(below, info_name=name, parent=context)
        usage = " ".join(below.collect_usage_pieces(own))
        parts += [f"## {name}", _plain(below.help or ""), f"```\nsy-coverage {name} {usage}\n```"]
        rows = [_parameter(p) for p in below.params if p.name != "help"]
        parts += ["\n".join(["| | |", "|---|---|", *rows])] if rows else []
    return "\n\n".join(parts) + "\n"


def _parameter(parameter: click.Parameter) -> str:
    shown = ", ".join(f"`{o}`" for o in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        shown = f"`{(parameter.metavar or parameter.name or '').upper()}`"
    return f"| {shown} | {_cell(_plain(getattr(parameter, 'help', '') or ''))} |"


# Public names ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _room(room: str) -> str:
    module = import_module(f"sy_coverage.{room}")
    about = (module.__doc__ or "").split("\n\n")[0]
    parts = [f"# sy_coverage.{room}", _plain(about)]
    for name in PARTS.get(room, ()):
        part = import_module(f"sy_coverage.{room}.{name}")
        parts += [f"## {name}", _plain((part.__doc__ or "").split("\n\n")[0])]
        parts += _names(f"sy_coverage.{room}.{name}", part, level=3)
    if room not in PARTS:
        parts += _names(f"sy_coverage.{room}", module, level=2)
    return "\n\n".join(parts) + "\n"


def _names(path: str, module: Any, *, level: int) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith(path)
    ]
    return [
        f"::: {path}.{name}\n    options:\n      heading_level: {level}"
        for name in names
        if getattr(getattr(module, name), "__doc__", None)
        and not isinstance(getattr(module, name), type(module))
    ]


# Lessons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lesson(path: Path) -> str:
    """Return a notebook as a page, run from top to bottom unless SY_COVERAGE_LESSONS=shown."""
    notebook = nbformat.read(path, as_version=4)
    if os.environ.get("SY_COVERAGE_LESSONS") != "shown":
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(
                re.sub(r"\[([^]]*)\]\((?!https?:|#)[^)]*\)", r"\1", cell.source)
            )  # files beside the notebook
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f"```python\n{cell.source}\n```")
            parts += [shown for output in cell.outputs if (shown := _output(output))]
    return "\n\n".join(parts) + "\n"


def _output(output: Mapping[str, Any]) -> str:
    if output.get("output_type") == "stream":
        return f"```text\n{_quiet(output['text'])}\n```"
    data = output.get("data", {})
    if "text/html" in data:
        html = re.sub(r"\n\s*\n", "\n", data["text/html"])  # a blank line would end the block in Markdown
        return f'<div class="output">{html}</div>'
    if "image/png" in data:
        return f"![](data:image/png;base64,{data['image/png'].strip()})"
    if "text/markdown" in data:
        return str(data["text/markdown"])
    return f"```text\n{_quiet(data['text/plain'])}\n```" if "text/plain" in data else ""


def _quiet(text: str) -> str:
    return text.rstrip().replace("```", "'''")


def main(folder: Path) -> None:
    """Gather every page in a folder of its language."""
    shutil.rmtree(folder, ignore_errors=True)
    lessons = {f"lessons/{lesson.stem}.md": _lesson(lesson) for lesson in LESSONS}
    for language in WORDS:
        pages = folder / language
        _copy(ROOT / "docs", pages, language)
        shutil.copytree(ROOT / "notebooks" / "pictures", pages / "pictures")
        for path, text in (*_pages(language), *lessons.items()):
            page = pages / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        told = yaml.safe_dump(_told(language, folder), allow_unicode=True, sort_keys=False)
        (folder / f"{language}.yml").write_text(told, encoding="utf-8")


def _copy(source: Path, target: Path, language: str) -> None:
    """Copy `docs/` as one language reads it."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        name = path.relative_to(source)
        other = path.with_suffix(f".{language}.md")
        if path.suffixes[-2:] == [".zh", ".md"]:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(other if path.suffix == ".md" and other.exists() else path, target / name)


def _told(language: str, folder: Path) -> dict[str, Any]:
    """Return what the generator is told for one language."""
    told = yaml.safe_load(Path(__file__).with_name("site.yml").read_text(encoding="utf-8"))
    words = told.pop("words")[language]
    contents = told.pop("contents")
    contents["Lessons"] = [f"lessons/{lesson.stem}.md" for lesson in LESSONS]
    contents["Reference"] = [
        *contents["Reference"],
        {"Python": [{r: f"reference/python/{r}.md"} for r in ROOMS]},
    ]
    listed = json.dumps(contents)
    notes = sorted(p.name for p in (folder / language).glob("*.md") if f'"{p.name}"' not in listed)
    contents["Notes"] = notes  # what nobody has given a place in site.yml
    told["site_name"] = words.pop("sy_coverage")
    told["docs_dir"], told["site_dir"] = (
        str(folder / language),
        str(folder.parent / "site" / ("zh" if language == "zh" else "")),
    )
    told["theme"]["language"] = language
    to_top, to_zh = ("../", "") if language == "zh" else ("", "zh/")
    told["extra"]["alternate"] = [
        {"name": "English", "lang": "en", "link": f"{to_top}index.html"},
        {"name": "中文", "lang": "zh", "link": f"{to_zh}index.html"},
    ]
    told["nav"] = [
        {words.get(part, part): [_entry(e, words) for e in entries]} for part, entries in contents.items()
    ]
    return dict(told)


def _entry(entry: Any, words: Mapping[str, str]) -> Any:
    return {words.get(k, k): v for k, v in entry.items()} if isinstance(entry, dict) else entry


def point_to_own_worker(site: Path) -> None:
    """Let every page of a built site start its search by a script of the site, where the generator names another machine's."""
    for page in site.rglob("*.html"):
        root = site / "zh" if (site / "zh") in page.parents else site
        own = Path(os.path.relpath(root / "assets" / "page_worker.js", page.parent)).as_posix()
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("https://unpkg.com/iframe-worker/shim", own), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--built":
        point_to_own_worker(Path(sys.argv[2]).resolve())
    else:
        main(Path(sys.argv[1]).resolve())
