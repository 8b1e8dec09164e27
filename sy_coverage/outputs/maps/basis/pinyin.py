"""Spell names in pinyin, so that whoever types letters finds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HAN = re.compile(r"[\u3400-\u9fff]+")


def of_name(name: str) -> list[str]:
    """Return the readings of the characters of `name` one by one, each read as its neighbours ask; what is no Chinese stays."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  reads a dictionary, only for who draws

    spelled: list[str] = []
    end = 0
    for run in _HAN.finditer(name):
        spelled += name[end : run.start()]
        spelled += [
            syllable for c in lazy_pinyin(run.group(), errors="default") for syllable in _syllables(c)
        ]
        end = run.end()
    return spelled + list(name[end:])


def _syllables(spelled: str) -> Iterable[str]:
    """Return one syllable as it is, and characters that no dictionary knows one by one."""
    return spelled if _HAN.match(spelled) else [spelled]


def of_characters(names: Iterable[str]) -> dict[str, str]:
    """Return the usual reading of every Chinese character in `names`."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  reads a dictionary, only for who draws

    characters = sorted({c for name in names for c in name if _HAN.match(c)})
    return {c: lazy_pinyin(c)[0] for c in characters}


def of_exception(name: str, usual: dict[str, str]) -> str | None:
    """Return how `name` is read, syllables parted by blanks, where that differs from its characters one by one; else None."""
    spelled = of_name(name)
    return " ".join(spelled) if spelled != [usual.get(c, c) for c in name] else None
