"""Say every word a planner reads, in Chinese or English; the words themselves are data in `_catalogues/`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from sy_coverage.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sy_coverage.errors import CoverageError

Language = Literal["zh", "en"]
_SENTENCE = re.compile(r"[A-Za-z]{2,}[',]? (?:[a-z]+ )*[A-Za-z]{2,}|\([a-z]{2,}:|\d in all\)| row \d")
"""What English words say something; two of them follow one another."""
_BRACKETED = re.compile(r"[^\u4e00-\u9fff]*\(([^()]*[\u4e00-\u9fff][^()]*)\)", re.DOTALL)
_LATIN = re.compile("[A-Za-z]+")
_COLUMN = re.compile(r"column '(.+?)'(?: \(\w+\))? (.+)", re.DOTALL)
_NAMED = re.compile(r"([^;]+?): (.+)", re.DOTALL)
_ROWS = re.compile(r"(.+): ([^:]+)", re.DOTALL)
_IN_ALL = re.compile(r" … \(([\d,]+) in all\)")
_ROW = re.compile(r" row (\d+)")
_BY_NUMBER = re.compile(r"\{(?P<field>\w+)#(?P<one>[^|{}]*)\|(?P<many>[^{}]*)\}")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every label as ``{"room.key": {"zh": …, "en": …}}``, read once from one TOML file a room."""
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(files("sy_coverage").joinpath("_catalogues").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            room = file.name.removesuffix(".toml")
            for key, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
                entries[f"{room}.{key}"] = words
    return entries


def text(key: str, language: Language = "zh", **values: object) -> str:
    """Return the label `key` (``"room.key"``) in `language`, its ``{fields}`` filled with `values`.

    Raises
    ------
    ConfigError
        If the key is in no catalogue: a label that is missing is a defect, never a blank.
    """
    try:
        words = catalogue()[key][language]
    except KeyError:
        raise ConfigError(f"no label '{key}' in language '{language}'") from None
    return _numbered(words, values).format(**values) if values else words


def _numbered(words: str, values: Mapping[str, object]) -> str:
    """Return `words` with ``{count#county|counties}`` as the one or the many that the number `count` asks for."""

    def chosen(match: re.Match[str]) -> str:
        # of a figure that carries its id, what is written counts
        is_one = str(values[match["field"]]).rpartition("\ufdd1")[2].strip("\ufdd2 ") == "1"
        return match["one"] if is_one else match["many"]

    return _BY_NUMBER.sub(chosen, words)


def joined(words: Iterable[str], language: Language = "zh") -> str:
    """Return `words` as a list in running text: 、 between them in Chinese, commas in English."""
    return ("、" if language == "zh" else ", ").join(words)


def first(words: Iterable[str], language: Language = "zh", *, most: int = 5) -> str:
    """Return the first `most` of `words` as such a list, and how many more there are."""
    every = list(words)
    shown = joined(every[:most], language)
    if len(every) <= most:
        return shown
    return text("study.first_of_more", language, shown=shown, more=len(every) - most)


def pick(words: Mapping[Any, str], language: Language = "zh") -> str:
    """Return the `language` side of a ``{"zh": …, "en": …}`` pair that a policy or study brought."""
    return words.get(language) or words["zh"]


def sentence(error: CoverageError, language: Language = "zh") -> str:
    """Return what to show of an error: its own sentence, which is English, or in Chinese what it means and what the sentence says."""
    if language == "en":
        return str(error)
    known = next(
        f"errors.{kind.__name__}" for kind in type(error).__mro__ if f"errors.{kind.__name__}" in catalogue()
    )
    return f"{text(known, language)}。{detail(str(error), language)}"


@cache
def _in_chinese(name: str) -> dict[str, str]:
    """Return what is said in Chinese for each English sentence or pattern of a file."""
    file = files("sy_coverage").joinpath("_catalogues").joinpath("details").joinpath(f"{name}.toml")
    found: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def help_text(said: str, language: Language) -> str:
    """Return a sentence of ``--help`` in `language`."""
    return _in_chinese("help").get(" ".join(said.split()), said) if language == "zh" else said


@cache
def details(*, strict: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the patterns of what errors say in English, the longest first, and what is said of each in Chinese.

    Where `strict`, a field reaches over no semicolon.
    """
    pairs = _in_chinese("zh")
    ordered = sorted(pairs, key=lambda words: (-len(words.replace("{}", "")), words))
    return tuple((_pattern(words, "([^;]*?)" if strict else "(.*?)"), pairs[words]) for words in ordered)


def _pattern(words: str, field: str) -> re.Pattern[str]:
    parts = [part.replace("{{", "{").replace("}}", "}") for part in words.split("{}")]
    return re.compile(field.join(map(re.escape, parts)), re.DOTALL)


def detail(said: str, language: Language = "zh") -> str:
    """Return what an error says, in `language`: names, keys and values stay as they are, and so does what no pattern fits."""
    if language == "en":
        return said
    if not _SENTENCE.search(said):
        return _counted(said)
    clauses = said.split("; ")
    found = _fitting(said, strict=True)
    if found is None and len(clauses) > 1:
        fitting = [_beside(one) or _fitting(one, strict=True) for one in clauses]
        found = "；".join(fitting) if all(fitting) else None  # type: ignore[arg-type]
    found = found or _fitting(said, strict=False)
    if found is not None:
        return found.replace("？；", "？")
    for shape, shown in ((_COLUMN, "“{}”列{}"), (_NAMED, "{}：{}"), (_ROWS, "{}：{}")):
        parts = shape.fullmatch(said)
        told = [detail(one) for one in parts.groups()] if parts else []
        if parts and told != list(parts.groups()):
            return shown.format(*told)
    return "；".join(map(detail, clauses)) if len(clauses) > 1 else _counted(said)


def _beside(said: str) -> str | None:
    """Return the Chinese that an English clause carries in brackets, or None."""
    found = _BRACKETED.fullmatch(said)
    return found.group(1) if found else None


def _fitting(said: str, *, strict: bool) -> str | None:
    """Return what is said in Chinese where a pattern fits the whole, by the one that leaves the least in English, else None."""
    matches = ((pattern.fullmatch(said), words) for pattern, words in details(strict=strict))
    fitting = [words.format(*map(detail, found.groups())) for found, words in matches if found]
    return min(fitting, key=lambda told: sum(map(len, _LATIN.findall(told))), default=None)


def _counted(said: str) -> str:
    """Return a list of names that was cut short, with how many there are in Chinese."""
    return _IN_ALL.sub(r" 等 \1 处", _ROW.sub(r" 第 \1 行", said))
