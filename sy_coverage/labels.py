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
    """Return what to show of an error: its own sentence, which is English, after what it means in Chinese where that is asked for."""
    if language == "en":
        return str(error)
    known = next(
        f"errors.{kind.__name__}" for kind in type(error).__mro__ if f"errors.{kind.__name__}" in catalogue()
    )
    return f"{text(known, language)}。{error}"
